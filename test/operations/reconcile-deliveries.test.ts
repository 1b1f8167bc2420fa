/** Reconciliation: what was answered 200 and left nothing is named, and nothing else; what could not be read leaves no result; no time is left out. */
import fc from 'fast-check';
import { FAULTS, Killed } from '../../src/adapters/memory/process';
import { hashed } from '../../src/core/dedupe-key';
import { stringOf, integerOf, type Image } from '../../src/core/image';
import { withMac } from '../../src/core/record-mac';
import { reconciledUntilIn, UNLOGGED_AT_LEAST, WAITS_AT_MOST_MS } from '../../src/core/reconciliation';
import { runResultIn } from '../../src/core/run-records';
import { FIRST_LOOK_BACK_MS, LONGEST_WINDOW_MS, MAX_FINDING_RECORDS, ReconciliationError, SETTLED_AFTER_MS } from '../../src/operations/reconcile-deliveries';
import { LogStopped } from '../../src/operations/read-log';
import { PortError } from '../../src/ports';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { NUMBER } from './receiving-world';
import { bigTexts, HOUR_MS, reconcilingWorld, texts, type ReconcilingWorld } from './reconciling-world';

const scanOf = async ({ world }: ReconcilingWorld, ...kinds: string[]): Promise<readonly Image[]> => {
  const found: Image[] = [];
  for await (const image of world.records.scan({ kinds })) found.push(image);
  return found;
};
const dedupeOf = ({ world }: ReconcilingWorld): Promise<Buffer> => world.keyService.unwrap('dedupe', world.keys.secrets.get('dedupe')?.wrapped[world.keyService.region] as Buffer);

