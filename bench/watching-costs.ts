/**
 * What it costs to watch over the records: verification with its lock scan, audit, drill, snapshot, reconciliation. The real operations run over a few thousand records in memory; every call is
 * turned into the requests and units its adapter makes, by the bytes that really went through it, and scaled to a million. All of them read what there is, so their cost
 * grows as the log does; how often each runs is the stage's to say.
 */
import { memoryDeliveryLog } from '../src/adapters/memory/delivery-log';
import { memoryKeyInventory } from '../src/adapters/memory/key-inventory';
import { itemsOf, memoryRestoreTarget, type MemoryTables } from '../src/adapters/memory/restore-target';
import { memoryScratchTable } from '../src/adapters/memory/scratch-table';
import { memoryWorkings } from '../src/adapters/memory/workings';
import { memoryVaultReader } from '../src/adapters/memory/vault-reader';
import type { Image } from '../src/core/image';
import { verifierKey } from '../src/core/log/vkey';
import { RECORDS_TABLE } from '../src/core/records-table';
import { auditTable } from '../src/operations/audit-table';
import { publishLog } from '../src/operations/publish-log';
import { reconcileDeliveries } from '../src/operations/reconcile-deliveries';
import { restoreInParts } from '../src/operations/restore-in-parts';
import { wholeSource } from '../src/operations/restore-share';
import { restoreFromVault, runDrill } from '../src/operations/run-drill';
import { inParts, type Step, type StepOutput } from '../src/operations/run-in-parts';
import { sealRecords } from '../src/operations/seal-records';
import { takeSnapshot } from '../src/operations/take-snapshot';
import { checkLocks } from '../src/operations/verify-locks';
import { verifyVault } from '../src/operations/verify-vault';
import type { VaultReader } from '../src/ports/vault-reader';
import type { Stage } from '../lib/stage';
import { indexBytes, itemBytes, writeUnits } from '../test/item-bytes';
import { makeWorld, subjectNamed, type World } from '../test/world';
import { compute, type Counts, dollars, money, PRICE, scaled, type Unit } from './prices';

const RECORDS = 5_120;
/** Changes in a sealing round. */
const ROUND = 10;
const PEOPLE = 100;
/** As the bench of one message has it: 700 characters as text, and the event's own bytes. */
const CONTENT = { text: { S: 'x'.repeat(700) }, raw: { B: Buffer.alloc(850, 120) } };
/** Assumed, because only AWS can tell: milliseconds of a function with 3 GB for an entry (or record) it reads, opens or restores, waiting for S3 and DynamoDB included. */
const MS = { verify: 0.03, audit: 0.1, drill: 0.3, snapshot: 0.1, reconcile: 0.1 } as const;
/** As a drill, which is one and more. */
const RESTORE_MS = MS.drill;
/** Of a restore in parts. */
const SHARES = 4;
const GB = 3;
const HOURS_A_MONTH = 720;
const READ_UNIT = 4_096;
const NAMES_A_LISTING = 1_000;

/** What one run of each costs for a million records; of the reconciliation, for a million that were received. */
export interface WatchingCosts {
  readonly requests: Readonly<Record<keyof typeof MS, Counts>>;
  /** Of the verification, what looking at every version and its lock takes. */
  readonly lockScan: Counts;
  /** Restoring all of it into another table, in so many shares. */
  readonly restore: Counts;
  /** Parts and manifest of a snapshot, compressed. */
  readonly snapshotBytes: number;
}

class Tally {
  readonly counts: Record<string, number> = {};
  add(unit: Unit, n: number): void {
    this.counts[unit] = (this.counts[unit] ?? 0) + n;
  }

  async *each<T>(items: AsyncIterable<T>, sizeOf: (item: T) => number, unit: Unit, perUnit: number): AsyncGenerator<T> {
    let size = 0;
    for await (const item of items) {
      size += sizeOf(item);
      yield item;
    }
    this.add(unit, Math.max(1, Math.ceil(size / perUnit)));
  }
}

