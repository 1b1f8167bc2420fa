/**
 * Lives of a table in which the system writes and somebody else does whatever he likes by hand: when all is quiet again the table is what the system wrote, and nothing he did
 * is missing from the log. And what a repair reads of one record in the log is what a replay of the whole log says of it.
 */
import { seededDraw } from '../../src/adapters/memory/schedule';
import { keyOf, type Image, type TableKey } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { publishedCheckpoint } from '../../src/operations/published-entries';
import { replayLog } from '../../src/operations/replay-log';
import { sealedHistories, type SealedHistory } from '../../src/operations/sealed-history';
import { settledLog } from '../../src/operations/settled-log';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { subjectNamed } from '../world';
import { makeRepairWorld, nameOf, textOf, type RepairWorld } from './repair-world';

interface Life {
  readonly world: RepairWorld;
  /** What the system wrote, by name. */
  readonly model: Map<string, Image>;
  /** What was put by hand. */
  readonly hands: Image[];
  readonly edits: () => number;
}

const name = (image: Image): string => nameOf(keyOf(image));
const SUBJECTS = [0, 1, 2].map((n) => subjectNamed(`customer ${n}`));

/** One step: mostly the system's own; a hand with the given probability. Records that were changed by hand are not written by the system before they are repaired. */
async function step({ world, model, hands }: Life, draw: () => number, at: number, handed: number): Promise<number> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)] as T;
  const known = [...model.values()];
  if (draw() >= handed || known.length === 0) {
    if (draw() < 0.6 || known.length === 0) {
      const image = withMac(world.macKey, { ...world.message(`message ${at}`), subject: { S: pick(SUBJECTS) } });
      await world.write(image);
      model.set(name(image), image);
      return 0;
    }
    const n = Math.floor(draw() * 3);
    const there = model.get(name(world.profile(n, 1, '')));
    const image = world.profile(n, there === undefined ? 1 : Number((there['rev'] as { N: string }).N) + 1, `step ${at}`);
    const live = await world.records.get(keyOf(image), { consistent: true });
    // The system would meet a record that is not genuine, and leave it to the repair.
    if (textOf(live === 'absent' ? undefined : live) !== textOf(there)) return 0;
    if (there === undefined) await world.records.create(image);
    else await world.records.replace(image, Number((there['rev'] as { N: string }).N));
    model.set(name(image), image);
    return 0;
  }
  const victim = pick(known);
  const put = (image: Image): void => {
    world.records.byHand.put(image);
    hands.push(image);
  };
  const what = draw();
  if (what < 0.25) put({ ...victim, text: { S: `forged ${at}` } });
  else if (what < 0.4) world.records.byHand.remove(keyOf(victim));
  else if (what < 0.55) put({ ...victim, subject: { S: pick([...SUBJECTS, subjectNamed(`stranger ${at}`)]) }, note: { S: `${at}` } });
  else if (what < 0.65) put({ ...victim, kind: { S: pick(['status', 'customer', 'letter']) }, rev: { N: String(Math.floor(draw() * 5)) } });
  else if (what < 0.75) put({ ...victim, sk: { S: `invented ${at}` } });
  else if (what < 0.85) put({ pk: { S: `c#${at}` }, sk: { S: 'x' }, words: { L: [{ N: '1' }] } });
  else if (what < 0.92) put({ pk: victim['pk']!, sk: victim['sk']! });
  else if (hands.length > 0) put(pick(hands));
  return 1;
}

async function live(seed: number, steps: number, handed: number): Promise<Life> {
  const world = await makeRepairWorld(seed);
  const draw = seededDraw(seed);
  let edits = 0;
  const life: Life = { world, model: new Map(), hands: [], edits: () => edits };
  for (let at = 0; at < steps; at++) {
    edits += await step(life, draw, at, handed);
    const moment = draw();
    if (moment < 0.2) await world.sealNew();
    else if (moment < 0.3) await world.publishNew();
    else if (moment < 0.35) await world.settle();
    // So that no record is repaired more often than a person should have looked.
    world.advance(moment < 0.35 ? 1_300_000 : 1_000);
  }
  return life;
}