describe('deliveries and records', () => {
  test('where everything is recorded there is no finding, and the run leaves a record that says how far it got', async () => {
    const it = await reconcilingWorld(1);
    for (const name of ['a', 'b', 'c']) await it.deliver(texts(name, 3));
    await it.deliver(texts('a', 3)); // a resend
    await it.settle();
    it.world.advance(HOUR_MS);
    const report = await it.reconcile({ by: 'local:tester' });
    expect(report).toMatchObject({ ok: true, findings: 0, found: [], deliveries: 3, events: 12, waiting: 0, unlogged: 0, undecided: 0 });
    const [record, ...others] = await it.results();
    expect(others).toEqual([]);
    expect(runResultIn(record as Image)).toMatchObject({ ok: true, findings: 0, records: 3, size: report.size, by: 'local:tester' });
    expect(reconciledUntilIn(record as Image)).toBe(new Date(it.world.now().getTime() - SETTLED_AFTER_MS).toISOString());
    expect(it.world.meter.counts.get('ReconciliationCompleted')).toBe(1);
    expect(it.world.meter.counts.get('ReconciliationFindings')).toBeUndefined();
    await it.settle();
    expect(it.world.check()).toEqual([]);
  });

  test('a delivery that was answered 200 and left nothing is found, once, and told without a word of it', async () => {
    const it = await reconcilingWorld(2);
    await it.deliver(texts('kept'));
    const { deliveryId } = await it.vanish(texts('gone', 2, 'a secret of a customer'));
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: false, findings: 1, byCode: { 'delivery-missing': 1 }, found: [{ code: 'delivery-missing', about: deliveryId, missing: 2 }] });
    expect(it.world.meter.counts.get('ReconciliationFindings')).toBe(1);
    it.world.advance(HOUR_MS);
    await it.reconcile({ since: new Date(it.world.now().getTime() - 4 * HOUR_MS) });
    expect(await it.findings()).toEqual([`delivery-missing ${deliveryId}`]);
    for (const image of await scanOf(it, 'finding', 'reconciliation')) expect(JSON.stringify(image)).not.toMatch(/secret|wamid|1650555/);
  });

  test('one event of a delivery is missing as well as all of it', async () => {
    const it = await reconcilingWorld(3);
    const { deliveryId, recorded } = await it.deliver(texts('part', 5));
    it.say('receive', { deliveryId, queued: 0, recorded: 1, duplicate: recorded, variant: 0, conflict: 0, quarantined: 0 }); // a second attempt that says it recorded one more
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ found: [{ code: 'delivery-missing', about: deliveryId, missing: 1 }] });
  });

  test('records of another outcome do not stand in for those claimed', async () => {
    const it = await reconcilingWorld(4);
    const { deliveryId } = await it.deliver(texts('one', 2), { isLogged: false });
    it.say('receive', { deliveryId, queued: 0, recorded: 1, duplicate: 0, variant: 0, conflict: 0, quarantined: 1 });
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ found: [{ about: deliveryId, missing: 1 }] });
  });

  test('variants, conflicts and quarantined input are records too', async () => {
    const it = await reconcilingWorld(5);
    await it.deliver(texts('one', 1, 'first'));
    expect(await it.deliver(texts('one', 1, 'second'))).toMatchObject({ conflict: 1 });
    expect(await it.deliver('{"object":"whatsapp_business_account","entry":[{}]}')).toMatchObject({ quarantined: 1 });
    expect(await it.deliver('no JSON')).toMatchObject({ quarantined: 1 });
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: 4, events: 4 });
  });

  test('a record that was removed right after it was written is the finding of the audit, not of this: the log has it', async () => {
    const it = await reconcilingWorld(6);
    await it.deliver(texts('removed'));
    for (const image of await scanOf(it, 'message')) it.removeByHand(image);
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: 1 });
  });

  test('one that was removed and came again with a resend was recorded twice', async () => {
    const it = await reconcilingWorld(61);
    await it.deliver(texts('removed'));
    for (const image of await scanOf(it, 'message')) it.removeByHand(image);
    expect(await it.deliver(texts('removed'))).toMatchObject({ recorded: 1 });
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, events: 2 });
  });

  test('what is in the table and not in the log yet is no finding: the sealer may stand still', async () => {
    const it = await reconcilingWorld(7);
    await it.deliver(texts('sealed'));
    await it.settle();
    await it.deliver(texts('unsealed', 2));
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: 2 });
  });

  test('a record that somebody made by hand, without our MAC, does not stand in for one', async () => {
    const it = await reconcilingWorld(8);
    const { deliveryId } = await it.vanish(texts('gone'));
    it.world.records.byHand.put({ ...it.world.message('planted'), deliveryId: { S: deliveryId } });
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ byCode: { 'delivery-missing': 1 } });
  });

  test('as many missing as entries were erased are not judged; one more is', async () => {
    const it = await reconcilingWorld(9);
    await it.deliver(texts('erased', 2));
    await it.settle();
    for (const image of await scanOf(it, 'message')) {
      it.removeByHand(image);
      it.world.keys.subjects.set(stringOf(image, 'subject') as string, 'erased');
    }
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, undecided: 1 });
    expect(it.world.meter.counts.get('ReconciliationUndecided')).toBe(1);
    await it.vanish(texts('gone', 9));
    it.world.advance(HOUR_MS);
    const report = await it.reconcile({ since: new Date(it.world.now().getTime() - 3 * HOUR_MS) });
    expect(report).toMatchObject({ undecided: 0, byCode: { 'delivery-missing': 2 } });
  });
  test('what cannot be opened for another reason than its erasure excuses nothing', async () => {
    const it = await reconcilingWorld(67);
    await it.deliver(texts('locked', 2));
    await it.settle();
    for (const image of await scanOf(it, 'message')) {
      it.removeByHand(image);
      it.world.keys.subjects.delete(stringOf(image, 'subject') as string);
    }
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ undecided: 0, byCode: { 'delivery-missing': 1 } });
  });

  test("a record that was sealed as the stream's own bytes, because they could not be read, is there", async () => {
    const it = await reconcilingWorld(68);
    await it.deliver(texts('raw'));
    await it.world.seal(it.world.stream.map(({ newImage, ...event }) => (stringOf(newImage, 'kind') === 'message' ? event : { ...event, ...(newImage && { newImage }) })));
    for (const image of await scanOf(it, 'message')) it.removeByHand(image);
    expect(it.world.entries().map(({ entry }) => entry.kind)).toContain('raw');
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: 1 });
  });
});

