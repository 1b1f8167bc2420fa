/**
 * What somebody with the records table in their hands, a backup of it, or of the keys table, can make of an erasure: nobody comes back, no erasure is kept waiting for ever, no hold is got around by one
 * write, and nothing is sealed again that was erased.
 */
import { memoryRecordRepairs } from '../../../src/adapters/memory/record-repairs';
import { itemsOf, memoryRestoreTarget, type MemoryTables } from '../../../src/adapters/memory/restore-target';
import { canonicalImage } from '../../../src/core/canonical-image';
import { keyOf, stringOf, type Image, type TableKey } from '../../../src/core/image';
import { recordKeys } from '../../../src/core/table-keys';
import { repairRecords } from '../../../src/operations/repair-record';
import { applyRestore, planRestore, restoreKeys, type RestoreOptions } from '../../../src/operations/restore-records';
import { askErasure, confirmErasure, readErasure } from '../../../src/operations/staff/erasures';
import { placeHold, releaseHold } from '../../../src/operations/staff/holds';
import { findingsIn } from '../../world';
import { contact, delivery, text, textDelivery } from '../receiving-world';
import { LIVE_SETTINGS } from '../restoring-world';
import { ALICE, BOB, EVE, EVERY_MS, populated, SECRETS, type ErasingWorld } from './erasing-world';

const messageOf = async (it: ErasingWorld, id: string): Promise<Image> => (await it.images('message')).find((image) => stringOf(image, 'messageId') === id)!;
const kindAt = (it: ErasingWorld, key: TableKey): string | undefined => {
  const there = it.world.records.byHand.peek(key);
  return there === 'absent' ? undefined : stringOf(there, 'kind');
};

/** What the audit asks for is repaired. */
async function repaired(it: ErasingWorld): Promise<readonly string[]> {
  const { asked } = await it.audit();
  await it.settle();
  const ports = { ...it.world, repairs: memoryRecordRepairs(it.world.records), sleep: async (ms: number) => (it.world.advance(ms), it.settle()) };
  const attempts = await repairRecords(ports, asked as Parameters<typeof repairRecords>[1]);
  await it.settle();
  return attempts.map((each) => (each.status === 'fulfilled' ? each.value.outcome : String(each.reason)));
}

/** The schedule, until there are tombstones that the sealer has not seen. */
async function untilRemoved(it: ErasingWorld): Promise<void> {
  for (let run = 0; (await it.images('tombstone')).length === 0; run++) {
    expect(run).toBeLessThan(12);
    await it.settle();
    it.world.advance(EVERY_MS);
    await it.advance();
  }
}

