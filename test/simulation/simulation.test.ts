/**
 * A whole deployment in one process, by a virtual clock and a seed: Meta sends twice, out of order, and again after every lost reply; containers are throttled, cut off and
 * killed at any call; several shards are sealed at once; bits flip on the way, where a checksum refuses them, and at rest, where no stream tells of it; in some lives somebody is erased, at any time.
 * Whatever happened, once the faults stop everything converges to what a Map was told: each message once, sealed once, published, verifiable, and restorable to exactly the table; and of who was erased nothing
 * that was there before, in the table or under any key that is left.
 */
import { createHash } from 'node:crypto';
import { Killed, type Fault, type OnCall } from '../../src/adapters/memory/process';
import { seededDraw, seededSchedule } from '../../src/adapters/memory/schedule';
import { memoryKeyInventory } from '../../src/adapters/memory/key-inventory';
import { memoryRecordRepairs } from '../../src/adapters/memory/record-repairs';
import { memoryRepairRequests } from '../../src/adapters/memory/repair-requests';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { canonicalImage } from '../../src/core/canonical-image';
import { bytesOf, keyOf, stringOf, type Image } from '../../src/core/image';
import { auditTable } from '../../src/operations/audit-table';
import { loadSecrets } from '../../src/operations/load-secrets';
import { memoryKeyErasure } from '../../src/adapters/memory/key-erasure';
import { memoryViews } from '../../src/adapters/memory/view-store';
import { isTombstone } from '../../src/core/tombstone';
import { advanceErasures } from '../../src/operations/erasure/advance-erasures';
import { askErasure, confirmErasure } from '../../src/operations/staff/erasures';
import { publishedCheckpoint } from '../../src/operations/published-entries';
import { publishLog } from '../../src/operations/publish-log';
import { receiveDelivery } from '../../src/operations/receive-delivery';
import { repairRecords } from '../../src/operations/repair-record';
import { replayLog } from '../../src/operations/replay-log';
import { sealMissing } from '../../src/operations/seal-missing';
import { sealRecords } from '../../src/operations/seal-records';
import { subjectKeys } from '../../src/operations/subject-keys';
import { verifyVault } from '../../src/operations/verify-vault';
import { PortError, type StreamEvent } from '../../src/ports';
import { figure } from '../figures';
import { tableOf } from '../operations/audited-world';
import { ALICE, authorize, BOB, EVERY_MS } from '../operations/erasure/erasing-world';
import { APP_SECRET, contact, delivery, signed, text, type Person } from '../operations/receiving-world';
import { forEachSeed } from '../seeds';
import { makeWorld, type World } from '../world';

/** How bad this life is; drawn anew for each seed, up to the worst of the design. */
interface Weather {
  readonly duplicate: number;
  readonly lostReply: number;
  readonly throttle: number;
  readonly kill: number;
  readonly flip: number;
  readonly shards: number;
  /** Whether somebody is erased. */
  readonly erases: boolean;
}

const weatherOf = (draw: () => number): Weather => ({ duplicate: draw() * 0.5, lostReply: draw() * 0.3, throttle: draw() * 0.1, kill: draw() * 0.1, flip: draw() * 0.1, shards: 1 + Math.floor(draw() * 4), erases: draw() < 0.3 });

/** One call in so many meets a fault: the weather is per operation, and an operation has several calls. */
const CALLS_AN_OPERATION = 8;

function faultsOf(draw: () => number, { lostReply, throttle, kill, flip }: Weather): OnCall {
  return () => {
    const chance = draw() * CALLS_AN_OPERATION;
    if (chance < kill) return draw() < 0.5 ? 'kill-before' : 'kill-after';
    if (chance < kill + throttle) return 'throttle';
    if (chance < kill + throttle + lostReply) return draw() < 0.7 ? 'error-after' : 'timeout';
    // Flipped in transfer: every put carries a checksum, and what does not fit it is refused.
    if (chance < kill + throttle + lostReply + flip) return 'error-before';
    return undefined;
  };
}

