/** A world with tables to restore into, a life for its live table, and a hand that destroys part of it. The oracle is a Map that was told only what the system itself did. */
import { memoryProcess, type OnCall } from '../../src/adapters/memory/process';
import { memoryRecordRepairs } from '../../src/adapters/memory/record-repairs';
import { itemsOf, memoryRestoreTarget, type MemoryTables } from '../../src/adapters/memory/restore-target';
import { canonicalImage } from '../../src/core/canonical-image';
import { sha256 } from '../../src/core/log/sha256';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { checkMac, withMac } from '../../src/core/record-mac';
import { RECORDS_TABLE } from '../../src/core/records-table';
import { applyRestore, planRestore, restoreKeys, type RestoreDeps, type RestoreOptions, type RestorePlan, type RestoreResult } from '../../src/operations/restore-records';
import type { TableSettings } from '../../src/ports/restore-target';
import { makeWorld, subjectNamed } from '../world';

/** As the live table is set. */
export const LIVE_SETTINGS: TableSettings = {
  stream: RECORDS_TABLE.stream,
  expires: RECORDS_TABLE.expires,
  pointInTimeRecovery: true,
  deletionProtection: true,
  encryptionKey: 'arn:aws:kms:us-east-1:000000000000:key/data',
  billing: 'on-demand',
  indexes: RECORDS_TABLE.indexes,
  tags: ['intact:stage=test'],
};

export const nameOf = (image: Image): string => JSON.stringify(keyOf(image));
const textOf = (image: Image): string => canonicalImage(image).toString();
export const textsOf = (images: Iterable<Image>): ReadonlyMap<string, string> => new Map([...images].map((image) => [nameOf(image), textOf(image)] as const).sort());

export type RestoringWorld = Awaited<ReturnType<typeof restoringWorld>>;

export async function restoringWorld(seed: number) {
  const world = await makeWorld({ seed });
  const tables: MemoryTables = new Map([['records', { settings: LIVE_SETTINGS, items: itemsOf(world.records) }]]);
  /** A table made under the live one's name is the one the handlers write to. */
  const open = (name: string) => memoryRestoreTarget(tables, name, name === 'records' ? () => itemsOf(world.records) : undefined);
  const ports = {
    vault: world.vault,
    keys: world.keys,
    keyService: world.keyService,
    inbox: world.inbox,
    records: world.records,
    repairs: memoryRecordRepairs(world.records),
    meter: world.meter,
    now: world.now,
    random: world.random,
    /** While a restore waits, the sealer and the publisher go on. */
    sleep: async (ms: number): Promise<void> => {
      await world.sleep(ms);
      await settle();
    },
  };
  async function settle(): Promise<void> {
    for (let before = -1; before !== world.stream.length; ) {
      before = world.stream.length;
      await world.seal();
    }
    await world.publish();
  }
  async function depsOf(to: string, onCall?: OnCall): Promise<{ readonly deps: RestoreDeps; readonly calls: () => number; readonly settle: () => Promise<void> }> {
    const process = memoryProcess({ ...ports, target: open(to) }, onCall);
    const { vault, keys, keyService, inbox, records, repairs, target } = process.ports;
    const { now, random, meter, sleep } = ports;
    const opened = await restoreKeys({ keys, keyService, random, now });
    const live = to === 'records' ? { records, repairs, identity: world.identity, by: 'tester', meter, sleep } : undefined;
    return { deps: { ...opened, vault, target, inbox, now, live }, calls: () => process.calls.length, settle: () => process.settle() };
  }
  return {
    world,
    tables,
    open,
    settle,
    depsOf,
    plan: async (to: string, options: Partial<RestoreOptions> = {}): Promise<RestorePlan> => planRestore((await depsOf(to)).deps, { settings: LIVE_SETTINGS, ...options }),
    restore: async (to: string, options: Partial<RestoreOptions> = {}): Promise<{ readonly plan: RestorePlan; readonly result: RestoreResult }> => {
      const { deps } = await depsOf(to);
      const plan = await planRestore(deps, { settings: LIVE_SETTINGS, ...options });
      return { plan, result: await applyRestore(deps, plan) };
    },
    itemsIn: (name: string): readonly Image[] => tables.get(name)?.items.all() ?? [],
    /** What this system wrote as a fact; its own records about itself come and go. */
    factsIn: (name: string): readonly Image[] => (tables.get(name)?.items.all() ?? []).filter((image) => !OWN.has(stringOf(image, 'kind') ?? '') || checkMac([world.macKey], image) !== 'valid'),
  };
}

