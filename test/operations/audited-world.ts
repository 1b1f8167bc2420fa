/** A world whose table is audited: waiting lets the sealer and the publisher work, as they do on their own, and whoever writes meanwhile. */
import { memoryKeyInventory } from '../../src/adapters/memory/key-inventory';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { auditTable, type AuditDeps, type AuditOptions, type AuditReport } from '../../src/operations/audit-table';
import type { RecordStore } from '../../src/ports';
import { makeWorld, subjectNamed, type World } from '../world';

export interface AuditedWorld {
  readonly world: World;
  readonly deps: AuditDeps;
  readonly asked: { readonly pk: string; readonly sk: string }[];
  /** Called at every wait, before the sealer. */
  busy: () => Promise<void> | void;
  /** Whether the sealer and the publisher work at all. */
  working: boolean;
  audit(options?: AuditOptions): Promise<AuditReport>;
  /** Everything written until now is sealed and published, what that finds included. */
  settle(): Promise<void>;
}

export async function auditedWorld(seed: number): Promise<AuditedWorld> {
  const world = await makeWorld({ seed });
  const asked: AuditedWorld['asked'] = [];
  let sealed = 0;
  let settling: Promise<void> = Promise.resolve();
  // One publisher, as the head's stream has it.
  const settle = (): Promise<void> => (settling = settling.then(settleOnce));
  const settleOnce = async (): Promise<void> => {
    while (sealed < world.stream.length) {
      const events = world.stream.slice(sealed);
      sealed = world.stream.length;
      await world.seal(events);
    }
    await world.publish();
  };
  const audited: AuditedWorld = {
    world,
    asked,
    busy: () => undefined,
    working: true,
    settle,
    deps: {
      ...world,
      table: tableOf(world.records),
      inventory: memoryKeyInventory(world.keys),
      ask: async ({ key }) => void asked.push(key),
      sleep: async (ms) => {
        world.advance(ms);
        await audited.busy();
        if (audited.working) await settle();
      },
    },
    audit: (options) => auditTable(audited.deps, options),
  };
  return audited;
}

/** The live table, read through the records table's own port. */
export const tableOf = (records: Pick<RecordStore, 'get' | 'scan'>): AuditDeps['table'] => ({
  scan: () => records.scan(),
  read: async (keys) => (await Promise.all(keys.map((key) => records.get(key, { consistent: true })))).filter((image): image is Image => image !== 'absent'),
});

/** A profile as the system would write it, at `rev`. */
export const profile = (world: World, n: number, rev: number, words = `revision ${rev}`): Image =>
  withMac(world.macKey, { ...world.profile(n, rev, words), receivedAt: { S: world.now().toISOString() } });

/** `n` messages of a few people and their profiles, sealed and published. */
export async function populated(audited: AuditedWorld, n: number): Promise<readonly Image[]> {
  const { world } = audited;
  const images = Array.from({ length: n }, (_, i) => (i % 5 === 4 ? profile(world, i, 1) : withMac(world.macKey, { ...world.message(`message ${i}`), subject: { S: subjectNamed(`customer ${i % 7}`) } })));
  await world.write(...images);
  await audited.settle();
  return images;
}

export const nameOf = (image: Image): string => JSON.stringify(keyOf(image));

/** Code and place of every finding the audits left as a record. */
export async function auditFindings({ world }: AuditedWorld): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const image of world.records.scan({ kinds: ['finding'] })) {
    if (!stringOf(image, 'source')?.startsWith('table:')) continue;
    found.push(`${stringOf(image, 'code')} ${stringOf(image, 'keyOf') ?? JSON.stringify({ pk: stringOf(image, 'recordPk'), sk: stringOf(image, 'recordSk') })}`);
  }
  return found.sort();
}
