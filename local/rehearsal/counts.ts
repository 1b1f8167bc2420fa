/** What really happened, counted where others would count it: the table, the metrics, a fresh pull of the vault and its verification. Never from what was sent. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { GetMetricStatisticsCommand, type CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { CannotStart } from '../child-process';
import { projectRoot } from '../state-directory';

/** Sum of a metric of ours since `since`. */
export async function metricSum(metrics: CloudWatchClient, name: string, since: Date): Promise<number> {
  const { Datapoints = [] } = await metrics.send(new GetMetricStatisticsCommand({
    Namespace: 'Intact',
    MetricName: name,
    Dimensions: [{ Name: 'stage', Value: 'local' }],
    StartTime: new Date(since.getTime() - 60_000),
    EndTime: new Date(Date.now() + 60_000),
    Period: 60,
    Statistics: ['Sum'],
  }));
  return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
}

/** Entries the published checkpoint covers; 0 while there is none. */
export async function publishedSize(s3: S3Client, vault: string): Promise<number> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: vault, Key: 'checkpoint' }));
    return Number((await Body?.transformToString())?.split('\n')[1] ?? 0);
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return 0;
    throw error;
  }
}

/** What `intact verify --json` says, as far as the report shows it. */
export interface Verification {
  readonly ok: boolean;
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly entries: number;
  readonly findings: readonly unknown[];
}

/** Pulls the vault to an empty directory and verifies it with the key the signer itself shows, by the commands anybody would use. */
export async function pullAndVerify(directory: string): Promise<Verification> {
  rmSync(directory, { recursive: true, force: true });
  const key = (await intact('key')).trim();
  await intact('pull', directory);
  return JSON.parse(await intact('verify', directory, '--vkey', key, '--json')) as Verification;
}

/** What `intact reconcile --json` says, as far as the report shows it. */
export interface Reconciliation {
  readonly ok: boolean;
  readonly findings: number;
  readonly deliveries: number;
  readonly events: number;
}

/** Holds every delivery so far against the records; without the time the schedule leaves for stragglers, since all of them are recorded. */
export const reconcileAll = async (): Promise<Reconciliation> => JSON.parse(await intact('reconcile', '--until', '0m', '--json')) as Reconciliation;

/** One command of ours. Exit 1 is an answer (findings); anything above means that it could not. */
async function intact(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(projectRoot, 'bin', 'intact.cjs'), ...args], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString(); });
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString(); });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code === 0 || (code === 1 && stdout !== '')) return stdout;
  throw new CannotStart(`npx intact ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${stderr.trimEnd()}`);
}
