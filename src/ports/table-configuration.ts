/**
 * Changing what a table that is there is set to: what an interrupted making left undone, what somebody switched off, and the label that says what is in it. A part of a restore
 * target of its own, because whoever only makes, fills and drops a scratch table needs none of it.
 */
import type { RestoreTarget, TableSettings } from './restore-target';

export interface TableConfiguration {
  /**
   * Brings the table to `settings`, changing only what differs, and resolves when it can be written again. Tags are added or given another value, never taken away. Billing and
   * indexes stay as they are. May be repeated. Throws `PortError`.
   */
  configure(settings: TableSettings): Promise<void>;
}

/** What restoring by an operator works on. */
export type ConfigurableTarget = RestoreTarget & TableConfiguration;
