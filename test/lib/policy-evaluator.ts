/**
 * A small evaluator of IAM policies, after the IAM user guide ("Policy evaluation logic", "Condition operators"): `*` and `?` match any characters, slashes too; a negated operator
 * holds where the key is absent, any other does not; IfExists and ForAllValues hold there. It knows the operators we use and refuses others.
 */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}
export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly keys?: Readonly<Record<string, string | readonly string[]>>;
}

export const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] => (value === undefined ? [] : Array.isArray(value) ? value : [value as T]);

/** The statements that apply to `request`. */
export const applying = (statements: readonly Statement[], request: Request): readonly Statement[] =>
  statements.filter((statement) => matchesAction(statement, request) && matchesResource(statement, request) && matchesCondition(statement, request));

export const isDenied = (statements: readonly Statement[], request: Request): boolean => applying(statements, request).some(({ Effect }) => Effect === 'Deny');
export const isAllowed = (statements: readonly Statement[], request: Request): boolean =>
  !isDenied(statements, request) && applying(statements, request).some(({ Effect }) => Effect === 'Allow');

const like = (value: string, pattern: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[\\s\\S]*').replaceAll('?', '[\\s\\S]')}$`).test(value);

const matchesAction = ({ Action }: Statement, { action }: Request): boolean => listOf(Action).some((pattern) => like(action.toLowerCase(), pattern.toLowerCase()));

function matchesResource({ Resource, NotResource }: Statement, { resource }: Request): boolean {
  return NotResource === undefined ? listOf(Resource).some((pattern) => like(resource, pattern)) : !listOf(NotResource).some((pattern) => like(resource, pattern));
}

/** All operators and all their keys must hold; of the values of one key, any. */
const matchesCondition = ({ Condition }: Statement, { keys = {} }: Request): boolean =>
  Object.entries(Condition ?? {}).every(([operator, wanted]) => Object.entries(wanted).every(([key, values]) => holds(operator, keys[key], listOf(values))));

function holds(operator: string, actual: string | readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (operator === 'Null') return (actual === undefined) === (wanted[0] === 'true');
  const ifExists = operator.endsWith('IfExists');
  const forAll = operator.startsWith('ForAllValues:');
  const base = operator.replace(/IfExists$/, '').replace(/^ForAllValues:/, '');
  const compare = OPERATORS[base];
  if (compare === undefined) throw new Error(`the evaluator does not know ${operator}: add it, after the user guide`);
  const negated = base.includes('Not');
  if (actual === undefined) return ifExists || forAll || negated;
  const one = (value: string): boolean => (negated ? wanted.every((other) => compare(value, other)) : wanted.some((other) => compare(value, other)));
  return forAll ? listOf(actual).every(one) : listOf(actual).some(one);
}

const OPERATORS: Readonly<Record<string, (actual: string, wanted: string) => boolean>> = {
  Bool: (actual, wanted) => actual === wanted,
  StringEquals: (actual, wanted) => actual === wanted,
  StringNotEquals: (actual, wanted) => actual !== wanted,
  StringLike: like,
  ArnLike: like,
  ArnNotEquals: (actual, wanted) => !like(actual, wanted),
  NumericLessThan: (actual, wanted) => Number(actual) < Number(wanted),
  NumericGreaterThan: (actual, wanted) => Number(actual) > Number(wanted),
};
