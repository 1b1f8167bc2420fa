/** What the starter asks of the attendant and how it answers; they are two processes, so this is all they share. */
import { fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { CannotStart } from './child-process';
import type { Environment } from './environment';
import type { Home } from './fillers/second-region';
import { projectRoot } from './state-directory';

export interface AppSecret {
  readonly appSecrets: readonly string[];
  readonly verifyToken: string;
}

type Task =
  | { readonly do: 'lock-buckets'; readonly template: string; readonly stack: string; readonly region: string }
  | { readonly do: 'switch-backups-on'; readonly template: string; readonly stack: string }
  | { readonly do: 'fill-second-region'; readonly template: string; readonly home: Home }
  | { readonly do: 'forward-metrics' }
  | { readonly do: 'seed-staff'; readonly userPoolId: string; readonly clientId: string; readonly file: string }
  | { readonly do: 'set-app-secret'; readonly arn: string; readonly secret: AppSecret };

export type Errand = Task & { readonly id: number };
export type Answer =
  | { readonly id: number; readonly ok: true; readonly done: readonly string[] }
  | { readonly id: number; readonly ok: false; readonly message: string };

export interface Attendant {
  /** Runs one task to its end and resolves what was done, a line each; throws CannotStart when it failed. */
  ask(task: Task): Promise<readonly string[]>;
  /** Settles when the attendant ends, asked to or not; metrics stand still from then on. */
  readonly ended: Promise<void>;
  stop(): void;
}

/** Starts the attendant with nothing but `env`; its output goes to `log`. */
export function startAttendant(env: Environment, log: string): Attendant {
  const output = openSync(log, 'a');
  const child = fork(join(projectRoot, 'local', 'attendant.ts'), [], {
    env: env as NodeJS.ProcessEnv,
    cwd: projectRoot,
    execArgv: ['--require', require.resolve('tsx/cjs')],
    stdio: ['ignore', output, output, 'ipc'],
  });
  const waiting = new Map<number, (answer: Answer) => void>();
  let next = 0;
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void ended.then(() => {
    for (const [id, settle] of waiting) settle({ id, ok: false, message: `the attendant process ended; see ${log}` });
    waiting.clear();
  });
  // A message that could not be delivered is answered by the exit above.
  child.on('error', () => undefined);
  return {
    ended,
    async ask(task) {
      const id = next++;
      const answer = await new Promise<Answer>((resolve) => {
        waiting.set(id, resolve);
        child.send({ ...task, id }, (error) => { if (error !== null) resolve({ id, ok: false, message: `the attendant process is gone; see ${log}` }); });
      });
      if (!answer.ok) throw new CannotStart(`Completing the local cloud (${task.do}) failed: ${answer.message}`);
      return answer.done;
    },
    stop: () => { if (child.connected) child.disconnect(); },
  };
}
