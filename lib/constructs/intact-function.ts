/** The defaults of every Lambda of ours: runtime, logs, tracing, a role of its own that starts with no rights but to write its own log. */
import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as Lambda, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Env } from '../../src/runtime/env';
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
}

/** The construct's id is the name of the handler's file in `lambdas/`. */
export class IntactFunction extends Lambda {
  constructor(scope: Construct, name: string, props: IntactFunctionProps) {
    const { stage } = props;
    const logGroup = new LogGroup(scope, `${name}-log`, {
      logGroupName: logGroupName(stage.name, name),
      retention: stage.logRetentionDays as RetentionDays,
      removalPolicy: stage.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), description: `Intact ${stage.name}: ${name}` });
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
    role.addToPolicy(new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }));
    reviewed(role, 'AwsSolutions-IAM5[Resource::*]', 'xray:PutTraceSegments and xray:PutTelemetryRecords know no resources; the test of the templates lets this star pass for these two actions only.');
  }
}

/** A name a person can type at night. */
export const logGroupName = (stage: string, name: string): string => `/intact/${stage}/${name}`;

