/** Typing the lines of a page into a shell, as a person does who follows it: the lines are run as they stand there, but that `npx intact` is this very program, without npm. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot, stateDirectory } from '../../../local/state-directory';
import type { Ran } from './intact';

export interface Shell {
  /** Runs one line to its end; any exit code is an answer. */
  type(line: string): Promise<Ran>;
  /** The same in a terminal, where the program asks; typed is `answer` as soon as `question` is on the screen. All it shows is stdout. */
  typeInTerminal(line: string, question: string, answer: string): Promise<Ran>;
  /** The lines typed so far, as they stand on the page. */
  readonly typed: readonly string[];
}

const launcher = `"${process.execPath}" "${join(projectRoot, 'bin', 'intact.cjs')}"`;
const asWritten = (line: string): string => line.replaceAll('npx intact', launcher);

/** A shell in the project's directory; what a line exports (`eval "$(npx intact env)"`) holds for the lines after it. */
export function openShell(): Shell {
  const typed: string[] = [];
  let env: NodeJS.ProcessEnv = process.env;
  const run = async (command: string, args: readonly string[]): Promise<Ran> => {
    const child = spawn(command, args, { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    return { code, stdout, stderr };
  };
  return {
    typed,
    async type(line) {
      typed.push(line);
      if (!line.startsWith('eval ')) return run('sh', ['-c', asWritten(line)]);
      const ran = await run('sh', ['-c', `${asWritten(line)} && "${process.execPath}" -e 'process.stdout.write(JSON.stringify(process.env))'`]);
      if (ran.code === 0) env = JSON.parse(ran.stdout) as NodeJS.ProcessEnv;
      return ran;
    },
    typeInTerminal(line, question, answer) {
      typed.push(line);
      const python = join(stateDirectory().venv, 'bin', 'python3');
      return run(python, [join(__dirname, 'terminal.py'), question, answer, 'sh', '-c', asWritten(line)]);
    },
  };
}
