/** What every other operation makes of an erasure, while it goes on and afterwards: the gap is as it should be, and nobody comes back. */
import { createHash } from 'node:crypto';
import { memoryRecordRepairs } from '../../../src/adapters/memory/record-repairs';
import { canonicalImage } from '../../../src/core/canonical-image';
import { hashed } from '../../../src/core/dedupe-key';
import { keyOf, stringOf, type Image } from '../../../src/core/image';
import { withMac } from '../../../src/core/record-mac';
import { publishedCheckpoint } from '../../../src/operations/published-entries';
import { chooseSnapshot } from '../../../src/operations/read-snapshot';
import { repairRecords } from '../../../src/operations/repair-record';
import { replayLog, type ReplayOptions } from '../../../src/operations/replay-log';
import { placeHold } from '../../../src/operations/staff/holds';
import { subjectKeys } from '../../../src/operations/subject-keys';
import { takeSnapshot } from '../../../src/operations/take-snapshot';
import { figure } from '../../figures';
import { findingsIn } from '../../world';
import { contact, delivery, text } from '../receiving-world';
import { ALICE, EVE, EVERY_MS, populated, SECRETS, type ErasingWorld } from './erasing-world';

const nameOf = (image: Image): string => JSON.stringify(keyOf(image));

/** Place → canonical image of what the log gives. */
async function replayed(it: ErasingWorld, options: Omit<ReplayOptions, 'checkpoint'> = {}, withSnapshot = false): Promise<ReadonlyMap<string, string>> {
  const deps = { vault: it.world.vault, subjectKeys: subjectKeys({ ...it.world, kek: it.secrets.kek }), macKeys: await it.secrets.macKeys() };
  const checkpoint = await publishedCheckpoint(it.world.vault);
  const { snapshot } = withSnapshot ? await chooseSnapshot(deps, checkpoint, 'newest', options) : { snapshot: undefined };
  if (withSnapshot) expect(snapshot).toBeDefined();
  const found = new Map<string, string>();
  await replayLog(deps, { checkpoint, ...(snapshot && { snapshot }), ...options }, async ({ image }) => {
    expect(found.has(nameOf(image))).toBe(false);
    found.set(nameOf(image), canonicalImage(image).toString());
  });
  return new Map([...found].sort());
}
const table = async (it: ErasingWorld): Promise<ReadonlyMap<string, string>> => new Map((await it.images()).map((image): [string, string] => [nameOf(image), canonicalImage(image).toString()]).sort());
const RESEND = delivery({ contacts: [contact(EVE)], messages: [text('wamid.eve-1', 'the words of eve', EVE)] });

test('at every step the audit finds nothing and asks for no repair, and the log gives back exactly the table', async () => {
  const { it, eve } = await populated(1);
  await it.confirmed(eve);
  for (let run = 0; run < 14; run++) {
    await it.advance();
    // Before the sealer has seen it, too.
    const audit = await it.audit();
    expect([run, audit.findings, audit.asked]).toEqual([run, 0, []]);
    await it.settle();
    expect(await replayed(it)).toEqual(await table(it));
    it.world.advance(EVERY_MS);
  }
  expect(await it.images('certificate')).toHaveLength(1);
});

test('a snapshot from before, and one taken meanwhile, bring nobody back, with the entries behind them', async () => {
  const { it, eve } = await populated(2);
  await it.confirmed(eve);
  for (const runs of [1, 6, 20]) {
    await takeSnapshot(it.world);
    await it.settle();
    await it.untilDone(undefined, runs);
    await it.settle();
    const fromSnapshot = await replayed(it, {}, true);
    expect(fromSnapshot).toEqual(await replayed(it));
    expect(fromSnapshot).toEqual(await table(it));
  }
  expect(await it.images('certificate')).toHaveLength(1);
  await takeSnapshot(it.world);
  await it.settle();
  expect(await replayed(it, {}, true)).toEqual(await table(it));
  for (const secret of SECRETS) expect([secret, [...(await replayed(it, {}, true)).values()].filter((image) => image.includes(secret))]).toEqual([secret, []]);
});

