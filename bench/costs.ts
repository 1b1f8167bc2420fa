/**
 * `npm run bench -- costs`: what a message costs at list price, and what watching over a million of them does. Requests are counted, not guessed: the real operations run against the in-memory ports and every
 * call is turned into the AWS requests and units its adapter makes. Also the growth of that cost from ten thousand to ten million entries.
 * Prices are in prices.ts; check them before you rely on a dollar figure, the counts stay.
 */
import { stringOf, type Image } from '../src/core/image';
import { extendTree, levelCount, partialObjects, partialWidth, type TreeEdge } from '../src/core/log/tiles';
import { encodeEntries } from '../src/core/log/bundle';
import { viewsOf } from '../src/core/views';
import { FACTS } from '../lib/constructs/replica';
import { publishLog } from '../src/operations/publish-log';
import { sealRecords } from '../src/operations/seal-records';
import { indexBytes as bytesInIndex, itemBytes as bytesOfItem, writeUnits } from '../test/item-bytes';
import { makeWorld, subjectNamed, type World } from '../test/world';
import { receivingWorld } from '../test/operations/receiving-world';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PortCall } from '../src/adapters/memory/process';
import { METRIC_NAMES } from '../src/core/metric-names';
import { alarmRegistry } from '../lib/constructs/alarm-registry';
import { readStage } from '../lib/stage';
import { compute, type Counts, dollars, money, PRICE, scaled, sum } from './prices';
import { printWatchingCosts, watchingCosts } from './watching-costs';

/** Assumed, because only AWS can tell: billed milliseconds, at the memory lib gives these functions. */
const BILLED = { receive: { ms: 30, GB: 0.5 }, sealPerRound: { ms: 120, GB: 1 }, sealPerEntry: { ms: 0.3, GB: 1 }, publishPerRound: { ms: 250, GB: 0.5 }, project: { ms: 15, GB: 0.25 } } as const;

/** What the adapters send for one call of a port. `entries`: changes in the round; marks are 16 bytes each in the items of their minutes. */
function requestsOf({ port, method }: PortCall, entries: number): Counts {
  switch (`${port}.${method}`) {
    case 'vault.getMutable':
    case 'vault.get':
      return { get: 1 };
    case 'vault.createLocked':
    case 'vault.createPartial':
    case 'vault.replaceMutable':
    case 'vault.list':
      return { put: 1 };
    case 'vault.deletePartial':
      return {}; // deletes cost nothing
    case 'log.readHead':
    case 'log.sealedMarks':
    case 'log.rounds':
    case 'log.identity':
    case 'keys.get':
    case 'keys.getSecret':
      return { read: 1 };
    case 'log.commitRound':
      // A transaction costs double: the head (under 2 KB at any size), the round, the marks.
      return { write: 2 * (2 + 1 + writeUnits(100 + 17 * entries)) };
    case 'keys.create':
      return { write: 1 };
    case 'signer.sign':
      return { sign: 1 };
    case 'keyService.unwrap':
    case 'signer.publicKey':
      return {}; // once per container
    default:
      throw new Error(`${port}.${method} has no price: say what it sends`);
  }
}

/** Requests of sealing and publishing one round of `k` changes of known people, the median of several rounds. */
async function roundOf(k: number): Promise<Counts> {
  const world: World = await makeWorld({ seed: 11 });
  const process = world.process();
  const [sealer, publisher] = [world.sealer(process), world.publisher(process)];
  const people = Array.from({ length: 20 }, (_, i) => subjectNamed(`person ${i}`));
  const round = async (name: string): Promise<void> => {
    const from = world.stream.length;
    for (let i = 0; i < k; i++) await world.write(world.message(`${name} ${i}`, { subject: { S: people[i % people.length] as string } }));
    await sealRecords(sealer, world.stream.slice(from));
    await publishLog(publisher);
  };
  for (let i = 0; i < 25; i++) await round(`warm ${i}`); // every person's key is known
  const before = process.calls.length;
  const rounds = 25;
  for (let i = 0; i < rounds; i++) await round(`counted ${i}`);
  return scaled(sum(...process.calls.slice(before).map((call) => requestsOf(call, k)), { lambdaRequest: 2 * rounds }), 1 / rounds);
}

