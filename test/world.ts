/**
 * One world in memory: tables, vault, keys, a clock and randomness from a seed, and the operations as containers run them. `check()` re-derives everything that
 * must hold from the stores alone, by the plainest means there are, and knows nothing of the code it checks but the formats.
 */
import { createHash, createHmac, createDecipheriv, hkdfSync } from 'node:crypto';
import { memoryInbox } from '../src/adapters/memory/inbox';
import { memoryKeyService, memoryKeyTable, memorySigner } from '../src/adapters/memory/keys';
import { memoryLog } from '../src/adapters/memory/log-store';
import { memoryMeter } from '../src/adapters/memory/meter';
import { memoryProcess, type MemoryProcess, type OnCall } from '../src/adapters/memory/process';
import { memoryRecords } from '../src/adapters/memory/record-store';
import { seededRandom } from '../src/adapters/memory/schedule';
import { memoryVault } from '../src/adapters/memory/vault';
import { canonicalImage } from '../src/core/canonical-image';
import { parseEntry, type Entry } from '../src/core/entry';
import { stringOf, type Image } from '../src/core/image';
import { withMac, type MacKey } from '../src/core/record-mac';
import { beat, makeHeart } from '../src/operations/beat';
import { initializeLog } from '../src/operations/initialize-log';
import { makePublisher, publishLog, type Publisher, type PublishOutcome } from '../src/operations/publish-log';
import { makeSealer, sealRecords, type Sealer, type SealOutcome } from '../src/operations/seal-records';
import type { LogIdentity, Sleep, StreamEvent } from '../src/ports';
import { naiveRoot, naiveTiles } from './naive-log';

export interface WorldOptions {
  readonly seed: number;
  readonly startMs?: number;
}

/** A subject as receive would make one: 22 characters. */
export const subjectNamed = (name: string): string => createHash('sha256').update(name).digest('base64url').slice(0, 22);

export type World = Awaited<ReturnType<typeof makeWorld>>;

export async function makeWorld({ seed, startMs = Date.parse('2026-02-03T04:05:06.789Z') }: WorldOptions) {
  const random = seededRandom(seed);
  let nowMs = startMs;
  const now = (): Date => new Date(nowMs);
  const sleep: Sleep = async (ms) => {
    nowMs += ms;
  };
  const records = memoryRecords({ now, random });
  const log = memoryLog();
  const vault = memoryVault();
  const inbox = memoryInbox({ now });
  const keys = memoryKeyTable();
  const keyService = memoryKeyService({ random });
  const signer = memorySigner({ random });
  const meter = memoryMeter();
  const ports = { records, log, vault, inbox, keys, keyService, signer, meter, now, random, sleep };
  const identity: LogIdentity = await initializeLog(ports, 'example.com/test');
  const unwrap = async (name: 'mac' | 'kek'): Promise<Buffer> => keyService.unwrap(name, keys.secrets.get(name)?.wrapped[keyService.region] as Buffer);
  const macKey: MacKey = { id: 1, secret: await unwrap('mac') };
  const kek = await unwrap('kek');

  function subjectKeyOf(subject: string): Buffer | undefined {
    const row = keys.subjects.get(subject);
    if (row === undefined || typeof row === 'string') return undefined;
    const aad = Buffer.concat([Buffer.from(subject), Buffer.from([0, 0, 0, row.generation])]);
    const decipher = createDecipheriv('aes-256-gcm', kek, row.wrapped.subarray(0, 12)).setAAD(aad).setAuthTag(row.wrapped.subarray(-16));
    return Buffer.concat([decipher.update(row.wrapped.subarray(12, -16)), decipher.final()]);
  }

  const world = {
    ...ports,
    subjectKeyOf,
    identity,
    macKey,
    kek,
    stream: records.stream,
    advance: (ms: number): void => {
      nowMs += ms;
    },
    /** A process that sees this world through `onCall`. */
    process: (onCall?: OnCall): MemoryProcess<typeof ports> => memoryProcess(ports, onCall),
    sealer: (process: MemoryProcess<typeof ports> = memoryProcess(ports)): Sealer => makeSealer(process.ports),
    publisher: (process: MemoryProcess<typeof ports> = memoryProcess(ports)): Publisher => makePublisher(process.ports),
    seal: (events: readonly StreamEvent[] = records.stream): Promise<SealOutcome> => sealRecords(makeSealer(ports), events),
    publish: (): Promise<PublishOutcome> => publishLog(makePublisher(ports)),
    beat: () => beat(makeHeart(ports)),
    /** A record as handlers write it. */
    message: (id: string, attributes: Image = {}): Image =>
      withMac(macKey, {
        pk: { S: `m#${createHash('sha256').update(id).digest('base64url')}` },
        sk: { S: '1#message' },
        kind: { S: 'message' },
        rev: { N: '1' },
        subject: { S: subjectNamed('alice') },
        receivedAt: { S: now().toISOString() },
        text: { S: `text of ${id}` },
        ...attributes,
      }),
    /** A profile as the system would write it, at `rev`. */
    profile: (n: number, rev: number, words: string): Image =>
      withMac(macKey, {
        pk: { S: `c#${String(n).padStart(26, '0')}` },
        sk: { S: 'profile' },
        kind: { S: 'customer' },
        rev: { N: String(rev) },
        subject: { S: subjectNamed(`customer ${n}`) },
        words: { S: words },
      }),
    write: async (...images: readonly Image[]): Promise<void> => {
      for (const image of images) await records.create(image);
    },
    /** Every entry of the log with its bytes, from the segments the rounds name. */
    entries: (): readonly { readonly bytes: Buffer; readonly entry: Entry }[] => {
      const rounds = [...log.tables.rounds.values()].sort((a, b) => a.from - b.from);
      return rounds.flatMap(({ segment }) => split(vault.objects.get(segment) as Buffer)).map((bytes) => ({ bytes, entry: parseEntry(bytes) }));
    },
    /** The JWE plaintext of an entry, opened without any code of ours; undefined when its key is erased. */
    open: (entry: Entry): Buffer | undefined => {
      if (entry.op !== 'put') return undefined;
      const key = subjectKeyOf(entry.subject);
      return key === undefined ? undefined : decrypt(key, entry.image ?? (vault.objects.get(`blob/${entry.blob}`) as Buffer).toString());
    },
    check: (options: { readonly published?: boolean; readonly all?: boolean } = {}): readonly string[] => check(world, options),
  };
  return world;
}