describe('lines', () => {
  test('a record without its line is counted and no finding, until most are without', async () => {
    const it = await reconcilingWorld(10);
    for (let i = 0; i < UNLOGGED_AT_LEAST - 1; i++) await it.deliver(texts(`unlogged ${i}`), { isLogged: false });
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: 0, unlogged: UNLOGGED_AT_LEAST - 1 });
    await it.deliver(texts('one more'), { isLogged: false });
    await it.settle();
    it.world.advance(HOUR_MS);
    const all = { since: new Date(it.world.now().getTime() - 3 * HOUR_MS) };
    expect(await it.reconcile(all)).toMatchObject({ byCode: { 'deliveries-unlogged': 1 }, found: [{ missing: UNLOGGED_AT_LEAST }] });
  });

  test('with as many that have one, those without are no finding', async () => {
    const it = await reconcilingWorld(11);
    for (let i = 0; i < UNLOGGED_AT_LEAST; i++) {
      await it.deliver(texts(`unlogged ${i}`), { isLogged: false });
      await it.deliver(texts(`logged ${i}`));
    }
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: UNLOGGED_AT_LEAST, unlogged: UNLOGGED_AT_LEAST });
  });

  test('a forged line takes nothing away: what another line claimed stays claimed; one of its own is a delivery that never was', async () => {
    const it = await reconcilingWorld(12);
    const { deliveryId } = await it.vanish(texts('gone'));
    it.say('receive', { deliveryId, queued: 0, recorded: 0, duplicate: 1, variant: 0, conflict: 0, quarantined: 0 });
    it.say('process', { deliveryId, outcome: 'processed', recorded: 0, duplicate: 1, variant: 0, conflict: 0, quarantined: 0 });
    it.say('receive', { deliveryId: 'A'.repeat(22), queued: 0, recorded: 1, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 });
    await it.settle();
    it.world.advance(HOUR_MS);
    await it.reconcile();
    expect(await it.findings()).toEqual([`delivery-missing ${'A'.repeat(22)}`, `delivery-missing ${deliveryId}`].sort());
  });

  test('a forged line does not make one that was put aside one that was recorded at once', async () => {
    const it = await reconcilingWorld(62);
    const { deliveryId } = await it.vanish(bigTexts('gone'));
    it.say('receive', { deliveryId, queued: 0, recorded: 0, duplicate: 70, variant: 0, conflict: 0, quarantined: 0 });
    it.world.advance(WAITS_AT_MOST_MS + 1);
    expect(await it.reconcile({ since: new Date(it.world.now().getTime() - 3 * 24 * HOUR_MS) })).toMatchObject({ found: [{ code: 'delivery-unprocessed', about: deliveryId }] });
  });

  test('what only the line of its recording tells of must be there too: the line of its answer may be lost', async () => {
    const it = await reconcilingWorld(63);
    it.say('process', { object: 'delivery/x', outcome: 'processed', deliveryId: 'B'.repeat(22), recorded: 1, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 });
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ deliveries: 0, found: [{ code: 'delivery-missing', about: 'B'.repeat(22) }] });
  });

  test('those of a delivery are found where it was received at the very end, and its record was sealed before the beginning', async () => {
    const it = await reconcilingWorld(64);
    const { deliveryId } = await it.deliver(texts('a'), { isLogged: false });
    await it.settle();
    for (const image of await scanOf(it, 'message')) it.removeByHand(image);
    it.world.advance(2_000);
    const since = it.world.now();
    it.world.advance(2_000);
    it.say('receive', { deliveryId, queued: 0, recorded: 1, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 });
    await it.deliver(texts('b'));
    for (const image of await scanOf(it, 'message')) it.removeByHand(image);
    await it.settle();
    it.world.advance(1_000);
    const { deliveryId: late } = await it.deliver(texts('c'), { isLogged: false });
    it.world.advance(1);
    const until = it.world.now();
    it.world.advance(1_000);
    it.say('receive', { deliveryId: late, queued: 0, recorded: 1, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 });
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile({ since, until })).toMatchObject({ ok: true, deliveries: 2, unlogged: 0 });
  });

  test('those of another time are not missed in this one', async () => {
    const it = await reconcilingWorld(65);
    for (let i = 0; i < UNLOGGED_AT_LEAST; i++) await it.deliver(texts(`before ${i}`), { isLogged: false });
    it.world.advance(HOUR_MS);
    const since = it.world.now();
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile({ since })).toMatchObject({ ok: true, unlogged: 0 });
  });

  test('a line nobody of ours writes is a finding that does not repeat it', async () => {
    const it = await reconcilingWorld(13);
    it.say('receive', { deliveryId: 'Erika Mustermann', recorded: -1 });
    it.log.written.receive.push({ at: it.world.now(), text: '{"message":"delivery accepted","deliveryId":"Erika' }, { at: it.world.now(), text: 'END RequestId: delivery accepted' });
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ findings: 2, byCode: { 'line-unreadable': 2 }, deliveries: 0 });
    expect(JSON.stringify(await scanOf(it, 'finding'))).not.toContain('Erika');
  });
});