describe('somebody who writes the table by hand', () => {
  test('who takes the permission away before the sealer has seen what it permits makes more work, and no erasure wait for ever', async () => {
    const { it, eve } = await populated(203);
    const requestId = await it.confirmed(eve);
    await untilRemoved(it);
    it.world.records.byHand.remove(keyOf((await it.images('erasure'))[0]!));
    await it.settle();
    expect(await findingsIn(it.world)).toContain('immutable-modified');
    // The permission comes back first; what the sealer refused meanwhile is put back, and removed again.
    await repaired(it);
    const outcomes: string[] = [];
    expect(await it.untilDone(async () => void outcomes.push(...(await it.repair())), 60)).toMatchObject([{ requestId, state: 'done' }]);
    expect(new Set(outcomes)).toEqual(new Set(['put-back']));
    for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
    expect((await it.audit()).findings).toBe(0);
  });

  test('who has it name somebody else between our look and our write makes no erasure wait for ever either: the tombstone does not count, and the record is had back and removed', async () => {
    const { it, eve } = await populated(215);
    await it.confirmed(eve);
    const [message, others] = [await messageOf(it, 'wamid.eve-1'), await messageOf(it, 'wamid.other-1')];
    let changed = false;
    const outcomes: string[] = [];
    for (let run = 0; (await it.images('certificate')).length === 0; run++) {
      expect(run).toBeLessThan(60);
      await it.advance(async ({ method }) => {
        if (changed || method !== 'transact' || (await it.images('erasure')).length === 0) return undefined;
        changed = true;
        // Before the sealer is asked for anything: the state in between is sealed under Eve's name, what replaces it under none of hers.
        it.world.records.byHand.put({ ...message, customerId: others['customerId']!, subject: others['subject']! });
        return undefined;
      });
      await it.settle();
      outcomes.push(...(await it.repair()));
      it.world.advance(EVERY_MS);
    }
    expect([changed, new Set(outcomes)]).toEqual([true, new Set(['put-back'])]);
    expect(await findingsIn(it.world)).toContain('tombstone-unpermitted');
    for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
    expect(await it.customerOf('wamid.other-1')).not.toBe(eve);
    expect((await it.audit()).findings).toBe(0);
  });

  test('who changes a record between our look and our write makes no erasure wait for ever', async () => {
    const { it, eve } = await populated(204);
    await it.confirmed(eve);
    const message = await messageOf(it, 'wamid.eve-1');
    let changed = false;
    for (let run = 0; (await it.images('certificate')).length === 0; run++) {
      expect(run).toBeLessThan(40);
      await it.advance(async ({ method }) => {
        if (changed || method !== 'transact' || (await it.images('erasure')).length === 0) return undefined;
        changed = true;
        it.world.records.byHand.put({ ...message, text: { S: 'forged' } });
        return undefined;
      });
      await it.settle();
      it.world.advance(EVERY_MS);
    }
    expect(changed).toBe(true);
    expect(kindAt(it, keyOf(message))).toBe('tombstone');
    for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
    expect((await it.audit()).findings).toBe(0);
    expect(await it.verify()).toEqual([]);
  });

  test('who puts back, for the moments in which the schedule looks, a genuine state of a time without a hold, has no key taken', async () => {
    const { it, eve } = await populated(208);
    await it.confirmed(eve);
    for (let run = 0; run < 3; run++) {
      await it.advance();
      await it.settle();
      it.world.advance(EVERY_MS);
    }
    const key = recordKeys.hold(eve);
    const none = it.world.records.byHand.peek(key) as Image;
    expect(await placeHold(it.staff, ALICE, { customerId: eve, reason: 'law suit' })).toMatchObject({ outcome: 'done' });
    await it.settle();
    const held = it.world.records.byHand.peek(key) as Image;
    const during = async (): Promise<void> => {
      it.world.records.byHand.put(none);
      await it.advance();
      it.world.records.byHand.put(held);
      await it.settle();
      it.world.advance(EVERY_MS);
    };
    for (let run = 0; run < 30; run++) await during();
    expect(await it.images('certificate')).toEqual([]);
    // The vault has what the table has no more.
    expect((await it.holding('the words of eve')).length).toBeGreaterThan(0);
    // It goes on when nobody is at it any more.
    await releaseHold(it.staff, BOB, { customerId: eve });
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
    expect(await it.holding('the words of eve')).toEqual([]);
  });

  /** Everything is removed, and the next run would take the key. */
  async function behindTheLastWait(it: ErasingWorld, customerId: string): Promise<void> {
    for (let run = 0; stringOf(it.world.records.byHand.peek(recordKeys.erasureRequest(customerId)) as Image, 'quietSince') === undefined; run++) {
      expect(run).toBeLessThan(20);
      await it.advance();
      await it.settle();
      it.world.advance(EVERY_MS);
    }
    it.world.advance(4 * EVERY_MS);
  }

  test('who does that at one moment behind the last wait has no key taken either: the reason of a hold is one more record to remove, and the wait begins anew', async () => {
    const { it, eve } = await populated(209);
    await it.confirmed(eve);
    await behindTheLastWait(it, eve);
    const none = it.world.records.byHand.peek(recordKeys.hold(eve)) as Image;
    await placeHold(it.staff, ALICE, { customerId: eve, reason: 'law suit' });
    await it.settle();
    it.world.records.byHand.put(none);
    expect(await it.advance()).toMatchObject([{ state: 'removing' }]);
    expect((await it.holding('the words of eve')).length).toBeGreaterThan(0);
  });

  /** Everything that a hold changes in the table is put back as it was before, before the sealer has told anybody. */
  async function replayed(it: ErasingWorld, held: string, request: string): Promise<readonly Image[]> {
    const places = [recordKeys.hold(held), recordKeys.erasureRequest(request)];
    const before = places.map((key) => it.world.records.byHand.peek(key) as Image);
    expect(await placeHold(it.staff, ALICE, { customerId: held, reason: 'law suit' })).toMatchObject({ outcome: 'done' });
    const after = places.map((key) => it.world.records.byHand.peek(key) as Image);
    for (const image of before) it.world.records.byHand.put(image);
    for (const reason of await it.images('reason')) it.world.records.byHand.remove(keyOf(reason));
    return after;
  }

  test('who puts back all that a hold wrote, hold, request and reason, at one moment behind the last wait, has no key taken: the hold stands beside the keys too', async () => {
    const { it, eve } = await populated(213);
    await it.confirmed(eve);
    await behindTheLastWait(it, eve);
    const after = await replayed(it, eve, eve);
    expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: 'doubtful' }]);
    expect((await it.holding('the words of eve')).length).toBeGreaterThan(0);
    // As the repairs leave it; released it goes on.
    for (const image of after) it.world.records.byHand.put(image);
    await it.settle();
    expect(await it.advance()).toMatchObject([{ waiting: 'hold' }]);
    await releaseHold(it.staff, BOB, { customerId: eve });
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
    expect(await it.holding('the words of eve')).toEqual([]);
  });

  test('and that is so of whoever goes with them', async () => {
    const { it, eve, other } = await populated(214);
    const staff = { ...it.staff, linked: async (id: string): Promise<readonly string[]> => [eve, other].filter((each) => each !== id) };
    const asked = await askErasure(staff, ALICE, { customerId: eve, reason: 'letter' });
    await confirmErasure(staff, BOB, { customerId: eve, requestId: (asked as { value: { requestId: string } }).value.requestId });
    for (let run = 0; stringOf(it.world.records.byHand.peek(recordKeys.erasureRequest(eve)) as Image, 'quietSince') === undefined; run++) {
      expect(run).toBeLessThan(20);
      await it.advance();
      await it.settle();
      it.world.advance(EVERY_MS);
    }
    it.world.advance(4 * EVERY_MS);
    await replayed(it, other, eve);
    expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: 'doubtful' }]);
    for (const words of ['the words of eve', 'the words of somebody else']) expect((await it.holding(words)).length).toBeGreaterThan(0);
  });
});