/** Everything wrong with the world, in words; empty is well. `published`: the checkpoint must state the head. `all`: every stream event must be sealed. */
function check(world: World, { published = true, all = true }: { readonly published?: boolean; readonly all?: boolean }): readonly string[] {
  const wrong: string[] = [];
  const demand = (holds: boolean, what: string): void => {
    if (!holds) wrong.push(what);
  };
  const { head } = world.log.tables;
  const entries = world.entries();
  const root = naiveRoot(entries.map(({ bytes }) => bytes));
  demand(head?.size === entries.length, `the head has ${head?.size} entries, the rounds ${entries.length}`);
  demand(head?.root.equals(root) === true, 'the head has another root than the entries');

  let next = 0;
  for (const round of [...world.log.tables.rounds.values()].sort((a, b) => a.from - b.from)) {
    const bytes = world.vault.objects.get(round.segment);
    demand(round.from === next, `a round begins at ${round.from}, the one before ends at ${next}`);
    demand(bytes !== undefined && round.segment === `segment/${String(round.from).padStart(20, '0')}/${sha256(bytes).toString('hex')}`, `${round.segment} is missing or misnamed`);
    next = round.from + round.n;
  }

  // The removal of an erased record and the tombstone in its place are one event.
  const sources = entries.filter(({ entry }, i) => entry.kind !== 'tombstone' || entries[i - 1]?.entry.op !== 'remove' || entries[i - 1]?.entry.src !== entry.src).map(({ entry }) => entry.src);
  demand(new Set(sources).size === sources.length, 'an event is sealed twice');
  if (all) for (const event of world.stream) demand(sources.includes(event.eventId), `event ${event.eventId} (${event.op} ${event.key.pk}) is not sealed`);
  demand(sources.every((src) => src.startsWith('late:') || world.stream.some(({ eventId }) => eventId === src)), 'an entry has a source that never was');

  for (const { entry } of entries) checkEntry(world, entry, demand);
  if (published) checkPublished(world, entries.map(({ bytes }) => bytes), demand);
  return wrong;
}

