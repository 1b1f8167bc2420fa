/** A person is erased: what goes, what stays, what comes later, and what stops it. */
import { stringOf } from '../../../src/core/image';
import { permitsRemoval } from '../../../src/core/erasure';
import { withMac } from '../../../src/core/record-mac';
import { tombstoneOf } from '../../../src/core/tombstone';
import { placeHold, readHold, releaseHold } from '../../../src/operations/staff/holds';
import { askErasure, confirmErasure, readErasure, withdrawErasure } from '../../../src/operations/staff/erasures';
import { findingsIn } from '../../world';
import { contact, delivery, text, textDelivery } from '../receiving-world';
import { ALICE, BOB, EVE, EVERY_MS, officer, populated, SECRETS, type ErasingWorld } from './erasing-world';

const kinds = async (it: ErasingWorld): Promise<Readonly<Record<string, number>>> => {
  const count: Record<string, number> = {};
  for (const image of await it.images()) count[stringOf(image, 'kind') ?? ''] = (count[stringOf(image, 'kind') ?? ''] ?? 0) + 1;
  return count;
};

describe('an erasure', () => {
  test('takes everything of one person out of every store, leaves everybody else, and ends in a certificate', async () => {
    const { it, eve, other } = await populated(1);
    for (const secret of SECRETS) expect((await it.holding(secret)).length).toBeGreaterThan(0);
    const before = await kinds(it);
    const requestId = await it.confirmed(eve);
    const last = await it.untilDone();
    expect(last).toEqual([expect.objectContaining({ requestId, state: 'done', waiting: 'done' })]);
    for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
    expect((await it.holding('the words of somebody else')).length).toBeGreaterThan(0);
    expect(await it.customerOf('wamid.other-1')).toBe(other);
    expect(it.world.check()).toEqual([]);
    expect(await it.verify()).toEqual([]);
    expect(await findingsIn(it.world)).toEqual([]);
    const after = await kinds(it);
    expect(after['message']).toBe(1);
    expect(after['status']).toBeUndefined();
    expect([before['customer'], after['customer'], after['certificate'], after['erasure']]).toEqual([2, 1, 1, 1]);
    const view = await readErasure(it.staff, ALICE, { customerId: eve });
    expect(view).toMatchObject({ outcome: 'done', value: { state: 'done', askedBy: ALICE.operatorId, confirmedBy: BOB.operatorId, recoverableUntil: expect.stringMatching(/^2026-03-\d\d$/) as string } });
    expect((await it.audit()).findings).toBe(0);
  });

  test('leaves under every id of the erased subject a removal as the last entry, for anybody to see without a key', async () => {
    const { it, eve } = await populated(2);
    const subject = (await it.images('customer')).filter((image) => stringOf(image, 'pk') === `c#${eve}`).map((image) => stringOf(image, 'subject'))[0];
    await it.confirmed(eve);
    await it.untilDone();
    const last = new Map(it.world.entries().filter(({ entry }) => entry.subject === subject).map(({ entry }) => [entry.id, entry.op]));
    expect(last.size).toBeGreaterThan(6);
    expect(new Set(last.values())).toEqual(new Set(['remove']));
    expect(it.world.keys.subjects.get(subject as string)).toBe('erased');
  });

  test('lets a late resend stay erased, and makes of a later message of the same person a new customer under a new subject', async () => {
    const { it, eve } = await populated(3);
    await it.confirmed(eve);
    await it.untilDone();
    const { receive } = it.receiver();
    const records = it.world.stream.length;
    expect(await receive(delivery({ contacts: [contact(EVE)], messages: [text('wamid.eve-1', 'the words of eve', EVE)] }))).toMatchObject({ duplicate: 1, recorded: 0 });
    expect(await receive(delivery({ contacts: [contact(EVE)], messages: [text('wamid.eve-1', 'other words of eve', EVE)] }))).toMatchObject({ duplicate: 1, recorded: 0 });
    expect(it.world.stream.length).toBe(records);
    expect(await receive(textDelivery('wamid.eve-9', 'eve is back', EVE))).toMatchObject({ recorded: 1 });
    const back = await it.customerOf('wamid.eve-9');
    expect(back).not.toBe(eve);
    await it.settle();
    expect(it.world.check()).toEqual([]);
    expect((await it.audit()).findings).toBe(0);
    expect(await it.holding('the words of eve')).toEqual([]);
  });

  test('sends what comes while it is under way to a new customer, whatever containers remember', async () => {
    const { it, eve } = await populated(4);
    const warm = it.receiver();
    await warm.receive(textDelivery('wamid.eve-3', 'just before', EVE));
    await it.confirmed(eve);
    let n = 0;
    await it.untilDone(async () => {
      await warm.receive(textDelivery(`wamid.while-${n++}`, 'meanwhile', EVE));
    });
    for (let i = 1; i < n; i++) expect(await it.customerOf(`wamid.while-${i}`)).not.toBe(eve);
    expect(await it.holding('just before')).toEqual([]);
    expect(await findingsIn(it.world)).toEqual([]);
    expect((await it.audit()).findings).toBe(0);
  });

  test('waits for the writers before it records anything, and again before it takes the key', async () => {
    const { it, eve } = await populated(5);
    await it.confirmed(eve);
    const reached = new Map<string, number>();
    const [began] = [it.world.now().getTime()];
    await it.untilDone(async () => {
      const view = await readErasure(it.staff, ALICE, { customerId: eve });
      if (view.outcome === 'done' && !reached.has(view.value.state)) reached.set(view.value.state, it.world.now().getTime() - began);
    });
    expect([...reached.keys()]).toEqual(['frozen', 'removing', 'done']);
    expect(reached.get('removing')).toBeGreaterThan(22 * 60_000);
    expect((reached.get('done') ?? 0) - (reached.get('removing') ?? 0)).toBeGreaterThan(17 * 60_000);
  });

  test('removes nothing on the word of somebody who can write the table by hand', async () => {
    const { it, eve } = await populated(6);
    const victim = (await it.images('message')).find((image) => stringOf(image, 'messageId') === 'wamid.other-1')!;
    const own = (await it.images('customer')).find((image) => stringOf(image, 'pk') === `c#${eve}`)!;
    await it.confirmed(eve);
    it.world.records.byHand.put({ ...victim, customerId: { S: eve }, subject: own['subject']! });
    const last = await it.untilDone(undefined, 14);
    expect(last).toMatchObject([{ state: 'removing', waiting: 'doubtful' }]);
    // The audit's repair puts it right, and the erasure goes on.
    it.world.records.byHand.put(victim);
    await it.untilDone();
    expect(await it.customerOf('wamid.other-1')).not.toBe(eve);
    expect((await it.holding('the words of somebody else')).length).toBeGreaterThan(0);
    expect(await it.holding('the words of eve')).toEqual([]);
  });

  test('waits for a delivery that is not done with', async () => {
    const { it, eve } = await populated(7);
    const message = (await it.images('message')).find((image) => stringOf(image, 'messageId') === 'wamid.eve-1')!;
    const name = `delivery/${Buffer.from(stringOf(message, 'deliveryId') as string, 'base64url').toString('hex')}${'0'.repeat(32)}.x`;
    await it.world.inbox.put(name, Buffer.from('the words of eve'));
    await it.confirmed(eve);
    expect(await it.untilDone(undefined, 14)).toMatchObject([{ state: 'removing', waiting: 'delivery' }]);
    await it.world.inbox.remove(name);
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
    expect(await it.holding('the words of eve')).toEqual([]);
  });

  test('takes quarantined input that an officer named, with its own key', async () => {
    const { it, eve } = await populated(8);
    await it.receiver().receive(delivery({ messages: [{ from: EVE.waId, text: { body: 'eve in quarantine' } }] }));
    await it.settle();
    const [quarantined] = await it.images('quarantine');
    const hash = stringOf(quarantined, 'pk')!.slice(2);
    const asked = await askErasure(it.staff, ALICE, { customerId: eve, reason: 'letter', inputs: [hash] });
    expect(await readErasure(it.staff, BOB, { customerId: eve })).toEqual({
      outcome: 'done',
      value: { requestId: (asked as { value: { requestId: string } }).value.requestId, state: 'asked', customers: [eve], inputs: [hash], reason: 'letter', askedBy: ALICE.operatorId, askedAt: expect.any(String) as string, removed: 0, held: false },
    });
    expect(await confirmErasure(it.staff, BOB, { customerId: eve, requestId: (asked as { value: { requestId: string } }).value.requestId })).toMatchObject({ outcome: 'done' });
    expect((await it.holding('eve in quarantine')).length).toBeGreaterThan(0);
    await it.untilDone();
    expect(await it.holding('eve in quarantine')).toEqual([]);
    expect(await it.images('quarantine', 'quarantine-state')).toEqual([]);
    const view = await readErasure(it.staff, BOB, { customerId: eve });
    expect(view).toMatchObject({ value: { state: 'done', inputs: [hash] } });
    expect(view).not.toHaveProperty('value.reason');
    expect((await it.audit()).findings).toBe(0);
  });

  test('takes linked customers together, and nobody of them while one is under a hold', async () => {
    const { it, eve, other } = await populated(9);
    const linked = async (id: string): Promise<readonly string[]> => (id === eve ? [other] : []);
    const staff = { ...it.staff, linked };
    await placeHold(it.staff, ALICE, { customerId: other, reason: 'law suit' });
    expect(await askErasure(staff, ALICE, { customerId: eve, reason: 'letter' })).toMatchObject({ outcome: 'refused', refusal: { code: 'conflict' } });
    await releaseHold(it.staff, ALICE, { customerId: other });
    const asked = await askErasure(staff, ALICE, { customerId: eve, reason: 'letter' });
    await confirmErasure(staff, BOB, { customerId: eve, requestId: (asked as { value: { requestId: string } }).value.requestId });
    await it.untilDone();
    for (const words of ['the words of eve', 'the words of somebody else', 'law suit']) expect(await it.holding(words)).toEqual([]);
    expect((await it.audit()).findings).toBe(0);
  });
});

