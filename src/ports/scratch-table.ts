/**
 * The one table a drill restores into. Its name is derived from the records table's and cannot be the records table's, so whoever has this port can make and drop nothing that
 * matters. One name, not one each: two drills at once meet there, and what a killed one left is found without a list of all tables.
 */
import type { RestoreTarget } from './restore-target';

export interface ScratchTable {
  /** `<records table>-drill-scratch`. */
  readonly name: string;
  /** A handle on it; opening makes nothing. */
  open(): RestoreTarget;
  /** Drops whatever is there and resolves when it is gone. Throws `PortError`. */
  discard(): Promise<'dropped' | 'absent'>;
}