/** An entry says what its event was, and its JWE holds exactly that. */
function checkEntry(world: World, entry: Entry, demand: (holds: boolean, what: string) => void): void {
  const event = world.stream.find(({ eventId }) => eventId === entry.src);
  const key = world.subjectKeyOf(entry.subject);
  if (event === undefined || key === undefined) return;
  const idKey = Buffer.from(hkdfSync('sha256', key, '', 'id', 32));
  const id = createHmac('sha256', idKey).update(JSON.stringify(['records', event.key.pk, event.key.sk])).digest('base64url');
  demand(entry.id === id, `the entry of ${entry.src} has another id`);
  demand(entry.at === new Date(event.createdAtMs).toISOString(), `the entry of ${entry.src} has another time`);
  if (entry.op === 'remove') return demand(event.op === 'REMOVE' || stringOf(event.newImage, 'kind') === 'tombstone', `${entry.src} is no removal`);
  const plaintext = world.open(entry) as Buffer;
  demand(entry.commit === createHash('sha256').update('intact/v1').update(plaintext).digest('base64url'), `the entry of ${entry.src} commits to something else`);
  const expected = entry.kind === 'raw' ? event.raw : canonicalImage(event.newImage as Image);
  demand(plaintext.subarray(32).equals(expected), `the entry of ${entry.src} holds another image`);
  for (const { name, sha256: hash } of entry.objects ?? []) {
    const bytes = world.vault.objects.get(name);
    demand(bytes !== undefined && sha256(bytes).toString('hex') === hash, `${name} is missing or altered`);
    if (!name.startsWith('blob/')) continue; // what a record vouches for
    const body = event.newImage?.['contentSha256'];
    demand(bytes !== undefined && body !== undefined && 'B' in body && sha256(decrypt(key, bytes.toString())).equals(body.B), `${name} does not hold the record's content`);
  }
}

/** The vault holds what a log of these entries has, nothing less, nothing that contradicts it, and the checkpoint says so under a listed key. */
function checkPublished(world: World, entries: readonly Buffer[], demand: (holds: boolean, what: string) => void): void {
  const checkpoint = world.vault.objects.get('checkpoint')?.toString() ?? '';
  const [origin, size, root] = checkpoint.split('\n');
  demand(origin === world.identity.origin, 'the checkpoint has another origin');
  demand(size === String(entries.length), `the checkpoint states ${size} entries of ${entries.length}`);
  demand(root === naiveRoot(entries).toString('base64'), 'the checkpoint states another root');
  demand(world.vault.objects.get(`checkpoints/${size}`)?.toString() === checkpoint, 'checkpoints/ has no copy of the checkpoint');
  const expected = naiveTiles(entries);
  for (const [name, bytes] of expected) demand(world.vault.objects.get(name)?.equals(bytes) === true, `${name} is missing or wrong`);
  for (const [name, bytes] of world.vault.objects) {
    const partial = /^(tile\/.*)\.p\/(\d+)$/.exec(name);
    if (partial !== null) demand(!expected.has(partial[1] as string), `${name} was replaced by its full form and is still there`);
    if (partial !== null && !expected.has(name)) demand(naiveTiles(entries, { name }).get(name)?.equals(bytes) === true, `${name} is not what an earlier log had there`);
    if (name.startsWith('tile/') && partial === null) demand(expected.has(name), `${name} is not part of this log`);
  }
}

function split(bytes: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) entries.push(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)));
  return entries;
}

function decrypt(key: Buffer, jwe: string): Buffer {
  const [header, , iv, ciphertext, tag] = jwe.split('.') as [string, string, string, string, string];
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url')).setAAD(Buffer.from(header)).setAuthTag(Buffer.from(tag, 'base64url'));
  return Buffer.concat([decipher.update(Buffer.from(ciphertext, 'base64url')), decipher.final()]);
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** What is recorded as found, by code. */
export async function findingsIn(world: World): Promise<readonly string[]> {
  const codes: string[] = [];
  for await (const image of world.records.scan({ kinds: ['finding'] })) codes.push(...[stringOf(image, 'code')].filter((code) => code !== undefined));
  return codes.sort();
}