/** One inbound text of a known customer: the webhook, the projection. */
async function messageOf(): Promise<{ readonly receive: Counts; readonly views: Counts; readonly itemBytes: number; readonly indexBytes: number }> {
  const world = receivingWorld();
  const body = (id: string): string =>
    JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' }, contacts: [{ profile: { name: 'Bench Person' }, wa_id: '15550001111', user_id: 'US.1349120865530274' }], messages: [{ from: '15550001111', from_user_id: 'US.1349120865530274', id, timestamp: '1749416383', type: 'text', text: { body: 'x'.repeat(700) } }] } }] }] });
  const process = world.process();
  await process.receive(body('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA='));
  const before = process.calls.length;
  const id = 'wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgB=';
  await process.receive(body(id));
  const calls = process.calls.slice(before).map(({ port, method }) => `${port}.${method}`);
  if (calls.join() !== 'records.get,records.create') throw new Error(`a text of a known customer makes other calls than stated: ${calls.join()}`);
  const record = (await world.scan('message')).find((image) => stringOf(image, 'messageId') === id) as Image;
  const [itemBytes, indexBytes] = [bytesOfItem(record), bytesInIndex(record)];
  const views = viewsOf(record).length;
  return {
    receive: { httpApi: 1, lambdaRequest: 1, read: 0.5, write: writeUnits(itemBytes) + writeUnits(indexBytes) },
    // Each view: its mark and its change in one transaction, double units.
    views: { lambdaRequest: 0.1, write: views * 4 },
    itemBytes,
    indexBytes,
  };
}

/** Replicas of one round of `k` changes, and their bytes: what of the facts the sealer and the publisher put, counted in the vault itself. */
async function replicasOf(k: number): Promise<{ readonly replicas: number; readonly bytes: number }> {
  const world = await makeWorld({ seed: k });
  const process = world.process();
  const facts = (): (readonly [string, Buffer])[] => [...world.vault.objects].filter(([name]) => FACTS.some((fact) => name.startsWith(fact)));
  const round = async (name: string): Promise<void> => {
    const from = world.stream.length;
    for (let i = 0; i < k; i++) await world.write(world.message(`${name} ${i}`, { text: { S: 'x'.repeat(700) }, raw: { B: Buffer.alloc(850, 120) } }));
    await sealRecords(world.sealer(process), world.stream.slice(from));
    await publishLog(world.publisher(process));
  };
  await round('first');
  const before = facts().length;
  const bytesBefore = facts().reduce((total, [, bytes]) => total + bytes.length, 0);
  await round('counted');
  return { replicas: facts().length - before, bytes: facts().reduce((total, [, bytes]) => total + bytes.length, 0) - bytesBefore };
}

/** Objects put by publishing `rounds` rounds of `k` entries onto a log of `size`, per entry; the hashes are made up, the code is the publisher's. */
function putsPerEntry(size: number, k: number, rounds: number): number {
  const levels = levelCount(size);
  const tiles = Array.from({ length: Math.max(1, levels) }, (_, level) => Buffer.alloc(32 * partialWidth(size, level), level + 1));
  const entry = Buffer.alloc(600, 7);
  let edge: TreeEdge = { size, tiles, bundle: encodeEntries(Array.from({ length: size % 256 }, () => entry)) };
  let seen = new Set(partialObjects(edge).map(({ name }) => name));
  let puts = 0;
  for (let i = 0; i < rounds; i++) {
    const extension = extendTree(edge, encodeEntries(Array.from({ length: k }, () => entry)));
    edge = extension.edge;
    const partials = partialObjects(edge).map(({ name }) => name);
    // A partial object whose width did not change is there already; segment, signed copy and checkpoint come with every round.
    puts += extension.full.length + partials.filter((name) => !seen.has(name)).length + 3;
    seen = new Set(partials);
  }
  return puts / (rounds * k);
}

/** Verification, audit, snapshot: lib/constructs/whole-vault.ts. */
const MACHINES = 3;