test('an earlier point shows the person as long as there is a key, and afterwards the tombstones, so that a late resend is known even there', async () => {
  const { it, eve } = await populated(3);
  const before = it.world.now().toISOString();
  const size = it.world.entries().length;
  await it.confirmed(eve);
  while ((await it.images('tombstone')).length === 0) {
    await it.advance();
    await it.settle();
    it.world.advance(EVERY_MS);
  }
  await placeHold(it.staff, ALICE, { customerId: eve, reason: 'law suit' });
  await it.settle();
  for (const point of [{ at: before }, { size }]) expect([...(await replayed(it, point)).values()].filter((image) => image.includes('the words of eve'))).toHaveLength(1);
  const { releaseHold } = await import('../../../src/operations/staff/holds');
  await releaseHold(it.staff, ALICE, { customerId: eve });
  await it.untilDone();
  await it.settle();
  const tombstones = (await it.images('tombstone')).map((image): [string, string] => [nameOf(image), canonicalImage(image).toString()]);
  for (const point of [{ at: before }, { size }]) {
    const then = await replayed(it, point);
    for (const [name, image] of tombstones.filter(([each]) => each.includes('m#'))) expect(then.get(name)).toBe(image);
    for (const secret of SECRETS) expect([...then.values()].some((image) => image.includes(secret))).toBe(false);
  }
});

test('shares of an audit come to the same as the whole', async () => {
  const { it, eve } = await populated(4);
  await it.confirmed(eve);
  await it.untilDone(undefined, 8);
  const whole = await replayed(it);
  const subjects = new Set(it.world.entries().map(({ entry }) => entry.subject));
  const shared = new Map<string, string>();
  for (const subject of subjects) for (const [name, image] of await replayed(it, { subjects: (each) => each === subject, only: (image) => stringOf(image, 'subject') === subject })) shared.set(name, image);
  expect(new Map([...shared].sort())).toEqual(whole);
});

test('a tombstone that somebody deletes, or puts the erased record over, is put back, and the resend stays erased', async () => {
  const { it, eve } = await populated(5);
  const message = (await it.images('message')).find((image) => stringOf(image, 'messageId') === 'wamid.eve-1')!;
  await it.confirmed(eve);
  await it.untilDone();
  const repair = async (): Promise<unknown> => {
    const { asked } = await it.audit();
    await it.settle();
    const ports = { ...it.world, repairs: memoryRecordRepairs(it.world.records), sleep: async (ms: number) => (it.world.advance(ms), it.settle()) };
    return (await repairRecords(ports, asked as Parameters<typeof repairRecords>[1])).map((each) => (each.status === 'fulfilled' ? each.value.outcome : String(each.reason)));
  };
  it.world.records.byHand.remove(keyOf(message));
  await it.settle();
  expect(await repair()).toEqual(['put-back']);
  await it.settle();
  it.world.records.byHand.put(message);
  await it.settle();
  expect(await repair()).toEqual(['put-back']);
  await it.settle();
  expect(await it.receiver().receive(RESEND)).toMatchObject({ duplicate: 1, recorded: 0 });
  expect((await it.audit()).findings).toBe(0);
  expect(it.world.check()).toEqual([]);
  expect(await it.verify()).toEqual([]);
  // What was done by hand is on record; that it was put right adds nothing to it.
  expect(new Set(await findingsIn(it.world))).toEqual(new Set(['record-removed', 'record-missing', 'immutable-modified', 'kind-changed', 'subject-changed', 'subject-erased', 'record-modified']));
});

