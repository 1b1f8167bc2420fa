/**
 * `.intact/outputs.json`: what a command needs to know to talk to the running local cloud. It exists exactly while one is ready; others read it
 * (docs/local-cloud.md), so names are only ever added.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { localRegion } from './environment';
import type { StateDirectory } from './state-directory';

/** Stack outputs, by the names they have on AWS too. */
export interface StackOutputs {
  readonly WebhookUrl: string;
  readonly ApiUrl: string;
  readonly RecordsTableName: string;
  readonly LogTableName: string;
  readonly KeysTableName: string;
  readonly ViewsTableName: string;
  readonly VaultBucketName: string;
  readonly ReplicaBucketName: string;
  readonly ReplicaRegion: string;
  readonly InboxBucketName: string;
  readonly WorkingsBucketName: string;
  readonly AppSecretArn: string;
  readonly SigningKeyArn: string;
  readonly AlarmTopicArn: string;
  readonly UserPoolId: string;
  readonly UserPoolClientId: string;
  readonly SenderClientId: string;
  readonly TokenUrl: string;
}

export interface LocalOutputs extends StackOutputs {
  readonly endpoint: string;
  /** The listener without TLS. */
  readonly plainEndpoint: string;
  readonly region: string;
  readonly caFile: string;
  readonly port: number;
  /** The emulator's process: while it lives, the cloud does. */
  readonly pid: number;
}

/** What the emulator adds to the stack outputs. */
export type LocalAddress = Pick<LocalOutputs, 'endpoint' | 'plainEndpoint' | 'port' | 'pid'>;

/** The outputs as commands see them: hosts of execute-api and of the user pool's domain, which do not resolve here, become paths of the endpoint; CDK's own exports are left out. */
export function localOutputs(state: StateDirectory, address: LocalAddress, stackOutputs: Readonly<Record<string, string>>): LocalOutputs {
  const ours = Object.entries(stackOutputs).filter(([name]) => !name.startsWith('ExportsOutput')).map(([name, value]) => [name, reachable(value, address.endpoint)] as const);
  return { ...(Object.fromEntries(ours) as unknown as StackOutputs), ...address, region: localRegion, caFile: state.ca };
}

function reachable(value: string, endpoint: string): string {
  const api = /^https?:\/\/([a-z0-9]+)\.execute-api\.[^/]+(\/.*)?$/.exec(value);
  if (api !== null) return `${endpoint}/_aws/execute-api/${api[1]}${api[2] ?? ''}`;
  // The user pool's own domain.
  const pool = /^https:\/\/[^/]+\.auth\.[^/]+\.amazoncognito\.com(\/.*)$/.exec(value);
  return pool === null ? value : `${endpoint}${pool[1]}`;
}

/** Written aside and renamed: a reader sees all of it or nothing. */
export function writeOutputs(state: StateDirectory, outputs: LocalOutputs): void {
  const aside = `${state.outputs}.new`;
  writeFileSync(aside, `${JSON.stringify(outputs, undefined, 2)}\n`);
  renameSync(aside, state.outputs);
}

export function removeOutputs(state: StateDirectory): void {
  rmSync(state.outputs, { force: true });
}

/** The outputs in a file; undefined when there is no such file, that is, no cloud is ready. */
export function readOutputs(file: string): LocalOutputs | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LocalOutputs) : undefined;
}
