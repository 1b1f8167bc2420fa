/** Running a state machine as its schedule would, and seeing how it ended. Asked with signed requests of our own: nothing but tests would need the client. */
import { createHash, createHmac } from 'node:crypto';
import type { PartedName } from '../../../lib/constructs/alarm-registry';
import { aws, outputs } from './cloud';
import { waitFor } from './wait-for';

export interface Execution {
  readonly status: string;
  readonly output: unknown;
}

/** Runs the machine around a function to its end. */
export async function runMachine(name: PartedName): Promise<Execution> {
  const { stateMachines } = (await ask('ListStateMachines', {})) as { readonly stateMachines: readonly { readonly stateMachineArn: string; readonly name: string }[] };
  const found = stateMachines.filter((machine) => machine.name === `Intact-local-${name}`);
  if (found.length !== 1) throw new Error(`${found.length} state machines are called ${name}, of ${stateMachines.map((machine) => machine.name).join(', ')}`);
  // What is handed to a run must not matter to it.
  const { executionArn } = (await ask('StartExecution', { stateMachineArn: found[0]!.stateMachineArn, input: JSON.stringify({ step: 'merge', note: 'of no matter' }) })) as { readonly executionArn: string };
  let ended: Execution | undefined;
  await waitFor(`the end of ${name}`, async () => {
    const { status, output } = (await ask('DescribeExecution', { executionArn })) as { readonly status: string; readonly output?: string };
    ended = status === 'RUNNING' ? undefined : { status, output: output === undefined ? undefined : JSON.parse(output) };
    return ended !== undefined;
  }, { withinMs: 150_000, everyMs: 500 });
  return ended!;
}

const SERVICE = 'states';
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** One request of the JSON protocol, under Signature Version 4. */
async function ask(operation: string, input: object): Promise<unknown> {
  const { accessKeyId, secretAccessKey } = await aws.sts.config.credentials();
  const url = new URL(outputs.endpoint);
  const body = JSON.stringify(input);
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${time.slice(0, 8)}/${outputs.region}/${SERVICE}/aws4_request`;
  const headers: Record<string, string> = { 'content-type': 'application/x-amz-json-1.0', host: url.host, 'x-amz-date': time, 'x-amz-target': `AWSStepFunctions.${operation}` };
  const signed = Object.keys(headers).join(';');
  const request = ['POST', '/', '', ...Object.entries(headers).map(([name, value]) => `${name}:${value}`), '', signed, hash(body)].join('\n');
  const key = [time.slice(0, 8), outputs.region, SERVICE, 'aws4_request'].reduce<Buffer | string>((from, part) => hmac(from, part), `AWS4${secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, hash(request)].join('\n')).toString('hex');
  const reply = await fetch(url, { method: 'POST', body, headers: { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}` } });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${operation}: ${reply.status} ${text}`);
  return JSON.parse(text);
}
