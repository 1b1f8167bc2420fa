/** When a run is too much for one function, and into how many parts it goes then. */
import type { Share } from '../core/shares';
import type { LogStore } from '../ports';

export interface WholeUpTo {
  /** Entries of the log that one function can open, or verify, within its time and memory. */
  readonly wholeUpTo: number;
}

interface HeadReader {
  readonly log: Pick<LogStore, 'readHead'>;
}

/** The parts of a share of what the log holds now. */
export async function partsOfShare({ log }: HeadReader, { of }: Share, wholeUpTo: number): Promise<readonly string[]> {
  const head = await log.readHead();
  return partsOf((head === 'absent' ? 0 : head.size) / of, wholeUpTo);
}

/** A state machine hands on 256 KB, and more parts than that are more than anybody wants to wait for. */
const MAX_PARTS = 500;

/** Names of the parts, `0` on; one where it is not too much. `entries`: those that somebody has to open. */
export function partsOf(entries: number, wholeUpTo: number): readonly string[] {
  return Array.from({ length: Math.min(MAX_PARTS, Math.max(1, Math.ceil(entries / wholeUpTo))) }, (_, i) => String(i));
}
