/** Sealing: every change once, in a log that only grows, whatever the stream delivers, whoever else seals, whatever the table held. */
import { seededDraw, seededSchedule } from '../../src/adapters/memory/schedule';
import { memoryProcess } from '../../src/adapters/memory/process';
import { sha256 } from '../../src/core/log/sha256';
import { publishLog } from '../../src/operations/publish-log';
import { LogStopped } from '../../src/operations/read-log';
import { makeSealer, MAX_ROUND_ENTRIES, MAX_ROUND_MINUTES, roundsOf, sealRecords } from '../../src/operations/seal-records';
import { stringOf, type Image } from '../../src/core/image';
import { PortError, type Head, type StreamEvent } from '../../src/ports';
import { forEachSeed } from '../seeds';
import { findingsIn, makeWorld, subjectNamed, type World } from '../world';

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** Messages of a few people over some minutes. */
async function populate(world: World, n: number, draw: () => number = () => 0.5): Promise<void> {
  for (const i of numbers(n)) {
    await world.write(world.message(`message ${i}`, { subject: { S: subjectNamed(`person ${i % 3}`) } }));
    world.advance(Math.floor(draw() * 90_000));
  }
}
const stopCode = async (work: Promise<unknown>): Promise<string> => work.then(() => 'went on', (error: unknown) => (error instanceof LogStopped ? error.code : String(error)));

