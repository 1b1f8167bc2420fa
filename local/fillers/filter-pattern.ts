/**
 * CloudWatch Logs filter patterns, as far as metric filters of a CDK app use them: terms, and JSON patterns with comparisons, IS, EXISTS, && and ||.
 * The emulator takes every JSON pattern for a match. Syntax: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
 * What is not understood throws when the pattern is compiled: a metric that silently never counts would be worse.
 */
export type LineMatcher = (line: string) => boolean;

/** Compiles `pattern`. @throws Error naming the pattern when it is outside the syntax above */
export function compileFilterPattern(pattern: string): LineMatcher {
  const trimmed = pattern.trim();
  if (trimmed === '') return () => true;
  return trimmed.startsWith('{') ? jsonMatcher(trimmed) : termMatcher(trimmed);
}

/** Plain terms must all occur, `-term` must not, of `?term`s one must. */
function termMatcher(pattern: string): LineMatcher {
  const terms = [...pattern.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map((match) => ({ sign: match[1], text: (match[2] ?? match[3] ?? '').replaceAll('\\"', '"') }));
  const all = terms.filter(({ sign }) => sign === '');
  const none = terms.filter(({ sign }) => sign === '-');
  const any = terms.filter(({ sign }) => sign === '?');
  return (line) => all.every(({ text }) => line.includes(text)) && !none.some(({ text }) => line.includes(text)) && (any.length === 0 || any.some(({ text }) => line.includes(text)));
}

type Test = (value: unknown) => boolean;

const token = /\s*(\{|\}|\(|\)|&&|\|\||!=|>=|<=|=|>|<|"(?:[^"\\]|\\.)*"|[^\s(){}&|=<>!"]+)/gy;

function jsonMatcher(pattern: string): LineMatcher {
  const unreadable = (): Error => new Error(`metric filter pattern ${pattern} is not understood by the local metrics forwarder`);
  const tokens = [...pattern.matchAll(token)].map((match) => match[1] ?? '');
  if (tokens.join('').length !== pattern.replaceAll(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/g, '').length) throw unreadable();
  let at = 0;
  const take = (): string => tokens[at++] ?? '';
  const expect = (wanted: string): void => { if (take() !== wanted) throw unreadable(); };

  const either = (): Test => {
    const parts = [both()];
    while (tokens[at] === '||') { at++; parts.push(both()); }
    return (value) => parts.some((part) => part(value));
  };
  const both = (): Test => {
    const parts = [one()];
    while (tokens[at] === '&&') { at++; parts.push(one()); }
    return (value) => parts.every((part) => part(value));
  };
  const one = (): Test => {
    if (tokens[at] === '(') {
      at++;
      const inner = either();
      expect(')');
      return inner;
    }
    const path = take();
    if (!path.startsWith('$.')) throw unreadable();
    const compare = comparison(take, unreadable);
    return (value) => compare(select(value, path));
  };

  expect('{');
  const test = either();
  expect('}');
  if (at !== tokens.length) throw unreadable();
  return (line) => {
    const value = parsed(line);
    return value !== undefined && test(value);
  };
}

function comparison(take: () => string, unreadable: () => Error): Test {
  const operator = take();
  if (operator === 'EXISTS') return (value) => value !== undefined;
  if (operator === 'NOT') {
    if (take() !== 'EXISTS') throw unreadable();
    return (value) => value === undefined;
  }
  if (operator === 'IS') {
    const wanted = new Map<string, unknown>([['NULL', null], ['TRUE', true], ['FALSE', false]]);
    const name = take();
    if (!wanted.has(name)) throw unreadable();
    return (value) => value === wanted.get(name);
  }
  const operand = take();
  if (operand === '') throw unreadable();
  const text = operand.startsWith('"') ? operand.slice(1, -1).replaceAll('\\"', '"') : operand;
  const like = new RegExp(`^${text.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 's');
  const number = operand.startsWith('"') ? Number.NaN : Number(operand);
  const equals: Test = (value) => (typeof value === 'number' && !Number.isNaN(number) ? value === number : (typeof value === 'string' || typeof value === 'number') && like.test(String(value)));
  const ordered = (holds: (value: number) => boolean): Test => (value) => typeof value === 'number' && holds(value);
  switch (operator) {
    case '=': return equals;
    case '!=': return (value) => value !== undefined && !equals(value);
    case '>': return ordered((value) => value > number);
    case '<': return ordered((value) => value < number);
    case '>=': return ordered((value) => value >= number);
    case '<=': return ordered((value) => value <= number);
    default: throw unreadable();
  }
}

/** `$.a.b[0]` in `value`; undefined where it leads nowhere. */
export function select(value: unknown, path: string): unknown {
  return path.slice(2).split(/\.|\[(?=\d+\])/).reduce<unknown>((at, part) => {
    const name = part.endsWith(']') ? part.slice(0, -1) : part;
    return typeof at === 'object' && at !== null ? (at as Readonly<Record<string, unknown>>)[name] : undefined;
  }, value);
}

function parsed(line: string): unknown {
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // Not JSON: a JSON pattern matches JSON lines only.
  }
}
