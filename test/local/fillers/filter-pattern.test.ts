import { compileFilterPattern } from '../../../local/fillers/filter-pattern';

const line = JSON.stringify({ level: 'WARN', code: 'refused', count: 3, nested: { list: ['a', 'b'] }, flag: true, nothing: null });

describe('a filter pattern', () => {
  it.each([
    ['', true],
    ['{ $.level = "WARN" }', true],
    ['{ $.level = "ERROR" }', false],
    ['{ $.level = WARN }', true],
    ['{ $.code = "ref*" }', true],
    ['{ $.code = "*fuse" }', false],
    ['{ $.level != "WARN" }', false],
    ['{ $.absent != "WARN" }', false],
    ['{ $.count = 3 }', true],
    ['{ $.count > 3 }', false],
    ['{ $.count >= 3 }', true],
    ['{ ($.level = "WARN") && ($.code = "refused") }', true],
    ['{ ($.level = "WARN") && ($.code = "other") }', false],
    ['{ ($.level = "ERROR") || ($.code = "refused") }', true],
    ['{ $.level = "ERROR" || $.level = "WARN" && $.count = 4 }', false],
    ['{ $.nested.list[1] = "b" }', true],
    ['{ $.nested.list[0] = "b" }', false],
    ['{ $.flag IS TRUE }', true],
    ['{ $.nothing IS NULL }', true],
    ['{ $.absent IS NULL }', false],
    ['{ $.absent NOT EXISTS }', true],
    ['{ $.flag EXISTS }', true],
    ['WARN refused', true],
    ['WARN -refused', false],
    ['?nowhere ?refused', true],
    ['?nowhere ?neither', false],
    ['"level\\":\\"WARN"', true],
  ])('%s on a JSON line: %s', (pattern, matches) => {
    expect(compileFilterPattern(pattern)(line)).toBe(matches);
  });

  it('of the JSON kind matches no plain line', () => {
    expect(compileFilterPattern('{ $.level != "x" }')('START RequestId: 1')).toBe(false);
  });

  it.each(['{ $.a }', '{ level = "x" }', '{ $.a = "x"', '{ $.a = "x" } }', '{ $.a ~ "x" }', '{ $.a = %regex% && }'])('that is not understood is refused by name: %s', (pattern) => {
    expect(() => compileFilterPattern(pattern)).toThrow(pattern);
  });
});
