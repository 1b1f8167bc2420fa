/**
 * A table that is restored into: the live one, or another that may not exist yet. Apart from the records table's own port because no handler may ever make, fill or drop
 * a table.
 */
import type { Image, TableKey } from '../core/image';

/** What makes a table more than its items; a restore by AWS's own means forgets most of it. Lists are sorted. */
export interface TableSettings {
  /** `NEW_AND_OLD_IMAGES` and so on; null: no stream. */
  readonly stream: string | null;
  /** The attribute that says when an item expires; null: none. */
  readonly expires: string | null;
  readonly pointInTimeRecovery: boolean;
  readonly deletionProtection: boolean;
  /** KMS key ARN; null: DynamoDB's own. */
  readonly encryptionKey: string | null;
  readonly billing: 'on-demand' | 'provisioned';
  /** `name: partition key[, sort key] (projection)`. */
  readonly indexes: readonly string[];
  /** `key=value`. */
  readonly tags: readonly string[];
}

export interface RestoreTarget {
  /** What it is called, for people. */
  readonly name: string;
  /** 'absent': there is no such table. Throws `PortError`. */
  settings(): Promise<TableSettings | 'absent'>;
  /** Makes the table and waits until it can be written. The key schema and indexes are those of the records table (core/table-keys.ts). Throws `PortError`. */
  create(settings: TableSettings): Promise<void>;
  /** Records under these keys, in no order, those that are absent left out; strongly consistent. Any number of keys. Throws `PortError`. */
  read(keys: readonly TableKey[]): Promise<readonly Image[]>;
  /** Puts all of them, whatever is in their places; any number, no two under one key. Resolves when all are durable. Throws `PortError`. */
  write(images: readonly Image[]): Promise<void>;
  /** Removes all of them. Throws `PortError`. */
  remove(keys: readonly TableKey[]): Promise<void>;
  /** Every item, no order; strongly consistent. Throws `PortError`. */
  scan(): AsyncIterable<Image>;
  /** Deletes the whole table; refused by the implementation unless `create` of this very object made it. Throws `PortError`. */
  drop(): Promise<void>;
}
