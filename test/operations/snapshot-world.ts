/** A world whose log is compacted: a life with everything in it that a replay must judge, snapshots of it at any size, and a plain fold over its places to hold both against. */
import { canonicalImage } from '../../src/core/canonical-image';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { placeOf, succession } from '../../src/core/record-history';
import { withMac } from '../../src/core/record-mac';
import { isInItsPlace } from '../../src/operations/fold-log';
import { loadSecrets } from '../../src/operations/load-secrets';
import { openSealed } from '../../src/operations/open-sealed';
import { publishedCheckpoint } from '../../src/operations/published-entries';
import { chooseSnapshot, type SnapshotChoice, type TrustedSnapshot } from '../../src/operations/read-snapshot';
import { replayLog, type ReplayDeps, type ReplayOptions, type ReplaySummary } from '../../src/operations/replay-log';
import { subjectKeys } from '../../src/operations/subject-keys';
import { sealSnapshot, takeParts, type SnapshotDeps, type SnapshotReport } from '../../src/operations/take-snapshot';
import type { WrappedKey } from '../../src/ports';
import { naiveRoot } from '../naive-log';
import { makeWorld, subjectNamed } from '../world';

export type SnapshotWorld = Awaited<ReturnType<typeof snapshotWorld>>;

/** What a replay gave: place → which entry, and the image. */
export type States = ReadonlyMap<string, string>;

export async function snapshotWorld(seed: number) {
  const world = await makeWorld({ seed });
  let sealed = 0;
  const deps: SnapshotDeps = world;

  async function readerDeps(): Promise<ReplayDeps> {
    const secrets = loadSecrets(world);
    return { vault: world.vault, subjectKeys: subjectKeys({ ...world, kek: secrets.kek }), macKeys: await secrets.macKeys() };
  }
  /** Everything written so far is sealed and published, with what that finds. */
  async function settle(): Promise<void> {
    while (sealed < world.stream.length) {
      const events = world.stream.slice(sealed);
      sealed = world.stream.length;
      world.advance(1_500);
      await world.seal(events);
    }
    await world.publish();
  }
  const size = (): number => world.log.tables.head?.size ?? 0;

  return {
    world,
    deps,
    settle,
    size,
    /** Of the first `at` entries, in so many shares; its record is sealed and published when this resolves. */
    snapshot: async (at = size(), shares = 1): Promise<SnapshotReport> => {
      const root = naiveRoot(world.entries().slice(0, at).map(({ bytes }) => bytes));
      const checkpoint = { origin: world.identity.origin, size: at, root, extensions: [] };
      world.advance(1_000);
      const began = world.now().toISOString();
      const parts = [];
      for (let number = 0; number < shares; number++) parts.push(await takeParts(deps, { checkpoint, share: { number, of: shares } }));
      const report = await sealSnapshot(deps, checkpoint, parts.reverse(), { at: began });
      await settle();
      return report;
    },
    choose: async (choice: SnapshotChoice, point: { readonly size?: number; readonly at?: string } = {}) => chooseSnapshot(await readerDeps(), await publishedCheckpoint(world.vault), choice, point),
    replay: async (options: Omit<ReplayOptions, 'checkpoint'> & { readonly snapshot?: TrustedSnapshot | undefined } = {}): Promise<{ readonly states: States; readonly summary: ReplaySummary }> => {
      const states = new Map<string, string>();
      const summary = await replayLog(await readerDeps(), { checkpoint: await publishedCheckpoint(world.vault), ...options }, async ({ image, index }) => {
        const place = placeOf(image);
        if (states.has(place)) throw new Error(`${place} is given twice`);
        states.set(place, `${index} ${canonicalImage(image).toString()}`);
      });
      return { states: new Map([...states].sort()), summary };
    },
    /** The same by one walk over the entries that knows nothing of names, passes and rows: each place has its own history. */
    naive: async (options: { readonly size?: number | undefined; readonly at?: string | undefined } = {}): Promise<States> => {
      const [reader, places] = [await readerDeps(), new Map<string, { readonly index: number; readonly image: Image }>()];
      for (const [index, { entry }] of world.entries().slice(0, options.size).entries()) {
        if (options.at !== undefined && entry.at > options.at) continue;
        const opened = await openSealed(reader, entry);
        if (opened.state !== 'image' || (!opened.raw && !isInItsPlace(opened, entry)) || stringOf(opened.image, 'pk') === undefined) continue;
        const place = placeOf(opened.image);
        if (succession(places.get(place)?.image, opened.image, [world.macKey]) === 'accepted') places.set(place, { index, image: opened.image });
      }
      return new Map([...places].map(([place, { index, image }]) => [place, `${index} ${canonicalImage(image).toString()}`] as const).sort());
    },
    live: (draw: () => number, steps: number) => live({ world, settle }, draw, steps),
    loseKeys: (draw: () => number) => loseKeys(world.keys.subjects, world.identity.systemSubject, draw),
    /** A subject's key is away while something is sealed, so that it gets another one; then the first is back, and what the other sealed is noise. */
    async sealUnderAnotherKey(): Promise<void> {
      const name = subjectNamed('customer 0');
      const row = world.keys.subjects.get(name);
      if (row === undefined) return;
      world.keys.subjects.delete(name);
      world.records.byHand.put(world.message(`under another key ${world.stream.length}`, { subject: { S: name } }));
      await settle();
      world.keys.subjects.set(name, row);
    },
  };
}

