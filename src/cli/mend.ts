/**
 * `intact mend [<vault>] --to <dir | s3://…>`: a whole healed vault out of a damaged one, every object from its best source and held against the signed root; `--in-place` puts back what is absent.
 * Exit 1 when something is lost, left as it is, found afterwards, or behind the signed log and somebody has to look.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MendTarget, Mended } from '../operations/mend-vault';
import type { PullTarget } from '../operations/pull-vault';
import type { LockPolicy } from '../operations/verify-locks';
import type { Call, Run } from './command';
import { pullDirectory } from './directory';
import { Failure } from './failure';
import { vkeyFrom } from './files';
import { printJson, printLine, say } from './io';
import { mendedPage } from './mend-page';
import { progress } from './progress';
import { counted } from './text';
import type { VaultSource } from './world';

export const run: Run = async (call) => {
  const { flag, text, io, world } = call;
  const where = whereTo(call);
  const given = text('vkey');
  const pinned = given === undefined ? [] : [await vkeyFrom(io, given)];
  const { source, address } = await sourceOf(call);
  const replica = text('replica') === undefined ? undefined : await world.vaultAt(text('replica') as string);
  const target = where === 'plan' ? { kind: 'plan' as const } : where === 'in-place' ? await inPlace(call, source, address) : await copyTo(call, where, address, source);
  if (given === undefined) say(io, "without --vkey the vault's own key is used: that proves consistency, not authorship");
  const shown = progress(io, world.now);
  const { mendVault } = await import('../operations/mend-vault');
  const mended = await mendVault(source.reader, {
    pinned,
    replicas: replica === undefined ? [] : [replica.reader],
    target,
    partial: flag('partial'),
    onProgress: ({ step, done }) => shown.tell(`${STEPS[step]} ${counted(done)}`),
  })
    .catch(explained)
    .finally(shown.end);
  if (flag('json')) printJson(io, { source: source.reader.source, to: text('to') ?? null, ...mended });
  else for (const line of mendedPage(mended, text('to'))) printLine(io, line);
  return isHealed(mended, where) ? 0 : 1;
};

const STEPS = { proving: 'proving: entry', examining: 'examined: object', writing: 'written: object' } as const;

/** A plan is 0 where nothing would be lost. */
function isHealed({ lost, refused, leftOut, outcome, verified }: Mended, where: string): boolean {
  if (lost.length > 0 || refused.length > 0 || leftOut.some(({ why }) => why === 'unsigned-ahead')) return false;
  return where === 'plan' || outcome === 'in-place' || verified?.ok === true;
}

function whereTo({ flag, text }: Call): string {
  const [to, inPlace, plan] = [text('to'), flag('in-place'), flag('plan')];
  if (to !== undefined && inPlace) throw new Failure('usage', '--to and --in-place exclude each other');
  if (text('retention') !== undefined && to === undefined && !inPlace) throw new Failure('usage', '--retention is for what is written to a bucket');
  if (inPlace && flag('partial')) throw new Failure('usage', '--partial is for a copy: in place what is sound is put back in any case');
  if (plan) return 'plan';
  if (inPlace) return 'in-place';
  if (to === undefined) throw new Failure('usage', 'mend needs --to <new directory or bucket>, --in-place or --plan', 'npx intact help mend');
  return to;
}

async function sourceOf({ operands: [address], world }: Call): Promise<{ readonly source: VaultSource; readonly address: string }> {
  if (address !== undefined) return { source: await world.vaultAt(address), address };
  const { vaultReader, lockPolicy, outputs } = await world.deployment();
  return { source: { kind: 's3', reader: vaultReader, lockPolicy }, address: `s3://${outputs.VaultBucketName}` };
}

const isBucket = (address: string): boolean => address.startsWith('s3:');
const sameBucket = (a: string, b: string): boolean => a.replace(/\/$/, '') === b.replace(/\/$/, '');

