/**
 * What the published log holds of one erasure: its permission, and how many removals. Told from what entries bear in clear, since whoever takes keys away can open nothing: a removal under a subject that goes, and the
 * tombstone with the same source beside it. What is told leads to a key going for ever, so nothing counts on the word of a row, a segment or a checkpoint that somebody could have put there (proven-entries.ts). Costs the
 * bundles filled since the erasure was recorded.
 */
import { entryIn } from '../../core/entry';
import type { LogStore, Round } from '../../ports';
import { provenEntries, provenLog, type ProvenLog, type ProvenLogDeps } from './proven-entries';
import { CLOCKS_DIFFER_MS } from './waits';

export interface SealedRemovalsDeps extends ProvenLogDeps {
  readonly log: Pick<LogStore, 'roundsByTime'>;
}

/** What the published log holds of an erasure. */
export interface SealedErasure {
  /** As it was read for this. */
  readonly log: ProvenLog;
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
  /** Index of the first entry that was read for this; what is before it is another's to search (unremoved-records.ts). */
  readonly from: number;
  /** Ids under the subjects whose last entry is a removal. */
  readonly removed: ReadonlySet<string>;
  /** Ids under the subjects whose last entry is none, each with the `src` of it. */
  readonly standing: ReadonlyMap<string, string>;
}

/** `recordedAt`: when the erasure was recorded, ISO 8601 UTC. Throws `PortError`, `ReplayError`, `LogStopped`. */
export async function sealedErasure(deps: SealedRemovalsDeps, recordedAt: string, subjects: ReadonlySet<string>): Promise<SealedErasure> {
  const permittedFrom = earlier(recordedAt, CLOCKS_DIFFER_MS);
  let [isPermitted, removals, alone, foundAt] = [false, 0, 0, ''];
  const [gone, standing] = [new Set<string>(), new Map<string, string>()];
  const log = await provenLog(deps);
  const from = (await firstRoundSince(deps.log, earlier(recordedAt, SEALED_MARGIN_MS)))?.from ?? log.checkpoint.size;
  /** Subjects of removals, by source: the tombstone is the entry behind. */
  const removed = new Map<string, string>();
  for await (const { entries } of provenEntries(log, from, log.checkpoint.size)) {
    for (const { op, kind, id, src, at, subject: whose } of entries.flatMap((bytes) => entryIn(bytes) ?? [])) {
      if (op === 'remove') removed.set(src, whose);
      if (subjects.has(whose)) {
        (op === 'remove' ? standing : gone).delete(id);
        if (op === 'remove') gone.add(id);
        else standing.set(id, src);
      }
      if (kind === 'finding' && at > foundAt) foundAt = at;
      if (kind === 'erasure' && at >= permittedFrom) isPermitted = true;
      if (op !== 'put' || kind !== 'tombstone') continue;
      const subject = removed.get(src);
      if (subject === undefined) alone += 1;
      else if (subjects.has(subject)) removals += 1;
    }
  }
  return { log, isPermitted, removals, alone, foundAt, from, removed: gone, standing };
}

/** Undefined: nothing was sealed since then. */
export async function firstRoundSince(log: Pick<LogStore, 'roundsByTime'>, since: string): Promise<Round | undefined> {
  for await (const round of log.roundsByTime(since)) return round;
  return undefined;
}

/** Rounds are found by their own clock. */
const SEALED_MARGIN_MS = 10 * 60_000;
const earlier = (time: string, ms: number): string => new Date(Date.parse(time) - ms).toISOString();