/** A message as Meta would deliver it, alone or with others. */
interface Sent {
  readonly id: string;
  readonly person: Person;
  readonly body: string;
}

const PEOPLE: readonly Person[] = [{ waId: '15550000001' }, { waId: '15550000002', bsuid: 'US.13491208655302741918' }, { bsuid: 'DE.77777777777777777777' }, { waId: '15550000003' }];
const shardOf = (event: StreamEvent, shards: number): number => createHash('sha256').update(event.key.pk).digest().readUInt32BE() % shards;

/** One bit of it is another. */
function flipped(value: Image[string], draw: () => number): Image[string] {
  const bytes = 'B' in value ? Buffer.from(value.B as Uint8Array) : Buffer.from((value as { S: string }).S);
  const at = Math.floor(draw() * bytes.length);
  // The lowest bit of an ASCII character leaves UTF-8 well-formed, so that a store which holds strings can hold it.
  if (bytes.length === 0) return 'B' in value ? { B: Buffer.of(1) } : { S: '!' };
  bytes[at] = (bytes[at] as number) ^ 1;
  return 'B' in value ? { B: bytes } : { S: bytes.toString() };
}

/** Runs one container; a failure of its world or its death is what a caller of it sees, anything else is a bug. */
async function container<T>(world: World, onCall: OnCall | undefined, run: (ports: World) => Promise<T>): Promise<T | 'failed'> {
  const process = world.process(onCall);
  try {
    return await run({ ...world, ...process.ports } as World);
  } catch (error) {
    if (error instanceof Killed || error instanceof PortError) return 'failed';
    throw error;
  } finally {
    await process.settle();
  }
}

async function receive(ports: World, sent: readonly Sent[]): Promise<boolean> {
  const secrets = loadSecrets(ports);
  const body = delivery({ contacts: sent.map(({ person }) => contact(person)), messages: sent.map(({ id, body: words, person }) => text(id, words, person)) });
  const appSecrets = { current: async () => ({ appSecrets: [APP_SECRET], verifyToken: '' }), refresh: async () => ({ appSecrets: [APP_SECRET], verifyToken: '' }) };
  const outcome = await receiveDelivery({ ...ports, secrets: appSecrets, keys: { macKeys: secrets.macKeys, dedupeKey: secrets.dedupeKey }, accounts: new Map(), ownerCache: undefined }, signed(body));
  return outcome.outcome !== 'refused';
}

class Deployment {
  readonly sent = new Map<string, Sent>();
  private readonly outbox: Sent[][] = [];
  /** Records in which a bit flipped. */
  readonly decayed = new Set<string>();
  /** Who goes, in a life that erases; their customers, as far as anybody asked; and their messages that were recorded when it was confirmed. */
  readonly leaver: Person | undefined;
  readonly leavers = new Set<string>();
  readonly gone = new Set<string>();
  /** Of each shard, how far its mapping has come. */
  private readonly read: number[];

  constructor(
    readonly world: World,
    private readonly draw: () => number,
    private readonly weather: Weather,
  ) {
    this.read = Array.from({ length: weather.shards }, () => 0);
    if (weather.erases) this.leaver = PEOPLE[Math.floor(draw() * PEOPLE.length)];
  }

  /** What Meta will send: messages alone and in batches, some of them twice, in any order. */
  compose(n: number): void {
    for (let i = 0; i < n; ) {
      const batch = Array.from({ length: 1 + Math.floor(this.draw() * 3) }, () => {
        const sent = { id: `wamid.${i++}`, person: PEOPLE[Math.floor(this.draw() * PEOPLE.length)] as Person, body: `words of ${i}.` };
        this.sent.set(sent.id, sent);
        return sent;
      });
      this.outbox.push(batch);
      if (this.draw() < this.weather.duplicate) this.outbox.push(this.draw() < 0.5 ? batch : batch.slice(0, 1));
    }
    for (let i = this.outbox.length - 1; i > 0; i--) {
      const j = Math.floor(this.draw() * (i + 1));
      [this.outbox[i], this.outbox[j]] = [this.outbox[j] as Sent[], this.outbox[i] as Sent[]];
    }
  }