async function main(): Promise<void> {
  const { receive, views, itemBytes, indexBytes } = await messageOf();
  console.log('One inbound text of 700 characters from a known customer');
  console.log(`  read requests 1 (0.5 units), write requests 1, item ${itemBytes} B, index ${indexBytes} B: ${receive.write} write units (budget: 4)\n`);
  console.log('Dollars for a million messages, by changes in a sealing round');
  console.log('| part | 1 | 10 | 1,000 |\n|---|---:|---:|---:|');
  const sizes = [1, 10, 1_000];
  const rounds = await Promise.all(sizes.map(roundOf));
  const row = (name: string, cells: readonly number[]): void => console.log(`| ${name} | ${cells.map(money).join(' | ')} |`);
  const receiving = 1e6 * (dollars(receive) + compute(BILLED.receive));
  const projecting = 1e6 * (dollars(views) + 0.1 * compute(BILLED.project));
  const sealing = rounds.map((round, i) => (1e6 / (sizes[i] as number)) * (dollars(round) + compute(BILLED.sealPerRound) + compute(BILLED.publishPerRound)) + 1e6 * compute(BILLED.sealPerEntry));
  row('receive: API, Lambda, one read, one write', sizes.map(() => receiving));
  row('views: three, idempotent', sizes.map(() => projecting));
  row('seal and publish', sealing);
  row('**together**', sealing.map((each) => each + receiving + projecting));
  const second = await Promise.all(sizes.map(replicasOf));
  const replicating = second.map(({ replicas, bytes }, i) => (1e6 / (sizes[i] as number)) * (replicas * PRICE.replica + (bytes / 1e9) * PRICE.transferGB));
  row('second region, where there is one: replicas, transfer', replicating);
  console.log(`Replicas of a round: ${second.map(({ replicas, bytes }) => `${replicas} (${bytes} B)`).join(', ')}`);
  const gigabytes = (1e6 / 1_000) * ((second[2] as { bytes: number }).bytes / 1e9);
  console.log(`Second region, beside it: ${gigabytes.toFixed(2)} GB for a million messages, ${money(gigabytes * PRICE.storedGBMonth)} a month; ${money(FACTS.length * 4 * PRICE.metric + (2 * FACTS.length + 1) * PRICE.alarm + 2 * PRICE.key)} a month for metrics, alarms and keys`);
  console.log('\nRequests of one round (seal + publish)');
  console.log('| | 1 | 10 | 1,000 |\n|---|---:|---:|---:|');
  for (const unit of ['read', 'write', 'put', 'get', 'sign'] as const) console.log(`| ${unit} | ${rounds.map((round) => (round[unit] ?? 0).toFixed(1)).join(' | ')} |`);
  const [stages, lambdas] = [join(__dirname, '../stages'), readdirSync(join(__dirname, '../lambdas')).length];
  const prod = readStage('prod', stages);
  // Those of the second region are told apart above; of each function there is one.
  const alarms = alarmRegistry(prod).filter(({ source }) => !('replication' in source)).reduce((n, { source }) => n + ('of' in source && source.of === 'each' ? ('machine' in source ? MACHINES : lambdas) : 1), 0);
  // Rounds are bounded by the sealing window: at most one a second however many messages come.
  const perRound = dollars(rounds[0] ?? {}) + compute(BILLED.sealPerRound) + compute(BILLED.publishPerRound);
  console.log(`\nA quiet month: ${money(30 * 96 * perRound)} for heartbeats every 15 minutes; fixed: keys, secret, alarms, metrics ${money(6 * PRICE.key + PRICE.secret + alarms * PRICE.alarm + METRIC_NAMES.length * PRICE.metric)} (${alarms} alarms, ${METRIC_NAMES.length} metrics)`);
  console.log(`The most that sealing can cost in a month, a round every second: ${money(30 * 86_400 * perRound)} and ${money(1e6 * compute(BILLED.sealPerEntry))} for every million entries`);
  printWatchingCosts(await watchingCosts(), prod);
  console.log('\nGrowth: objects put per entry, rounds of 10 entries, 2,000 rounds');
  const [small, large] = [putsPerEntry(10_000, 10, 2_000), putsPerEntry(10_000_000, 10, 2_000)];
  console.log(`  at 10 thousand ${small.toFixed(4)}, at 10 million ${large.toFixed(4)}, ratio ${(large / small).toFixed(3)}   target ≤ 1.1 ${large / small <= 1.1 ? 'reached' : 'MISSED'}`);
}

void main();
