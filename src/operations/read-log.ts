/**
 * What every operation that extends or publishes the log does first: reads where it stands, and refuses to go on from anything that was not written by
 * us or contradicts what was seen before. A stop is an alarm; the way out is in the runbook, and for the head it is `recover-head` alone.
 */
import { isOurHead } from '../core/head';
import { parseOwnCheckpoint, type SignedCheckpoint } from '../core/log/checkpoint';
import { LogFormatError } from '../core/log/log-format-error';
import type { Head, LogIdentity, LogStore, Meter, Vault } from '../ports';
import { once } from './load-secrets';

/**
 * `not-initialized`: no identity, head or checkpoint. `checkpoint-unreadable`, `-foreign`, `-unsigned`: not a checkpoint, not of this log, not signed by
 * its keys. `checkpoint-ahead`: larger than the head.
 * `signed-ahead`: a larger tree than the head's was signed. `fork`: two trees of one size. `head-forged`: its MAC is not ours. `head-shrunk`: smaller than this
 * container has seen. `segment-damaged`, `tiles-damaged`: the vault does not hold what head or checkpoint state. `keys-unreadable`: log.vkeys is no chain
 * of keys. `signer-unlisted`: the signing key is not in log.vkeys, or an older one than has signed before.
 */
export type StopCode =
  | 'not-initialized'
  | 'checkpoint-unreadable'
  | 'checkpoint-foreign'
  | 'checkpoint-unsigned'
  | 'checkpoint-ahead'
  | 'signed-ahead'
  | 'fork'
  | 'head-forged'
  | 'head-shrunk'
  | 'segment-damaged'
  | 'tiles-damaged'
  | 'keys-unreadable'
  | 'signer-unlisted';

/** The log must not be extended or signed as it is. Retrying is pointless and harmless; somebody has to look. */
export class LogStopped extends Error {
  constructor(
    readonly code: StopCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'LogStopped';
  }
}

/** Runs `work`; a stop is counted, which raises the alarm, and thrown on, so that the stream keeps the batch. */
export async function countingStops<T>(meter: Meter, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LogStopped) meter.count('SealStopped');
    throw error;
  }
}

export interface PublishedCheckpoint extends SignedCheckpoint {
  readonly etag: string;
}

export interface LogState {
  readonly published: PublishedCheckpoint;
  readonly head: Head;
}

export interface LogReader {
  readonly vault: Pick<Vault, 'getMutable'>;
  readonly log: Pick<LogStore, 'readHead'>;
  /** As `rememberIdentity` gives it. */
  readonly identity: () => Promise<LogIdentity>;
  readonly headKey: () => Promise<Buffer>;
  /** The largest head this container has seen. Starts empty. */
  readonly memory: { seen?: Pick<Head, 'size' | 'root'> };
}

/** The log's identity never changes, so it is read once per container. Throws `not-initialized`. */
export const rememberIdentity = (log: Pick<LogStore, 'identity'>): (() => Promise<LogIdentity>) =>
  once(async () => {
    const identity = await log.identity();
    if (identity === 'absent') throw new LogStopped('not-initialized', 'the log has no identity yet: run initialize-log');
    return identity;
  });

/** Checkpoint and head, checked against each other and against memory. Throws `LogStopped`. */
export async function readLog(reader: LogReader): Promise<LogState> {
  // In this order: the head only grows, so one read later is never smaller than a checkpoint read before. Turned round, a publisher at work in between would look like a fork.
  const published = await readCheckpoint({ vault: reader.vault, origin: (await reader.identity()).origin });
  const head = await reader.log.readHead();
  if (head === 'absent') throw new LogStopped('not-initialized', 'the log has a checkpoint but no head: run recover-head');
  if (!isOurHead(await reader.headKey(), head)) throw new LogStopped('head-forged', `the head of size ${head.size} was not written by us: run recover-head`);
  const { checkpoint } = published;
  if (checkpoint.size > head.size) throw new LogStopped('checkpoint-ahead', `the checkpoint states ${checkpoint.size} entries, the head only ${head.size}: run recover-head`);
  if (checkpoint.size === head.size && !checkpoint.root.equals(head.root)) throw new LogStopped('fork', `checkpoint and head are different trees of ${head.size} entries`);
  remember(reader.memory, head);
  return { published, head };
}

/** The checkpoint, its signature not yet checked. `origin`: the log it must be of, where that is known. Throws `LogStopped`. */
export async function readCheckpoint({ vault, origin }: Pick<LogReader, 'vault'> & { readonly origin?: string }): Promise<PublishedCheckpoint> {
  const object = await vault.getMutable('checkpoint');
  if (object === 'absent') throw new LogStopped('not-initialized', 'the vault has no checkpoint: run initialize-log, or put the newest of checkpoints/ back');
  try {
    const published = parseOwnCheckpoint(object.bytes);
    if (origin !== undefined && published.checkpoint.origin !== origin) throw new LogStopped('checkpoint-foreign', `the checkpoint is of ${published.checkpoint.origin}, the log is ${origin}`);
    return { ...published, etag: object.etag };
  } catch (cause) {
    if (cause instanceof LogFormatError) throw new LogStopped('checkpoint-unreadable', `the checkpoint is not one: ${cause.message}`, { cause });
    throw cause;
  }
}

/** A head put back to an earlier, genuine state passes its MAC; only somebody who saw a later one can tell. */
function remember(memory: LogReader['memory'], { size, root }: Head): void {
  const { seen } = memory;
  if (seen !== undefined && size < seen.size) throw new LogStopped('head-shrunk', `the head has ${size} entries; this container has seen ${seen.size}`);
  if (seen !== undefined && size === seen.size && !root.equals(seen.root)) throw new LogStopped('fork', `the head is another tree of ${size} entries than this container has seen`);
  memory.seen = { size, root };
}