  get waits(): boolean {
    return this.outbox.length > 0 || this.read.some((position, shard) => position < this.eventsOf(shard).length);
  }

  private eventsOf(shard: number): readonly StreamEvent[] {
    return this.world.stream.filter((event) => shardOf(event, this.weather.shards) === shard);
  }

  /** One delivery; Meta sends it again until it is answered. */
  async deliver(onCall?: OnCall): Promise<void> {
    const batch = this.outbox.shift();
    if (batch === undefined) return;
    const answered = await container(this.world, onCall, (ports) => receive(ports, batch));
    if (answered !== true) this.outbox.push(batch);
  }

  /** One batch of a shard's mapping: from where it stands, as long as it likes, again until it succeeds. */
  async seal(shard: number, onCall?: OnCall): Promise<void> {
    const from = this.read[shard] as number;
    const events = this.eventsOf(shard).slice(from, from + 1 + Math.floor(this.draw() * 20));
    if (events.length === 0) return;
    const done = await container(this.world, onCall, (ports) => sealRecords(this.world.sealer({ ports, calls: [], settle: async () => undefined }), events));
    if (done !== 'failed') this.read[shard] = Math.max(this.read[shard] as number, from + events.length);
  }

  /** One bit of one record at rest, as no stream shows it. */
  decay(): void {
    const { byHand } = this.world.records;
    // What decayed of somebody who is erased before it was found can be put back no more: an audit has to come first, and here none does.
    const isOfLeaver = (image: Image): boolean => this.leaver !== undefined && (stringOf(image, 'customerId') !== undefined || isTombstone(image));
    const all = byHand.all().filter((image) => !this.decayed.has(JSON.stringify(keyOf(image))) && !isOfLeaver(image));
    const image = all[Math.floor(this.draw() * all.length)];
    if (image === undefined) return;
    const names = Object.keys(image).filter((name) => !['pk', 'sk'].includes(name) && ['S', 'B'].some((type) => type in (image[name] as object)));
    const name = names[Math.floor(this.draw() * names.length)] as string;
    byHand.decay({ ...image, [name]: flipped(image[name] as Image[string], this.draw) });
    this.decayed.add(JSON.stringify(keyOf(image)));
  }

  /** Two officers have the leaver erased, if there is one by now and nobody did; a reply that is lost leaves them to try again. */
  async erase(onCall?: OnCall): Promise<void> {
    if (this.leaver === undefined || this.leavers.size > 0) return;
    const theirs = await this.messagesOf(this.leaver);
    const customerId = stringOf(theirs[0], 'customerId');
    if (customerId === undefined) return;
    const secrets = loadSecrets(this.world);
    const confirmed = await container(this.world, onCall, async (ports) => {
      const staff = { ...ports, keys: secrets, authorize, identity: async () => this.world.identity };
      const asked = await askErasure(staff, ALICE, { customerId, reason: 'a letter' });
      const there = await ports.records.get({ pk: 'erasure-request', sk: customerId }, { consistent: true });
      const requestId = asked.outcome === 'done' ? asked.value.requestId : there === 'absent' ? '' : stringOf(there, 'requestId') ?? '';
      return (await confirmErasure(staff, BOB, { customerId, requestId })).outcome;
    });
    // Refused: an earlier attempt did it, and its reply was lost. Failed: it may have done it all the same, and then nobody has to come back.
    if (confirmed === 'failed' && !this.world.stream.some(({ key, newImage }) => key.pk === 'erasure-request' && key.sk === customerId && stringOf(newImage, 'state') === 'confirmed')) return;
    this.leavers.add(customerId);
    for (const image of theirs) if (stringOf(image, 'customerId') === customerId) this.gone.add(stringOf(image, 'messageId') as string);
  }

