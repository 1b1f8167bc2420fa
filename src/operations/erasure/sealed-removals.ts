/**
 * What the published log holds of one erasure: its permission, and how many removals. Told from what entries bear in clear, since whoever takes keys away can open nothing: a removal under a subject that goes, and the
 * tombstone with the same source beside it. Costs the segments sealed since the erasure was recorded.
 */
import { entryIn, type Entry } from '../../core/entry';
import { decodeEntries } from '../../core/log/bundle';
import type { LogStore, Vault } from '../../ports';
import { publishedCheckpoint } from '../published-entries';
import { readSegment } from '../read-segments';
import { CLOCKS_DIFFER_MS } from './waits';

export interface SealedRemovalsDeps {
  readonly log: Pick<LogStore, 'roundsByTime'>;
  readonly vault: Pick<Vault, 'get'>;
}

/** What the published log holds of an erasure. */
export interface SealedErasure {
  /** Whether a permission was sealed as late as this one was recorded: then what was written before it is sealed, too, and what is removed now can be had from the log as long as there is a key. */
  readonly isPermitted: boolean;
  readonly removals: number;
  /**
   * Tombstones, of whatever erasure, with no removal beside them: `seal-missing` sealed them because the stream had lost them; or what they replaced was somebody's work, made between our look and our
   * write; or the permission was taken away by hand before the sealer had seen it. Not to count these would let whoever does that keep an erasure waiting for ever.
   */
  readonly alone: number;
  /** When the sealer, or an audit, found something the last time, RFC 3339 UTC; '' for never. */
  readonly foundAt: string;
}

/** `recordedAt`: when the erasure was recorded, ISO 8601 UTC. Throws `PortError`, `ReplayError`, `LogStopped`. */
export async function sealedErasure({ log, vault }: SealedRemovalsDeps, recordedAt: string, subjects: ReadonlySet<string>): Promise<SealedErasure> {
  const { size } = await publishedCheckpoint(vault);
  const [since, permittedFrom] = [earlier(recordedAt, SEALED_MARGIN_MS), earlier(recordedAt, CLOCKS_DIFFER_MS)];
  let [isPermitted, removals, alone, foundAt] = [false, 0, 0, ''];
  for await (const round of log.roundsByTime(since)) {
    if (round.from + round.n > size) continue; // sealed, and not published yet
    const entries = decodeEntries(await readSegment(vault, round)).flatMap((bytes): Entry[] => [entryIn(bytes)].filter((entry) => entry !== undefined));
    const removed = new Map(entries.flatMap(({ op, subject, src }) => (op === 'remove' ? [[src, subject]] : [])));
    for (const { op, kind, src, at } of entries) {
      if (kind === 'finding' && at > foundAt) foundAt = at;
      if (kind === 'erasure' && at >= permittedFrom) isPermitted = true;
      if (op !== 'put' || kind !== 'tombstone') continue;
      const subject = removed.get(src);
      if (subject === undefined) alone += 1;
      else if (subjects.has(subject)) removals += 1;
    }
  }
  return { isPermitted, removals, alone, foundAt };
}

/** Rounds are found by their own clock. */
const SEALED_MARGIN_MS = 10 * 60_000;
const earlier = (time: string, ms: number): string => new Date(Date.parse(time) - ms).toISOString();