describe('a backup', () => {
  test('of the records table brings nobody back: the audit has the tombstones put back at once, and what came back is not sealed again', async () => {
    const { it, eve } = await populated(205);
    const theirs = (await it.images()).filter((image) => stringOf(image, 'customerId') === eve);
    await it.confirmed(eve);
    await it.untilDone();
    const [entries, subjects] = [it.world.entries().length, it.world.keys.subjects.size];
    // No stream tells of what a table holds from the beginning.
    for (const image of theirs) it.world.records.byHand.decay(image);
    expect(new Set(await repaired(it))).toEqual(new Set(['put-back']));
    for (const image of theirs) expect([stringOf(image, 'kind'), kindAt(it, keyOf(image))]).toEqual([stringOf(image, 'kind'), 'tombstone']);
    for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
    expect(it.world.keys.subjects.size).toBe(subjects);
    expect(new Set(it.world.entries().slice(entries).map(({ entry }) => entry.kind))).toEqual(new Set(['audit', 'finding', 'repair', 'tombstone']));
    expect(new Set(await findingsIn(it.world))).toEqual(new Set(['record-modified']));
    expect((await it.audit()).findings).toBe(0);
  });

  const restoring = async (it: ErasingWorld) => {
    const tables: MemoryTables = new Map([['records', { settings: LIVE_SETTINGS, items: itemsOf(it.world.records) }]]);
    const keys = await restoreKeys(it.world);
    const live = { records: it.world.records, repairs: memoryRecordRepairs(it.world.records), identity: it.world.identity, by: 'tester', meter: it.world.meter, sleep: async (ms: number) => (it.world.advance(ms), it.settle()) };
    return async (name: string, options: Partial<RestoreOptions> = {}) => {
      const target = memoryRestoreTarget(tables, name, name === 'records' ? () => itemsOf(it.world.records) : undefined);
      const deps = { ...keys, vault: it.world.vault, target, inbox: it.world.inbox, now: it.world.now, live: name === 'records' ? live : undefined };
      const plan = await planRestore(deps, { settings: LIVE_SETTINGS, ...options });
      const result = await applyRestore(deps, plan);
      const items: Image[] = [];
      for await (const image of target.scan()) items.push(image);
      return { plan, result, items };
    };
  };

  test('that was made the live table is put right by a restore of it, without waiting for evidence of what is erased', async () => {
    const { it, eve } = await populated(210);
    const theirs = (await it.images()).filter((image) => stringOf(image, 'customerId') === eve);
    await it.confirmed(eve);
    await it.untilDone();
    const restore = await restoring(it);
    for (const image of theirs) it.world.records.byHand.decay(image);
    const began = it.world.now().getTime();
    const { plan, result } = await restore('records');
    expect([plan.losses, result.left, result.written]).toEqual([0, [], theirs.length]);
    expect(it.world.now().getTime()).toBe(began);
    await it.settle();
    for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
    expect((await it.audit()).findings).toBe(0);
    await it.settle();
    expect(it.world.check()).toEqual([]);
  });

  test('of the log holds nobody who was erased: whole, of an earlier time or size, of one customer, and each knows a late resend', async () => {
    const { it, eve } = await populated(211);
    const [at, size] = [it.world.now().toISOString(), it.world.entries().length];
    const message = await messageOf(it, 'wamid.eve-1');
    it.world.advance(60_000);
    await it.confirmed(eve);
    await it.untilDone();
    const restore = await restoring(it);
    for (const [name, options] of Object.entries({ whole: {}, time: { at }, size: { size }, one: { only: (image: Image) => stringOf(image, 'customerId') === eve }, place: { at, only: (image: Image) => stringOf(image, 'pk') === stringOf(message, 'pk') } })) {
      const { items, plan } = await restore(name, options);
      expect([name, plan.losses]).toEqual([name, 0]);
      for (const secret of SECRETS) expect([name, secret, items.filter((image) => canonicalImage(image).includes(secret) || canonicalImage(image).includes(Buffer.from(secret).toString('base64').slice(0, -4)))]).toEqual([name, secret, []]);
      const place = items.find((image) => JSON.stringify(keyOf(image)) === JSON.stringify(keyOf(message)));
      expect([name, stringOf(place, 'kind')]).toEqual([name, name === 'one' ? undefined : 'tombstone']);
    }
  });

  test('of the keys table brings back no key for long: what was certified to be gone is taken again, and nobody else is', async () => {
    const { it, eve } = await populated(206);
    const before = new Map(it.world.keys.subjects);
    await it.confirmed(eve);
    await it.untilDone();
    const gone = [...it.world.keys.subjects].flatMap(([subject, row]) => (row === 'erased' ? [subject] : []));
    expect(gone).toHaveLength(1);
    for (const [subject, row] of before) it.world.keys.subjects.set(subject, row);
    expect((await it.holding('the words of eve')).length).toBeGreaterThan(0);
    for (let run = 0; run <= 24 * 12; run++) {
      await it.advance();
      it.world.advance(EVERY_MS);
    }
    expect(await it.holding('the words of eve')).toEqual([]);
    expect((await it.holding('the words of somebody else')).length).toBeGreaterThan(0);
    expect([...it.world.keys.subjects].flatMap(([subject, row]) => (row === 'erased' ? [subject] : []))).toEqual(gone);
    expect(it.world.meter.counts.get('KeysErasedAgain')).toBe(1);
  });
});

