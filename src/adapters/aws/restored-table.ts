/** Tables that are restored in parts, on DynamoDB. A policy allows names that begin so and no other; this refuses every other a second time. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports';
import type { ConfigurableTarget } from '../../ports/table-configuration';
import { restoreTarget } from './restore-target';

const FORM = /^.+-restored-$/;

/** `prefix`: the records table's name, and `-restored-`. */
export function restoredTables(client: DynamoDBClient, prefix: string): (name: string) => ConfigurableTarget {
  if (!FORM.test(prefix)) throw new Error(`${prefix} begins no name of a restored table; nothing else is restored into here`);
  return (name) => {
    if (!name.startsWith(prefix) || name === prefix) throw new PortError('denied', `${name} is no table to restore into: their names begin with ${prefix}`);
    return restoreTarget(client, name);
  };
}
