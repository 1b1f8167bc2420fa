/**
 * From argv to a command and its checked operands and options. Everything that does not fit is a usage failure (exit 2) that names the
 * word, suggests the nearest one and the help to open; nothing is ignored silently.
 */
import { parseArgs } from 'node:util';
import type { CommandSpec, OptionName, OptionSpec } from './command';
import { OPTIONS } from './command';
import { Failure } from './failure';
import { nearest } from './suggestion';

export type CommandLine =
  | { readonly ask: 'help'; readonly command?: CommandSpec }
  | { readonly ask: 'version' }
  | {
      readonly ask: 'run';
      readonly command: CommandSpec;
      readonly operands: readonly string[];
      readonly options: ReadonlyMap<OptionName, string | true>;
    };

const GLOBAL: readonly OptionName[] = ['json', 'stage', 'help', 'version'];
const specOf = (name: OptionName): OptionSpec => OPTIONS[name];
/** An id of ours, 43 characters of base64url, may begin with a hyphen; no option is spelt like one. */
const HASH = /^-[A-Za-z0-9_-]{42}$/;
/** Can be in no argument. */
const NO_OPTION = '\0';
const isOption = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name);

/** Parses `argv` (without node and script) against the table. Throws Failure `usage`. */
export function parseCommandLine(argv: readonly string[], table: readonly CommandSpec[]): CommandLine {
  const { words, options } = tokens(argv, table);
  if (options.has('version') && words.length === 0) return { ask: 'version' };
  const helpAsked = options.has('help') || words[0] === 'help';
  const rest = words[0] === 'help' ? words.slice(1) : words;
  if (rest.length === 0) {
    if (helpAsked) return { ask: 'help' };
    throw new Failure('usage', 'no command given', 'npx intact help lists them');
  }
  const { command, operands } = commandOf(rest, table);
  if (helpAsked) return { ask: 'help', command };
  checkOptions(command, options);
  checkOperands(command, operands);
  return { ask: 'run', command, operands, options };
}

function tokens(argv: readonly string[], table: readonly CommandSpec[]): { words: string[]; options: Map<OptionName, string | true> } {
  const definitions = Object.fromEntries(
    (Object.keys(OPTIONS) as OptionName[]).map((name) => [name, { type: specOf(name).value === undefined ? ('boolean' as const) : ('string' as const) }]),
  );
  const parsed = parseArgs({
    args: argv.map((word) => (word === '-h' ? '--help' : HASH.test(word) ? `${NO_OPTION}${word}` : word)),
    options: definitions,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const options = new Map<OptionName, string | true>();
  for (const token of parsed.tokens) {
    if (token.kind === 'positional') words.push(token.value.startsWith(NO_OPTION) ? token.value.slice(NO_OPTION.length) : token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    if (!isOption(name)) throw unknownOption(rawName, commandNamed(words, table));
    const takesValue = specOf(name).value !== undefined;
    if (!takesValue && value !== undefined) throw new Failure('usage', `${rawName} takes no value`);
    if (takesValue && (value === undefined || value === '' || (inlineValue !== true && value.startsWith('--')))) {
      throw new Failure('usage', `${rawName} needs a value: ${rawName} ${specOf(name).value ?? ''}`);
    }
    if (options.has(name) && options.get(name) !== (value ?? true)) throw new Failure('usage', `${rawName} is given twice with different values`);
    options.set(name, value ?? true);
  }
  return { words, options };
}

const commandNamed = (words: readonly string[], table: readonly CommandSpec[]): CommandSpec | undefined =>
  table.find(({ name }) => name === words.slice(0, 2).join(' ')) ?? table.find(({ name }) => name === words[0]);

function commandOf(words: readonly string[], table: readonly CommandSpec[]): { command: CommandSpec; operands: readonly string[] } {
  const command = commandNamed(words, table);
  if (command !== undefined) return { command, operands: words.slice(command.name.split(' ').length) };
  const first = words[0] ?? '';
  const group = table.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  if (group.length > 0) {
    const meant = words[1] === undefined ? undefined : nearest(`${first} ${words[1]}`, group);
    const what = words[1] === undefined ? `${first} needs one of: ` : `there is no "${first} ${words[1]}"; `;
    throw new Failure('usage', `${what}${meant === undefined ? group.join(', ') : `did you mean "${meant}"?`}`, `npx intact help`);
  }
  const meant = nearest(first, table.map(({ name }) => name));
  throw new Failure('usage', `there is no command "${first}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`, 'npx intact help lists them');
}

function unknownOption(rawName: string, command: CommandSpec | undefined): Failure {
  const allowed = command === undefined ? (Object.keys(OPTIONS) as OptionName[]) : [...GLOBAL, ...command.options];
  const meant = nearest(rawName, allowed.map((name) => `--${name}`));
  return new Failure('usage', `there is no option ${rawName}${meant === undefined ? '' : `; did you mean ${meant}?`}`, helpFor(command));
}

function checkOptions(command: CommandSpec, options: ReadonlyMap<OptionName, string | true>): void {
  for (const name of options.keys()) {
    if (name === 'version') throw unknownOption('--version', command);
    if (!GLOBAL.includes(name) && !command.options.includes(name)) {
      throw new Failure('usage', `${command.name} has no option --${name}`, helpFor(command));
    }
  }
}

function checkOperands(command: CommandSpec, operands: readonly string[]): void {
  const needed = command.operands.filter((operand) => !operand.startsWith('['));
  if (operands.length < needed.length) {
    throw new Failure('usage', `${command.name} needs ${needed[operands.length] ?? 'an operand'}`, helpFor(command));
  }
  if (operands.length > command.operands.length && !command.operands.at(-1)?.includes('…')) {
    const extra = operands[command.operands.length] ?? '';
    throw new Failure('usage', `${command.name} takes ${command.operands.length === 0 ? 'no operands' : command.operands.join(' ')}; "${extra}" is one too many`, helpFor(command));
  }
}

const helpFor = (command: CommandSpec | undefined): string => (command === undefined ? 'npx intact help' : `npx intact help ${command.name}`);
