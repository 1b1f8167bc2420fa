/** Runs a function now that a schedule would run later, and reads what it left: its own record, like everybody else would. */
import { InvokeCommand, ListFunctionsCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { QueryCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { FunctionName } from '../../lib/constructs/alarm-registry';
import { CannotStart } from '../child-process';

/** As its record says. */
export interface RunRecord {
  readonly ok: boolean;
  readonly findings: number;
  readonly records: number;
  readonly seconds: number;
}

/** Calls the function that writes the log group `/intact/<stage>/<name>` and waits for its end. */
export async function runNow(lambda: LambdaClient, name: FunctionName): Promise<void> {
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  const found = Functions.find(({ LoggingConfig }) => LoggingConfig?.LogGroup?.endsWith(`/${name}`) === true);
  if (found?.FunctionName === undefined) throw new CannotStart(`The local cloud has no function ${name}.`);
  const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName: found.FunctionName, Payload: Buffer.from('{}') }));
  if (FunctionError !== undefined) throw new CannotStart(`${name} failed: ${Buffer.from(Payload ?? []).toString().slice(0, 500)}`);
}

/** The newest record of these runs, or undefined where there is none. */
export async function newestRun(dynamodb: DynamoDBClient, table: string, kind: 'audit' | 'drill' | 'snapshot'): Promise<RunRecord | undefined> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({ TableName: table, ConsistentRead: true, ScanIndexForward: false, Limit: 1, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: kind } } }),
  );
  const [newest] = Items;
  return newest && { ok: newest['ok']?.BOOL === true, findings: Number(newest['findings']?.N), records: Number(newest['records']?.N), seconds: Number(newest['milliseconds']?.N) / 1000 };
}