async function copyTo({ world, io, text, operands: [from] }: Call, to: string, address: string, source: VaultSource): Promise<MendTarget> {
  const isOneself = isBucket(to) ? sameBucket(to, address) : from !== undefined && !isBucket(from) && resolve(io.cwd, to) === resolve(io.cwd, from);
  if (isOneself) throw new Failure('usage', `${to} is the damaged vault itself`, 'name a new directory or bucket, or give --in-place');
  if (isBucket(to)) {
    const { vault, lock } = await world.vaultWriterAt(to, retention(text('retention'), source.lockPolicy));
    const { reader } = await world.vaultAt(to);
    const { vaultTarget } = await import('../operations/vault-target');
    return { kind: 'copy', to: vaultTarget(vault), reader, lockPolicy: lock };
  }
  if (text('retention') !== undefined) throw new Failure('usage', 'a directory knows no locks: --retention is for a bucket');
  const path = resolve(io.cwd, to);
  const { directoryVault } = await import('../adapters/files/directory-vault');
  return { kind: 'copy', to: await pullDirectory(path), reader: directoryVault(path) };
}

/** `--retention <days>[:GOVERNANCE]`; undefined: as the stage promises. */
function retention(given: string | undefined, stage: LockPolicy | undefined): LockPolicy | undefined {
  if (given === undefined) return undefined;
  const [, days = '', mode] = /^([1-9]\d{0,4})(?::(GOVERNANCE|COMPLIANCE))?$/.exec(given) ?? [];
  if (days === '') throw new Failure('usage', `--retention is a number of days, not "${given}"`, 'e.g. --retention 2557, or --retention 30:GOVERNANCE');
  return { mode: mode === undefined ? (stage?.mode ?? 'COMPLIANCE') : (mode as LockPolicy['mode']), retentionDays: Number(days) };
}

async function inPlace({ world, io, text, operands: [from] }: Call, source: VaultSource, address: string): Promise<MendTarget> {
  if (source.kind === 'https') throw new Failure('usage', `nothing can be put to ${address}`, 'name the bucket, or give --to');
  if (source.kind === 'directory') {
    if (text('retention') !== undefined) throw new Failure('usage', 'a directory knows no locks: --retention is for a bucket');
    return directoryInPlace(resolve(io.cwd, from as string));
  }
  const { vault } = await world.vaultWriterAt(address, retention(text('retention'), source.lockPolicy) ?? source.lockPolicy);
  const { vaultTarget } = await import('../operations/vault-target');
  return {
    kind: 'in-place',
    to: vaultTarget(vault),
    replace: async (name, bytes, seen) => {
      const there = await vault.getMutable(name);
      if (there === 'absent' ? seen !== 'absent' : seen === 'absent' || !there.bytes.equals(seen)) return 'stale';
      return vault.replaceMutable(name, bytes, there === 'absent' ? 'absent' : there.etag);
    },
  };
}

/** A copy on this disk: nobody else writes to it, and nothing that stands there is written over. */
async function directoryInPlace(path: string): Promise<MendTarget> {
  const { logDirectory } = await import('../adapters/files/log-directory');
  const files = logDirectory(path);
  const to: PullTarget = {
    read: async (name) => (await readIfThere(join(path, name))) ?? 'absent',
    write: (name, bytes) => files.put([{ name, bytes: Buffer.from(bytes), partial: false }]),
  };
  return {
    kind: 'in-place',
    to,
    replace: async (name, bytes, seen) => {
      const there = await to.read(name);
      if (there === 'absent' ? seen !== 'absent' : seen === 'absent' || !there.equals(seen)) return 'stale';
      await files.replace(name, bytes);
      return 'replaced';
    },
  };
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What was read and is not as it should be, is told with what to do about it. */
async function explained(error: unknown): Promise<never> {
  const { MendError } = await import('../operations/mend-anchor');
  if (!(error instanceof MendError)) throw error;
  const next = { 'no-keys': 'give the key you kept with --vkey, or --replica', 'no-checkpoint': 'give --replica', 'ambiguous-keys': 'give the key you kept with --vkey', forked: 'keep both as evidence; open docs/runbook.md#verification-findings', 'cannot-list': 'mend from the S3 bucket, or a copy of it', 'target-taken': 'name a new directory or bucket' }[error.code];
  throw new Failure(error.code === 'cannot-list' || error.code === 'target-taken' ? 'usage' : 'wrong', error.message, next, { cause: error });
}