describe('a hold', () => {
  test('stops an erasure at whatever step it is, keeps what the log holds, and lets it go on when it is released', async () => {
    for (const after of [0, 1, 5, 6, 8, 9, 10]) {
      const { it, eve } = await populated(100 + after);
      await it.confirmed(eve);
      for (let run = 0; run < after; run++) {
        await it.advance();
        await it.settle();
        it.world.advance(EVERY_MS);
      }
      const held = await placeHold(it.staff, ALICE, { customerId: eve, reason: 'law suit' });
      expect([after, held.outcome]).toEqual([after, 'done']);
      const events = it.world.stream.filter(({ key }) => key.pk.startsWith('m#') || key.pk.startsWith('a#')).length;
      await it.untilDone(undefined, 20);
      expect(it.world.stream.filter(({ key }) => key.pk.startsWith('m#') || key.pk.startsWith('a#'))).toHaveLength(events);
      expect((await it.holding('the words of eve')).length).toBeGreaterThan(0);
      expect(await readHold(it.staff, BOB, { customerId: eve })).toMatchObject({ value: { held: true, by: ALICE.operatorId } });
      expect(await releaseHold(it.staff, BOB, { customerId: eve, reason: 'settled' })).toMatchObject({ value: { held: false, erasure: expect.any(String) as string } });
      expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
      for (const words of ['the words of eve', 'law suit', 'settled']) expect([after, await it.holding(words)]).toEqual([after, []]);
      expect(it.world.check()).toEqual([]);
    }
  });

  test('cannot be placed on somebody who is gone, who is told like somebody who never was', async () => {
    const { it, eve } = await populated(20);
    await it.confirmed(eve);
    await it.untilDone();
    const gone = await placeHold(it.staff, ALICE, { customerId: eve, reason: 'too late' });
    expect(gone).toEqual(await placeHold(it.staff, ALICE, { customerId: '01ARZ3NDEKTSV4RRFFQ69G5FAV', reason: 'nobody' }));
    expect(await it.holding('too late')).toEqual([]);
  });
});