  private async messagesOf(person: Person): Promise<readonly Image[]> {
    const found: Image[] = [];
    for await (const image of this.world.records.scan({ kinds: ['message'] })) if (this.sent.get(stringOf(image, 'messageId') ?? '')?.person === person) found.push(image);
    return found;
  }

  /** One run of the schedule of erasures; 'over': nothing is left for it to do. */
  async forget(onCall?: OnCall): Promise<'over' | 'goes on'> {
    const progress = await container(this.world, onCall, (ports) => advanceErasures({ ...ports, views: this.views, keyErasure: memoryKeyErasure(ports.records, this.world.keys) }));
    return progress !== 'failed' && progress.every(({ waiting }) => waiting === 'done') ? 'over' : 'goes on';
  }
  private readonly views = memoryViews();

  /** A day and more goes by: what the stream cannot tell of is sealed as it is, found by the audit, and put back. */
  async heal(): Promise<void> {
    const requests = memoryRepairRequests();
    const ports = { ...this.world, repairRequests: requests, repairs: memoryRecordRepairs(this.world.records) };
    const rest = async (): Promise<void> => {
      while (this.waits) for (let shard = 0; shard < this.weather.shards; shard++) await this.seal(shard);
      await this.publish();
    };
    const deps = { ...ports, table: tableOf(this.world.records), inventory: memoryKeyInventory(this.world.keys), ask: requests.ask, sleep: async (ms: number) => (this.world.advance(ms), rest()) };
    for (let day = 0; day < 5; day++) {
      await rest();
      await this.end(rest);
      const { findings, waiting } = await auditTable(deps);
      await rest();
      const asked = requests.asked.splice(0);
      for (const attempt of await repairRecords({ ...ports, sleep: deps.sleep }, asked)) if (attempt.status === 'rejected') throw attempt.reason;
      await rest();
      await sealMissing(ports);
      await rest();
      if (findings === 0 && waiting === 0 && asked.length === 0) return;
      this.world.advance(26 * 3_600_000);
    }
    throw new Error('it does not heal within five days');
  }

  /** What was asked for comes to its end, or to where somebody has to look first. */
  async end(rest: () => Promise<void>): Promise<void> {
    for (let run = 0; run < 40 && (await this.forget()) === 'goes on'; run++) {
      await rest();
      this.world.advance(EVERY_MS);
    }
    await rest();
  }

  publish(onCall?: OnCall): Promise<unknown> {
    return container(this.world, onCall, (ports) => publishLog(this.world.publisher({ ports, calls: [], settle: async () => undefined })));
  }
}

async function live(seed: number, n: number): Promise<Deployment> {
  const draw = seededDraw(seed);
  const weather = weatherOf(draw);
  const world = await makeWorld({ seed });
  const deployment = new Deployment(world, draw, weather);
  deployment.compose(n);
  // Bad weather: whatever runs together takes turns at its port calls.
  for (let tick = 0; tick < n && deployment.waits; tick++) {
    const schedule = seededSchedule(seed * 1_000 + tick);
    const faults = faultsOf(draw, weather);
    const glass: OnCall = async (call): Promise<Fault | undefined> => {
      await schedule.turn();
      return faults(call);
    };
    const shards = Array.from({ length: weather.shards }, (_, shard) => () => deployment.seal(shard, glass));
    const tasks = [() => deployment.deliver(glass), () => deployment.deliver(glass), ...shards, ...(draw() < 0.3 ? [() => deployment.publish(glass).then(() => undefined)] : [])];
    if (weather.erases && draw() < 0.2) tasks.push(() => deployment.erase(glass));
    if (weather.erases && draw() < 0.5) tasks.push(() => deployment.forget(glass).then(() => undefined));
    const settled = await schedule.run<void>(tasks);
    for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
    if (draw() < weather.flip) deployment.decay();
    world.advance(Math.floor(draw() * (weather.erases ? 12 * 60_000 : 30_000)));
  }
  // The weather clears.
  while (deployment.waits) {
    await deployment.deliver();
    for (let shard = 0; shard < weather.shards; shard++) await deployment.seal(shard);
  }
  await deployment.publish();
  await deployment.erase();
  await deployment.heal();
  return deployment;
}

