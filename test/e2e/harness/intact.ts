/** Running `npx intact` as a person does, against the cloud under test. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../../local/state-directory';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end with `input` on stdin; any exit code is an answer. */
export async function intact(args: readonly string[], input = '', cwd = projectRoot): Promise<Ran> {
  const child = spawn(process.execPath, [join(projectRoot, 'bin', 'intact.cjs'), ...args], { cwd, env: process.env, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  return { code, stdout, stderr };
}
