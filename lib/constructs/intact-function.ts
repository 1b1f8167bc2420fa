/** The defaults of every Lambda of ours: runtime, logs, tracing, a role of its own that starts with no rights but to write its own log. */
import { ArnFormat, type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as Lambda, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Env, logGroupName } from '../../src/runtime/env';
import type { Stage } from '../stage';
import type { LambdaCode } from './lambda-bundles';
import { reviewed } from './reviewed';

export interface IntactFunctionProps {
  readonly stage: Stage;
  readonly code: LambdaCode;
  readonly description: string;
  /** Processor time comes with memory: 1,769 MB are one core. */
  readonly memoryMiB: number;
  readonly timeout: Duration;
  /** For a function that another account must be able to name; the others have names of CloudFormation's. */
  readonly roleName?: string;
}

/** The construct's id is the name of the handler's file in `lambdas/`. */
export class IntactFunction extends Lambda {
  private readonly ownLog: LogGroup;

  constructor(scope: Construct, name: string, props: IntactFunctionProps) {
    const { stage } = props;
    const logGroup = new LogGroup(scope, `${name}-log`, {
      logGroupName: logGroupName(stage.name, name),
      retention: stage.logRetentionDays as RetentionDays,
      removalPolicy: stage.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), description: `Intact ${stage.name}: ${name}`, ...(props.roleName === undefined ? {} : { roleName: props.roleName }) });
    super(scope, name, {
      code: props.code(name),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_22_X,
      architecture: Architecture.ARM_64,
      description: props.description,
      memorySize: props.memoryMiB,
      timeout: props.timeout,
      role,
      tracing: Tracing.ACTIVE,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      environment: { [Env.STAGE]: stage.name, [Env.TRACING]: 'on' },
    });
    this.ownLog = logGroup;
    role.addToPolicy(new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }));
    reviewed(role, 'AwsSolutions-IAM5[Resource::*]', 'xray:PutTraceSegments and xray:PutTelemetryRecords know no resources; the test of the templates lets this star pass for these two actions only.');
  }

  /** Lets `fn` read what this function said; `env` tells it the log's name. */
  grantReadLog(fn: Lambda, env: string): void {
    fn.addEnvironment(env, this.ownLog.logGroupName);
    // The ARN of a log group ends in `:*`, as requests name it; the authorization reference names it without.
    const asReferred = Stack.of(this).formatArn({ service: 'logs', resource: 'log-group', resourceName: this.ownLog.logGroupName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    fn.addToRolePolicy(new PolicyStatement({ actions: ['logs:FilterLogEvents'], resources: [this.ownLog.logGroupArn, asReferred] }));
  }
}

