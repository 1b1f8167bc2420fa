/**
 * What the published log holds of one erasure: its permission, and how many removals. Told from what entries bear in clear, since whoever takes keys away can open nothing: a removal under a subject that goes, and the
 * tombstone with the same source beside it. What is told leads to a key going for ever, so nothing counts on the word of a row, a segment or a checkpoint that somebody could have put there: each entry
 * is held against tiles that lead to a root which the log's own key signed. Costs the segments sealed since the erasure was recorded.
 */
import { entryIn, type Entry } from '../../core/entry';
import { decodeEntries, entryLeafHashes, entryStarts, TILE_WIDTH } from '../../core/log/bundle';
import type { Checkpoint } from '../../core/log/checkpoint';
import { HASH_SIZE } from '../../core/log/sha256';
import { verifierKey } from '../../core/log/vkey';
import type { LogStore, Round, Signer, Vault } from '../../ports';
import { authenticTiles, type AuthenticTiles } from '../authentic-tiles';
import { publishedCheckpoint } from '../published-entries';
import { LogStopped } from '../read-log';
import { readEntries, type EntryRun } from '../read-segments';
import { CLOCKS_DIFFER_MS } from './waits';

export interface SealedRemovalsDeps {
  readonly log: Pick<LogStore, 'rounds' | 'roundsByTime'>;
  readonly vault: Pick<Vault, 'get'>;
  readonly signer: Pick<Signer, 'publicKey'>;
  readonly origin: string;
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
  let [isPermitted, removals, alone, foundAt, from] = [false, 0, 0, '', Number.MAX_SAFE_INTEGER];
  const [gone, standing] = [new Set<string>(), new Map<string, string>()];
  for await (const { from: first, bytes: run } of provenSince(deps, earlier(recordedAt, SEALED_MARGIN_MS))) {
    const entries = decodeEntries(run).flatMap((bytes): Entry[] => [entryIn(bytes)].filter((entry) => entry !== undefined));
    from = Math.min(from, first);
    const removed = new Map(entries.flatMap(({ op, subject, src }) => (op === 'remove' ? [[src, subject]] : [])));
    for (const { op, kind, id, src, at, subject: whose } of entries) {
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
  return { isPermitted, removals, alone, foundAt, from, removed: gone, standing };
}

/** The published entries of rounds since then, none left out, each in the tree that the log's own key signed. */
async function* provenSince(deps: SealedRemovalsDeps, since: string): AsyncGenerator<EntryRun> {
  const { log, vault } = deps;
  const [{ checkpoint, tiles }, first] = [await provenLog(deps), await firstRoundSince(log, since)];
  if (first === undefined || first.from >= checkpoint.size) return;
  for await (const run of readEntries({ log, vault }, first.from, checkpoint.size)) {
    if (!(await leadsToRoot(tiles, run))) throw new LogStopped('segment-damaged', `entries ${run.from} to ${run.from + run.n - 1}, as the log table names them, are not those that were published, or the tiles above them are damaged: run intact verify`);
    yield run;
  }
}

/** What the log's own key signed last, and the tiles that lead to it. */
export async function provenLog({ vault, signer, origin }: Pick<SealedRemovalsDeps, 'vault' | 'signer' | 'origin'>): Promise<{ readonly checkpoint: Checkpoint; readonly tiles: AuthenticTiles }> {
  const checkpoint = await publishedCheckpoint(vault, [verifierKey(origin, await signer.publicKey())]);
  return { checkpoint, tiles: await authenticTiles(vault, checkpoint) };
}

/** Undefined: nothing was sealed since then. */
export async function firstRoundSince(log: Pick<LogStore, 'roundsByTime'>, since: string): Promise<Round | undefined> {
  for await (const round of log.roundsByTime(since)) return round;
  return undefined;
}

async function leadsToRoot(tiles: AuthenticTiles, { from, n, bytes }: EntryRun): Promise<boolean> {
  const leaves = entryLeafHashes(bytes, entryStarts(bytes));
  for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < from + n; index++) {
    const tile = await tiles(0, index);
    const [begin, end] = [Math.max(from, index * TILE_WIDTH), Math.min(from + n, (index + 1) * TILE_WIDTH)];
    const signed = tile?.subarray((begin - index * TILE_WIDTH) * HASH_SIZE, (end - index * TILE_WIDTH) * HASH_SIZE);
    if (!signed?.equals(leaves.subarray((begin - from) * HASH_SIZE, (end - from) * HASH_SIZE))) return false;
  }
  return true;
}

/** Rounds are found by their own clock. */
const SEALED_MARGIN_MS = 10 * 60_000;
const earlier = (time: string, ms: number): string => new Date(Date.parse(time) - ms).toISOString();
