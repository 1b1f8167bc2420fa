/** The drill's table on DynamoDB. A policy allows its name and no other; this refuses every other a second time. */
import { DeleteTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports';
import type { ScratchTable } from '../../ports/scratch-table';
import { asked } from './dynamodb';
import { errorNamed } from './port-errors';
import { restoreTarget } from './restore-target';

/** A table is dropped in seconds, one with an index and many items in minutes. */
const GONE_WITHIN_MS = 5 * 60_000;
const POLL_MS = 500;

const FORM = /^.+-drill-scratch$/;

/** `name`: the records table's, and `-drill-scratch`. */
export function scratchTable(client: DynamoDBClient, name: string): ScratchTable {
  if (!FORM.test(name)) throw new Error(`${name} is no scratch table of a drill; nothing else is dropped here`);
  const gone = (error: unknown): 'absent' | undefined => (errorNamed(error, ['ResourceNotFoundException']) ? 'absent' : undefined);
  /** `busy`: it is being made, changed or deleted already. */
  const remove = (): Promise<'asked' | 'busy' | 'absent'> =>
    asked<'asked' | 'busy' | 'absent'>(
      `drop table ${name}`,
      async () => {
        await client.send(new DeleteTableCommand({ TableName: name }));
        return 'asked';
      },
      (error) => (errorNamed(error, ['ResourceInUseException', 'LimitExceededException']) ? 'busy' : gone(error)),
    );
  const isThere = (): Promise<'there' | 'absent'> =>
    asked<'there' | 'absent'>(`see whether ${name} is gone`, async () => {
      await client.send(new DescribeTableCommand({ TableName: name }));
      return 'there';
    }, gone);

  return {
    name,
    open: () => restoreTarget(client, name),
    async discard() {
      const until = Date.now() + GONE_WITHIN_MS;
      let outcome = await remove();
      if (outcome === 'absent') return 'absent';
      while (Date.now() < until) {
        if ((await isThere()) === 'absent') return 'dropped';
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        if (outcome === 'busy') outcome = await remove();
      }
      throw new PortError('unavailable', `table ${name} was told to go and is still there after five minutes; the next drill drops it`);
    },
  };
}
