/** The three roles of people who run the stage, by the policies of operator-policy.ts. Sessions last an hour: whoever works longer shows the second factor again. */
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { type IPrincipal, type PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { logGroupName } from '../../src/runtime/env';
import type { DataStack } from '../data-stack';
import { operatorRoleName, type Stage } from '../stage';
import type { TrailStack } from '../trail-stack';
import { auditorStatements, breakGlassStatements, mayAssume, operatorStatements, type Places } from './operator-policy';
import { reviewed } from './reviewed';
import { machineName } from './whole-vault';

const SESSION = Duration.hours(1);
/** Nobody disables a key with a code that was typed a while ago. */
const BREAK_GLASS_MFA_SECONDS = 15 * 60;

export interface OperatorRolesProps {
  readonly stage: Stage;
  readonly operators: NonNullable<Stage['operators']>;
  readonly data: DataStack;
  /** Absent where the stage has none. */
  readonly trail: TrailStack | undefined;
}

export class OperatorRoles extends Construct {
  constructor(scope: Construct, id: string, props: OperatorRolesProps) {
    super(scope, id);
    const { stage, operators } = props;
    const provider = operators.identityProvider ?? undefined;
    const people = mayAssume(60 * operators.mfaMaxAgeMinutes, provider);
    const places = this.places(props);
    this.role(stage, 'operator', people, operatorStatements(places));
    this.role(stage, 'auditor', people, auditorStatements(places));
    // Where the stage names a role of its own for this, the keys let no other one.
    if (stage.breakGlassRoleArn === undefined) this.role(stage, 'break-glass', mayAssume(BREAK_GLASS_MFA_SECONDS, provider), breakGlassStatements(places));
  }

  private role(stage: Stage, name: 'operator' | 'auditor' | 'break-glass', assumedBy: IPrincipal, statements: readonly PolicyStatement[]): void {
    const role = new Role(this, name, { roleName: operatorRoleName(stage, name), description: `Intact ${stage.name}: ${name}, with a second factor`, assumedBy, maxSessionDuration: SESSION });
    for (const statement of statements) role.addToPolicy(statement);
    for (const resource of new Set(statements.flatMap(({ resources }) => resources).filter((each) => each.includes('*')))) {
      reviewed(role, `AwsSolutions-IAM5[Resource::${this.inReport(resource)}]`, 'What the star stands for has names that nobody knows beforehand, or the actions know no resources; the test of the policies evaluates both sides of it.');
    }
  }

  private readonly exported = new Map<string, string>();

  /** The ARN of what another stack has, which the report calls by the name it is exported under. */
  private of(owner: IConstruct, arn: string): string {
    const { 'Fn::ImportValue': name } = Stack.of(this).resolve(Stack.of(owner).exportValue(arn)) as { 'Fn::ImportValue': string };
    this.exported.set(arn, name);
    return arn;
  }

  private inReport(resource: string): string {
    for (const [arn, name] of this.exported) if (resource.startsWith(arn)) return `${name}${resource.slice(arn.length)}`;
    const { partition, account, region } = Stack.of(this);
    return [['AWS::Partition', partition], ['AWS::AccountId', account], ['AWS::Region', region]].reduce((text, [name, token]) => text.replaceAll(`${token}`, /^\$\{Token/.test(`${token}`) ? `<${name}>` : `${token}`), resource);
  }

  private places({ stage, data, trail }: OperatorRolesProps): Places {
    const stack = Stack.of(this);
    const arn = (service: string, resource: string, resourceName: string, arnFormat = ArnFormat.SLASH_RESOURCE_NAME): string => stack.formatArn({ service, resource, resourceName, arnFormat });
    return {
      stacks: arn('cloudformation', 'stack', `Intact-${stage.name}-*/*`),
      records: this.of(data.records, data.records.table.tableArn),
      log: this.of(data.log, data.log.table.tableArn),
      keys: this.of(data.keys, data.keys.table.tableArn),
      views: this.of(data.views, data.views.table.tableArn),
      vault: this.of(data.vault, data.vault.bucket.bucketArn),
      inbox: this.of(data.inbox, data.inbox.bucket.bucketArn),
      workings: this.of(data.workings, data.workings.bucket.bucketArn),
      restoreMachine: {
        machine: arn('states', 'stateMachine', machineName(stage, 'restore-table'), ArnFormat.COLON_RESOURCE_NAME),
        executions: `${arn('states', 'execution', machineName(stage, 'restore-table'), ArnFormat.COLON_RESOURCE_NAME)}:*`,
      },
      dataKey: this.of(data.dataKey, data.dataKey.keyArn),
      wrappingKey: this.of(data.wrappingKey, data.wrappingKey.keyArn),
      signingKey: this.of(data.signingKey, data.signingKey.keyArn),
      receiverLogs: ['receive-webhook', 'process-inbox'].map((name) => arn('logs', 'log-group', logGroupName(stage.name, name), ArnFormat.COLON_RESOURCE_NAME)),
      functions: arn('lambda', 'function', `Intact-${stage.name}-Service-*`, ArnFormat.COLON_RESOURCE_NAME),
      ...(stage.reconcile.meta && { metaToken: stage.reconcile.meta.tokenSecretArn }),
      ...(trail && { trail: { bucket: this.of(trail, trail.bucket.bucketArn), key: this.of(trail, trail.key.keyArn) } }),
      through: (service) => `${service}.${stack.region}.${stack.urlSuffix}`,
    };
  }
}
