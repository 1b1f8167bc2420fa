/**
 * How many removals of one erasure the published log holds. Told from what entries bear in clear, since whoever takes keys away can open nothing: a removal under a subject that goes, and the
 * tombstone with the same source beside it. Costs the segments sealed since the erasure was recorded.
 */
import { entryIn, type Entry } from '../../core/entry';
import { decodeEntries } from '../../core/log/bundle';
import type { LogStore, Vault } from '../../ports';
import { publishedCheckpoint } from '../published-entries';
import { readSegment } from '../read-segments';

export interface SealedRemovalsDeps {
  readonly log: Pick<LogStore, 'roundsByTime'>;
  readonly vault: Pick<Vault, 'get'>;
}

/** `late`: tombstones that `seal-missing` sealed because the stream had lost them, of whatever erasure: those have no removal beside them. Throws `PortError`, `ReplayError`, `LogStopped`. */
export async function sealedRemovals({ log, vault }: SealedRemovalsDeps, since: string, subjects: ReadonlySet<string>): Promise<{ readonly removals: number; readonly late: number }> {
  const { size } = await publishedCheckpoint(vault);
  const found = { removals: 0, late: 0 };
  for await (const round of log.roundsByTime(since)) {
    if (round.from + round.n > size) continue; // sealed, and not published yet
    const entries = decodeEntries(await readSegment(vault, round)).flatMap((bytes): Entry[] => [entryIn(bytes)].filter((entry) => entry !== undefined));
    const removed = new Set(entries.flatMap(({ op, subject, src }) => (op === 'remove' && subjects.has(subject) ? [src] : [])));
    for (const { op, kind, src } of entries) {
      if (op !== 'put' || kind !== 'tombstone') continue;
      if (removed.has(src)) found.removals += 1;
      else if (src.startsWith('late:')) found.late += 1;
    }
  }
  return found;
}
