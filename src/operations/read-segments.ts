/**
 * Entries of the log as sealers wrote them: rounds say which segments, the segments' hashes and counts say whether they are the right ones. A round is a row
 * anybody with write access can edit, so nothing read here is believed until a root is recomputed from it.
 */
import { entryStarts, startsOf } from '../core/log/bundle';
import { sha256Hex } from '../core/log/sha256';
import { classifyName } from '../core/verify/vault-name';
import type { LogStore, Round, Vault } from '../ports';
import { LogStopped } from './read-log';

export interface SegmentReader {
  readonly log: Pick<LogStore, 'rounds'>;
  readonly vault: Pick<Vault, 'get'>;
}

/** Encoded entries [from, from + n) of the log. */
export interface EntryRun {
  readonly from: number;
  readonly n: number;
  readonly bytes: Buffer;
}

/** Entries [from, to) in runs of one segment each, in order and without a gap. Throws `LogStopped` (`segment-damaged`). */
export async function* readEntries(reader: SegmentReader, from: number, to: number): AsyncGenerator<EntryRun> {
  let next = from;
  for await (const round of reader.log.rounds(from)) {
    if (next >= to) return;
    if (round.from > next || round.from + round.n > to) break;
    const segment = await readSegment(reader.vault, round);
    // A checkpoint taken over from elsewhere may end inside a round; ours never does.
    const starts = entryStarts(segment);
    yield { from: next, n: round.from + round.n - next, bytes: segment.subarray(starts[next - round.from]) };
    next = round.from + round.n;
  }
  if (next < to) throw new LogStopped('segment-damaged', `no round holds entry ${next}, though the head has ${to}: run recover-head`);
}

/** The segment of `round`, checked against its name and count. Throws `LogStopped`. */
export async function readSegment(vault: Pick<Vault, 'get'>, { from, n, segment }: Round): Promise<Buffer> {
  const name = classifyName(segment);
  if (name.kind !== 'segment' || name.from !== from) throw new LogStopped('segment-damaged', `the round of entry ${from} names ${segment.slice(0, 100)}, which is no segment of it`);
  const bytes = await vault.get(segment);
  if (bytes === 'absent') throw new LogStopped('segment-damaged', `${segment} is not in the vault`);
  if (sha256Hex(bytes) !== name.sha256) throw new LogStopped('segment-damaged', `${segment} does not have the hash in its name`);
  if (startsOf(bytes)?.length !== n + 1) throw new LogStopped('segment-damaged', `${segment} does not hold the ${n} entries its round states`);
  return bytes;
}

