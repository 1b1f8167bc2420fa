import * as fc from 'fast-check';
import { currentState, type ActFact, type StatusFact } from '../../src/core/current-state';

const status = (name: string, at: number, participant?: string): StatusFact => ({ status: name, at, ...(participant === undefined ? {} : { participant }) });
const act = (kind: ActFact['kind'], at: number, id: string, text?: string, by = 'c1'): ActFact => ({ kind, at, id, by, ...(text === undefined ? {} : { text }) });

describe('how far a message got', () => {
  test.each([
    ['sent after delivered does not take it back', [status('delivered', 2), status('sent', 3)], 'delivered'],
    ['read without delivered is read', [status('sent', 1), status('read', 2)], 'read'],
    ['failed after sent is failed', [status('sent', 1), status('failed', 2)], 'failed'],
    ['delivered after failed is delivered', [status('failed', 1), status('delivered', 2)], 'delivered'],
    ['failed after delivered stays delivered', [status('delivered', 1), status('failed', 2)], 'delivered'],
    ['played is the furthest', [status('played', 1), status('read', 2)], 'played'],
    ['a word nobody knows says nothing about progress', [status('sent', 1), status('teleported', 2)], 'sent'],
    ['nor does a word that every object has', [status('constructor', 0), status('sent', 1)], 'sent'],
    ['upper case, as in old conversations, is the same word', [status('READ', 1), status('sent', 2)], 'read'],
  ])('%s', (_, facts, expected) => {
    expect(currentState(facts, []).status?.status).toBe(expected);
  });

  test('that it failed is said even where it arrived', () => {
    expect(currentState([status('delivered', 5), status('failed', 7)], [])).toMatchObject({ status: { status: 'delivered', at: 5 }, failedAt: 7 });
  });
  test('a group message is as far as the last participant, each of whom is listed', () => {
    const state = currentState([status('read', 1, 'a'), status('delivered', 2, 'b'), status('delivered', 3, 'a')], []);
    expect(state).toMatchObject({ status: { status: 'delivered', at: 2 }, participants: { a: { status: 'read', at: 1 }, b: { status: 'delivered', at: 2 } } });
  });
  test('without a status there is none', () => {
    expect(currentState([], [])).toEqual({ reactions: [] });
  });
});

describe('what was done to it', () => {
  test('the latest edit counts', () => {
    expect(currentState([], [act('edit', 9, 'e2', 'new'), act('edit', 5, 'e1', 'old')]).edited).toEqual({ id: 'e2', at: 9, text: 'new' });
  });
  test('a revoke is noted beside the edit, and neither destroys the other', () => {
    expect(currentState([], [act('revoke', 9, 'r'), act('edit', 5, 'e', 'x')])).toMatchObject({ revoked: { id: 'r', at: 9 }, edited: { text: 'x' } });
  });
  test('each person has one reaction, and taking it back leaves none', () => {
    const acts = [act('reaction', 1, 'a', '👍'), act('reaction', 2, 'b', '❤️'), act('reaction', 3, 'c', '👍', 'c2'), act('reaction', 4, 'd', undefined, 'c2'), act('reaction', 1, 'e', '🙏', 'business')];
    expect(currentState([], acts).reactions).toEqual([
      { by: 'business', emoji: '🙏', at: 1 },
      { by: 'c1', emoji: '❤️', at: 2 },
    ]);
  });
});

test('the order in which the records came, and repeats of them, change nothing', () => {
  const statuses = fc.array(fc.record({ status: fc.constantFrom('sent', 'delivered', 'read', 'failed', 'deleted', 'odd'), at: fc.nat(3) }), { maxLength: 6 });
  const acts = fc.array(
    fc.record({ kind: fc.constantFrom('edit' as const, 'revoke' as const, 'reaction' as const), id: fc.constantFrom('1', '2', '3', '4'), at: fc.nat(3), by: fc.constantFrom('a', 'b') }).map((each) => ({ ...each, text: `${each.kind}${each.id}${each.by}` })),
    { maxLength: 8 },
  );
  const unique = (facts: readonly ActFact[]): readonly ActFact[] => [...new Map(facts.map((fact) => [fact.id, fact])).values()];
  fc.assert(
    fc.property(statuses, acts, fc.infiniteStream(fc.nat()), (someStatuses, someActs, keys) => {
      const facts = unique(someActs);
      const shuffled = <T>(list: readonly T[]): T[] => [...list].map((each) => [keys.next().value as number, each] as const).sort(([a], [b]) => a - b).map(([, each]) => each);
      const expected = currentState(someStatuses, facts);
      expect(currentState(shuffled([...someStatuses, ...someStatuses]), shuffled([...facts, ...facts]))).toEqual(expected);
    }),
  );
});
