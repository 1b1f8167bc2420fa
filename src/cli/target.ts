/**
 * Which deployment a command talks to, decided once and said aloud before anything else: `--stage` or INTACT_STAGE; without either the running
 * local cloud; none running is a refusal, never a guess. A command meant for the local cloud must be unable to reach an AWS account, whatever
 * the shell holds.
 */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { StateDirectory } from '../../local/state-directory';
import { Failure } from './failure';
import type { Io } from './io';

/** Stack outputs, the same locally and on AWS; what a stage does not have is absent. */
export const outputsShape = z.looseObject({
  WebhookUrl: z.string(),
  ApiUrl: z.string().optional(),
  RecordsTableName: z.string(),
  LogTableName: z.string(),
  KeysTableName: z.string(),
  ViewsTableName: z.string(),
  VaultBucketName: z.string(),
  InboxBucketName: z.string(),
  AppSecretArn: z.string(),
  SigningKeyArn: z.string(),
  AlarmTopicArn: z.string().optional(),
  WrappingKeyArn: z.string(),
  WorkingsBucketName: z.string().optional(),
  RestoreMachineArn: z.string().optional(),
  UserPoolId: z.string().optional(),
  UserPoolClientId: z.string().optional(),
});
export type Outputs = z.infer<typeof outputsShape>;

export interface LocalTarget {
  readonly kind: 'local';
  readonly stage: 'local';
  readonly region: string;
  /** `https://127.0.0.1:<port>`. */
  readonly endpoint: string;
  readonly caFile: string;
  /** Its certificate, PEM. */
  readonly ca: string;
  readonly outputs: Outputs;
}
export interface StageTarget {
  readonly kind: 'aws';
  readonly stage: string;
}
export type Target = LocalTarget | StageTarget;

/** `.intact/outputs.json`, as local/outputs.ts writes it. */
const localFile = outputsShape.extend({ endpoint: z.string(), caFile: z.string(), region: z.string() });
const STAGE = /^[a-z][a-z0-9-]{0,30}$/;
const NEXT = 'start it with npm start, or name a stage';

/** The target of `stage` (the option) and the environment. Throws Failure `no-target` or `usage`. */
export async function resolveTarget(stage: string | undefined, io: Io, state: () => StateDirectory): Promise<Target> {
  const named = stage ?? (io.env['INTACT_STAGE'] || undefined);
  if (named === undefined || named === 'local') return localTarget(io, state);
  if (!STAGE.test(named)) throw new Failure('usage', `"${named}" is no name of a stage`, 'a stage is named like its file in stages/, e.g. --stage dev');
  refuseLoopback(io.env);
  return { kind: 'aws', stage: named };
}

/** `eval "$(intact env)"` leaves the local endpoint in the shell: a stage named there would be the local cloud under a false name. */
function refuseLoopback(env: Io['env']): void {
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('AWS_ENDPOINT_URL') && value !== undefined && /^https?:\/\/(127\.|localhost|\[::1\])/.test(value)) {
      throw new Failure('usage', `${name} points to this machine (${value}), but a stage on AWS is named`, `unset ${name}, or leave --stage and INTACT_STAGE away`);
    }
  }
}

async function localTarget(io: Io, state: () => StateDirectory): Promise<LocalTarget> {
  const directory = state();
  const found = await readLocal(directory);
  if (found === undefined || !(await answers(found))) throw new Failure('no-target', 'no local cloud is running and no stage is named', NEXT);
  await isolate(io.env, directory, found.endpoint);
  return found;
}

async function readLocal(directory: StateDirectory): Promise<LocalTarget | undefined> {
  let text: string;
  try {
    text = await readFile(directory.outputs, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Failure('unreachable', `${directory.outputs} cannot be read: ${(error as Error).message}`, NEXT, { cause: error });
  }
  const damaged = (cause: unknown): Failure => new Failure('no-target', `${directory.outputs} does not describe a local cloud`, 'start it anew with npm start', { cause });
  try {
    const outputs = localFile.parse(JSON.parse(text));
    const { endpoint, caFile, region } = outputs;
    const host = new URL(endpoint).hostname;
    // The file is all that says where "local" is: an address elsewhere would send the local secrets there.
    if (host !== '127.0.0.1' && host !== '[::1]' && host !== 'localhost') throw new Error(`${endpoint} is not on this machine`);
    const caPath = resolve(directory.root, caFile);
    const ca = await readFile(caPath, 'utf8');
    return { kind: 'local', stage: 'local', region, endpoint, caFile: caPath, ca, outputs };
  } catch (error) {
    throw damaged(error);
  }
}

/** Whether the cloud the file speaks of is alive: a start that was killed leaves its file behind. */
function answers({ endpoint, ca }: LocalTarget): Promise<boolean> {
  return new Promise((done) => {
    const probe = request(new URL('/_ministack/health', endpoint), { ca, agent: false, timeout: 3_000 }, (response) => {
      response.resume();
      done((response.statusCode ?? 500) < 500);
    });
    probe.on('timeout', () => probe.destroy());
    probe.on('error', () => done(false));
    probe.on('close', () => done(false));
    probe.end();
  });
}

/**
 * Empties the environment and fills it with what local processes get (local/environment.ts): done before any SDK is loaded, so no profile, key,
 * file, endpoint or metadata service of the shell's is left to be found. TERM and INTACT_DEBUG only concern what is printed.
 */
async function isolate(env: Io['env'], directory: StateDirectory, endpoint: string): Promise<void> {
  const { localEnvironment } = await import('../../local/environment');
  const local = localEnvironment(directory, endpoint, env['PATH']);
  for (const name of Object.keys(env)) if (name !== 'TERM' && name !== 'INTACT_DEBUG') delete env[name];
  Object.assign(env, local);
}

/** As the first line on stderr names it. */
export const describeLocal = ({ endpoint }: LocalTarget): string => `local cloud at ${endpoint} (nothing reaches AWS)`;
