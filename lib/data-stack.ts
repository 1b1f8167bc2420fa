/** What outlives every deployment: keys, tables, the vault, the inbox, the app secret. It depends on nothing; the service stack is granted its way in by the constructs here. */
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AppSecret } from './constructs/app-secret';
import { DataKey } from './constructs/data-key';
import { Inbox } from './constructs/inbox';
import { IntactFunction } from './constructs/intact-function';
import type { LambdaCode } from './constructs/lambda-bundles';
import { KeysTable } from './constructs/keys-table';
import { LogTable } from './constructs/log-table';
import { RecordsTable } from './constructs/records-table';
import { reviewed } from './constructs/reviewed';
import { SigningKey } from './constructs/signing-key';
import { StaffPool } from './constructs/staff-pool';
import { Vault } from './constructs/vault';
import { ViewsTable } from './constructs/views-table';
import { Workings } from './constructs/workings';
import { WrappingKey } from './constructs/wrapping-key';
import type { Stage } from './stage';

/** The user pool gives a trigger five seconds, and asks again if it took longer. */
const POOL_WAITS = Duration.seconds(5);

export class DataStack extends Stack {
  readonly records: RecordsTable;
  readonly log: LogTable;
  readonly keys: KeysTable;
  readonly views: ViewsTable;
  readonly vault: Vault;
  readonly inbox: Inbox;
  readonly workings: Workings;
  readonly appSecret: AppSecret;
  readonly dataKey: DataKey;
  readonly wrappingKey: WrappingKey;
  readonly signingKey: SigningKey;
  readonly staff: StaffPool;
  readonly noteSignIn: IntactFunction;

  constructor(scope: Construct, id: string, props: StackProps & { readonly stage: Stage; readonly code: LambdaCode }) {
    const { stage, code, ...stackProps } = props;
    super(scope, id, { ...stackProps, terminationProtection: stage.removal === 'retain' });
    const dataKey = new DataKey(this, 'DataKey', stage);
    const wrappingKey = new WrappingKey(this, 'WrappingKey', stage);
    this.dataKey = dataKey;
    this.wrappingKey = wrappingKey;
    this.signingKey = new SigningKey(this, 'SigningKey', stage);
    this.records = new RecordsTable(this, 'Records', { stage, dataKey });
    this.log = new LogTable(this, 'Log', { stage, dataKey });
    this.keys = new KeysTable(this, 'Keys', { stage, dataKey, wrappingKey });
    this.views = new ViewsTable(this, 'Views', { stage, dataKey });
    this.vault = new Vault(this, 'Vault', stage);
    this.inbox = new Inbox(this, 'Inbox', dataKey);
    this.workings = new Workings(this, 'Workings', stage);
    this.appSecret = new AppSecret(this, 'AppSecret', stage);
    this.staff = new StaffPool(this, 'Staff', stage);
    this.noteSignIn = this.notedSignIns(stage, code);

    const output = (name: string, value: string, description: string): CfnOutput => new CfnOutput(this, name, { value, description });
    output('RecordsTableName', this.records.table.tableName, 'The facts');
    output('LogTableName', this.log.table.tableName, 'Head and rounds of the log');
    output('KeysTableName', this.keys.table.tableName, 'Wrapped keys');
    output('ViewsTableName', this.views.table.tableName, 'Projections');
    output('VaultBucketName', this.vault.bucket.bucketName, 'The sealed log; verify it with npx intact verify s3://<this>');
    if (stage.offsite !== null && this.vault.replication !== undefined) {
      output('ReplicaBucketName', this.vault.replication.replicaBucketName, 'The facts of the vault, in the second region');
      output('ReplicaRegion', stage.offsite.region, 'The second region');
    }
    output('InboxBucketName', this.inbox.bucket.bucketName, 'Big bodies');
    output('WorkingsBucketName', this.workings.bucket.bucketName, 'What runs in parts hand to each other');
    output('AppSecretArn', this.appSecret.secret.secretArn, "Put the Meta app's secret and the verify token here");
    output('WrappingKeyArn', wrappingKey.keyArn, 'Wraps the three secrets of the key hierarchy');
    output('SigningKeyArn', this.signingKey.keyArn, 'Signs checkpoints');
    output('UserPoolId', this.staff.pool.userPoolId, 'Staff');
    output('UserPoolClientId', this.staff.client.userPoolClientId, 'What staff sign in with');
    output('SenderClientId', this.staff.sender.userPoolClientId, 'What a system signs in with that records what it sent; its secret is read with aws cognito-idp describe-user-pool-client');
    output('TokenUrl', `${this.staff.domain.baseUrl()}/oauth2/token`, 'Where it does');
  }

  /** The one function here: the pool names what it calls, so it cannot be in a stack that is made after the pool. */
  private notedSignIns(stage: Stage, code: LambdaCode): IntactFunction {
    const fn = new IntactFunction(this, 'note-sign-in', { stage, code, memoryMiB: 1024, timeout: POOL_WAITS, description: 'Writes sign-ins into the access log' });
    reviewed(fn, 'AwsSolutions-L1', 'Node 22 is the newest runtime that the SDK, middy and the local cloud were tried with together; upgrading is a change of its own.');
    this.records.grantNoteAccess(fn);
    this.log.grantReadIdentity(fn);
    this.keys.grantSecrets(fn, 'mac');
    this.staff.noteSignIns(fn);
    return fn;
  }
}