/** A bucket's versions as the lock scan asks for them: listed by the thousand, the lock of each by a request of its own. */
function countedVault(world: World, tally: Tally) {
  const reader = memoryVaultReader(world.vault.objects);
  const written = world.now();
  const names = (prefix: string): AsyncIterable<string> => reader.list!(prefix);
  const locks: NonNullable<VaultReader['locks']> = {
    versions: (prefix = '') => tally.each(versionsOf(names(prefix), written), () => 1, 'put', NAMES_A_LISTING),
    lock: async () => (tally.add('get', 1), { mode: 'COMPLIANCE', retainUntil: new Date(written.getTime() + 8 * 86_400_000) }),
    get: async ({ name }) => (tally.add('get', 1), reader.get(name)),
  };
  return {
    ...reader,
    get: async (name: string) => (tally.add('get', 1), reader.get(name)),
    list: (prefix: string) => tally.each(names(prefix), () => 1, 'put', NAMES_A_LISTING),
    createLocked: async (name: string, bytes: Uint8Array) => (tally.add('put', 1), world.vault.createLocked(name, bytes)),
    locks,
  };
}

async function* versionsOf(names: AsyncIterable<string>, lastModified: Date) {
  for await (const name of names) yield { name, version: '1', kind: 'version', isLatest: true, lastModified } as const;
}

const unitsToWrite = (image: Image): number => writeUnits(itemBytes(image)) + (image['customerId'] === undefined ? 0 : writeUnits(indexBytes(image)));

function countedPorts(world: World, tally: Tally) {
  const { records, log, keys, inbox } = world;
  return {
    ...world,
    vault: countedVault(world, tally),
    records: {
      ...records,
      scan: (options?: Parameters<typeof records.scan>[0]) => tally.each(records.scan(options), itemBytes, 'read', READ_UNIT),
      partition: (pk: string, prefix?: string) => tally.each(records.partition(pk, prefix), itemBytes, 'read', READ_UNIT),
      get: async (...args: Parameters<typeof records.get>) => (tally.add('read', 1), records.get(...args)),
      create: async (image: Image) => (tally.add('write', unitsToWrite(image)), records.create(image)),
    },
    log: {
      ...log,
      identity: async () => (tally.add('read', 1), log.identity()),
      readHead: async () => (tally.add('read', 1), log.readHead()),
      // A round is some 200 bytes.
      rounds: (from: number) => tally.each(log.rounds(from), () => 200, 'read', READ_UNIT),
      roundsByTime: (since: string, until?: string) => tally.each(log.roundsByTime(since, until), () => 200, 'read', READ_UNIT),
    },
    keys: {
      ...keys,
      get: async (subject: string) => (tally.add('read', 1), keys.get(subject)),
      getSecret: async (name: Parameters<typeof keys.getSecret>[0]) => (tally.add('read', 1), keys.getSecret(name)),
    },
    inbox: { ...inbox, list: (prefix: string) => tally.each(inbox.list(prefix), () => 1, 'put', NAMES_A_LISTING) },
  };
}

/** A table that is scanned, read and filled, by the units of its items. */
function countedTable(tables: MemoryTables, name: string, tally: Tally): ReturnType<typeof memoryRestoreTarget> {
  const target = memoryRestoreTarget(tables, name);
  return {
    ...target,
    scan: () => tally.each(target.scan(), itemBytes, 'read', READ_UNIT),
    read: async (wanted) => {
      const found = await target.read(wanted);
      for (const image of found) tally.add('read', Math.ceil(itemBytes(image) / READ_UNIT));
      // What is not there costs the least there is.
      tally.add('read', wanted.length - found.length);
      return found;
    },
    write: async (images) => {
      for (const image of images) tally.add('write', unitsToWrite(image));
      return target.write(images);
    },
  };
}