describe('sealing a batch', () => {
  test('makes an entry of every change, in order, and moves the head', async () => {
    const world = await makeWorld({ seed: 1 });
    await populate(world, 5);
    expect(await world.seal()).toEqual({ sealed: 5, sealedBefore: 0, rounds: 1, lost: 0 });
    expect(world.entries().map(({ entry }) => entry.src)).toEqual(world.stream.map(({ eventId }) => eventId));
    expect(world.check({ published: false })).toEqual([]);
    expect(await findingsIn(world)).toEqual([]);
  });

  test('seals changes and lawful new versions of versioned kinds without a finding', async () => {
    const world = await makeWorld({ seed: 2 });
    const profile = (rev: number, name: string) => world.message('c', { kind: { S: 'customer' }, rev: { N: String(rev) }, name: { S: name } });
    await world.records.create(profile(1, 'Ann'));
    await world.records.replace(profile(2, 'Anne'), 1);
    await world.seal();
    expect(world.entries().map(({ entry }) => [entry.kind, entry.rev])).toEqual([
      ['customer', 1],
      ['customer', 2],
    ]);
    expect(world.entries()[0]?.entry.id).toBe(world.entries()[1]?.entry.id);
    expect(await findingsIn(world)).toEqual([]);
    expect(world.check({ published: false })).toEqual([]);
  });

  test('encrypts each subject under its own key, made once', async () => {
    const world = await makeWorld({ seed: 3 });
    await populate(world, 6);
    await world.seal();
    expect([...world.keys.subjects.keys()].sort()).toEqual(['person 0', 'person 1', 'person 2'].map(subjectNamed).sort());
    expect(new Set(world.entries().map(({ entry }) => entry.subject)).size).toBe(3);
  });

  test('puts a ciphertext that does not fit an entry to a blob, and content of the inbox too, before the segment', async () => {
    const world = await makeWorld({ seed: 4 });
    const body = Buffer.from('long '.repeat(20_000));
    await world.inbox.put('content/abc', body);
    await world.write(world.message('big', { raw: { B: Buffer.alloc(60_000, 1) }, contentName: { S: 'content/abc' }, contentSha256: { B: sha256(body) } }));
    await world.seal();
    const [{ entry } = { entry: undefined }] = world.entries();
    expect(entry).toMatchObject({ op: 'put', blob: expect.stringMatching(/^[0-9a-f]{64}$/), objects: [{ name: expect.stringMatching(/^blob\//) }] });
    expect(entry).not.toHaveProperty('image');
    expect([...world.vault.objects.keys()].filter((name) => name.startsWith('blob/'))).toHaveLength(2);
    expect(world.check({ published: false })).toEqual([]);
    const names = [...world.vault.objects.keys()];
    expect(names.findIndex((name) => name.startsWith('segment/'))).toBeGreaterThan(names.findLastIndex((name) => name.startsWith('blob/')));
  });

  test('holds nothing in clear but what the format lists', async () => {
    const world = await makeWorld({ seed: 5 });
    await world.write(world.message('secret text', { phoneNumberId: { S: '15551234567' }, messageId: { S: 'wamid.HBgLMTU1NTEyMzQ1NjcVAgA' } }));
    await world.seal();
    const everything = Buffer.concat([...world.vault.objects.values()]).toString('latin1');
    for (const personal of ['secret text', '15551234567', 'wamid', 'm#']) expect(everything).not.toContain(personal);
  });

  test('costs a known number of calls: one round of 20 messages of known people', async () => {
    const world = await makeWorld({ seed: 6 });
    const process = world.process();
    const sealer = makeSealer(process.ports);
    await populate(world, 3);
    await sealRecords(sealer, world.stream);
    const before = process.calls.length;
    for (const i of numbers(20)) await world.write(world.message(`more ${i}`, { subject: { S: subjectNamed(`person ${i % 3}`) } }));
    await sealRecords(sealer, world.stream.slice(3));
    // The checkpoint, the head, the marks (one query a minute), the segment, the transaction: five, whatever the number of messages.
    expect(process.calls.slice(before).map(({ port, method }) => `${port}.${method}`)).toEqual(['vault.getMutable', 'log.readHead', 'log.sealedMarks', 'vault.createLocked', 'log.commitRound']);
  });
});

describe('a batch is cut into rounds', () => {
  const at = (minutes: readonly number[]): readonly number[] => roundsOf(minutes.map((minute) => ({ minute }))).map((round) => round.length);
  test('that span at most 90 minutes, whatever the order of the events', () => {
    expect(at([0, 10, MAX_ROUND_MINUTES - 1])).toEqual([3]);
    expect(at([0, 10, MAX_ROUND_MINUTES])).toEqual([2, 1]);
    expect(at([500, 590, 501, 589])).toEqual([1, 3]);
    expect(at([500, 590, 500, 590])).toEqual([1, 1, 1, 1]);
    expect(at([500, 411, 500])).toEqual([3]);
    expect(at([500, 410])).toEqual([1, 1]);
    for (const round of roundsOf(numbers(2000).map((i) => ({ minute: (i * 7919) % 3000 })))) expect(new Set(round.map(({ minute }) => minute)).size).toBeLessThanOrEqual(98);
  });
  test('that hold at most 5,000 entries', () => {
    expect(at(numbers(2 * MAX_ROUND_ENTRIES + 1).map(() => 7))).toEqual([MAX_ROUND_ENTRIES, MAX_ROUND_ENTRIES, 1]);
    expect(at([])).toEqual([]);
  });
  test('and all of them are sealed', async () => {
    const world = await makeWorld({ seed: 7 });
    for (const i of numbers(6)) {
      await world.write(world.message(String(i)));
      world.advance(50 * 60_000);
    }
    expect(await world.seal()).toMatchObject({ sealed: 6, rounds: 3 });
    expect(world.check({ published: false })).toEqual([]);
  });
});

describe('exactly once', () => {
  test('under batches that are replayed, grown, shrunk and shifted, in one container and in fresh ones', async () => {
    await forEachSeed('replayed batches', 25, async (seed) => {
      const draw = seededDraw(seed);
      const world = await makeWorld({ seed });
      await populate(world, 12, draw);
      const sealer = world.sealer();
      for (let i = 0; i < 12; i++) {
        const from = Math.floor(draw() * 12);
        const batch = world.stream.slice(from, from + 1 + Math.floor(draw() * 12));
        const shuffled = draw() < 0.2 ? [...batch, ...batch].sort(() => draw() - 0.5) : batch;
        await sealRecords(draw() < 0.5 ? sealer : world.sealer(), shuffled);
        expect(world.check({ published: false, all: false })).toEqual([]);
      }
      await world.seal();
      expect(world.check({ published: false })).toEqual([]);
    });
  });

  test('under sealers that work at the same time on overlapping batches, with a publisher in between', async () => {
    await forEachSeed('interleavings', 40, async (seed) => {
      const draw = seededDraw(seed);
      const schedule = seededSchedule(seed);
      const world = await makeWorld({ seed });
      await populate(world, 10, draw);
      const turns = async (): Promise<undefined> => schedule.turn().then(() => undefined);
      const sealerOn = (batch: readonly StreamEvent[]) => () => sealRecords(world.sealer(world.process(turns)), batch);
      const results = await schedule.run<unknown>([
        sealerOn(world.stream.slice(0, 5)),
        sealerOn(world.stream.slice(5, 10)),
        sealerOn(world.stream.slice(Math.floor(draw() * 5), 5 + Math.floor(draw() * 5))),
        sealerOn(world.stream.slice()),
        () => publishLog(world.publisher(world.process(turns))),
        () => publishLog(world.publisher(world.process(turns))),
      ]);
      // Nobody stops: neither losing a race nor a publisher at work looks like a fork. Two publishers at once may run out of attempts.
      for (const result of results) if (result.status === 'rejected') expect(result.reason).not.toBeInstanceOf(LogStopped);
      expect(results.slice(0, 4).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
      await world.publish();
      expect(world.check()).toEqual([]);
    });
  });

  test('and a publisher that overtakes a sealer between its two reads of the log does not look like a fork', async () => {
    const world = await makeWorld({ seed: 11 });
    await populate(world, 4);
    await world.seal(world.stream.slice(0, 1));
    await world.publish();
    let reads = 0;
    const overtaken = world.process(async ({ method }) => {
      if (!['getMutable', 'readHead'].includes(method) || ++reads !== 2) return undefined;
      await world.seal(world.stream.slice(0, 3));
      await world.publish();
      return undefined;
    });
    expect(await sealRecords(world.sealer(overtaken), world.stream)).toMatchObject({ sealed: 1, sealedBefore: 3, lost: 0 });
    await world.publish();
    expect(world.check()).toEqual([]);
  });

  test('and what a loser put is an orphan: listed, part of nothing', async () => {
    const world = await makeWorld({ seed: 8 });
    await populate(world, 4);
    const schedule = seededSchedule(8);
    const turns = async (): Promise<undefined> => schedule.turn().then(() => undefined);
    const processes = [0, 1].map(() => world.process(turns));
    const results = await schedule.run(processes.map((process, i) => () => sealRecords(world.sealer(process), world.stream.slice(2 * i, 2 * i + 2))));
    expect(results.map((result) => result.status === 'fulfilled' && result.value.sealed)).toEqual([2, 2]);
    expect(world.meter.counts.get('SealLost')).toBe(1);
    const segments = [...world.vault.objects.keys()].filter((name) => name.startsWith('segment/'));
    expect(segments).toHaveLength(3);
    await world.publish();
    expect(world.check()).toEqual([]);
  });

  test('and a race lost again and again ends, so that the stream can deliver again', async () => {
    const world = await makeWorld({ seed: 9 });
    await populate(world, 1);
    const { ports } = memoryProcess(world);
    const losing = { ...ports, log: { ...world.log, commitRound: async () => 'lost' as const } };
    await expect(sealRecords(makeSealer(losing), world.stream)).rejects.toMatchObject({ code: 'unavailable' });
    expect(world.entries()).toEqual([]);
  });
});

describe('a change that obeys no handler', () => {
  const changed = async (change: (world: World) => void | Promise<void>) => {
    const world = await makeWorld({ seed: 10 });
    await world.write(world.message('a'));
    await world.records.create(world.message('c', { kind: { S: 'customer' } }));
    await world.seal();
    await change(world);
    const before = world.stream.length;
    await world.seal();
    const findings = await findingsIn(world);
    await world.seal(); // the findings themselves
    expect(world.check({ published: false })).toEqual([]);
    expect(await findingsIn(world)).toEqual(findings); // a finding is a record like any other, and there is nothing wrong with it
    expect(world.meter.counts.get('UnauthorisedChange') ?? 0).toBe(findings.length);
    return { findings, entries: world.entries().slice(2, before), world };
  };
  test.each<[string, (world: World) => void, readonly string[]]>([
    ['text changed by hand', (w) => w.records.byHand.put({ ...w.message('a'), text: { S: 'other' } }), ['immutable-modified', 'mac-invalid']],
    ['an immutable record overwritten with a valid one', (w) => w.records.byHand.put(w.message('a', { text: { S: 'other' } })), ['immutable-modified']],
    ['an immutable record removed', (w) => w.records.byHand.remove({ pk: w.stream[0]?.key.pk as string, sk: '1#message' }), ['record-removed']],
    ['a versioned record removed', (w) => w.records.byHand.remove({ pk: w.stream[1]?.key.pk as string, sk: '1#message' }), ['record-removed']],
    ['a version skipped', (w) => w.records.byHand.put(w.message('c', { kind: { S: 'customer' }, rev: { N: '3' } })), ['rev-not-next']],
    ['a version kept', (w) => w.records.byHand.put(w.message('c', { kind: { S: 'customer' }, name: { S: 'x' } })), ['rev-not-next']],
    ['a version put back', (w) => w.records.byHand.put(w.message('c', { kind: { S: 'customer' }, rev: { N: '0' } })), ['rev-not-next']],
    ['a new record that begins at another version', (w) => w.records.byHand.put(w.message('d', { kind: { S: 'customer' }, rev: { N: '2' } })), ['rev-not-next']],
    ['the kind changed', (w) => w.records.byHand.put(w.message('c', { kind: { S: 'alias' }, rev: { N: '2' } })), ['kind-changed']],
    ['an immutable record turned into a versioned one', (w) => w.records.byHand.put(w.message('a', { kind: { S: 'alias' }, rev: { N: '2' } })), ['immutable-modified', 'kind-changed']],
    ['an unknown kind', (w) => w.records.byHand.put(w.message('x', { kind: { S: 'grocery' } })), ['kind-unknown']],
    ['the subject changed', (w) => w.records.byHand.put(w.message('c', { kind: { S: 'customer' }, rev: { N: '2' }, subject: { S: subjectNamed('mallory') } })), ['subject-changed']],
    ['no subject', (w) => w.records.byHand.put(w.message('x', { subject: { NULL: true } })), ['subject-missing']],
    ['a subject that is none', (w) => w.records.byHand.put(w.message('x', { subject: { S: 'me' } })), ['subject-missing']],
    ['no mac', (w) => w.records.byHand.put({ ...w.message('x'), mac: { NULL: true } }), ['mac-missing']],
    ['a mac of an unknown key', (w) => w.records.byHand.put({ ...w.message('x'), mac: { S: `9.${'A'.repeat(43)}` } }), ['mac-unknown-key']],
    ['a genuine record copied under another key', (w) => w.records.byHand.put({ ...w.message('a'), sk: { S: '2#message' } }), ['mac-invalid']],
    ['a forged finding', (w) => w.records.byHand.put({ ...w.message('x'), kind: { S: 'finding' } }), ['mac-invalid']],
    ['nothing but a key', (w) => w.records.byHand.put({ pk: { S: 'x' }, sk: { S: 'y' } }), ['kind-unknown', 'mac-missing', 'rev-not-next', 'subject-missing']],
    ['content that is not there', (w) => w.records.byHand.put(w.message('x', { contentName: { S: 'content/none' }, contentSha256: { B: sha256(Buffer.from('')) } })), ['content-absent']],
  ])('%s is sealed as it is, and found', async (_name, change, codes) => {
    const { findings, entries } = await changed(change);
    expect(findings).toEqual(codes);
    expect(entries).toHaveLength(1);
  });

  test('content with another hash than the record states is found, and not sealed as its content', async () => {
    const { findings, entries } = await changed(async (world) => {
      await world.inbox.put('content/other', Buffer.from('other'));
      world.records.byHand.put(world.message('x', { contentName: { S: 'content/other' }, contentSha256: { B: sha256(Buffer.from('stated')) } }));
    });
    expect(findings).toEqual(['content-mismatch']);
    expect(entries[0]?.entry).not.toHaveProperty('objects');
  });

  test('content named outside its place is not fetched from there, though it is there', async () => {
    const { findings, entries } = await changed(async (world) => {
      await world.inbox.put('delivery/1', Buffer.from('of somebody else'));
      world.records.byHand.put(world.message('x', { contentName: { S: 'delivery/1' }, contentSha256: { B: sha256(Buffer.from('of somebody else')) } }));
    });
    expect(findings).toEqual(['content-absent']);
    expect(entries[0]?.entry).not.toHaveProperty('objects');
  });

  test('a record that was given another subject stays under the one it was made under', async () => {
    const { findings, entries } = await changed((w) => w.records.byHand.put(w.message('c', { kind: { S: 'customer' }, rev: { N: '2' }, subject: { S: subjectNamed('mallory') } })));
    expect(findings).toEqual(['subject-changed']);
    expect(entries[0]?.entry.subject).toBe(subjectNamed('alice'));
  });

  test('and comes back to it when it is put back, so that its own entries tell the whole of it', async () => {
    const genuine = (w: World): Image => w.message('c', { kind: { S: 'customer' } });
    const { findings, entries } = await changed((w) => {
      w.records.byHand.put({ ...genuine(w), subject: { S: subjectNamed('mallory') } });
      w.records.byHand.put({ ...genuine(w), subject: { S: subjectNamed('mallory') }, text: { S: 'again' } });
      w.records.byHand.put(genuine(w));
    });
    expect(findings).toContain('subject-changed');
    expect(entries.map(({ entry }) => entry.subject)).toEqual([subjectNamed('alice'), subjectNamed('mallory'), subjectNamed('alice')]);
  });

  test('a record of an erased subject is sealed raw, under a subject of its own', async () => {
    const { findings, entries, world } = await changed((w) => {
      w.keys.subjects.set(subjectNamed('gone'), 'erased');
      w.records.byHand.put(w.message('x', { subject: { S: subjectNamed('gone') } }));
    });
    expect(findings).toEqual(['subject-erased']);
    expect(entries[0]?.entry).toMatchObject({ kind: 'raw', op: 'put', rev: 0 });
    expect(entries[0]?.entry.subject).not.toBe(subjectNamed('gone'));
    expect(world.keys.subjects.get(subjectNamed('gone'))).toBe('erased');
  });

  test.each([
    ['relabelled', subjectNamed('bob')],
    ['as it is', subjectNamed('alice')],
  ])("a subject to whom somebody else's key was given by hand, %s, is sealed raw", async (_how, subject) => {
    const { findings } = await changed((w) => {
      const alice = w.keys.subjects.get(subjectNamed('alice'));
      if (alice === undefined || typeof alice === 'string') throw new Error('alice has a key');
      w.keys.subjects.set(subjectNamed('bob'), { ...alice, subject });
      w.records.byHand.put(w.message('x', { subject: { S: subjectNamed('bob') } }));
    });
    expect(findings).toEqual(['subject-key-corrupt']);
  });

  test('a subject whose key row was damaged by hand is sealed raw, and what else is in the batch is not held up', async () => {
    const { findings, entries } = await changed((w) => {
      w.keys.subjects.set(subjectNamed('bob'), 'corrupt');
      w.records.byHand.put(w.message('x', { subject: { S: subjectNamed('bob') } }));
    });
    expect(findings).toEqual(['subject-key-corrupt']);
    expect(entries[0]?.entry).toMatchObject({ kind: 'raw' });
  });

  test('content that cannot be had does not stop the sealer; a store that says no does', async () => {
    const world = await makeWorld({ seed: 12 });
    world.records.byHand.put(world.message('x', { contentName: { S: 'content/frozen' }, contentSha256: { B: sha256(Buffer.from('')) } }));
    world.records.byHand.put(world.message('innocent'));
    const inboxThat = (code: 'corrupt' | 'denied' | 'unavailable') => ({ ...world, inbox: { ...world.inbox, get: async () => { throw new PortError(code, 'no'); } } });
    for (const code of ['denied', 'unavailable'] as const) await expect(sealRecords(makeSealer(inboxThat(code)), world.stream)).rejects.toMatchObject({ code });
    expect(await sealRecords(makeSealer(inboxThat('corrupt')), world.stream)).toMatchObject({ sealed: 2 });
    expect(world.stream.map(({ newImage }) => stringOf(newImage, 'code')).filter((code) => code !== undefined)).toEqual(['content-unreadable']);
  });

  test('a retry after the finding was put tells it once', async () => {
    const world = await makeWorld({ seed: 11 });
    world.records.byHand.put({ ...world.message('a'), mac: { S: 'x' } });
    const process = world.process(({ method }) => (method === 'commitRound' ? 'error-before' : undefined));
    await expect(sealRecords(makeSealer(process.ports), world.stream.slice(0, 1))).rejects.toMatchObject({ code: 'unavailable' });
    await world.seal();
    await world.seal();
    expect(await findingsIn(world)).toEqual(['mac-invalid']);
    expect(world.meter.counts.get('UnauthorisedChange')).toBe(1);
    expect(world.check({ published: false })).toEqual([]);
  });

  test('no event, however malformed, is dropped or stops the ones beside it', async () => {
    const world = await makeWorld({ seed: 12 });
    await populate(world, 1);
    const [good] = world.stream as [StreamEvent];
    const bad = (eventId: string, change: Partial<StreamEvent>): StreamEvent => ({ ...good, eventId, ...change });
    const { newImage: _new, ...withoutImage } = good;
    const batch: StreamEvent[] = [
      { ...withoutImage, eventId: 'no image' },
      bad('modified without an old image', { op: 'MODIFY' }),
      bad('half a surrogate', { newImage: { ...good.newImage, text: { S: '\ud800' } } }),
      bad('half a surrogate in the key', { key: { pk: '\ud800', sk: 'x' } }),
      bad('removed, half a surrogate in the key', { op: 'REMOVE', key: { pk: '\udfff', sk: 'x' }, oldImage: good.newImage as never }),
      bad('an unknown type', { newImage: { a: { Z: 1 } } as never }),
      bad('no time', { createdAtMs: Number.NaN }),
      bad('the end of time', { createdAtMs: 1e18 }),
      bad('an id with spaces é', {}),
      bad('x'.repeat(500), {}),
      good,
    ];
    expect(await sealRecords(world.sealer(), batch)).toMatchObject({ sealed: batch.length });
    expect(await sealRecords(world.sealer(), batch)).toMatchObject({ sealed: 0, sealedBefore: batch.length });
    const kinds = world.entries().map(({ entry }) => entry.kind);
    expect(kinds.filter((kind) => kind === 'raw')).toHaveLength(6);
    expect(kinds.filter((kind) => kind === 'message')).toHaveLength(5);
    expect((await findingsIn(world)).filter((code) => code === 'unprocessable')).toHaveLength(6);
  });
});

describe('a sealer stops', () => {
  const sealed = async (): Promise<World> => {
    const world = await makeWorld({ seed: 13 });
    await populate(world, 3);
    await world.seal();
    await world.publish();
    return world;
  };
  const stops = async (change: (world: World) => void): Promise<string> => {
    const world = await sealed();
    const entries = world.entries().length;
    change(world);
    await world.write(world.message('later'));
    const objects = world.vault.objects.size;
    const code = await stopCode(world.seal());
    expect(world.vault.objects.size).toBe(objects); // before anything is put
    expect(world.log.tables.rounds.size).toBe(1);
    expect(entries).toBe(3);
    expect(world.meter.counts.get('SealStopped')).toBe(1);
    return code;
  };
  const head = (world: World): Head => world.log.tables.head as Head;

  test.each<[string, (world: World) => void]>([
    ['head-forged', (w) => void (w.log.tables.head = { ...head(w), mac: Buffer.alloc(32) })],
    ['head-forged', (w) => void (w.log.tables.head = { ...head(w), root: Buffer.alloc(32) })],
    ['head-forged', (w) => void (w.log.tables.head = { ...head(w), size: 2 })],
    ['head-forged', (w) => void (w.log.tables.head = { ...head(w), edge: head(w).edge.toReversed() })],
    ['head-forged', (w) => void (w.log.tables.head = { ...head(w), edge: [] })],
    ['not-initialized', (w) => void (w.log.tables.head = undefined)],
    ['not-initialized', (w) => void (w.log.tables.identity = undefined)],
    ['not-initialized', (w) => void w.vault.objects.delete('checkpoint')],
    ['checkpoint-unreadable', (w) => void w.vault.objects.set('checkpoint', Buffer.from('x'))],
    ['checkpoint-foreign', (w) => void w.vault.objects.set('checkpoint', Buffer.from((w.vault.objects.get('checkpoint') as Buffer).toString().replace('example.com', 'example.org')))],
    ['checkpoint-ahead', (w) => void w.vault.objects.set('checkpoint', Buffer.from((w.vault.objects.get('checkpoint') as Buffer).toString().replace('\n3\n', '\n4\n')))],
    ['fork', (w) => void w.vault.objects.set('checkpoint', Buffer.from((w.vault.objects.get('checkpoint') as Buffer).toString().replace(/\n3\n.{8}/, '\n3\nAAAAAAAA')))],
  ])('with %s, before it writes anything', async (code, change) => expect(await stops(change)).toBe(code));

  test('when a genuine earlier head was put back, in the container that has seen a later one', async () => {
    const world = await makeWorld({ seed: 14 });
    const empty = head(world);
    const sealer = world.sealer();
    await populate(world, 2);
    await sealRecords(sealer, world.stream);
    world.log.tables.head = empty;
    expect(await stopCode(sealRecords(sealer, world.stream))).toBe('head-shrunk');
  });

  test('when a genuine other head of the same size was put in its place', async () => {
    const [world, other] = [await makeWorld({ seed: 15 }), await makeWorld({ seed: 15 })];
    await populate(world, 2);
    await populate(other, 2);
    const sealer = world.sealer();
    await sealRecords(sealer, world.stream);
    other.random(1); // from here on the twin draws other salts
    await other.seal();
    world.log.tables.head = head(other);
    expect(await stopCode(sealRecords(sealer, world.stream))).toBe('fork');
  });
});
