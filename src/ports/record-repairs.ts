/**
 * The two writes nobody else may make: a record put back over what stands in its place, and a record removed that the log has never had. Only repair and restore are
 * given this port; whoever uses it has written first why (core/repair-record.ts), or the sealer reports the change as it reports any other.
 */
import type { Image, TableKey } from '../core/image';

export interface RecordRepairs {
  /** Puts `image` if its place is still as `instead` says (undefined: empty). `changed`: it is not; nothing was written. Throws `PortError`. */
  putBack(image: Image, instead: Image | undefined): Promise<'done' | 'changed'>;
  /** Removes the record under `key` if it is still `instead`. Throws `PortError`. */
  remove(key: TableKey, instead: Image): Promise<'done' | 'changed'>;
}
