/**
 * `npm run fuzz`: schemathesis against the API of staff by its own OpenAPI document, signed in as each role in turn: requests as the document has them, and requests with something wrong. No answer may
 * be a server error or another one than the document says. On the running local cloud; `npm run fuzz -- memory` in this process alone; `-- --examples <n>`: so many for each operation and role.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotStart, runCommand } from '../local/child-process';
import { localEnvironment } from '../local/environment';
import { readOutputs } from '../local/outputs';
import { projectRoot, staffFile, stateDirectory } from '../local/state-directory';
import type { SeededStaff } from '../local/fillers/staff';
import { findPython } from '../local/virtual-environment';
import { readStage } from '../lib/stage';
import { cognitoClient, staffPool } from '../src/adapters/operator/staff-pool';
import { ROLES, type Role } from '../src/core/staff/actor';
import { base32Bytes, totp } from '../src/core/staff/totp';
import { signIn } from '../src/operations/staff/sign-in';
import { serveInMemory } from './fuzz-server';

const REQUIREMENTS = join(__dirname, 'fuzz-requirements.txt');
const CONFIG = join(__dirname, 'schemathesis.toml');
const DOCUMENT = join(projectRoot, 'docs', 'openapi.json');
const EXAMPLES = 50;

/**
 * `positive_data_acceptance` would want every request that fits the document to be accepted: which letters make a name is more than a JSON Schema can say. `unsupported_method` would want 405 of API Gateway,
 * which answers 404 to what is no route.
 */
const LEFT_OUT = 'positive_data_acceptance,unsupported_method';

interface Target {
  readonly what: string;
  /** What is not there to be fuzzed. */
  readonly without: readonly string[];
  readonly url: string;
  readonly caFile?: string;
  token(role: Role): Promise<string>;
  close(): Promise<void>;
}

async function inMemory(): Promise<Target> {
  const { url, close } = await serveInMemory(readStage('local', join(projectRoot, 'stages')).profile);
  return { what: 'the API in this process, without messages', without: ['--exclude-tag', 'Messages'], url, token: async (role) => role, close };
}

function inCloud(): Target {
  const state = stateDirectory();
  const outputs = readOutputs(state.outputs);
  if (outputs === undefined) throw new CannotStart('No local cloud runs. Start it with npm start, or fuzz without one: npm run fuzz -- memory');
  Object.assign(process.env, localEnvironment(state, outputs.endpoint));
  const cognito = cognitoClient();
  const { staff } = JSON.parse(readFileSync(staffFile(state), 'utf8')) as SeededStaff;
  const token = async (role: Role): Promise<string> => {
    const one = staff.find((each) => each.role === role);
    const unasked = (): Promise<never> => Promise.reject(new Error(`${role} was to enroll anew`));
    if (one === undefined) throw new CannotStart(`There is no seeded operator of the role ${role}`);
    const outcome = await signIn(
      { pool: staffPool(cognito, outputs.UserPoolClientId), poolId: outputs.UserPoolId, random: randomBytes, now: () => new Date() },
      { userName: one.userName, password: async () => one.password, code: async () => totp(base32Bytes(one.totpSecret), new Date()), newPassword: unasked, enroll: unasked },
    );
    if (outcome.outcome === 'refused') throw new CannotStart(`${role} could not sign in: ${outcome.reason}`);
    return outcome.tokens.accessToken;
  };
  return { what: `the local cloud at ${outputs.endpoint}`, without: [], url: outputs.ApiUrl.replace(/\/$/, ''), caFile: outputs.caFile, token, close: async () => cognito.destroy() };
}

/** An environment of the fuzzer's own: nothing the local cloud needs is in it. */
async function fuzzer(): Promise<string> {
  const directory = join(projectRoot, '.intact', 'fuzzer');
  const python = join(directory, 'bin', 'python');
  const whole = join(directory, 'whole');
  if (existsSync(whole) && readFileSync(whole, 'utf8') === readFileSync(REQUIREMENTS, 'utf8')) return python;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(projectRoot, '.intact'), { recursive: true });
  const options = { env: process.env, log: join(projectRoot, '.intact', 'fuzzer.log') };
  console.log('downloading the fuzzer, once');
  await runCommand('Making the Python environment of the fuzzer', findPython(), ['-m', 'venv', directory], options);
  await runCommand('Downloading the fuzzer', python, ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--require-hashes', '-r', REQUIREMENTS], options);
  // Killed before this, the next run begins anew.
  await runCommand('Finishing', 'cp', [REQUIREMENTS, whole], options);
  return python;
}