describe('customers merged with one who is erased', () => {
  const merged = async (seed: number) => {
    const { it, eve, other } = await populated(seed);
    const linked = async (id: string): Promise<readonly string[]> => [eve, other].filter((each) => each !== id);
    const staff = { ...it.staff, linked };
    const asked = await askErasure(staff, ALICE, { customerId: eve, reason: 'letter' });
    const { requestId } = (asked as { value: { requestId: string } }).value;
    return { it, eve, other, staff, requestId };
  };

  test('can be put under a hold until the key goes, which stops the erasure of all', async () => {
    const { it, eve, other, staff, requestId } = await merged(201);
    expect(await readErasure(staff, BOB, { customerId: eve })).toMatchObject({ value: { state: 'asked', customers: [eve, other], reason: 'letter' } });
    await confirmErasure(staff, BOB, { customerId: eve, requestId });
    for (let run = 0; (await it.images('customer')).length > 0; run++) {
      expect(run).toBeLessThan(20);
      await it.advance();
      await it.settle();
      it.world.advance(EVERY_MS);
    }
    expect(await placeHold(staff, ALICE, { customerId: other, reason: 'law suit' })).toMatchObject({ outcome: 'done' });
    expect(await it.untilDone(undefined, 14)).toMatchObject([{ state: 'removing', waiting: 'hold' }]);
    for (const customerId of [eve, other]) expect(await readErasure(staff, BOB, { customerId })).toMatchObject({ value: { requestId, held: true } });
    expect((await it.holding('the words of eve')).length).toBeGreaterThan(0);
    expect(await releaseHold(staff, BOB, { customerId: other })).toMatchObject({ value: { erasure: requestId } });
    expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
    for (const words of ['the words of eve', 'the words of somebody else', 'law suit']) expect(await it.holding(words)).toEqual([]);
    expect(await placeHold(staff, ALICE, { customerId: other, reason: 'too late' })).toMatchObject({ refusal: { code: 'not-found' } });
  });

  test('are not asked for twice', async () => {
    const { other, staff } = await merged(202);
    expect(await askErasure(staff, BOB, { customerId: other, reason: 'letter' })).toMatchObject({ refusal: { code: 'conflict' } });
  });
});

