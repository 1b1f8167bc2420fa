/** The real world behind a command: the target of the command line, named on stderr before anything is asked of it, and vaults by address. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { StateDirectory } from '../../local/state-directory';
import type { BundleThreads } from '../adapters/files/bundle-threads';
import type { LockPolicy } from '../operations/verify-locks';
import type { Vault } from '../ports';
import { Failure } from './failure';
import { say, type Io } from './io';
import type { OpenDeployment, StageFacts } from './deployment';
import type { VaultDestination, VaultSource, World } from './world';

export interface WorldOptions {
  readonly stage: string | undefined;
  readonly io: Io;
  /** Settings of a stage by its name. Throws with a message for people when there is no such stage. */
  readonly settingsOf: (stage: string) => Promise<StageFacts>;
  /** Threads that help to verify a directory; the launcher knows how to start one. */
  readonly threads?: BundleThreads;
}

/** Opens nothing yet. `close` what was opened. */
export function openWorld({ stage, io, settingsOf, threads }: WorldOptions): World & { close(): void } {
  let opening: Promise<OpenDeployment> | undefined;
  const closers: (() => void)[] = [];
  // Before a local command replaces the environment, HOME among it.
  const memoryDirectory = join(io.env['XDG_STATE_HOME'] || join(io.env['HOME'] || homedir(), '.local', 'state'), 'intact');
  const open = async (): Promise<OpenDeployment> => {
    const [{ resolveTarget }, { openDeployment }, { stateDirectory }] = await Promise.all([import('./target'), import('./deployment'), import('../../local/state-directory')]);
    const target = await resolveTarget(stage, io, () => localState(io, stateDirectory));
    const deployment = await openDeployment(target, await settings(settingsOf, target.stage), io, localState(io, stateDirectory));
    closers.push(() => deployment.close());
    say(io, `target: ${deployment.described}`);
    return deployment;
  };
  const deployment = (): Promise<OpenDeployment> => (opening ??= open());
  return {
    deployment,
    memoryDirectory,
    now: io.now,
    close: () => closers.forEach((close) => close()),
    vaultWriterAt: async (source, lock) => {
      const address = addressOf(source);
      if (address.kind !== 's3') throw new Failure('usage', `${source} is no bucket`, 's3://<bucket>');
      return bucketToWrite(address.bucket, lock);
    },
    vaultAt: async (source) => {
      const address = addressOf(source);
      if (address.kind === 's3') return bucketToRead(address.bucket);
      say(io, `source: ${address.kind === 'https' ? source : resolve(io.cwd, source)}`);
      if (address.kind === 'https') return { kind: 'https', reader: (await import('../adapters/web/web-vault')).webVault(source) };
      return { kind: 'directory', reader: (await import('../adapters/files/directory-vault')).directoryVault(await existing(resolve(io.cwd, source), source), threads === undefined ? {} : { threads }) };
    },
  };

  /** A client in the deployment's own cloud where one is named or running locally; otherwise with the shell's credentials, for who has nothing but a bucket. */
  async function objectsFor(bucket: string, word: 'source' | 'destination'): Promise<{ readonly client: S3Client; readonly facts: StageFacts | undefined }> {
    const [{ describeLocal, resolveTarget }, { stateDirectory }] = await Promise.all([import('./target'), import('../../local/state-directory')]);
    const target = await resolveTarget(stage, io, () => localState(io, stateDirectory)).catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'no-target') return undefined;
      throw error;
    });
    const facts = target === undefined ? undefined : await settings(settingsOf, target.stage);
    // Loaded only now: a local target has replaced the environment.
    const [{ s3Client }, { clientOverrides }] = await Promise.all([import('../adapters/aws/s3'), import('./deployment')]);
    const client = s3Client(target === undefined || facts === undefined ? {} : clientOverrides(target, facts), { anyRegion: true });
    closers.push(() => client.destroy());
    const where = target === undefined ? "on AWS with this shell's credentials" : target.kind === 'local' ? describeLocal(target) : `stage ${target.stage} on AWS`;
    say(io, `${word}: s3://${bucket}, ${where}`);
    return { client, facts };
  }

  async function bucketToRead(bucket: string): Promise<VaultSource> {
    const { client, facts } = await objectsFor(bucket, 'source');
    const [{ s3VaultReader }, { lockPolicyOf }] = await Promise.all([import('../adapters/aws/s3-vault-reader'), import('./deployment')]);
    return { kind: 's3', reader: s3VaultReader(client, bucket), ...(facts !== undefined && { lockPolicy: lockPolicyOf(facts) }) };
  }

  async function bucketToWrite(bucket: string, asked: LockPolicy | undefined): Promise<VaultDestination> {
    const { client, facts } = await objectsFor(bucket, 'destination');
    const [{ s3Vault }, { lockPolicyOf }, { UNLOCKED_TAG }, { SNAPSHOT_PREFIX }] = await Promise.all([import('../adapters/aws/s3-vault'), import('./deployment'), import('../runtime/env'), import('../core/snapshot')]);
    const lock = asked ?? (facts === undefined ? undefined : lockPolicyOf(facts));
    if (lock === undefined) throw new Failure('usage', `how long is what is written to s3://${bucket} to be locked?`, 'say it with --retention <days>, or name a stage whose file says it');
    const lockedFor = (retentionDays: number): Vault => s3Vault(client, { bucket, lockMode: lock.mode, retentionDays, unlockedTag: UNLOCKED_TAG }, io.now);
    const [vault, snapshots] = [lockedFor(lock.retentionDays), lockedFor(lock.snapshotRetentionDays ?? lock.retentionDays)];
    return { vault: { ...vault, createLocked: (name, bytes) => (name.startsWith(SNAPSHOT_PREFIX) ? snapshots : vault).createLocked(name, bytes) }, lock };
  }
}

async function existing(path: string, typed: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() === true) return path;
  throw new Failure('usage', info === undefined ? `there is no directory ${typed}` : `${typed} is no directory`, 'npx intact pull <dir> makes one');
}

/** INTACT_LOCAL names the directory of a test's own local cloud (local/state-directory.ts). */
function localState(io: Io, stateDirectory: (name: string | undefined) => StateDirectory): StateDirectory {
  try {
    return stateDirectory(io.env['INTACT_LOCAL'] || undefined);
  } catch (error) {
    throw new Failure('usage', (error as Error).message, undefined, { cause: error });
  }
}

async function settings(settingsOf: WorldOptions['settingsOf'], stage: string): Promise<StageFacts> {
  try {
    return await settingsOf(stage);
  } catch (error) {
    if (error instanceof Error && error.name === 'StageError') throw new Failure('usage', error.message, undefined, { cause: error });
    throw error;
  }
}

type Address = { readonly kind: 'directory' | 'https' } | { readonly kind: 's3'; readonly bucket: string };

function addressOf(source: string): Address {
  const bucket = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?$/.exec(source)?.[1];
  if (bucket !== undefined) return { kind: 's3', bucket };
  if (source.startsWith('s3:')) throw new Failure('usage', `${source} is no bucket`, 'a vault is a whole bucket: s3://<bucket>');
  if (source.startsWith('https://') && URL.canParse(source)) return { kind: 'https' };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) throw new Failure('usage', `${source}: only directories, s3:// and https:// can be verified`);
  return { kind: 'directory' };
}