describe('deliveries that are put aside', () => {
  test('are looked for under the line of whoever recorded them', async () => {
    const it = await reconcilingWorld(20);
    expect(await it.deliver(bigTexts('big'))).toMatchObject({ queued: 1, recorded: 0 });
    it.world.advance(60_000);
    await it.process();
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: 1, waiting: 0, events: 70 });
  });

  test('hold the next beginning back while they wait, so that they are judged when they are done', async () => {
    const it = await reconcilingWorld(21);
    await it.deliver(texts('before'));
    it.world.advance(60_000);
    const acceptedAt = it.world.now().toISOString();
    await it.deliver(bigTexts('big'));
    it.world.advance(60_000);
    await it.deliver(texts('after'));
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: 3, waiting: 1, until: acceptedAt, reconciledUntil: acceptedAt });
    await it.process();
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, since: acceptedAt, waiting: 0, deliveries: 2 });
  });

  test('and still wait after two days are a finding, and hold nothing back any more', async () => {
    const it = await reconcilingWorld(22);
    const { deliveryId } = await it.deliver(bigTexts('stuck'));
    it.world.advance(WAITS_AT_MOST_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, waiting: 1 });
    it.world.advance(1);
    const report = await it.reconcile();
    expect(report).toMatchObject({ waiting: 0, byCode: { 'delivery-waiting': 1 }, found: [{ about: deliveryId }] });
    expect(report.reconciledUntil).toBe(new Date(it.world.now().getTime() - SETTLED_AFTER_MS).toISOString());
  });

  test('and are gone from the inbox unrecorded are a finding, if only after two days: their line may be late', async () => {
    const it = await reconcilingWorld(23);
    const { deliveryId } = await it.vanish(bigTexts('gone'));
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, waiting: 1 });
    it.world.advance(WAITS_AT_MOST_MS);
    expect(await it.reconcile()).toMatchObject({ byCode: { 'delivery-unprocessed': 1 }, found: [{ about: deliveryId }] });
  });

  test('and all of whose events were there before are told of by their line alone, however late it came', async () => {
    const it = await reconcilingWorld(66);
    await it.deliver(bigTexts('big'));
    await it.process();
    await it.deliver(`${bigTexts('big')} `); // other bytes, the same events
    it.world.advance(5 * HOUR_MS);
    await it.process();
    await it.settle();
    it.world.advance(WAITS_AT_MOST_MS);
    const since = new Date(it.world.now().getTime() - WAITS_AT_MOST_MS - 6 * HOUR_MS);
    expect(await it.reconcile({ since, until: new Date(since.getTime() + 2 * HOUR_MS) })).toMatchObject({ ok: true, deliveries: 2, waiting: 0 });
  });

  test('whose records are there and whose line is lost are well', async () => {
    const it = await reconcilingWorld(24);
    await it.deliver(bigTexts('quiet'));
    await it.process({ isLogged: false });
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, waiting: 0 });
  });

  test('and partly recorded still wait while they lie in the inbox', async () => {
    const it = await reconcilingWorld(25);
    const { deliveryId } = await it.deliver(bigTexts('half'));
    await it.world.write(withMac(it.world.macKey, { ...it.world.message('of it'), deliveryId: { S: deliveryId } }));
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, waiting: 1 });
  });

  test('are missing as others are where their line claims more than is there', async () => {
    const it = await reconcilingWorld(26);
    const { deliveryId } = await it.vanish(bigTexts('big'));
    it.say('process', { object: 'delivery/x', outcome: 'processed', deliveryId, recorded: 70, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 });
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ found: [{ code: 'delivery-missing', about: deliveryId, missing: 70 }] });
  });
});

