/** The newest records, for a person who looks around; not for evidence, which is in the log. */
import type { Meter, RecordStore } from '../ports';
import type { Secrets } from './load-secrets';
import { readRecord, receivedAtOf, type ReadRecord } from './read-records';

export interface ListRecordsDeps {
  readonly records: Pick<RecordStore, 'scan'>;
  readonly keys: Pick<Secrets, 'macKeys'>;
  readonly meter: Meter;
}

export interface RecordList {
  /** Newest `receivedAt` first. */
  readonly records: readonly ReadRecord[];
  /** How many matched; more than `records` when there are more than `limit`. */
  readonly matched: number;
}

/**
 * Records of these kinds received at or after `since` (ISO 8601 UTC), at most `limit`. Reads the whole table: meant for an operator now and then.
 * Throws `PortError`.
 */
export async function listRecords(deps: ListRecordsDeps, { kinds, since, limit }: { readonly kinds?: readonly string[]; readonly since?: string; readonly limit: number }): Promise<RecordList> {
  const macKeys = await deps.keys.macKeys();
  let kept: ReadRecord[] = [];
  let matched = 0;
  for await (const image of deps.records.scan(kinds === undefined ? {} : { kinds })) {
    if (since !== undefined && receivedAtOf(image) < since) continue;
    matched += 1;
    kept.push(readRecord(macKeys, deps.meter, image));
    // Sorted now and then, so that a big table never stands in memory as a whole.
    if (kept.length > 4 * limit + 1_000) kept = newest(kept, limit);
  }
  return { records: newest(kept, limit), matched };
}

const newest = (records: readonly ReadRecord[], limit: number): ReadRecord[] =>
  [...records].sort((a, b) => (receivedAtOf(a.image) < receivedAtOf(b.image) ? 1 : receivedAtOf(a.image) > receivedAtOf(b.image) ? -1 : 0)).slice(0, limit);