test('a record that was written under their subject when the key was gone is a tombstone within a day; what is not genuine waits for its repair', async () => {
  const { it, eve } = await populated(6);
  const message = (await it.images('message')).find((image) => stringOf(image, 'messageId') === 'wamid.eve-1')!;
  await it.confirmed(eve);
  await it.untilDone();
  const late = withMac(it.world.macKey, { ...message, pk: { S: `m#${'L'.repeat(43)}` }, messageId: { S: 'wamid.eve-late' }, text: { S: 'the late words of eve' } });
  const forged = { ...late, pk: { S: `m#${'F'.repeat(43)}` } };
  for (const image of [late, forged]) it.world.records.byHand.put(image);
  await it.settle();
  expect(await findingsIn(it.world)).toEqual(expect.arrayContaining(['subject-erased', 'mac-invalid']));
  const before = await findingsIn(it.world);
  for (let run = 0; run <= 24 * 12; run++) {
    await it.advance();
    it.world.advance(EVERY_MS);
  }
  await it.settle();
  expect([late, forged].map((image) => it.world.records.byHand.peek(keyOf(image)))).toEqual([expect.objectContaining({ kind: { S: 'tombstone' } }), forged]);
  expect(await findingsIn(it.world)).toEqual(before);
  expect(await it.images('certificate')).toHaveLength(1);
  expect((await it.holding('the late words of eve')).filter((place) => place.startsWith('record') && !place.includes('F'.repeat(43)))).toEqual([]);
});

test('an erased record that somebody puts back while there still is a key is removed again, and that is no state sealed twice', async () => {
  const { it, eve } = await populated(7);
  const message = (await it.images('message')).find((image) => stringOf(image, 'messageId') === 'wamid.eve-1')!;
  await it.confirmed(eve);
  await it.untilDone(undefined, 8);
  expect(await it.images('tombstone')).not.toEqual([]);
  expect(await it.images('certificate')).toEqual([]);
  it.world.records.byHand.put(message);
  await it.settle();
  expect(await replayed(it)).not.toEqual(await table(it));
  await it.untilDone();
  expect(await replayed(it)).toEqual(await table(it));
  expect((await it.audit()).found.filter(({ code }) => code === 'record-doubled')).toEqual([]);
  await it.settle();
  expect(await it.holding('the words of eve')).toEqual([]);
  expect(it.world.check()).toEqual([]);
});

test('with the key gone, nobody finds a number by trying all there are: no id, no commitment, no key in any store follows from it without a secret', async () => {
  const { it, eve } = await populated(6);
  await it.confirmed(eve);
  await it.untilDone();
  await it.settle();
  // Everything an adversary without keys sees: the vault, the keys and non-content of the tables, the views.
  const seen = new Set<string>();
  for (const { entry } of it.world.entries()) for (const value of [entry.id, entry.subject, entry.src, ...('commit' in entry ? [entry.commit] : [])]) seen.add(value);
  for (const image of await it.images()) for (const part of [stringOf(image, 'pk'), stringOf(image, 'sk'), stringOf(image, 'subject'), stringOf(image, 'erasure')].flatMap((value) => (value ?? '').split(/[#|]/))) seen.add(part);
  for (const name of [...it.world.vault.objects.keys(), ...it.world.inbox.objects.keys()]) name.split(/[/.]/).forEach((part) => seen.add(part));
  const text = [...it.world.vault.objects.values()].map((bytes) => bytes.toString('latin1')).join('\n');
  const digests = (of: string): readonly string[] => (['hex', 'base64', 'base64url'] as const).flatMap((form) => ['sha256', 'sha1', 'md5'].map((hash) => createHash(hash).update(of).digest(form)));
  let [tried, hits] = [0, 0];
  const SPACE = 2_000;
  for (let i = 0; i < SPACE; i++) {
    const number = `1555000${String(i).padStart(4, '0')}`;
    const guesses = [number, `wa-id${number}`, JSON.stringify(['wa-id', number]), `intact/v1${number}`, JSON.stringify(['records', `a#${number}`, 'alias'])];
    for (const guess of guesses.flatMap(digests)) {
      tried++;
      if (seen.has(guess) || (i < 50 && text.includes(guess))) hits++;
    }
    for (const key of ['', 'intact', 'dedupe']) if (seen.has(hashed(Buffer.from(key), 'alias', ['wa-id', number]))) hits++;
  }
  expect(SPACE).toBeGreaterThan(Number(EVE.waId.slice(-4)));
  expect(hits).toBe(0);
  // Who has the dedupe key can tell that a number was known: its tombstone is what recognises it. The threat model says so.
  const dedupe = await it.secrets.dedupeKey();
  expect(seen.has(hashed(dedupe, 'alias', ['wa-id', EVE.waId]))).toBe(true);
  figure('numbers tried against everything that is left of an erased person, without a secret', `${tried} guesses, ${hits} hits`);
});