const OWN: ReadonlySet<string> = new Set(['finding', 'restore', 'repair', 'heartbeat']);

/** A message with a body outside it, in the inbox. */
export async function longMessage({ world }: RestoringWorld, id: string): Promise<Image> {
  const body = Buffer.from(`${id} `.repeat(4_000));
  const name = `content/${sha256(Buffer.from(id)).toString('hex')}`;
  await world.inbox.put(name, body);
  return world.message(id, { contentName: { S: name }, contentSha256: { B: sha256(body) }, contentBytes: { N: String(body.length) } });
}

/** A profile as the system would write it, at `rev`. */
export const profile = ({ world }: RestoringWorld, n: number, rev: number, words: string): Image =>
  withMac(world.macKey, {
    pk: { S: `c#${String(n).padStart(26, '0')}` },
    sk: { S: 'profile' },
    kind: { S: 'customer' },
    customerId: { S: `customer-${n}` },
    rev: { N: String(rev) },
    subject: { S: subjectNamed(`customer ${n}`) },
    words: { S: words },
  });

/** What a table went through: the genuine state of every record, and every genuine state there ever was. */
export interface Life {
  readonly model: Map<string, Image>;
  readonly genuine: Image[];
}

/** `steps` of a table's life, all of it sealed and published. */
export async function live(place: RestoringWorld, draw: () => number, steps: number): Promise<Life> {
  const { world } = place;
  const life: Life = { model: new Map(), genuine: [] };
  const keep = (image: Image): void => {
    life.model.set(nameOf(image), image);
    life.genuine.push(image);
  };
  for (let step = 0; step < steps; step++) {
    const what = draw();
    if (what < 0.5 || life.genuine.length === 0) {
      const owner = { subject: { S: subjectNamed(`customer ${Math.floor(draw() * 5)}`) } };
      const image = withMac(world.macKey, { ...(draw() < 0.2 ? await longMessage(place, `long ${step}`) : world.message(`message ${step}`)), ...owner });
      await world.records.create(image);
      keep(image);
    } else if (what < 0.85) {
      const n = Math.floor(draw() * 5);
      const there = life.model.get(nameOf(profile(place, n, 1, '')));
      const rev = there === undefined ? 1 : Number((there['rev'] as { N: string }).N) + 1;
      const image = profile(place, n, rev, `step ${step}`);
      const done = there === undefined ? (await world.records.create(image)) === 'created' : (await world.records.replace(image, rev - 1)) === 'replaced';
      if (done) keep(image);
    } else harm(place, life, draw);
    if (draw() < 0.15) {
      world.advance(90_000);
      await world.seal(world.stream.slice(-40));
    }
  }
  await place.settle();
  return life;
}

/** One thing done by hand to the live table. */
export function harm({ world }: RestoringWorld, { model, genuine }: Life, draw: () => number): void {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)] as T;
  const { byHand } = world.records;
  const victim = pick([...model.values()]);
  const n = Math.floor(draw() * 1e9);
  const ways: readonly (() => void)[] = [
    () => byHand.remove(keyOf(victim)),
    () => byHand.remove(keyOf(victim)),
    () => byHand.put({ ...victim, text: { S: `forged ${n}` } }),
    () => byHand.put({ ...victim, extra: { N: String(n) } }),
    () => byHand.put(pick(genuine)), // as it once was, with a MAC that is valid
    () => byHand.put({ ...victim, subject: { S: subjectNamed(`nobody ${n % 3}`) } }),
    () => byHand.put({ ...victim, subject: { S: '' } }),
    () => byHand.put({ ...victim, kind: { S: 'status' } }),
    () => byHand.put({ ...world.message(`invented ${n}`), text: { S: 'forged' } }),
    () => byHand.put({ pk: { S: `c#${n}` }, sk: { S: 'profile' }, note: { S: 'no record at all' } }),
  ];
  pick(ways)();
}