async function isWhole({ world, sent: all, decayed, leaver, leavers, gone }: Deployment): Promise<void> {
  const messages: Image[] = [];
  for await (const image of world.records.scan({ kinds: ['message'] })) messages.push(image);
  const there = new Set(messages.map((image) => stringOf(image, 'messageId')));
  const sent = new Map([...all].filter(([id, { person }]) => there.has(id) || person !== leaver || leavers.size === 0));
  // What came between the confirmation and the freeze went along, what came behind it is there: with the tombstones that is all there ever was.
  expect([...gone].filter((id) => there.has(id))).toEqual([]);
  const tombstones: Image[] = [];
  for await (const image of world.records.scan({ kinds: ['tombstone'] })) tombstones.push(image);
  expect(tombstones.filter((image) => stringOf(image, 'sk')?.endsWith('#message'))).toHaveLength(all.size - sent.size);
  const readable = world.entries().flatMap(({ entry }) => world.open(entry)?.toString('latin1') ?? []).map((text) => text + [...text.matchAll(/"B":"([^"]*)"/g)].map(([, bytes]) => Buffer.from(bytes as string, 'base64').toString('latin1')).join(' '));
  for (const [id, { body }] of all) expect([id, readable.some((text) => text.includes(body))]).toEqual([id, sent.has(id)]);
  expect(messages.map((image) => [stringOf(image, 'messageId'), (JSON.parse(Buffer.from(bytesOf(image, 'raw') as Uint8Array).toString()) as { text: { body: string } }).text.body]).sort()).toEqual([...sent.values()].map(({ id, body }) => [id, body]).sort());
  const owners = new Map<string, Set<string | undefined>>();
  for (const image of messages) {
    const { person } = sent.get(stringOf(image, 'messageId') as string) as Sent;
    const name = JSON.stringify(person);
    owners.set(name, (owners.get(name) ?? new Set()).add(stringOf(image, 'customerId')));
  }
  // A name or a profile that is not genuine decides nothing, so until it is put back its person is met as somebody new: no message is lost, and people can be merged.
  const strangers = [...decayed].filter((name) => /"pk":"[ac]#/.test(name)).length;
  for (const [person, customers] of owners) expect([person, customers.size <= 1 + strangers + leavers.size]).toEqual([person, true]);
  expect(world.check()).toEqual([]);
  expect((await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] })).findings).toEqual([]);
  await isRestorable(world);
}

async function isRestorable(world: World): Promise<void> {
  const secrets = loadSecrets(world);
  const restored = new Map<string, string>();
  const deps = { vault: world.vault, subjectKeys: subjectKeys({ ...world, kek: secrets.kek }), macKeys: await secrets.macKeys() };
  await replayLog(deps, { checkpoint: await publishedCheckpoint(world.vault) }, async ({ image }) => void restored.set(JSON.stringify(keyOf(image)), canonicalImage(image).toString()));
  const there = new Map<string, string>();
  for await (const image of world.records.scan()) there.set(JSON.stringify(keyOf(image)), canonicalImage(image).toString());
  expect(new Map([...restored].sort())).toEqual(new Map([...there].sort()));
}

let [lived, flips, erased] = [0, 0, 0];
afterAll(() => figure('simulated deployments: duplicates, reordering, lost replies, throttling, kills, several shards, bits flipped on the way and at rest, people erased', `${lived} lives, ${flips} records flipped at rest, ${erased} people erased, each life converged to the model`));

test('whatever the weather, a deployment converges to what was sent', async () => {
  await forEachSeed('lives of a deployment', process.env['INTACT_FULL'] ? 50 : 30, async (seed) => {
    const deployment = await live(seed, 24);
    await isWhole(deployment);
    lived++;
    flips += deployment.decayed.size;
    erased += deployment.leavers.size;
  });
}, 1_800_000);
