/**
 * Runs a command line in process, as bin/intact.ts would, against a deployment in memory: real operations on memory ports, deliveries recorded by the very
 * operation behind the webhook. What a person would see comes back as text.
 */
import { directoryVault } from '../../src/adapters/files/directory-vault';
import { memoryDeliveryLog } from '../../src/adapters/memory/delivery-log';
import { memoryKeyInventory } from '../../src/adapters/memory/key-inventory';
import { memoryRecordRepairs } from '../../src/adapters/memory/record-repairs';
import { itemsOf, memoryItems, memoryRestoreTarget, type MemoryTables } from '../../src/adapters/memory/restore-target';
import { memoryScratchTable } from '../../src/adapters/memory/scratch-table';
import { memoryStreamReaders } from '../../src/adapters/memory/stream-readers';
import { memoryViews } from '../../src/adapters/memory/view-store';
import { main } from '../../src/cli/main';
import type { Io } from '../../src/cli/io';
import type { Deployment, World as CommandWorld } from '../../src/cli/world';
import { keyOf, type Attribute, type TableKey } from '../../src/core/image';
import { RECORDS_TABLE } from '../../src/core/records-table';
import type { MetricName } from '../../src/core/metric-names';
import { loadSecrets } from '../../src/operations/load-secrets';
import { projectViews } from '../../src/operations/project-views';
import { receiveDelivery } from '../../src/operations/receive-delivery';
import type { AppSecret } from '../../src/ports/app-secrets';
import type { AlarmState } from '../../src/ports/monitoring';
import type { VaultReader } from '../../src/ports/vault-reader';
import { makeWorld, type World } from '../world';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Record<string, string | undefined>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly memoryDirectory?: string;
  readonly version?: string;
  /** In place of the world's own, which stands still. */
  readonly now?: () => Date;
  /** What stands between the command and a vault by address. */
  readonly through?: (reader: VaultReader) => VaultReader;
}

export type MemoryDeployment = Awaited<ReturnType<typeof memoryDeployment>>;

export async function memoryDeployment(seed = 1) {
  const world = await makeWorld({ seed });
  const views = memoryViews();
  const secret: { current: AppSecret } = { current: { appSecrets: ['the app secret'], verifyToken: 'token' } };
  const alarms: AlarmState[] = [];
  /** What CloudWatch would have: the meter's counts, once anything was measured. */
  const measured: { newestLag?: { value: number; at: string } } = {};
  const posts: { url: string; body: Buffer; headers: Readonly<Record<string, string>> }[] = [];
  const keys = loadSecrets({ keys: world.keys, keyService: world.keyService });
  const receiving = { ...world, keys, secrets: { current: async () => secret.current, refresh: async () => secret.current }, accounts: new Map<string, string>() };

  /** Settings of the two tables of ours a restore looks at; their items are the world's, or nobody asks. */
  const settings = { ...RECORDS_TABLE, pointInTimeRecovery: true, deletionProtection: true, encryptionKey: 'arn:aws:kms:us-east-1:000000000000:key/data', billing: 'on-demand' as const, tags: ['intact:stage=local'] };
  const tables: MemoryTables = new Map([
    [OUTPUTS.RecordsTableName, { settings, items: itemsOf(world.records) }],
    [OUTPUTS.LogTableName, { settings: { ...settings, stream: 'NEW_IMAGE', expires: 'expiresAt', indexes: [] }, items: memoryItems() }],
  ]);

  // A table's stream is another one with each table made under its name.
  const streams = new Map<string, { readonly made: object | undefined; readonly n: number }>();
  const streamOf = (table: string): string | 'absent' => {
    const made = tables.get(table);
    const known = streams.get(table);
    if (made === undefined || made.settings.stream === null) {
      streams.set(table, { made: undefined, n: known?.n ?? 0 });
      return 'absent';
    }
    if (known?.made !== made.items) streams.set(table, { made: made.items, n: (known?.n ?? 0) + 1 });
    return `arn:aws:dynamodb:us-east-1:000000000000:table/${table}/stream/${String(streams.get(table)?.n).padStart(6, '0')}`;
  };
  const reading = { stream: streamOf(OUTPUTS.RecordsTableName), isOn: true };
  const streamReaders = memoryStreamReaders(streamOf, [
    { reader: 'Intact-local-Service-projectviews', ...reading, settings: { BatchSize: 100 } },
    { reader: 'Intact-local-Service-sealrecords', ...reading, settings: { BatchSize: 1000 } },
  ]);

  const deployment: Deployment = {
    target: { kind: 'local', stage: 'local', region: 'us-east-1', endpoint: 'https://127.0.0.1:1', caFile: '/ca.pem', ca: '', outputs: OUTPUTS },
    region: 'us-east-1',
    outputs: OUTPUTS,
    records: world.records,
    repairs: memoryRecordRepairs(world.records),
    streamReaders,
    scratch: memoryScratchTable(tables, OUTPUTS.RecordsTableName),
    inventory: memoryKeyInventory(world.keys),
    tableAt: (name) => memoryRestoreTarget(tables, name, name === OUTPUTS.RecordsTableName ? () => itemsOf(world.records) : undefined),
    log: world.log,
    vault: world.vault,
    snapshotVault: world.vault,
    inbox: world.inbox,
    keys: world.keys,
    views,
    kms: world.keyService,
    signer: world.signer,
    signerOf: () => world.signer,
    appSecrets: receiving.secrets,
    monitoring: {
      sums: async (names) => new Map(names.flatMap((name: MetricName) => (world.meter.counts.has(name) ? [[name, world.meter.counts.get(name) ?? 0] as const] : []))),
      newest: async () => measured.newestLag ?? 'absent',
      alarms: async () => alarms,
    },
    deliveryLog: memoryDeliveryLog(),
    logRetentionDays: 3,
    vaultReader: readerOf(world),
    lockPolicy: { mode: 'COMPLIANCE', retentionDays: 1, snapshotRetentionDays: 1 },
    random: world.random,
    operator: async () => 'local:tester',
    byHand: { setAttribute: async (key, name, value) => byHand(world, key, name, value), destroyTable: async () => destroyTable() },
    post: async (url, body, headers) => {
      posts.push({ url, body: Buffer.from(body), headers });
      const outcome = await receiveDelivery(receiving, { rawBody: Buffer.from(body), signature: headers['x-hub-signature-256'] });
      if (outcome.outcome === 'refused') return { status: 401, body: JSON.stringify({ type: 'about:blank', title: 'Unauthorized', status: 401, detail: outcome.reason }) };
      const { outcome: _outcome, ...answer } = outcome;
      return { status: 200, body: JSON.stringify(answer) };
    },
  };
  function destroyTable(): 'destroyed' | 'absent' {
    const there = tables.get(OUTPUTS.RecordsTableName);
    if (there === undefined) return 'absent';
    for (const image of there.items.all()) there.items.remove(keyOf(image));
    tables.delete(OUTPUTS.RecordsTableName);
    return 'destroyed';
  }
  return {
    world,
    deployment,
    tables,
    streamReaders,
    secret,
    alarms,
    measured,
    posts,
    /** Everything recorded so far is projected, sealed and published. */
    settle: async (): Promise<void> => {
      await projectViews({ views, keys, now: world.now }, world.stream);
      // Sealing writes findings, which are sealed in turn.
      for (let before = -1; before !== world.stream.length; ) {
        before = world.stream.length;
        await world.seal();
      }
      await world.publish();
    },
    run: (argv: readonly string[], options: CommandOptions = {}): Promise<Ran> => runCommand(argv, options, world, async () => deployment),
  };
}