interface Outcome {
  readonly role: Role;
  readonly code: number;
  readonly requests: number;
  readonly statuses: Readonly<Record<string, number>>;
}

async function fuzzed(python: string, target: Target, role: Role, examples: number, seed: number): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'intact-fuzz-'));
  try {
    const report = join(directory, 'report.ndjson');
    const args = [
      '-m', 'schemathesis.cli', '--config-file', CONFIG, 'run', DOCUMENT, '--url', target.url, '--header', `Authorization: Bearer ${await target.token(role)}`, '--exclude-checks', LEFT_OUT, '--max-examples', String(examples), '--seed', String(seed), '--continue-on-failure',
      '--generation-database', 'none', '--warnings', 'off', '--no-color', '--report', 'ndjson', '--report-ndjson-path', report, '--suppress-health-check', 'all', '--request-timeout', '60', ...target.without, ...(target.caFile === undefined ? [] : ['--tls-verify', target.caFile]),
    ];
    let output = '';
    const child = spawn(python, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output += chunk.toString(); });
    const code = await new Promise<number>((resolve, reject) => child.once('error', reject).once('close', (n) => resolve(n ?? 2)));
    if (code !== 0) console.log(output);
    return { role, code, ...counted(readFileSync(report, 'utf8')) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Answers by status, as the fuzzer's own report has them. */
function counted(ndjson: string): Pick<Outcome, 'requests' | 'statuses'> {
  const statuses: Record<string, number> = {};
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('status_code' in value && typeof value.status_code === 'number') statuses[value.status_code] = (statuses[value.status_code] ?? 0) + 1;
    Object.values(value).forEach(visit);
  };
  for (const line of ndjson.split('\n').filter((each) => each !== '')) visit(JSON.parse(line));
  return { requests: Object.values(statuses).reduce((sum, n) => sum + n, 0), statuses };
}

async function main(): Promise<number> {
  const given = process.argv.slice(2);
  const at = given.indexOf('--examples');
  const examples = at < 0 ? EXAMPLES : Number(given[at + 1]);
  const seed = Number(process.env['INTACT_SEED'] ?? Date.now() % 1_000_000_000);
  const target = given.includes('memory') ? await inMemory() : inCloud();
  try {
    const python = await fuzzer();
    console.log(`fuzzing ${target.what}, seed ${seed}`);
    const outcomes: Outcome[] = [];
    for (const role of ROLES) {
      const outcome = await fuzzed(python, target, role, examples, seed);
      outcomes.push(outcome);
      console.log(`${role}: ${outcome.requests} requests, answered ${Object.entries(outcome.statuses).map(([status, n]) => `${status} × ${n}`).join(', ')}; ${outcome.code === 0 ? 'nothing found' : 'FOUND SOMETHING'}`);
    }
    const requests = outcomes.reduce((sum, each) => sum + each.requests, 0);
    const errors = outcomes.flatMap(({ statuses }) => Object.entries(statuses)).reduce((sum, [status, n]) => sum + (Number(status) >= 500 ? n : 0), 0);
    const failed = outcomes.filter(({ code }) => code !== 0).length;
    console.log(`${requests} requests fuzzed, ${errors} server errors, ${failed === 0 ? 'no violation of the schema' : `violations as ${failed} of ${ROLES.length} roles`}`);
    return requests > 0 && errors === 0 && failed === 0 ? 0 : 1;
  } finally {
    await target.close();
  }
}

main().then((code) => { process.exitCode = code; }, (error: unknown) => {
  console.error(error instanceof CannotStart ? error.message : error);
  process.exitCode = 2;
});
