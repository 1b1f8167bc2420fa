/** What a decision about a name writes: who holds it next, what is still known of it, and what is not. */
import fc from 'fast-check';
import { aliasImage, aliasIn, aliasOf, aliasState, isTakenAway, leadsToHolder, type GivenAlias, type Holding } from '../../../src/core/customer-aliases';
import type { PlannedWrite } from '../../../src/core/customer-plan';
import { stringOf, type Image } from '../../../src/core/image';
import { cameBy, linkedByDecision, movedBack, movedByMerge, unlinkedByDecision, type Held } from '../../../src/core/staff/identity';
import { numberOf } from '../../../src/core/staff/search-index';

const AT = '2026-03-01T12:00:00.000Z';
const [ann, bob] = ['ann', 'bob'].map((name) => ({ customerId: name, subject: `subject-${name}` })) as [{ customerId: string; subject: string }, { customerId: string; subject: string }];
const alias = aliasOf(Buffer.alloc(32, 1), 'wa-id', '16505550001');
const stateIn = (images: readonly Image[]): GivenAlias => {
  const state = aliasState(images, () => true, { firstOnly: false });
  if (state.state !== 'given') throw new Error(state.state);
  const { state: _, ...rest } = state;
  return rest;
};
const heldBy = (holder: typeof ann, holding: Partial<Holding> = {}): Held => {
  const image = aliasImage(alias, holder, { n: 0, rev: 1, linked: { x: 'bsuid@1' }, assignedAt: 100, ...holding }, { receivedAt: AT, deliveryId: 'd', attempt: 'a' });
  return { alias: aliasIn(image)!, image, state: stateIn([image]) };
};
const imagesOf = (writes: readonly PlannedWrite[]): readonly Image[] => writes.map(({ image }) => image);
const next = (writes: readonly PlannedWrite[], to = bob): Held => ({ alias, image: imagesOf(writes).at(-1)!, state: { ...stateIn(imagesOf(writes)), ...to } });

test('merged and taken back, as often as one likes and in the order of a stack, it is known of it what was known before', () => {
  fc.assert(
    fc.property(fc.record({ releasedAt: fc.option(fc.nat(), { nil: undefined }), assignedAt: fc.nat(), depth: fc.integer({ min: 1, max: 19 }) }), ({ releasedAt, assignedAt, depth }) => {
      const first = heldBy(ann, { assignedAt, ...(releasedAt !== undefined && { releasedAt }) });
      let held = first;
      for (let m = 0; m < depth; m += 1) held = next(movedByMerge(held, bob, `m${m}`, AT));
      expect(held.state.merges).toEqual(Array.from({ length: depth }, (_, m) => `m${m}`));
      for (let m = depth - 1; m >= 0; m -= 1) {
        expect([cameBy(`m${m}`, held.state), cameBy(`m${m - 1}`, held.state)]).toEqual([true, false]);
        held = next(movedBack(held, ann, AT), ann);
      }
      expect(held.state).toEqual({ ...first.state, n: 2 * depth });
    }),
    { numRuns: 100 },
  );
});

test('the record of the holder before says who followed, under the subject it always had; the new one has the new holder\'s', () => {
  const writes = movedByMerge(heldBy(ann), bob, 'm', AT);
  expect(writes.map(({ op, image }) => [op, stringOf(image, 'sk'), stringOf(image, 'subject'), image['rev'], image['movedTo']])).toEqual([
    ['replace', 'alias', ann.subject, { N: '2' }, { N: '1' }],
    ['create', 'alias#1', bob.subject, { N: '1' }, undefined],
  ]);
  expect(imagesOf(writes).map((image) => [isTakenAway(image), leadsToHolder(image), numberOf(image)])).toEqual([[true, false, undefined], [false, true, alias.value]]);
});

test('linked by a decision, it is known by the decision alone, and as of it', () => {
  const held = heldBy(ann, { releasedAt: 150, merges: ['m'] });
  expect(next(linkedByDecision(alias, held, bob, AT)).state).toEqual({ ...bob, n: 1, rev: 1, linked: {}, assignedAt: Date.parse(AT) / 1000 });
  expect(stateIn(imagesOf(linkedByDecision(alias, { n: 3 }, bob, AT)))).toEqual({ ...bob, n: 3, rev: 1, linked: {}, assignedAt: Date.parse(AT) / 1000 });
});

test('taken away, it leads to nobody, and the next holder is another one', () => {
  const { image } = unlinkedByDecision(heldBy(ann), AT);
  expect([aliasState([image], () => true, { firstOnly: true }), aliasState([image], () => true, { firstOnly: false })]).toEqual([{ state: 'moved' }, { state: 'free', n: 1 }]);
  expect([isTakenAway(image), leadsToHolder(image), numberOf(image), stringOf(image, 'subject')]).toEqual([true, false, undefined, ann.subject]);
});
