/**
 * A tombstone wins its place for ever. So whoever has the key that makes MACs and may write the table, but not the partition of erasures, must not be able to have anybody believe one: each is found, counts in no
 * replay, and what it stands over comes back from the log.
 */
import { memoryRecordRepairs } from '../../../src/adapters/memory/record-repairs';
import { canonicalImage } from '../../../src/core/canonical-image';
import { keyOf, stringOf, type Image, type TableKey } from '../../../src/core/image';
import { isSameImage } from '../../../src/core/record-history';
import { withMac } from '../../../src/core/record-mac';
import { recordKeys } from '../../../src/core/table-keys';
import { tombstoneOf } from '../../../src/core/tombstone';
import { publishedCheckpoint } from '../../../src/operations/published-entries';
import { repairRecords } from '../../../src/operations/repair-record';
import { replayLog } from '../../../src/operations/replay-log';
import { sealMissing } from '../../../src/operations/seal-missing';
import { subjectKeys } from '../../../src/operations/subject-keys';
import { findingsIn } from '../../world';
import { contact, delivery, text } from '../receiving-world';
import { EVE, populated, SECRETS, type ErasingWorld } from './erasing-world';

const NOBODYS = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const at = (it: ErasingWorld, key: TableKey): Image | undefined => {
  const there = it.world.records.byHand.peek(key);
  return there === 'absent' ? undefined : there;
};
const messageOf = async (it: ErasingWorld, id: string): Promise<Image> => (await it.images('message')).find((image) => stringOf(image, 'messageId') === id)!;
/** As somebody with the key of MACs makes it. */
const forged = (it: ErasingWorld, of: Image, erasure: string, change: Image = {}): Image => withMac(it.world.macKey, { ...tombstoneOf(of, erasure, it.world.identity.systemSubject, it.world.now().toISOString()), ...change });

/** What the log gives for one place. */
async function replayedAt(it: ErasingWorld, { pk, sk }: TableKey): Promise<Image | undefined> {
  const deps = { vault: it.world.vault, subjectKeys: subjectKeys({ ...it.world, kek: it.secrets.kek }), macKeys: await it.secrets.macKeys() };
  const found: Image[] = [];
  await replayLog(deps, { checkpoint: await publishedCheckpoint(it.world.vault) }, async ({ image, key }) => void (key.pk === pk && key.sk === sk && found.push(image)));
  expect(found.length).toBeLessThan(2);
  return found[0];
}

async function repaired(it: ErasingWorld, key: TableKey): Promise<string> {
  const ports = { ...it.world, repairs: memoryRecordRepairs(it.world.records), sleep: async (ms: number) => (it.world.advance(ms), it.settle()) };
  const [attempt] = await repairRecords(ports, [{ key }]);
  await it.settle();
  return attempt?.status === 'fulfilled' ? attempt.value.outcome : String(attempt?.reason);
}

/** The genuine record is what the log gives, and comes back; then nothing is left to find. */
async function isUndone(it: ErasingWorld, genuine: Image): Promise<void> {
  const key = keyOf(genuine);
  expect(await findingsIn(it.world)).toContain('tombstone-unpermitted');
  expect(canonicalImage((await replayedAt(it, key)) as Image).toString()).toBe(canonicalImage(genuine).toString());
  expect(await repaired(it, key)).toBe('put-back');
  expect(isSameImage(at(it, key) as Image, genuine)).toBe(true);
  expect((await it.audit()).found).toEqual([]);
  await it.settle();
  expect(await it.verify()).toEqual([]);
  expect(it.world.check()).toEqual([]);
}

/** A world in which Eve was erased, so that there is a genuine erasure to name. */
async function after(seed: number): Promise<{ readonly it: ErasingWorld; readonly erasure: string; readonly message: Image; readonly other: string }> {
  const { it, eve, other } = await populated(seed);
  const erasure = await it.confirmed(eve);
  await it.untilDone();
  return { it, erasure, message: await messageOf(it, 'wamid.other-1'), other };
}

