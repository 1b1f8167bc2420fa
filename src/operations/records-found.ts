/** Which records a person may want repaired: those under a message id, and those there are findings about, which may be gone from the table. */
import { keyOf, stringOf, type TableKey } from '../core/image';
import { placeOf } from '../core/record-history';
import type { RecordStore } from '../ports';

/** Keys of the records in partition `pk` and of all that findings name there; without `pk` of all that findings name. A finding names no key that is none of ours. */
export async function recordsFound(records: Pick<RecordStore, 'scan' | 'partition'>, pk?: string): Promise<readonly TableKey[]> {
  const keys = new Map<string, TableKey>();
  if (pk !== undefined) for await (const image of records.partition(pk)) keys.set(placeOf(image), keyOf(image));
  for await (const image of records.scan({ kinds: ['finding'] })) {
    const [recordPk, recordSk] = [stringOf(image, 'recordPk'), stringOf(image, 'recordSk')];
    if (recordPk === undefined || recordSk === undefined || (pk !== undefined && recordPk !== pk)) continue;
    keys.set(placeOf({ pk: { S: recordPk }, sk: { S: recordSk } }), { pk: recordPk, sk: recordSk });
  }
  return [...keys.values()];
}