describe('windows', () => {
  test('join: a run begins where the last one ended, however long ago, and no longer than a run can last', async () => {
    const it = await reconcilingWorld(30);
    it.world.advance(HOUR_MS);
    const first = await it.reconcile();
    expect(Date.parse(first.since)).toBe(it.world.now().getTime() - FIRST_LOOK_BACK_MS);
    it.world.advance(5 * 24 * HOUR_MS); // runs were missed
    const second = await it.reconcile();
    expect(second.since).toBe(first.until);
    expect(Date.parse(second.until) - Date.parse(second.since)).toBe(LONGEST_WINDOW_MS);
    it.world.advance(1);
    const third = await it.reconcile();
    expect(third.since).toBe(second.until);
    expect(Date.parse(third.until)).toBe(it.world.now().getTime() - SETTLED_AFTER_MS);
    it.world.advance(1);
    expect(await it.reconcile()).toMatchObject({ since: third.until, ok: true });
  });

  test('a young delivery is not judged, and is by the next run', async () => {
    const it = await reconcilingWorld(31);
    it.world.advance(HOUR_MS);
    const { deliveryId } = await it.vanish(texts('young'));
    expect(await it.reconcile()).toMatchObject({ ok: true, deliveries: 0 });
    it.world.advance(SETTLED_AFTER_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true });
    it.world.advance(1);
    expect(await it.reconcile()).toMatchObject({ found: [{ about: deliveryId }] });
  });

  test('a person names what is to be judged, and what was not reached yet stays to be judged', async () => {
    const it = await reconcilingWorld(32);
    const { deliveryId: early } = await it.vanish(texts('early'));
    it.world.advance(3 * HOUR_MS);
    const began = new Date(it.world.now().getTime() - HOUR_MS);
    const { deliveryId: late } = await it.vanish(texts('late'));
    it.world.advance(1);
    const byHand = await it.reconcile({ since: began, until: it.world.now() });
    expect(byHand.found.map(({ about }) => about)).toEqual([late]);
    expect(byHand.reconciledUntil < began.toISOString()).toBe(true);
    it.world.advance(HOUR_MS);
    await it.reconcile();
    expect(await it.findings()).toEqual([`delivery-missing ${early}`, `delivery-missing ${late}`].sort());
  });

  test('an earlier one by hand does not set back where the next begins', async () => {
    const it = await reconcilingWorld(33);
    it.world.advance(10 * HOUR_MS);
    const { reconciledUntil } = await it.reconcile();
    it.world.advance(1);
    expect(await it.reconcile({ since: new Date(it.world.now().getTime() - 5 * HOUR_MS), until: new Date(it.world.now().getTime() - 4 * HOUR_MS) })).toMatchObject({ reconciledUntil });
  });

  test('what cannot be looked at is refused: not over, upside down, or older than its lines', async () => {
    const it = await reconcilingWorld(34);
    const at = (ms: number): Date => new Date(it.world.now().getTime() + ms);
    for (const options of [{ until: at(1) }, { since: at(-1), until: at(-2) }, { since: at(-31 * 24 * HOUR_MS) }]) await expect(it.reconcile(options)).rejects.toThrow(ReconciliationError);
    expect(await it.results()).toEqual([]);
  });

  test('a stretch whose lines are gone is a finding and never "no deliveries"; the next run goes on behind it', async () => {
    const it = await reconcilingWorld(35);
    it.world.advance(HOUR_MS);
    const { until } = await it.reconcile();
    it.world.advance(40 * 24 * HOUR_MS);
    const keptFrom = new Date(it.world.now().getTime() - 30 * 24 * HOUR_MS).toISOString();
    expect(await it.reconcile()).toMatchObject({ since: keptFrom, found: [{ code: 'lines-expired', about: `${until} ${keptFrom}` }] });
    it.world.advance(1);
    const next = await it.reconcile();
    expect([next.findings, Date.parse(next.since) - Date.parse(keptFrom)]).toEqual([0, LONGEST_WINDOW_MS]);
  });

  test('a result somebody else put there does not move the beginning', async () => {
    const it = await reconcilingWorld(36);
    it.world.advance(HOUR_MS);
    const { reconciledUntil } = await it.reconcile();
    const [result] = await it.results();
    it.world.records.byHand.put({ ...result!, sk: { S: '2026-02-03T09:00:00.000Z' }, reconciledUntil: { S: '2026-02-03T09:00:00.000Z' } });
    it.world.advance(24 * HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ since: reconciledUntil });
  });

  test('findings beyond what becomes records are told by the number', async () => {
    const it = await reconcilingWorld(37);
    for (let i = 0; i <= MAX_FINDING_RECORDS; i++) it.say('receive', { deliveryId: String(i).padStart(22, '0'), queued: 0, recorded: 1, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 });
    it.world.advance(HOUR_MS);
    const report = await it.reconcile();
    expect([report.findings, report.found.length, (await it.findings()).length]).toEqual([MAX_FINDING_RECORDS + 1, MAX_FINDING_RECORDS, MAX_FINDING_RECORDS]);
  });
});

