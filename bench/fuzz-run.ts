/** One run of the fuzzer: as each role in turn, and as the system that records what it sent, against the API by its own OpenAPI document; what was asked and what was found, counted. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../local/child-process';
import { projectRoot } from '../local/state-directory';
import { findPython } from '../local/virtual-environment';
import { ROLES, SYSTEM_ROLE, type ActingRole } from '../src/core/staff/actor';
import { documentOf, makeFixture } from './fuzz-fixture';
import type { Target } from './fuzz-target';

const REQUIREMENTS = join(__dirname, 'fuzz-requirements.txt');
const CONFIG = join(__dirname, 'schemathesis.toml');
const DOCUMENT = join(projectRoot, 'docs', 'openapi.json');
const ENVIRONMENT = join(projectRoot, '.intact', 'fuzzer');
const PYTHON = join(ENVIRONMENT, 'bin', 'python');

/**
 * `positive_data_acceptance` would want every request that fits the document to be accepted: which letters make a name is more than a JSON Schema can say. `unsupported_method` would want 405 of API Gateway,
 * which answers 404 to what is no route.
 */
const LEFT_OUT = 'positive_data_acceptance,unsupported_method';

export interface FuzzSettings {
  readonly seed: number;
  /** For each operation and role, beside those that the document itself leads to. */
  readonly examples: number;
  readonly roles: readonly ActingRole[];
}

/** A role takes four minutes in the local cloud; most of its requests follow from the document alone. */
const EXAMPLES = 2;

/** `--seed <n>`, `--examples <n>`, `--role <role>`. */
export function fuzzSettings(given: readonly string[]): FuzzSettings {
  const after = (name: string): string | undefined => (given.includes(name) ? given[given.indexOf(name) + 1] : undefined);
  const number = (text: string | undefined, otherwise: number): number => (text === undefined ? otherwise : Number(text));
  const all: readonly ActingRole[] = [...ROLES, SYSTEM_ROLE];
  const role = after('--role');
  const settings = { seed: number(after('--seed'), Date.now() % 1_000_000_000), examples: number(after('--examples'), EXAMPLES), roles: role === undefined ? all : all.filter((each) => each === role) };
  if (![settings.seed, settings.examples].every(Number.isInteger) || settings.roles.length === 0) throw new Error(`--seed and --examples take a whole number, --role one of ${all.join(', ')}`);
  return settings;
}

/** An environment of the fuzzer's own, made on first use: nothing the local cloud needs is in it. */
export async function prepareFuzzer(): Promise<void> {
  const whole = join(ENVIRONMENT, 'whole');
  if (existsSync(whole) && readFileSync(whole, 'utf8') === readFileSync(REQUIREMENTS, 'utf8')) return;
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  mkdirSync(join(projectRoot, '.intact'), { recursive: true });
  const options = { env: process.env, log: join(projectRoot, '.intact', 'fuzzer.log') };
  console.log('downloading the fuzzer, once');
  await runCommand('Making the Python environment of the fuzzer', findPython(), ['-m', 'venv', ENVIRONMENT], options);
  await runCommand('Downloading the fuzzer', PYTHON, ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--require-hashes', '-r', REQUIREMENTS], options);
  // Killed before this, the next run begins anew.
  await runCommand('Finishing', 'cp', [REQUIREMENTS, whole], options);
}

/** 0: nothing was found. */
export async function fuzz(target: Target, { seed, examples, roles }: FuzzSettings): Promise<number> {
  try {
    console.log(`fuzzing ${target.what}: --seed ${seed} --examples ${examples}`);
    const outcomes: Outcome[] = [];
    for (const role of roles) {
      const outcome = await fuzzedAs(role, target, examples, seed);
      outcomes.push(outcome);
      console.log(`${role}: ${outcome.requests} requests in ${outcome.seconds} s, answered ${Object.entries(outcome.statuses).map(([status, n]) => `${status} × ${n}`).join(', ')}; ${outcome.violations} violations`);
    }
    const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
    const [requests, errors, violations] = [sum((each) => each.requests), sum((each) => each.errors), sum((each) => each.violations)];
    console.log(`${requests} requests fuzzed, ${errors} server errors, ${violations} schema violations`);
    return requests > 0 && errors === 0 && violations === 0 && outcomes.every(({ code }) => code === 0) ? 0 : 1;
  } finally {
    await target.close();
  }
}

interface Outcome {
  /** The fuzzer's own. */
  readonly code: number;
  readonly seconds: number;
  readonly requests: number;
  readonly errors: number;
  /** Whatever else the fuzzer found: answers that the document does not have, input that it forbids and that was taken. */
  readonly violations: number;
  readonly statuses: Readonly<Record<string, number>>;
}

async function fuzzedAs(role: ActingRole, target: Target, examples: number, seed: number): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'intact-fuzz-'));
  try {
    const [report, document] = [join(directory, 'report.ndjson'), join(directory, 'openapi.json')];
    const operatorId = role === SYSTEM_ROLE ? undefined : String((await (await target.as(role))('GET /v1/me')).json['operatorId']);
    writeFileSync(document, documentOf(readFileSync(DOCUMENT, 'utf8'), await makeFixture(target, operatorId, role === 'compliance' ? 'dpo' : 'compliance')));
    const args = [
      '-m', 'schemathesis.cli', '--config-file', CONFIG, 'run', document, '--url', target.url, '--header', `Authorization: Bearer ${await target.token(role)}`, '--exclude-checks', LEFT_OUT, '--max-examples', String(examples), '--seed', String(seed), '--continue-on-failure',
      '--generation-database', 'none', '--warnings', 'off', '--no-color', '--report', 'ndjson', '--report-ndjson-path', report, '--suppress-health-check', 'all', '--request-timeout', '60', ...(target.caFile === undefined ? [] : ['--tls-verify', target.caFile]),
    ];
    const begun = Date.now();
    let output = '';
    const child = spawn(PYTHON, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output += chunk.toString(); });
    const code = await new Promise<number>((resolve, reject) => child.once('error', reject).once('close', (n) => resolve(n ?? 2)));
    if (code !== 0) console.log(output);
    return { code, seconds: Math.round((Date.now() - begun) / 1_000), ...counted(readFileSync(report, 'utf8')) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The fuzzer's own report: answers by status, and the checks that failed. */
function counted(ndjson: string): Omit<Outcome, 'code' | 'seconds'> {
  const statuses: Record<string, number> = {};
  let violations = 0;
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('status' in value && value.status === 'failure' && 'name' in value && value.name !== 'not_a_server_error') violations += 1;
    if ('status_code' in value && typeof value.status_code === 'number') statuses[value.status_code] = (statuses[value.status_code] ?? 0) + 1;
    Object.values(value).forEach(visit);
  };
  for (const line of ndjson.split('\n').filter((each) => each !== '')) visit(JSON.parse(line));
  const errors = Object.entries(statuses).reduce((sum, [status, n]) => sum + (Number(status) >= 500 ? n : 0), 0);
  return { requests: Object.values(statuses).reduce((sum, n) => sum + n, 0), errors, violations, statuses };
}