describe('officers', () => {
  test('nobody confirms what they asked for, nobody else than officers does either, and nothing is asked twice', async () => {
    const { it, eve } = await populated(30);
    const asked = await askErasure(it.staff, ALICE, { customerId: eve, reason: 'letter' });
    const { requestId } = (asked as { value: { requestId: string } }).value;
    expect(await askErasure(it.staff, BOB, { customerId: eve, reason: 'letter' })).toMatchObject({ refusal: { code: 'conflict' } });
    expect(await confirmErasure(it.staff, ALICE, { customerId: eve, requestId })).toMatchObject({ refusal: { code: 'not-found' } });
    expect(await confirmErasure({ ...it.staff, authorize: () => ({ allowed: true, policies: [] }) }, ALICE, { customerId: eve, requestId })).toMatchObject({ refusal: { code: 'conflict' } });
    expect(await confirmErasure(it.staff, officer('sam', 'support'), { customerId: eve, requestId })).toMatchObject({ refusal: { code: 'not-found' } });
    expect(await confirmErasure(it.staff, BOB, { customerId: eve, requestId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' })).toMatchObject({ refusal: { code: 'not-found' } });
    expect(await it.advance()).toEqual([]);
    expect(await withdrawErasure(it.staff, BOB, { customerId: eve, requestId })).toMatchObject({ outcome: 'done' });
    expect(await confirmErasure(it.staff, BOB, { customerId: eve, requestId })).toMatchObject({ refusal: { code: 'conflict' } });
    expect(await askErasure(it.staff, BOB, { customerId: eve, reason: 'again' })).toMatchObject({ outcome: 'done' });
  });

  test('every ask, confirmation and refusal leaves an access record, in the transaction of what it changes', async () => {
    const { it, eve } = await populated(31);
    await it.confirmed(eve);
    const records = await it.images('access');
    expect(records.map((image) => stringOf(image, 'action')).sort()).toEqual(['AskErasure', 'ConfirmErasure']);
    await it.untilDone();
    expect((await it.images('access')).length).toBe(2);
  });
});

describe('the sealer', () => {
  test('accepts a tombstone only with an erasure that takes its subject: any other is found, and the record is still the genuine one', async () => {
    const { it, eve } = await populated(40);
    const message = (await it.images('message')).find((image) => stringOf(image, 'messageId') === 'wamid.other-1')!;
    const forged = withMac(it.world.macKey, tombstoneOf(message, '01ARZ3NDEKTSV4RRFFQ69G5FAV', it.world.identity.systemSubject, it.world.now().toISOString()));
    it.world.records.byHand.put(forged);
    await it.settle();
    expect(await findingsIn(it.world)).toContain('immutable-modified');
    it.world.records.byHand.put(message);
    // With an erasure that is there, but not of this person.
    const requestId = await it.confirmed(eve);
    await it.untilDone();
    const before = (await findingsIn(it.world)).length;
    it.world.records.byHand.put(withMac(it.world.macKey, tombstoneOf(message, requestId, it.world.identity.systemSubject, it.world.now().toISOString())));
    await it.settle();
    expect((await findingsIn(it.world)).length).toBeGreaterThan(before);
    expect((await it.holding('the words of somebody else')).length).toBeGreaterThan(0);
  });

  test('seals what somebody puts back over a tombstone under a subject that can be erased, with a finding', async () => {
    const { it, eve } = await populated(41);
    const message = (await it.images('message')).find((image) => stringOf(image, 'messageId') === 'wamid.eve-1')!;
    await it.confirmed(eve);
    await it.untilDone();
    it.world.records.byHand.put(message);
    await it.settle();
    expect(await findingsIn(it.world)).toContain('subject-erased');
    const [last] = it.world.entries().filter(({ entry }) => entry.kind === 'raw');
    expect(last?.entry.subject).not.toBe(it.world.identity.systemSubject);
  });

  test('an erasure record permits nothing without our MAC, without two officers, or of another subject', async () => {
    const { it, eve } = await populated(42);
    await it.confirmed(eve);
    await it.untilDone();
    const [erasure] = await it.images('erasure');
    const subject = (erasure!['erasedSubjects'] as { SS: readonly string[] }).SS[0]!;
    const keys = [it.world.macKey];
    const system = it.world.identity.systemSubject;
    expect(permitsRemoval(erasure!, subject, system, keys)).toBe(true);
    expect(permitsRemoval(erasure!, `${subject}x`, system, keys)).toBe(false);
    expect(permitsRemoval({ ...erasure!, listed: { N: '1000' } }, subject, system, keys)).toBe(false);
    expect(permitsRemoval(withMac(it.world.macKey, { ...erasure!, confirmedBy: erasure!['askedBy']! }), subject, system, keys)).toBe(false);
    expect(permitsRemoval(withMac(it.world.macKey, { ...erasure!, erasedSubjects: { SS: [system] } }), system, system, keys)).toBe(false);
    expect(permitsRemoval(withMac(it.world.macKey, { ...erasure!, kind: { S: 'finding' } }), subject, system, keys)).toBe(false);
  });
});