describe("Meta's history", () => {
  const listed = (id: string, it: ReconcilingWorld, webhook = 'DELIVERED', agoMs = 0) => ({ messageId: id, events: [{ atMs: it.world.now().getTime() - agoMs, webhook }] });

  test('not asked is said, with a token that is not set as well', async () => {
    const it = await reconcilingWorld(40);
    await it.deliver(texts('a'));
    await it.settle();
    it.world.advance(HOUR_MS);
    it.history.isSet = false;
    expect(await it.reconcile()).toMatchObject({ ok: true, history: 'not asked' });
    expect(integerOf((await it.results())[0], 'messages')).toBeUndefined();
  });

  test('a message Meta delivered and we do not have is found by the hash in its key; one only we have is counted', async () => {
    const it = await reconcilingWorld(41, { perPage: 2 });
    await it.deliver(texts('ours', 3));
    it.world.advance(60_000);
    it.history.listed.set(NUMBER, [listed('wamid.ours.0', it), listed('wamid.lost', it), listed('wamid.given up', it, 'FAILED'), listed('wamid.ours.1', it), { messageId: 'wamid.nothing happened', events: [] }]);
    await it.settle();
    it.world.advance(HOUR_MS);
    const report = await it.reconcile();
    const dedupe = await dedupeOf(it);
    const keys = ['wamid.lost', 'wamid.given up'].map((id) => hashed(dedupe, 'wamid', [id]));
    expect(report).toMatchObject({ findings: 2, byCode: { 'message-missing': 2 }, history: { numbers: 1, messages: 5, compared: 4, pending: 0, unlisted: 1 } });
    expect(await it.findings()).toEqual(keys.map((hash) => `message-missing ${hash} ${NUMBER}`).sort());
    const images = await scanOf(it, 'finding');
    // Nothing of ours can put back what was never here: no repair may take it for its own.
    expect(images.filter((image) => 'recordPk' in image)).toEqual([]);
    expect(images.map((image) => stringOf(image, 'webhook')).sort()).toEqual(['DELIVERED', 'FAILED']);
    expect(JSON.stringify(images)).not.toContain('wamid');
  });

  test("under another of our numbers, or without our MAC, it is not here", async () => {
    const it = await reconcilingWorld(42);
    await it.deliver(texts('a', 1, 'words', '1'));
    const dedupe = await dedupeOf(it);
    it.world.records.byHand.put({ ...it.world.message('planted'), pk: { S: `m#${hashed(dedupe, 'wamid', ['wamid.b'])}` }, sk: { S: `${NUMBER}#message` } });
    it.history.listed.set(NUMBER, [listed('wamid.a.0', it), listed('wamid.b', it)]);
    await it.settle();
    it.history.listed.set(NUMBER, [listed('wamid.a.0', it), listed('wamid.b', it)]);
    it.world.advance(HOUR_MS);
    // The log began with the sealing, a moment after these events: they are looked for all the same.
    expect((await it.reconcile()).byCode).toEqual({ 'message-missing': 2 });
  });

  test('what Meta still tries to deliver is looked at again when it has given up, and found then', async () => {
    const it = await reconcilingWorld(43);
    await it.deliver(texts('a'));
    await it.settle();
    it.world.advance(60_000);
    it.history.listed.set(NUMBER, [listed('wamid.on its way', it, 'RETRYING'), listed('wamid.not yet', it, 'PENDING')]);
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, history: { pending: 2 } });
    for (let days = 1; days <= 7; days++) {
      expect(await it.findings()).toEqual([]);
      it.world.advance(24 * HOUR_MS);
      await it.reconcile();
    }
    expect((await it.findings()).length).toBe(2);
  });

  test('what happened before there was a log was not for us', async () => {
    const it = await reconcilingWorld(44);
    it.history.listed.set(NUMBER, [listed('wamid.old', it, 'DELIVERED', 1_000)]);
    await it.deliver(texts('a'));
    await it.settle();
    it.world.advance(HOUR_MS);
    expect(await it.reconcile()).toMatchObject({ ok: true, history: { messages: 1, compared: 0 } });
  });

  test('a page that fails leaves no result, and the next run asks from the beginning', async () => {
    const it = await reconcilingWorld(45, { perPage: 1 });
    await it.deliver(texts('a', 2));
    await it.settle();
    it.world.advance(60_000);
    it.history.listed.set(NUMBER, [listed('wamid.a.0', it), listed('wamid.lost', it)]);
    it.world.advance(HOUR_MS);
    const { process, run } = it.faulty(({ port, method, index }) => (port === 'history' && method === 'page' && index > 0 && process.calls.filter((call) => call.method === 'page').length === 2 ? 'error-before' : undefined));
    await expect(run()).rejects.toThrow(PortError);
    expect(await it.results()).toEqual([]);
    expect(await it.reconcile()).toMatchObject({ findings: 1 });
  });

  test('a list that leads in a circle is no list', async () => {
    const it = await reconcilingWorld(46);
    await it.deliver(texts('a'));
    await it.settle();
    it.world.advance(HOUR_MS);
    it.history.listed.set(NUMBER, []);
    it.history.page = async () => ({ messages: [], after: 'again' });
    await expect(it.reconcile()).rejects.toThrow(/circle/);
    expect(await it.results()).toEqual([]);
  });

  test('a list without an end is read so far, and the rest is a finding', async () => {
    const it = await reconcilingWorld(47);
    await it.deliver(texts('a'));
    await it.settle();
    it.world.advance(HOUR_MS);
    it.history.listed.set(NUMBER, []);
    let n = 0;
    it.history.page = async () => ({ messages: [], after: String(++n) });
    expect(await it.reconcile()).toMatchObject({ found: [{ code: 'history-truncated', about: NUMBER }] });
  });
});