test('a late resend of evidence that was kept beside a record of somebody else leaves nothing behind, neither a body nor a customer', async () => {
  const { it, eve } = await populated(207);
  const conflict = delivery({ contacts: [contact(EVE)], messages: [text('wamid.other-1', `the conflict of eve ${'z'.repeat(30_000)}`, EVE)] });
  expect(await it.receiver().receive(conflict)).toMatchObject({ conflict: 1 });
  await it.settle();
  expect((await it.holding('the conflict of eve')).length).toBeGreaterThan(0);
  await it.confirmed(eve);
  await it.untilDone();
  const events = it.world.stream.length;
  expect(await it.receiver().receive(conflict)).toMatchObject({ duplicate: 1 });
  expect(it.world.stream.length).toBe(events);
  expect(await it.holding('the conflict of eve')).toEqual([]);
});

test('under a hold of a year the person is somebody new, who can be erased alone; each of them goes as their own', async () => {
  const { it, eve } = await populated(212);
  await it.confirmed(eve);
  for (let run = 0; run < 3; run++) {
    await it.advance();
    await it.settle();
    it.world.advance(EVERY_MS);
  }
  await placeHold(it.staff, ALICE, { customerId: eve, reason: 'law suit' });
  it.world.advance(365 * 86_400_000);
  await it.receiver().receive(textDelivery('wamid.eve-year', 'a year later', EVE));
  await it.settle();
  const second = await it.customerOf('wamid.eve-year');
  expect(second).not.toBe(eve);
  await it.confirmed(second);
  await it.untilDone(undefined, 25);
  expect(await it.holding('a year later')).toEqual([]);
  expect((await it.holding('the words of eve')).length).toBeGreaterThan(0);
  await releaseHold(it.staff, BOB, { customerId: eve });
  await it.receiver().receive(textDelivery('wamid.eve-third', 'the third', EVE));
  await it.untilDone();
  expect(await it.holding('the words of eve')).toEqual([]);
  expect([eve, second]).not.toContain(await it.customerOf('wamid.eve-third'));
  expect(await findingsIn(it.world)).toEqual([]);
  expect((await it.audit()).findings).toBe(0);
});