describe('a tombstone without an erasure that takes what it stands for', () => {
  test.each(['of no erasure', 'of the erasure of somebody else'])('%s, put where a record was deleted, is found, and the record comes back', async (which) => {
    const { it, erasure, message } = await after(1);
    it.world.records.byHand.remove(keyOf(message));
    it.world.records.byHand.put(forged(it, { ...message, rev: { N: '0' } }, which === 'of no erasure' ? NOBODYS : erasure));
    await it.settle();
    await isUndone(it, message);
  });

  test('put over a record is found, however it is made to look', async () => {
    const { it, erasure, message } = await after(2);
    const ways: readonly (readonly Image[])[] = [
      [forged(it, message, erasure)],
      // What was there before is no record of ours, so the tombstone seems to come to its own.
      [{ ...message, text: { S: 'forged' } }, forged(it, message, erasure)],
      // The second one replaces a tombstone.
      [forged(it, message, NOBODYS), forged(it, { ...message, rev: { N: '2' } }, erasure)],
      // Under the record's own subject it would have the record's own name.
      [forged(it, message, erasure, { subject: message['subject']! })],
    ];
    for (const images of ways) {
      for (const image of images) it.world.records.byHand.put(image);
      await it.settle();
      await isUndone(it, message);
      // Three repairs of a record an hour.
      it.world.advance(3_600_000);
    }
  });

  test('put over a record of the log itself is found, and the record comes back', async () => {
    const { it, erasure } = await after(3);
    for (const record of [...(await it.images('certificate')), ...(await it.images('hold')), ...(await it.images('erasure-request'))]) {
      it.world.records.byHand.put(forged(it, record, erasure));
      await it.settle();
      await isUndone(it, record);
    }
  });

  test('put where nothing ever was, so that a message would be taken for a late resend, is found and removed', async () => {
    const { it, erasure, message } = await after(4);
    const nowhere = { ...message, pk: { S: stringOf(message, 'pk')!.slice(0, -3) + 'AAA' } };
    it.world.records.byHand.put(forged(it, nowhere, erasure));
    await it.settle();
    expect(await findingsIn(it.world)).toContain('tombstone-unpermitted');
    expect(await replayedAt(it, keyOf(nowhere))).toBeUndefined();
    expect(await repaired(it, keyOf(nowhere))).toBe('removed');
    expect(at(it, keyOf(nowhere))).toBeUndefined();
    expect((await it.audit()).found).toEqual([]);
  });

  test('that the stream lost is found when it is sealed late', async () => {
    const { it, message } = await after(5);
    it.world.records.byHand.decay(forged(it, message, NOBODYS));
    for (let day = 0; day < 3; day++) {
      await sealMissing(it.world);
      await it.settle();
      it.world.advance(26 * 3_600_000);
    }
    await isUndone(it, message);
  });

  test('and that nobody was asked to repair is handed on by the audit', async () => {
    const { it, erasure, message } = await after(6);
    it.world.records.byHand.remove(keyOf(message));
    it.world.records.byHand.put(forged(it, { ...message, rev: { N: '0' } }, erasure));
    await it.settle();
    it.world.advance(2 * 3_600_000);
    const { found, asked } = await it.audit();
    expect(found).toMatchObject([{ code: 'record-modified', key: keyOf(message) }]);
    expect(asked).toEqual([{ key: keyOf(message) }]);
    expect(await repaired(it, keyOf(message))).toBe('put-back');
    await it.settle();
    expect(isSameImage(at(it, keyOf(message)) as Image, message)).toBe(true);
  });
});

test('a tombstone that a repair puts back counts, whatever stood in its place, and the resend stays erased', async () => {
  const { it, eve } = await populated(7);
  const message = await messageOf(it, 'wamid.eve-1');
  await it.confirmed(eve);
  await it.untilDone();
  const tombstone = at(it, keyOf(message)) as Image;
  const spoilt: readonly (() => void)[] = [
    () => it.world.records.byHand.remove(keyOf(message)),
    () => it.world.records.byHand.put({ ...tombstone, kind: { S: 'message' }, text: { S: 'forged' } }),
    () => it.world.records.byHand.put({ ...tombstone, erasure: { S: NOBODYS } }),
  ];
  for (const spoil of spoilt) {
    spoil();
    await it.settle();
    expect(await repaired(it, keyOf(message))).toBe('put-back');
    expect(isSameImage(at(it, keyOf(message)) as Image, tombstone)).toBe(true);
    expect(isSameImage((await replayedAt(it, keyOf(message))) as Image, tombstone)).toBe(true);
    it.world.advance(3_600_000);
  }
  expect(await it.receiver().receive(delivery({ contacts: [contact(EVE)], messages: [text('wamid.eve-1', 'the words of eve', EVE)] }))).toMatchObject({ duplicate: 1, recorded: 0 });
  expect((await it.audit()).found).toEqual([]);
  // The one that was spoilt; of none that was put back.
  expect((await findingsIn(it.world)).filter((code) => code === 'tombstone-unpermitted')).toHaveLength(1);
  for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
});

test('no erasure is needed to know an erasure: one that is gone from the table lets nothing through that it had not permitted', async () => {
  const { it, erasure, message } = await after(8);
  it.world.records.byHand.remove(recordKeys.erasure(erasure));
  it.world.records.byHand.put(forged(it, message, erasure));
  await it.settle();
  await repaired(it, recordKeys.erasure(erasure));
  await isUndone(it, message);
});