describe('whatever happens', () => {
  type Act = 'deliver' | 'unlogged' | 'vanish' | 'resend' | 'big' | 'big vanish' | 'process' | 'remove' | 'seal' | 'reconcile';
  const acts = fc.array(
    fc.record({ act: fc.constantFrom<Act>('deliver', 'deliver', 'deliver', 'unlogged', 'vanish', 'resend', 'big', 'big vanish', 'process', 'remove', 'seal', 'reconcile'), n: fc.integer({ min: 1, max: 6 }), pauseMs: fc.integer({ min: 0, max: 20 * HOUR_MS }) }),
    { minLength: 5, maxLength: 25 },
  );

  test('exactly the deliveries that vanished are named, whenever runs come', async () => {
    let [accepted, vanished] = [0, 0];
    await fc.assert(
      fc.asyncProperty(acts, fc.integer({ min: 1, max: 1e6 }), async (all, seed) => {
        const it = await reconcilingWorld(seed);
        const gone: string[] = [];
        const aside: string[] = [];
        const bodies: string[] = [];
        // The schedule begins with the deployment.
        await it.reconcile();
        it.world.advance(1);
        for (const [i, { act, n, pauseMs }] of all.entries()) {
          const body = texts(`${i}`, n);
          if (act === 'deliver' || act === 'unlogged') await it.deliver(body, { isLogged: act === 'deliver' }).then(() => bodies.push(body));
          if (act === 'vanish') gone.push(`delivery-missing ${(await it.vanish(body)).deliveryId}`);
          if (act === 'resend' && bodies.length > 0) await it.deliver(bodies[n % bodies.length]!);
          if (act === 'big') aside.push(`delivery-waiting ${(await it.deliver(bigTexts(`${i}`))).deliveryId}`);
          if (act === 'big vanish') gone.push(`delivery-unprocessed ${(await it.vanish(bigTexts(`${i}`))).deliveryId}`);
          if (act === 'process') await it.process();
          // Right after it was written, perhaps: the stream has it, so the log does, and its deletion is another's to find.
          if (act === 'remove') {
            for (const image of (await scanOf(it, 'message')).slice(0, n)) it.removeByHand(image);
            await it.settle();
          }
          if (act === 'seal') await it.settle();
          if (act === 'reconcile') await it.reconcile();
          it.world.advance(pauseMs);
        }
        await it.process();
        await it.settle();
        for (let i = 0; i < 12; i++) {
          it.world.advance(24 * HOUR_MS);
          await it.reconcile();
        }
        // Whoever lets one wait for days is told of it, which is right.
        expect((await it.findings()).filter((finding) => !finding.startsWith('deliveries-unlogged') && !aside.includes(finding))).toEqual(gone.sort());
        accepted += all.filter(({ act }) => ['deliver', 'unlogged', 'big'].includes(act)).length;
        vanished += gone.length;
      }),
      { numRuns: process.env['INTACT_FULL'] ? 400 : 25 },
    );
    figure('reconciliation: random deliveries, some answered 200 and not kept', `${accepted} kept, ${vanished} lost, ${vanished} found and named, 0 false alarms`);
  });

  test('whatever call fails, and however, the next run says it all and no time is left out', async () => {
    let tried = 0;
    await forEachSeed('a reconciliation whose calls fail', 1, async (seed) => {
      const story = async () => {
        const it = await reconcilingWorld(seed, { perPage: 2 });
        await it.deliver(texts('kept', 2));
        await it.deliver(bigTexts('waits'));
        const { deliveryId } = await it.vanish(texts('gone'));
        it.world.advance(60_000);
        await it.settle();
        it.history.listed.set(NUMBER, ['wamid.kept.0', 'wamid.lost', 'wamid.kept.1'].map((messageId) => ({ messageId, events: [{ atMs: it.world.now().getTime() + 1, webhook: 'DELIVERED' }] })));
        it.world.advance(HOUR_MS);
        return { it, expected: [`delivery-missing ${deliveryId}`, `message-missing ${hashed(await dedupeOf(it), 'wamid', ['wamid.lost'])} ${NUMBER}`].sort() };
      };
      const sound = await story();
      const whole = sound.it.faulty();
      await whole.run();
      expect(await sound.it.findings()).toEqual(sound.expected);
      expect(whole.process.calls.length).toBeGreaterThan(15);
      for (let at = 0; at < whole.process.calls.length; at++) {
        for (const fault of FAULTS) {
          const { it, expected } = await story();
          const { process, run } = it.faulty(({ index }) => (index === at ? fault : undefined));
          const ended = await run().then(() => 'done', (error: unknown) => {
            if (error instanceof Killed || error instanceof PortError || error instanceof LogStopped) return 'failed';
            throw error;
          });
          const results = (await it.results()).length;
          await process.settle();
          const call = process.calls[at];
          const isOfResult = call?.method === 'create' && at === whole.process.calls.length - 1;
          // A reply that was lost does not undo the result; nothing else leaves one.
          if (ended === 'failed' && !isOfResult) expect([call, fault, results]).toEqual([call, fault, 0]);
          it.world.advance(1);
          await it.reconcile();
          expect([call, fault, await it.findings()]).toEqual([call, fault, expected]);
          tried += 1;
        }
      }
    });
    figure('reconciliation: every call failing in every way, then run again', `${tried} of ${tried} with every finding and no stretch of time left out`);
  });

  test('a damaged segment stops the run: what it held cannot be said to be missing', async () => {
    const it = await reconcilingWorld(50);
    await it.deliver(texts('a'));
    await it.settle();
    for (const name of it.world.vault.objects.keys()) if (name.startsWith('segment/')) it.world.vault.objects.set(name, Buffer.from('other bytes'));
    it.world.advance(HOUR_MS);
    await expect(it.reconcile()).rejects.toThrow(LogStopped);
    expect([await it.results(), await it.findings()]).toEqual([[], []]);
  });
});