let healed = 0;
afterAll(() => figure('records changed, removed, invented by hand at random', `${healed} hands, all in the log, every record healed, no finding of a repair, verify: 0 findings`));

test('the table becomes what the system wrote, whatever was done to it, and all of it is in the log', async () => {
  await forEachSeed('lives with repairs', 10, async (seed) => {
    const life = await live(seed, 80, 0.25);
    const { world, model, hands } = life;
    await world.settle();
    // What was refused for an hour because somebody was at it too often.
    world.advance(3_700_000);
    await world.repair(...[...model.values(), ...hands].map((image) => ({ key: keyOf(image) })));
    await world.settle();
    const own = new Set(['finding', 'repair']);
    const table = [...(await world.table())].filter(([, text]) => !own.has((JSON.parse(text) as { kind?: { S?: string } }).kind?.S ?? ''));
    expect(new Map(table)).toEqual(new Map([...model].map(([each, image]) => [each, textOf(image)] as const).sort()));
    expect(hands.filter((image) => !world.isSealed(image))).toEqual([]);
    // Each finding is of a hand: nothing that a repair did is one.
    const sources = new Set((await world.ofKind('finding')).map((image) => (image['source'] as { S: string }).S));
    const repaired = new Set((await world.ofKind('repair')).map((image) => (image['sk'] as { S: string }).S.split('#').slice(0, 2).join(' ')));
    const { stateHash } = await import('../../src/core/repair-record');
    const steps = world.stream.filter(({ eventId, oldImage, newImage }) => sources.has(eventId) && repaired.has(`${stateHash(oldImage)} ${stateHash(newImage)}`));
    expect(steps).toEqual([]);
    expect([world.check(), await world.verify()]).toEqual([[], []]);
    healed += life.edits();
  });
});

describe('what is read of one record in the log', () => {
  const histories = async (world: RepairWorld, keys: readonly TableKey[], subjects: readonly string[], everywhere: boolean): Promise<readonly SealedHistory[]> => {
    const log = settledLog(world.ports);
    return sealedHistories({ vault: world.vault, subjectKeys: log.subjectKeys, macKeys: await log.macKeys() }, await publishedCheckpoint(world.vault), keys.map((key) => ({ key, subjects })), { everywhere });
  };

  test('is what a replay of all of it says, and every state that was put there by hand', async () => {
    await forEachSeed('lives without repairs', 6, async (seed) => {
      const { world, model, hands } = await live(seed, 60, 0.4);
      await world.sealNew();
      await world.sealNew();
      await world.publishNew();
      const log = settledLog(world.ports);
      const replayed = new Map<string, number>();
      await replayLog({ vault: world.vault, subjectKeys: log.subjectKeys, macKeys: await log.macKeys() }, { checkpoint: await publishedCheckpoint(world.vault) }, async ({ image, index }) => void replayed.set(name(image), index));
      const keys = [...new Map([...model.values(), ...hands].map((image) => [name(image), keyOf(image)])).values()];
      const found = await histories(world, keys, [], true);
      expect(found.map(({ genuine }) => genuine?.index)).toEqual(keys.map((key) => replayed.get(nameOf(key))));
      for (const [i, key] of keys.entries()) {
        const events = world.stream.filter((event) => nameOf(event.key) === nameOf(key));
        expect(found[i]?.states.map(({ entry, became }) => [entry.src, became.state === 'image' ? textOf(became.image) : became.state])).toEqual(
          events.map(({ eventId, newImage }) => [eventId, newImage === undefined ? 'removed' : textOf(newImage)]),
        );
      }
      // Known subjects lead to every one of which a genuine state is: nothing is missing but what was never anybody's.
      const genuine = await histories(world, [...model.values()].map(keyOf), SUBJECTS.concat([0, 1, 2].map((n) => subjectNamed(`customer ${n}`))), false);
      expect(genuine.every((history) => history.genuine !== undefined)).toBe(true);
    });
  });
});
