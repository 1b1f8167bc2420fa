/** The measuring half of restore-table.ts: the same records in turn by BatchWriteItem, at several numbers of requests in flight, and by the operation behind `intact restore`. */
import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { dynamoDbClient, itemOf } from '../src/adapters/aws/dynamodb';
import { restoreTarget } from '../src/adapters/aws/restore-target';
import type { Image } from '../src/core/image';
import { RECORDS_TABLE } from '../src/core/records-table';
import { inParallel } from '../src/operations/in-parallel';
import { loadSecrets } from '../src/operations/load-secrets';
import { applyRestore, planRestore } from '../src/operations/restore-records';
import { subjectKeys } from '../src/operations/subject-keys';
import type { TableSettings } from '../src/ports/restore-target';
import { recordsWorld } from './restore-fixture';
import { median, versus } from './side-by-side';

const RECORDS = Number(process.env['BENCH_RECORDS'] ?? 4_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const IN_FLIGHT = [4, 16, 32];
const A_REQUEST = 25;
const SETTINGS: TableSettings = { stream: null, expires: null, pointInTimeRecovery: false, deletionProtection: false, encryptionKey: null, billing: 'on-demand', indexes: RECORDS_TABLE.indexes, tags: [] };

async function main(): Promise<void> {
  const client = dynamoDbClient();
  const world = await recordsWorld(RECORDS);
  const images: Image[] = [];
  for await (const image of world.records.scan()) images.push(image);
  const chunks = Array.from({ length: Math.ceil(images.length / A_REQUEST) }, (_, i): WriteRequest[] => images.slice(i * A_REQUEST, (i + 1) * A_REQUEST).map((image) => ({ PutRequest: { Item: itemOf(image) } })));

  /** In a table of its own, which is made before and dropped after. */
  const timed = async (name: string, work: (table: string) => Promise<void>, isMade: boolean): Promise<number> => {
    const target = restoreTarget(client, `intact-bench-${process.pid}-${name}`);
    if (isMade) await target.create(SETTINGS);
    const start = performance.now();
    await work(target.name);
    const seconds = (performance.now() - start) / 1000;
    let n = 0;
    for await (const _ of target.scan()) n++;
    if (n !== images.length) throw new Error(`${n} of ${images.length} records arrived`);
    if (isMade) await target.drop();
    return seconds;
  };
  const written = (inFlight: number, round: number): Promise<number> =>
    timed(`write-${inFlight}-${round}`, async (table) => {
      await inParallel(chunks, inFlight, async (chunk) => {
        for (let left = chunk; left.length > 0; ) left = (await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }))).UnprocessedItems?.[table] ?? [];
      });
    }, true);
  const restored = (round: number): Promise<number> => {
    const target = restoreTarget(client, `intact-bench-${process.pid}-restore-${round}`);
    return timed(`restore-${round}`, async () => {
      const secrets = loadSecrets(world);
      const deps = { vault: world.vault, subjectKeys: subjectKeys({ ...world, kek: secrets.kek }), macKeys: await secrets.macKeys(), target, now: () => new Date() };
      await applyRestore(deps, await planRestore(deps, { settings: SETTINGS }));
    }, false).finally(() => target.drop());
  };

  const times = { restore: [] as number[], writes: IN_FLIGHT.map(() => [] as number[]) };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, n] of IN_FLIGHT.entries()) times.writes[i]!.push(await written(n, round));
    times.restore.push(await restored(round));
  }
  console.log(`${images.length.toLocaleString('en')} records; ${ROUNDS} rounds, medians; making the table is part of the restore, not of the writes`);
  const best = Math.min(...times.writes.map(median));
  console.log(versus(`restore, the best of ${IN_FLIGHT.join(', ')} requests in flight`, images.length, median(times.restore), best));
  process.exit(0);
}

void main();
