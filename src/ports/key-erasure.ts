/** The one way to take a key away, held by the one function that may. */
import type { Image } from '../core/image';
import type { RecordWrite } from '../ports';

export interface KeyErasure {
  /**
   * One transaction over the keys table and the records table: the wrapped bytes of `subjects` go and their rows are marked `erasedAt` (a subject without a row gets one, so that none is ever made
   * for it), and `writes` are made; all or nothing. At most 100 actions. Keys that are gone already stay so. `refused`: as `RecordStore.transact`, per write. `held`: one of `unheld` is marked as being under a hold
   * (hold-marks.ts), whatever the writes say.
   */
  erase(subjects: readonly string[], erasedAt: string, writes: readonly RecordWrite[], unheld: readonly string[]): Promise<'done' | 'held' | { readonly refused: readonly (Image | 'absent' | undefined)[] }>;
}
