/** What the command line accepts, and that nothing else is ignored silently. */
import fc from 'fast-check';
import { parseCommandLine } from '../../src/cli/command-line';
import { COMMANDS } from '../../src/cli/command-table';
import { Failure } from '../../src/cli/failure';
import { distance, nearest } from '../../src/cli/suggestion';
import { runAlone } from './command-run';

describe('a command line', () => {
  it('finds two-word commands, operands and options in any order', () => {
    const line = parseCommandLine(['--json', 'quarantine', 'replay', 'a', 'b', '--stage', 'dev'], COMMANDS);
    expect(line).toMatchObject({ ask: 'run', command: { name: 'quarantine replay' }, operands: ['a', 'b'] });
    expect(line.ask === 'run' && [...line.options]).toEqual([['json', true], ['stage', 'dev']]);
  });

  it('tells `proof <id>` from `proof verify <file>`', () => {
    expect(parseCommandLine(['proof', 'wamid.X'], COMMANDS)).toMatchObject({ command: { name: 'proof' }, operands: ['wamid.X'] });
    expect(parseCommandLine(['proof', 'verify', 'f'], COMMANDS)).toMatchObject({ command: { name: 'proof verify' }, operands: ['f'] });
  });

  it('takes - as an operand', () => {
    expect(parseCommandLine(['send', '-'], COMMANDS)).toMatchObject({ operands: ['-'] });
  });

  it('takes an id that begins with a hyphen as an operand, one or two', () => {
    const [one, two] = [`-${'a'.repeat(42)}`, `--${'B'.repeat(41)}`];
    expect(parseCommandLine(['quarantine', 'replay', one, two, '--json'], COMMANDS)).toMatchObject({ command: { name: 'quarantine replay' }, operands: [one, two] });
    expect(() => parseCommandLine(['quarantine', 'replay', one.slice(1), '-x'], COMMANDS)).toThrow(Failure);
  });

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['verfy'], /did you mean "verify"/],
    ['an unknown subcommand', ['quarantine', 'lst'], /did you mean "quarantine list"/],
    ['a missing subcommand', ['quarantine'], /needs one of: quarantine list/],
    ['an unknown option', ['send', 'x', '--froge'], /did you mean --forge/],
    ["another command's option", ['get', 'x', '--times', '2'], /get has no option --times/],
    ['a missing operand', ['get'], /get needs <message id>/],
    ['an operand too many', ['get', 'a', 'b'], /"b" is one too many/],
    ['a value where none goes', ['list', '--json=1'], /--json takes no value/],
    ['a missing value', ['list', '--kind'], /--kind needs a value/],
    ['an option in the place of a value', ['list', '--kind', '--json'], /--kind needs a value/],
    ['an option given twice', ['list', '--kind', 'message', '--kind', 'status'], /given twice/],
    ['no command', [], /no command/],
  ];
  it.each(refused)('is refused with exit 2 and a word on what was meant: %s', async (_what, argv, message) => {
    const ran = await runAlone(argv);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).not.toMatch(/ {4}at /);
  });

  it('whatever it is, is a command or a usage failure, never another error', () => {
    const word = fc.oneof(fc.constantFrom('send', 'proof', 'verify', 'quarantine', 'list', '--', '-', '--json', '--vkey', '--stage=', '--no-memory'), fc.string());
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        try {
          parseCommandLine(argv, COMMANDS);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
          expect((error as Failure).code).toBe('usage');
        }
      }),
      { numRuns: process.env['INTACT_FULL'] ? 10_000 : 500 },
    );
  });

  it('asking for help shows every command and every option it has', async () => {
    const { code, stdout } = await runAlone(['help']);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toContain(name);
    for (const command of COMMANDS) {
      const manual = await runAlone(['help', ...command.name.split(' ')]);
      expect(manual.code).toBe(0);
      for (const option of command.options) expect(manual.stdout).toContain(`--${option}`);
      expect((await runAlone([...command.name.split(' '), '--help'])).stdout).toBe(manual.stdout);
    }
  });

  it('every command in the table can be loaded', async () => {
    for (const { load } of COMMANDS) expect(typeof (await load()).run).toBe('function');
  });
});

describe('suggestions', () => {
  it.each([['kitten', 'sitting', 3], ['flaw', 'lawn', 2], ['verfiy', 'verify', 1], ['', 'abc', 3], ['same', 'same', 0]])('count edits between %s and %s', (a, b, edits) => {
    expect(distance(a, b)).toBe(edits);
  });
  it('are not made where nothing is near', () => {
    expect(nearest('xylophone', ['send', 'get', 'list'])).toBeUndefined();
  });
});
