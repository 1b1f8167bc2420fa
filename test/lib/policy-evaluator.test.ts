/** The evaluator that other tests rely on, held to what the IAM user guide says of wildcards, absent keys and set operators. */
import { isAllowed, isDenied, type Statement } from './policy-evaluator';

const allow = (rest: Partial<Statement>): Statement[] => [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'a/*', ...rest }];
const request = { action: 's3:GetObject', resource: 'a/b/c' };

describe('the evaluator', () => {
  it('matches a star with anything, slashes included, and no dot with anything but a dot', () => {
    expect(isAllowed(allow({}), request)).toBe(true);
    expect(isAllowed(allow({ Resource: 'a/*.p/*' }), { ...request, resource: 'a/xp/1' })).toBe(false);
    expect(isAllowed(allow({ Resource: 'a/*.p/*' }), { ...request, resource: 'a/0/x.p/1' })).toBe(true);
    expect(isAllowed(allow({ Resource: 'a' }), request)).toBe(false);
  });

  it('lets a Deny win, and takes NotResource for everything else', () => {
    const denied: Statement = { Effect: 'Deny', Action: 's3:*', NotResource: 'a/open' };
    expect(isDenied([denied], request)).toBe(true);
    expect(isAllowed([...allow({}), denied], request)).toBe(false);
    expect(isAllowed([...allow({}), denied], { ...request, resource: 'a/open' })).toBe(true);
  });

  it.each([
    ['StringEquals', false],
    ['StringEqualsIfExists', true],
    ['StringNotEquals', true],
    ['StringNotEqualsIfExists', true],
    ['NumericLessThan', false],
    ['ForAllValues:StringLike', true],
  ])('takes an absent key under %s for %s', (operator, holds) => {
    expect(isAllowed(allow({ Condition: { [operator]: { key: '1' } } }), request)).toBe(holds);
  });

  it('asks every operator and key, any value of a key, and every value of a set', () => {
    const condition = { StringEquals: { one: ['1', '2'], two: '3' } };
    expect(isAllowed(allow({ Condition: condition }), { ...request, keys: { one: '2', two: '3' } })).toBe(true);
    expect(isAllowed(allow({ Condition: condition }), { ...request, keys: { one: '2' } })).toBe(false);
    const set = { 'ForAllValues:StringLike': { keys: ['s#*', 't'] } };
    expect(isAllowed(allow({ Condition: set }), { ...request, keys: { keys: ['s#1', 't'] } })).toBe(true);
    expect(isAllowed(allow({ Condition: set }), { ...request, keys: { keys: ['s#1', 'u'] } })).toBe(false);
  });

  it('refuses an operator it does not know rather than guess', () => {
    expect(() => isAllowed(allow({ Condition: { DateLessThan: { key: '1' } } }), { ...request, keys: { key: '1' } })).toThrow(/does not know DateLessThan/);
  });
});
