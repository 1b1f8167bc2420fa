/**
 * `intact send`: plays Meta. The bytes of a file go out as they are, one POST each, signed with the deployment's own app secret; judging them is
 * the webhook's business, so what is no JSON is sent all the same. Exit 1 when the webhook refused any, 2 when it could not take one.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { signatureOf } from '../core/meta/signature';
import type { Call, Run } from './command';
import { Failure } from './failure';
import { printJsonArray, printLine, say, type ExitCode, type Io } from './io';
import { aligned, amount, counted, printable, shortened } from './text';
import type { Answer, Deployment } from './world';

/** One body to post, and what to call it. */
interface Delivery {
  readonly source: string;
  readonly line?: number;
  readonly body: Buffer;
}

interface Sent {
  readonly source: string;
  readonly line?: number;
  readonly attempt: number;
  readonly bytes: number;
  readonly status: number;
  /** Parsed where it is JSON. */
  readonly answer: unknown;
}

/** A slip of the finger should not send for a day. */
const maxTimes = 10_000;

export const run: Run = async (call) => {
  const times = timesOf(call);
  if (call.flag('forge') && call.flag('unsigned')) throw new Failure('usage', '--forge and --unsigned exclude each other');
  const files = await filesOf(call.operands, call.io);
  const deployment = await call.world.deployment();
  const headers = await signer(call, deployment);
  const tally = new Map<number, number>();
  const results = sendAll(files, times, call.io, deployment, headers, tally);
  if (call.flag('json')) await printJsonArray(call.io, results);
  else for await (const sent of results) printLine(call.io, line(sent, times));
  return conclude(tally, call.io);
};

function timesOf(call: Call): number {
  const text = call.text('times') ?? '1';
  const times = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : NaN;
  if (!(times <= maxTimes)) throw new Failure('usage', `--times takes a number from 1 to ${counted(maxTimes)}, not "${text}"`);
  return times;
}

/** Every regular file below the operands, in name order; dot files of directories are left out. '-' stays as it is. */
async function filesOf(operands: readonly string[], io: Io): Promise<string[]> {
  if (operands.filter((each) => each === '-').length > 1) throw new Failure('usage', 'stdin can be read once');
  const files: string[] = [];
  for (const operand of operands) {
    if (operand === '-') files.push('-');
    else files.push(...(await below(resolve(io.cwd, operand), operand)));
  }
  if (files.length === 0) throw new Failure('usage', `${operands.join(', ')}: no file to send in there`);
  return files;
}

async function below(path: string, typed: string): Promise<string[]> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new Failure('usage', cause.code === 'ENOENT' ? `there is no file ${typed}` : `${typed} cannot be read: ${cause.message}`, undefined, { cause });
  });
  if (!info.isDirectory()) return [path];
  const entries = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  const nested = await Promise.all(entries.filter((entry) => entry.isFile() || entry.isDirectory()).map((entry) => below(join(path, entry.name), join(typed, entry.name))));
  return nested.flat();
}

async function* deliveriesOf(file: string, io: Io): AsyncGenerator<Delivery> {
  const bytes = file === '-' ? await readAll(io.stdin) : await readFile(file);
  const source = file === '-' ? 'stdin' : basename(file);
  if (!file.endsWith('.jsonl')) {
    yield { source, body: bytes };
    return;
  }
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    line++;
    // The line end is the file's, not the delivery's; a line of nothing is no delivery.
    const body = bytes.subarray(start, end > start && bytes[end - 1] === 0x0d ? end - 1 : end);
    if (body.length > 0) yield { source, line, body };
    start = end + 1;
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

type Headers = (body: Buffer) => Readonly<Record<string, string>>;

async function signer(call: Call, deployment: Deployment): Promise<Headers> {
  if (call.flag('unsigned')) return () => ({});
  // A forger knows the format and not the secret.
  const secret = call.flag('forge') ? randomBytes(32).toString('hex') : (await deployment.appSecrets.current()).appSecrets[0];
  if (secret === undefined) {
    throw new Failure('not-yet', `no app secret is set (${deployment.outputs.AppSecretArn}), so nothing can be signed`, `aws secretsmanager put-secret-value --secret-id ${deployment.outputs.AppSecretArn} --secret-string '{"appSecrets":["…"],"verifyToken":"…"}'`);
  }
  return (body) => ({ 'x-hub-signature-256': signatureOf(body, secret) });
}

async function* sendAll(files: readonly string[], times: number, io: Io, deployment: Deployment, headers: Headers, tally: Map<number, number>): AsyncGenerator<Sent> {
  for (const file of files) {
    for await (const { source, line, body } of deliveriesOf(file, io)) {
      for (let attempt = 1; attempt <= times; attempt++) {
        const answer = await deployment.post(deployment.outputs.WebhookUrl, body, headers(body));
        tally.set(answer.status, (tally.get(answer.status) ?? 0) + 1);
        yield { source, ...(line === undefined ? {} : { line }), attempt, bytes: body.length, status: answer.status, answer: parsed(answer) };
      }
    }
  }
}

function parsed({ body }: Answer): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body; // a gateway's own words, shown as they are
  }
}

function line({ source, line: number, attempt, status, answer }: Sent, times: number): string {
  const name = `${source}${number === undefined ? '' : `:${number}`}${times === 1 ? '' : ` (${attempt})`}`;
  return aligned([[printable(shortened(name, 70)).padEnd(40), String(status), told(answer)]])[0] ?? '';
}

const COUNTS = ['queued', 'recorded', 'duplicate', 'variant', 'conflict', 'quarantined'] as const;

function told(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return printable(shortened(String(answer), 200));
  const members = answer as Readonly<Record<string, unknown>>;
  const counts = COUNTS.flatMap((name) => (typeof members[name] === 'number' && members[name] > 0 ? [`${counted(members[name])} ${name}`] : []));
  if (counts.length > 0) return counts.join(', ');
  const words = [members['title'], members['detail']].filter((each): each is string => typeof each === 'string');
  return words.length > 0 ? printable(words.join(': ')) : printable(shortened(JSON.stringify(answer), 200));
}

/** 429 and 5xx mean "not now"; every other 4xx means "not this". */
const outcome = (status: number): ExitCode => (status >= 200 && status < 300 ? 0 : status >= 400 && status < 500 && status !== 429 && status !== 408 ? 1 : 2);

function conclude(tally: ReadonlyMap<number, number>, io: Io): ExitCode {
  const total = [...tally.values()].reduce((sum, n) => sum + n, 0);
  const parts = [...tally].sort(([a], [b]) => a - b).map(([status, n]) => `${counted(n)} × ${status}`);
  say(io, total === 0 ? 'sent nothing: no deliveries in there' : `sent ${amount(total, 'delivery', 'deliveries')}: ${parts.join(', ')}`);
  const codes = [...tally.keys()].map(outcome);
  return codes.includes(2) ? 2 : codes.includes(1) ? 1 : 0;
}
