/**
 * An erasure among everything else that goes on at the same time, step by step in an order drawn from a seed: resends, richer resends, new messages and first contacts of the person from containers
 * that remember, holds placed and released, two schedules at once, sealers on the way. Whatever the order: nothing of what was there before is left anywhere, nothing that came later is lost, no
 * record is removed and no key taken while there is a hold, and nobody finds anything.
 */
import { seededDraw, seededSchedule } from '../../../src/adapters/memory/schedule';
import type { OnCall } from '../../../src/adapters/memory/process';
import { stringOf, type Image } from '../../../src/core/image';
import { checkMac } from '../../../src/core/record-mac';
import { advanceErasures } from '../../../src/operations/erasure/advance-erasures';
import { placeHold, releaseHold } from '../../../src/operations/staff/holds';
import { PortError } from '../../../src/ports';
import { figure } from '../../figures';
import { forEachSeed } from '../../seeds';
import { findingsIn } from '../../world';
import { contact, delivery, text, textDelivery } from '../receiving-world';
import { ALICE, BOB, EVE, populated, SECRETS, type ErasingWorld } from './erasing-world';

let [lives, orders, holdsPlaced] = [0, 0, 0];
afterAll(() => figure('erasures among resends, new messages, holds and other schedules', `${lives} lives of ${orders} interleaved moments, ${holdsPlaced} holds placed meanwhile; 0 hits, 0 lost messages, 0 removals under a hold, 0 findings`));

const forgiving = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
  }
};

/** Nothing became a tombstone, and no request `keyed`, between a hold and its release, in the order in which the table saw it. */
function holdsWereKept({ world }: ErasingWorld): void {
  let held = false;
  for (const { newImage, oldImage } of world.stream) {
    if (stringOf(newImage, 'kind') === 'hold') held = (newImage?.['held'] as { BOOL: boolean }).BOOL;
    if (!held) continue;
    expect(stringOf(newImage, 'kind')).not.toBe('tombstone');
    expect([stringOf(oldImage, 'state'), stringOf(newImage, 'state')]).not.toEqual(['removing', 'keyed']);
  }
}

async function live(seed: number): Promise<void> {
  const draw = seededDraw(seed);
  const { it, eve } = await populated(seed);
  await it.confirmed(eve);
  const sent = new Map<string, string>();
  let n = 0;
  for (let moment = 0; moment < 24; moment++) {
    const schedule = seededSchedule(seed * 100 + moment);
    const glass: OnCall = async () => {
      await schedule.turn();
      return undefined;
    };
    // Kept over moments: what containers remember is part of the story. A function ends before the next moment.
    const container = it.receiver(glass, draw() < 0.7);
    const deliver = (body: string) => (): Promise<void> => forgiving(() => container.receive(body));
    const fresh = (): string => {
      const id = `wamid.late-${seed}-${n++}`;
      sent.set(id, `later words ${id}`);
      return textDelivery(id, sent.get(id) as string, draw() < 0.5 ? EVE : draw() < 0.5 ? { waId: EVE.waId } : { bsuid: EVE.bsuid });
    };
    const tasks: (() => Promise<void>)[] = [() => forgiving(() => advanceErasures(it.container(glass).deps)), deliver(fresh())];
    if (draw() < 0.3) tasks.push(() => forgiving(() => advanceErasures(it.container(glass).deps)));
    if (draw() < 0.6) tasks.push(deliver(delivery({ contacts: [contact(EVE)], messages: [text('wamid.eve-1', 'the words of eve', EVE)] })));
    // The same event with another contact, or more in it: a variant or a conflict, as long as there is something to stand beside.
    if (draw() < 0.6) tasks.push(deliver(delivery({ contacts: [{ ...contact(EVE), profile: { name: `the words of eve ${moment}` } }], messages: [text('wamid.eve-1', 'the words of eve', EVE)] })));
    if (draw() < 0.6) tasks.push(deliver(delivery({ contacts: [{ ...contact(EVE), profile: { name: 'Sheena Nelson of eve' } }], messages: [{ ...text('wamid.eve-1', 'the words of eve', EVE), extra: `the words of eve ${moment}` }] })));
    if (draw() < 0.25) {
      tasks.push(() =>
        forgiving(async () => {
          if ((await placeHold(it.staff, ALICE, { customerId: eve, reason: 'law suit' })).outcome === 'done') holdsPlaced++;
        }),
      );
    }
    if (draw() < 0.5) tasks.push(() => forgiving(() => releaseHold(it.staff, BOB, { customerId: eve })));
    if (draw() < 0.5) tasks.push(() => it.settle());
    for (const outcome of await schedule.run(tasks)) if (outcome.status === 'rejected') throw outcome.reason;
    await it.settle();
    it.world.advance(Math.floor(draw() * 12 * 60_000));
    orders++;
  }
  await releaseHold(it.staff, BOB, { customerId: eve });
  expect(await it.untilDone()).toEqual(expect.arrayContaining([]));
  expect((await it.images('certificate')).length).toBe(1);

  for (const secret of SECRETS.filter((each) => each !== EVE.waId && each !== EVE.bsuid && each !== 'Sheena Nelson of eve')) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
  // Each later message is there once, with another customer, or went with the erasure as one of those that were on the way; none is lost.
  const messages = new Map((await it.images('message')).map((image): [string, Image] => [stringOf(image, 'messageId') ?? '', image]));
  for (const [id] of sent) {
    const image = messages.get(id);
    if (image === undefined) expect([id, await isTombstone(it, id)]).toEqual([id, true]);
    else expect([id, stringOf(image, 'customerId') === eve]).toEqual([id, false]);
  }
  const alive = await it.images();
  expect(alive.every((image) => checkMac([it.world.macKey], image) === 'valid')).toBe(true);
  expect(alive.filter((image) => stringOf(image, 'customerId') === eve && !['access'].includes(stringOf(image, 'kind') ?? ''))).toEqual([]);
  holdsWereKept(it);
  expect(await findingsIn(it.world)).toEqual([]);
  expect(it.world.check()).toEqual([]);
  expect(await it.verify()).toEqual([]);
  expect((await it.audit()).findings).toBe(0);
  lives++;
}

async function isTombstone(it: ErasingWorld, messageId: string): Promise<boolean> {
  const { keyOfEvent } = await import('../../../src/core/records');
  const { eventsOf } = await import('../../../src/operations/record-delivery');
  const [event] = eventsOf(Buffer.from(textDelivery(messageId, 'x', EVE)));
  const there = await it.world.records.get(keyOfEvent(await it.secrets.dedupeKey(), event as never), { consistent: true });
  return there !== 'absent' && stringOf(there, 'kind') === 'tombstone';
}

test('whatever goes on at the same time, an erasure takes all there was, loses nothing that came, and obeys every hold', async () => {
  await forEachSeed('erasures among others', 24, live);
}, process.env['INTACT_FULL'] ? 1_800_000 : 120_000);
