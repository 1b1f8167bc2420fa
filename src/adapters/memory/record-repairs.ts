/** Repairs of the records table in memory; its stream sees them as it sees every change. */
import { isSameImage } from '../../core/record-history';
import { keyOf } from '../../core/image';
import type { RecordRepairs } from '../../ports/record-repairs';
import type { MemoryRecords } from './record-store';

export function memoryRecordRepairs({ byHand }: Pick<MemoryRecords, 'byHand'>): RecordRepairs {
  return {
    putBack: async (image, instead) => {
      const there = byHand.peek(keyOf(image));
      // As on DynamoDB, where a lost reply makes the SDK ask again: what was asked for is so.
      if (there !== 'absent' && isSameImage(there, image)) return 'done';
      const isStill = instead === undefined ? there === 'absent' : there !== 'absent' && isSameImage(there, instead);
      if (!isStill) return 'changed';
      byHand.put(image);
      return 'done';
    },
    remove: async (key, instead) => {
      const there = byHand.peek(key);
      if (there === 'absent') return 'done';
      if (!isSameImage(there, instead)) return 'changed';
      byHand.remove(key);
      return 'done';
    },
  };
}
