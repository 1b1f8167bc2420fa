/** What the runbook tells a person to type can be typed, and the exercise is the article it practises. */
import { COMMANDS } from '../../src/cli/command-table';
import { OPTIONS } from '../../src/cli/command';
import { articleOf, commandsIn, exercise } from './runbook-exercise';

describe('the exercise of the runbook', () => {
  it('is made of commands and options there are', () => {
    expect(exercise.length).toBeGreaterThan(8);
    for (const line of exercise) {
      const [command = '', ...words] = line.replace(/^eval "\$\((.*)\)"$/, '$1').replace(/^npx intact /, '').split(' ');
      const spec = COMMANDS.find(({ name }) => name === command);
      expect([line, spec?.name]).toEqual([line, command]);
      const used = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
      for (const name of used) expect([line, Object.hasOwn(OPTIONS, name) && (spec?.options as readonly string[]).includes(name)]).toEqual([line, true]);
    }
  });

  it('practises every command that restores a table which is gone', () => {
    const gone = articleOf('restore').split('*The table is gone*')[1]?.split('*What it takes*')[0] ?? '';
    const commands = commandsIn(gone);
    expect(commands.length).toBeGreaterThan(5);
    // What only AWS can be asked is in no exercise: the state of the local cloud is that of its last command.
    for (const command of commands.filter((each) => each !== 'npx intact status')) expect(exercise).toContain(command);
  });
});
