/**
 * A change made past everything: straight in the table, or the whole table, as somebody at the AWS console or with stolen credentials would make it. Exists to show
 * that such a change is found; only `intact tamper --local` is ever given one, and it refuses anything but the local cloud.
 */
import type { Attribute, TableKey } from '../core/image';

export interface ByHand {
  /** Sets one attribute of an existing item, unconditionally but for its existence; `mac` and `rev` stay as they are. */
  setAttribute(key: TableKey, name: string, value: Attribute): Promise<'changed' | 'absent'>;
  /** Takes the protection off the whole table and deletes it; resolves when it is gone. */
  destroyTable(): Promise<'destroyed' | 'absent'>;
}