/** For commands that need no deployment: asking for one fails the test. */
export async function runAlone(argv: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const world = await makeWorld({ seed: 1 });
  return runCommand(argv, options, world, async () => {
    throw new Error('this command asked for a deployment');
  });
}

async function runCommand(argv: readonly string[], { env = {}, stdin = '', cwd = process.cwd(), memoryDirectory = '/nowhere', version = '0.0.0', now, through = (reader) => reader }: CommandOptions, world: World, deployment: () => Promise<Deployment>): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const io: Io = {
    stdout: { write: (chunk) => out.push(Buffer.from(chunk as Uint8Array)) },
    stderr: { write: (chunk) => err.push(Buffer.from(chunk as Uint8Array)) },
    stdin: (async function* () {
      yield Buffer.from(stdin as Uint8Array);
    })(),
    interactive: false,
    env,
    cwd,
    now: world.now,
    sleep: world.sleep,
  };
  const commandWorld: CommandWorld & { close(): void } = {
    deployment,
    vaultAt: async (source) => ({ kind: 'directory', reader: through(directoryVault(source)) }),
    vaultWriterAt: async (source) => {
      throw new Error(`no test writes to ${source}`);
    },
    memoryDirectory,
    now: now ?? world.now,
    close: () => undefined,
  };
  const code = await main(argv, io, () => version, async () => commandWorld);
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

const OUTPUTS = {
  WebhookUrl: 'https://127.0.0.1:1/_aws/execute-api/a/webhook',
  ApiUrl: 'https://127.0.0.1:1/_aws/execute-api/a',
  RecordsTableName: 'records',
  LogTableName: 'log',
  KeysTableName: 'keys',
  ViewsTableName: 'views',
  VaultBucketName: 'vault',
  InboxBucketName: 'inbox',
  AppSecretArn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:app',
  SigningKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/sign',
  WrappingKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/wrap',
};

export function readerOf({ vault }: Pick<World, 'vault'>): VaultReader {
  return { source: 's3://vault', get: (name) => vault.get(name), list: (prefix) => vault.list(prefix) };
}

async function byHand({ records }: World, key: TableKey, name: string, value: Attribute): Promise<'changed' | 'absent'> {
  const image = await records.get(key, { consistent: true });
  if (image === 'absent') return 'absent';
  records.byHand.put({ ...image, [name]: value });
  return 'changed';
}

/** One text message as Meta sends it. */
export const delivery = (id: string, text: string, phoneNumberId = '307000000000042'): string =>
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '208000000000017',
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: '12025550100', phone_number_id: phoneNumberId },
              contacts: [{ profile: { name: 'Ada' }, wa_id: '12025550143', user_id: 'US.1' }],
              messages: [{ from: '12025550143', id, timestamp: '1769990400', type: 'text', text: { body: text } }],
            },
          },
        ],
      },
    ],
  });
