/** Help, made from the command table: what help shows is what the parser accepts. */
import type { CommandSpec, OptionName, OptionSpec } from './command';
import { OPTIONS } from './command';

const columns = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
};

const synopsis = ({ name, operands }: CommandSpec): string => [name, ...operands].join(' ');

const optionRow = (name: OptionName): readonly [string, string] => {
  const { value, summary }: OptionSpec = OPTIONS[name];
  return [value === undefined ? `--${name}` : `--${name} ${value}`, summary];
};

/** The list of commands. */
export function overview(table: readonly CommandSpec[]): string {
  const rows = (which: (command: CommandSpec) => boolean): string[] => columns(table.filter(which).map((command) => [synopsis(command), command.summary] as const));
  return [
    'intact: keeps WhatsApp records intact and lets anyone prove it',
    '',
    'usage: npx intact <command> [options]',
    '',
    ...rows(({ operator }) => operator !== true),
    '',
    'for operators:',
    ...rows(({ operator }) => operator === true),
    '',
    'everywhere:',
    ...columns((['json', 'stage', 'help'] as const).map(optionRow)),
    '',
    'exit codes: 0 done or clean; 1 findings or refused input; 2 could not (usage, unreachable, not permitted, interrupted)',
    'npx intact help <command> says more.',
    '',
  ].join('\n');
}

/** One command. */
export function manual(command: CommandSpec): string {
  const options: readonly OptionName[] = [...command.options, 'json', 'stage'];
  return [`npx intact ${synopsis(command)}`, '', command.summary, '', ...columns(options.map(optionRow)), ...(command.notes === undefined ? [] : ['', ...command.notes]), ''].join('\n');
}
