/** Holds as the keys table knows them. Whoever can write records by hand can put a hold of another time back for a moment; what stands beside the keys themselves they cannot reach. */
import type { Image } from '../core/image';
import type { RecordWrite } from '../ports';

/** Whether the key of `subject` may be taken. A row of its own, in a partition of its own: who places holds cannot touch a key, and who takes keys cannot lift a hold. */
export interface HoldMark {
  readonly subject: string;
  readonly held: boolean;
}

export interface HoldMarks {
  /** One transaction over the records table and the keys table: `writes` are made, and `marks` are what is said of their subjects from now on; all or nothing, at most 100 of both. `refused`: as `RecordStore.transact`. */
  transact(writes: readonly RecordWrite[], marks: readonly HoldMark[]): Promise<'done' | { readonly refused: readonly (Image | 'absent' | undefined)[] }>;
}