async function filledWorld(): Promise<World> {
  const world = await makeWorld({ seed: 23 });
  const process = world.process();
  const [sealer, publisher] = [world.sealer(process), world.publisher(process)];
  for (let i = 0; i < RECORDS; i += ROUND) {
    const from = world.stream.length;
    for (let j = i; j < i + ROUND; j++) {
      const of = j % PEOPLE;
      await world.write(world.message(`watched ${j}`, { ...CONTENT, subject: { S: subjectNamed(`person ${of}`) }, customerId: { S: `01H${String(of).padStart(23, '0')}` }, deliveryId: { S: `delivery-${String(j).padStart(13, '0')}` }, attempt: { S: 'A'.repeat(12) } }));
    }
    await sealRecords(sealer, world.stream.slice(from));
    await publishLog(publisher);
    world.advance(1_000);
  }
  return world;
}

export async function watchingCosts(): Promise<WatchingCosts> {
  const world = await filledWorld();
  const settings = { ...RECORDS_TABLE, indexes: [...RECORDS_TABLE.indexes], pointInTimeRecovery: true, deletionProtection: true, encryptionKey: null, billing: 'on-demand' as const, tags: [] };
  const tables: MemoryTables = new Map([['records', { settings, items: itemsOf(world.records) }]]);
  const perMillion = 1e6 / RECORDS;
  const counted = async (run: (ports: ReturnType<typeof countedPorts>, tally: Tally) => Promise<unknown>): Promise<Counts> => {
    const tally = new Tally();
    await run(countedPorts(world, tally), tally);
    return scaled(tally.counts as Counts, perMillion);
  };
  const pinned = [verifierKey(world.identity.origin, await world.signer.publicKey())];

  // Before the others leave records that nobody seals here.
  let snapshotBytes = 0;
  const before = world.vault.objects.size;
  const verify = await counted(async ({ vault }) => {
    const { ok, findings } = await verifyVault(vault, { profile: 'intact', keys: pinned, lockPolicy: { mode: 'COMPLIANCE', retentionDays: 7 } });
    if (!ok) throw new Error(`the vault that is measured is not clean: ${JSON.stringify(findings[0])}`);
  });
  const lockScan = await counted(({ vault }) => checkLocks(vault.locks, { mode: 'COMPLIANCE', retentionDays: 7 }, () => undefined));
  const snapshot = await counted(async (ports) => takeSnapshot(ports));
  for (const [name, bytes] of [...world.vault.objects].slice(before)) if (name.startsWith('snapshot/')) snapshotBytes += bytes.length * perMillion;
  const drill = await counted(async (ports, tally) => {
    const live = countedTable(tables, 'records', tally);
    const scratch = memoryScratchTable(tables, 'records');
    const deps = { ...ports, live };
    const { records } = await runDrill({ ...deps, scratch: { ...scratch, open: () => countedTable(tables, scratch.name, tally) }, restore: restoreFromVault(deps) }, { lastsAtMostMs: 900_000 });
    if (records < RECORDS) throw new Error(`the drill restored ${records} of ${RECORDS} records`);
  });
  const audit = await counted(async (ports, tally) => {
    const { records } = await auditTable({ ...ports, table: countedTable(tables, 'records', tally), inventory: memoryKeyInventory(world.keys) });
    if (records < RECORDS) throw new Error(`the audit compared ${records} of ${RECORDS} records`);
  });
  const reconcile = await counted(async (ports) => reconcileDeliveries({ ...ports, deliveries: memoryDeliveryLog(), logRetentionDays: 3 }, { until: world.now() }));
  const restore = await counted((ports, tally) => restoredInParts(world, ports, (name) => countedTable(tables, name, tally)));
  return { requests: { verify, audit, drill, snapshot, reconcile }, lockScan, restore, snapshotBytes };
}