const SUBJECTS = 5;

/** A life of a table in which everything goes wrong that can: what the system writes, what is done by hand, keys that are away while something is sealed. */
async function live({ world, settle }: { readonly world: Awaited<ReturnType<typeof makeWorld>>; readonly settle: () => Promise<void> }, draw: () => number, steps: number): Promise<void> {
  const { byHand } = world.records;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)] as T;
  const subject = () => ({ subject: { S: subjectNamed(`customer ${Math.floor(draw() * SUBJECTS)}`) } });
  const genuine: Image[] = [];
  const put = (image: Image): void => {
    byHand.put(image);
    genuine.push(image);
  };
  const text = (step: number): string => `step ${step} ${draw() < 0.01 ? 'x'.repeat(60_000) : ''}`; // the long ones become blobs
  for (let step = 0; step < steps; step++) {
    const what = draw();
    if (what < 0.35 || genuine.length === 0) put(world.message(`${world.stream.length}`, { ...subject(), text: { S: text(step) } }));
    else if (what < 0.55) {
      // As the system would go on, from what it has; sometimes of an older revision.
      const [n, rev] = [Math.floor(draw() * SUBJECTS), 1 + Math.floor(draw() * 6)];
      put(withMac(world.macKey, { ...world.profile(n, rev, text(step)), ...(draw() < 0.3 && subject()) }));
    } else if (what < 0.62) {
      // Removed by hand and recorded anew under somebody else, or under the same one with other content.
      const image = pick(genuine);
      byHand.remove(keyOf(image));
      put(withMac(world.macKey, { ...image, ...(draw() < 0.7 ? subject() : { text: { S: `again ${step}` } }) }));
    } else if (what < 0.7) byHand.put(pick(genuine)); // as it once was
    else if (what < 0.75) byHand.remove(keyOf(pick(genuine)));
    else if (what < 0.8) byHand.put({ ...pick(genuine), text: { S: 'forged' } });
    else if (what < 0.84) byHand.put({ ...pick(genuine), ...subject() });
    else if (what < 0.87) byHand.put({ ...pick(genuine), kind: { S: 'status' } });
    else if (what < 0.9) byHand.put(withMac(world.macKey, { ...pick(genuine), kind: { S: 'of-a-newer-program' } }));
    else if (what < 0.93) byHand.put({ pk: { S: `odd ${step}` }, sk: { S: 'odd' } });
    else {
      // Sealed while the key of its subject is away, that is raw; which state of the record comes first is drawn.
      const image = draw() < 0.5 ? world.message(`raw ${step}`, subject()) : withMac(world.macKey, { ...world.profile(Math.floor(draw() * SUBJECTS), 1 + Math.floor(draw() * 6), `raw ${step}`), ...subject() });
      await settle();
      const name = stringOf(image, 'subject') as string;
      const row = world.keys.subjects.get(name);
      world.keys.subjects.set(name, draw() < 0.5 ? 'erased' : 'corrupt');
      put(image);
      await settle();
      if (row === undefined) world.keys.subjects.delete(name);
      else world.keys.subjects.set(name, row);
    }
    if (draw() < 0.15) {
      world.advance(60_000 * Math.floor(draw() * 30));
      await settle();
    }
  }
  await settle();
}

/** Takes some keys away, each in its own way, but not the log's own: what a sealer then finds would be sealed raw, which is a finding, and so on. What is returned brings them back. */
function loseKeys(subjects: Map<string, WrappedKey | 'erased' | 'corrupt'>, spared: string, draw: () => number): () => void {
  const lost = [...subjects].filter(([subject]) => subject !== spared && draw() < 0.3);
  for (const [subject] of lost) {
    const how = draw();
    if (how < 0.4) subjects.set(subject, 'erased');
    else if (how < 0.7) subjects.set(subject, 'corrupt');
    else subjects.delete(subject);
  }
  return () => lost.forEach(([subject, row]) => subjects.set(subject, row));
}
