/**
 * The `StreamReaders` port on Lambda's event source mappings. A mapping stays when its stream goes, which is how the readers of a table that is gone are known; a stream's name holds its
 * table's, and ends in the moment it was made.
 */
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateEventSourceMappingCommand,
  paginateListEventSourceMappings,
  UpdateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  type EventSourceMappingConfiguration,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { PortError } from '../../ports';
import type { StreamReader, StreamReaders } from '../../ports/stream-readers';
import { asking, errorNamed } from '../aws/port-errors';

/** How a mapping reads: every setting of one on a DynamoDB stream that is not its identity, its state, or where it begins. */
const SETTINGS = [
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'ParallelizationFactor',
  'BisectBatchOnFunctionError',
  'MaximumRetryAttempts',
  'MaximumRecordAgeInSeconds',
  'TumblingWindowInSeconds',
  'FunctionResponseTypes',
  'FilterCriteria',
  'DestinationConfig',
  'KMSKeyArn',
  'MetricsConfig',
] as const satisfies readonly (keyof EventSourceMappingConfiguration & keyof CreateEventSourceMappingCommandInput)[];

export function streamReaders(lambda: LambdaClient, dynamoDb: DynamoDBClient): StreamReaders {
  const mappings = (table: string): Promise<readonly EventSourceMappingConfiguration[]> =>
    asking(`list who reads the stream of ${table}`, async () => {
      const found: EventSourceMappingConfiguration[] = [];
      // By stream they can be asked for only where its name is known; that of a table that is gone is not.
      for await (const page of paginateListEventSourceMappings({ client: lambda }, {})) {
        found.push(...(page.EventSourceMappings ?? []).filter(({ EventSourceArn = '', State }) => EventSourceArn.includes(`:table/${table}/stream/`) && State !== 'Deleting'));
      }
      return found;
    });
  return {
    streamOf: (table) =>
      asking(`describe table ${table}`, async () => {
        try {
          const { Table } = await dynamoDb.send(new DescribeTableCommand({ TableName: table }));
          return Table?.StreamSpecification?.StreamEnabled === true ? (Table.LatestStreamArn ?? 'absent') : 'absent';
        } catch (error) {
          if (errorNamed(error, ['ResourceNotFoundException'])) return 'absent';
          throw error;
        }
      }),

    of: async (table) => (await mappings(table)).map((mapping) => ({ reader: readerIn(mapping), stream: mapping.EventSourceArn ?? '', isOn: !/^Disabl/.test(mapping.State ?? '') })),

    async connect(like, stream) {
      const known = await mappings(tableIn(like.stream));
      if (known.some((mapping) => isOf(mapping, { ...like, stream }))) return 'exists';
      const old = mappingOf(known, like);
      const settings = Object.fromEntries(SETTINGS.map((name) => [name, settingOf(old, name)]));
      return asking(`let ${like.reader} read ${stream}`, async () => {
        try {
          await lambda.send(new CreateEventSourceMappingCommand({ ...settings, FunctionName: old.FunctionArn, EventSourceArn: stream, StartingPosition: 'TRIM_HORIZON', Enabled: true }));
          return 'connected';
        } catch (error) {
          // One function reads one stream once. Another restore was faster, or it is our own call, whose reply was lost.
          if (errorNamed(error, ['ResourceConflictException'])) return 'exists';
          // Lambda tries it with the function's own role before it says yes.
          if (errorNamed(error, ['InvalidParameterValueException'])) {
            throw new PortError('denied', `Lambda does not let ${like.reader} read ${stream}: its role must be allowed every stream of the table (deploy the service stack of this version), then do the same again`, { cause: error });
          }
          throw error;
        }
      });
    },

    async switchOn(reader) {
      const { UUID } = mappingOf(await mappings(tableIn(reader.stream)), reader);
      await asking(`switch on ${reader.reader}`, () => lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true })));
    },
  };
}

function mappingOf(known: readonly EventSourceMappingConfiguration[], wanted: StreamReader): EventSourceMappingConfiguration {
  const found = known.find((mapping) => isOf(mapping, wanted));
  if (found === undefined) throw new PortError('corrupt', `${wanted.reader} no longer reads ${wanted.stream}: somebody removed the mapping meanwhile`);
  return found;
}

/** AWS answers "no destination" as an object it would not take. */
function settingOf(mapping: EventSourceMappingConfiguration, name: (typeof SETTINGS)[number]): unknown {
  if (name !== 'DestinationConfig') return mapping[name];
  return mapping.DestinationConfig?.OnFailure?.Destination === undefined ? undefined : mapping.DestinationConfig;
}

/** `arn:…:function:<name>[:<version or alias>]`. */
const readerIn = ({ FunctionArn = '' }: EventSourceMappingConfiguration): string => FunctionArn.split(':function:')[1] ?? FunctionArn;
const tableIn = (stream: string): string => /:table\/([^/]+)\/stream\//.exec(stream)?.[1] ?? '';
const isOf = (mapping: EventSourceMappingConfiguration, { reader, stream }: StreamReader): boolean => readerIn(mapping) === reader && mapping.EventSourceArn === stream;