/** All records into a new table, as the state machine has it done. */
async function restoredInParts(world: World, ports: ReturnType<typeof countedPorts>, tableAt: (name: string) => ReturnType<typeof memoryRestoreTarget>): Promise<void> {
  const parting = { workings: memoryWorkings(), macKeys: async () => [world.macKey] as const, now: world.now };
  const head = await world.log.readHead();
  const size = head === 'absent' ? 0 : head.size;
  const deps = { ...ports, inbox: world.inbox, live: tableAt('records'), siblings: [], prefix: 'records-restored-', tableAt, sources: { vault: wholeSource(ports.vault) } };
  const step = async (asked: Step): Promise<StepOutput> => (await inParts(parting, restoreInParts(deps, { wholeUpTo: Math.ceil(size / SHARES) }), asked)).output;
  const begun = await step({ step: 'begin', asked: { to: 'records-restored-one', point: { size }, from: 'vault', by: 'bench' } });
  if (begun.done || begun.parts.length !== SHARES) throw new Error(`the restore goes in ${SHARES} parts`);
  const { run, round, parts } = begun;
  for (const part of parts) await step({ step: 'part', part, run, round });
  await step({ step: 'merge', run, round });
}

/** What each costs once, and in a month of `stage`, for a million records in the log and a million received in that month. */
export function printWatchingCosts({ requests, lockScan, restore, snapshotBytes }: WatchingCosts, stage: Stage): void {
  const runs: Readonly<Record<keyof typeof MS, number>> = {
    verify: HOURS_A_MONTH / stage.verifyEveryHours,
    audit: HOURS_A_MONTH / stage.auditEveryHours,
    drill: HOURS_A_MONTH / 24 / stage.drillEveryDays,
    snapshot: HOURS_A_MONTH / 24 / stage.snapshot.everyDays,
    // Each run looks at what came since the last one: all of them together at everything once.
    reconcile: 1,
  };
  // Of a drill each share writes its part; reading is the same for all.
  const { write = 0, ...reads } = requests.drill;
  const counts = { ...requests, drill: { ...reads, write: write / stage.drillShares } };
  const ofRun = (name: keyof typeof MS): number => dollars(counts[name]) + compute({ ms: 1e6 * MS[name], GB });
  const LABELS = { verify: 'verification, every lock looked at', audit: 'audit of the table', drill: `drill, one of ${stage.drillShares} shares`, snapshot: 'snapshot', reconcile: 'reconciliation, all runs together' } as const;
  console.log(`\nWatching over a million records, stage ${stage.name}: one run, and a month`);
  console.log('| run | read units | write units | S3 gets | S3 puts and lists | dollars a run | runs a month | a month |\n|---|---:|---:|---:|---:|---:|---:|---:|');
  const thousands = (n = 0): string => (n >= 10_000 ? `${Math.round(n / 1_000).toLocaleString('en-US')},000` : String(Math.round(n)));
  let month = 0;
  for (const name of Object.keys(LABELS) as (keyof typeof MS)[]) {
    const of: Counts = counts[name];
    month += ofRun(name) * runs[name];
    console.log(`| ${LABELS[name]} | ${thousands(of.read)} | ${thousands(of.write)} | ${thousands(of.get)} | ${thousands(of.put)} | ${money(ofRun(name))} | ${name === 'reconcile' ? '' : runs[name]} | ${money(ofRun(name) * runs[name])} |`);
  }
  // Kept two days and one more after their lock has ended.
  const kept = (stage.snapshot.retentionDays + 3) / stage.snapshot.everyDays;
  const GBs = snapshotBytes / 1e9;
  const storing = kept * GBs * PRICE.storedGBMonth;
  const replicated = stage.offsite === null ? 0 : storing + runs.snapshot * GBs * PRICE.transferGB;
  console.log(`| snapshots kept: ${kept.toFixed(1)} of ${GBs.toFixed(2)} GB${stage.offsite === null ? '' : ', here and in the second region'} | | | | | | | ${money(storing + replicated)} |`);
  console.log(`| **together** | | | | | | | **${money(month + storing + replicated)}** |`);
  const restored = dollars(restore) + compute({ ms: 1e6 * RESTORE_MS, GB });
  console.log(`Restored once into another table, in ${SHARES} parts: ${thousands(restore.read)} read units, ${thousands(restore.write)} write units, ${thousands(restore.get)} gets: ${money(restored)}.`);
  console.log(`Of the verification the lock scan is ${thousands(lockScan.get)} of ${thousands(requests.verify.get)} gets, ${money(dollars(lockScan))} a run. Ten million records in the log: ten times as much, of everything but the reconciliation.`);
}
