/**
 * What makes a records table one, whatever its stage: for when the table itself is gone, or was set to something else by somebody, and cannot be asked. A test holds it to the template
 * that is deployed.
 */
import { KeySchema } from './table-keys';

const { byCustomer, byOperator } = KeySchema;

export const RECORDS_TABLE = {
  pointInTimeRecovery: true,
  stream: 'NEW_AND_OLD_IMAGES',
  expires: null,
  /** As ports/restore-target.ts spells an index. */
  indexes: [byCustomer, byOperator].map(({ name, pk, sk }) => `${name}: ${pk}, ${sk} (KEYS_ONLY)`),
} as const;
