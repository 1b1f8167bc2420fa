/** Publishing: the checkpoint follows the head, only forward, only over what the segments really hold; a note once signed is the note for ever. */
import { memorySigner } from '../../src/adapters/memory/keys';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { headKey, headOf } from '../../src/core/head';
import { signCheckpoint } from '../../src/core/log/checkpoint';
import { parseKeyHistory } from '../../src/core/log/log-vkeys';
import { verifierKey } from '../../src/core/log/vkey';
import { LARGEST_SEGMENT_BYTES } from '../../src/operations/read-at-most';
import { LogStopped } from '../../src/operations/read-log';
import { makePublisher, publishLog } from '../../src/operations/publish-log';
import { rotateVerifierKey } from '../../src/operations/rotate-verifier-key';
import { verifyVault } from '../../src/operations/verify-vault';
import { PortError, type Head } from '../../src/ports';
import { forEachSeed } from '../seeds';
import { makeWorld, type World } from '../world';

const checkpointOf = (world: World): string => (world.vault.objects.get('checkpoint') as Buffer).toString();
const stopCode = async (work: Promise<unknown>): Promise<string> => work.then(() => 'went on', (error: unknown) => (error instanceof LogStopped ? error.code : String(error)));
const findingsOf = async (world: World): Promise<readonly string[]> =>
  (await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] })).findings.map(({ code, object }) => `${code} ${object}`);
let written = 0;
async function grow(world: World, n: number): Promise<void> {
  const first = world.stream.length;
  for (let i = 0; i < n; i++) await world.write(world.message(`grow ${written++}`));
  await world.seal(world.stream.slice(first));
}
async function published(n: number): Promise<World> {
  const world = await makeWorld({ seed: n });
  await grow(world, n);
  await world.publish();
  return world;
}

describe('publishing', () => {
  test('does nothing when there is nothing new', async () => {
    const world = await published(3);
    const before = new Map(world.vault.objects);
    expect(await world.publish()).toEqual({ outcome: 'nothing-new', size: 3 });
    expect(new Map(world.vault.objects)).toEqual(before);
  });

  test('writes what a log of that size has, whatever the steps in which it grew', async () => {
    await forEachSeed('growths', 4, async (seed) => {
      const draw = seededDraw(seed);
      const world = await makeWorld({ seed });
      const publisher = world.publisher();
      for (let i = 0; i < 7; i++) {
        await grow(world, 1 + Math.floor(draw() * 120));
        if (draw() < 0.5) continue; // several rounds at once
        await publishLog(draw() < 0.5 ? publisher : world.publisher());
        expect(world.check()).toEqual([]);
      }
      await world.publish();
      expect(world.check()).toEqual([]);
      expect(await findingsOf(world)).toEqual([]);
    });
  });

  test('keeps the partials of a quiet log and removes them only when the full tile is there', async () => {
    const world = await published(255);
    await grow(world, 2);
    await world.publish();
    const tiles = [...world.vault.objects.keys()].filter((name) => name.startsWith('tile/')).sort();
    expect(tiles).toEqual(['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/1']);
  });

  test('leaves the old checkpoint its partials until the new one stands', async () => {
    const world = await published(255);
    await grow(world, 2);
    const partials = (): string[] => [...world.vault.objects.keys()].filter((name) => name.endsWith('.p/255')).sort();
    let whileOldStood: readonly string[] = [];
    const process = world.process(({ method }) => {
      if (method === 'replaceMutable') whileOldStood = partials();
      return undefined;
    });
    await publishLog(makePublisher(process.ports));
    expect(whileOldStood).toEqual(['tile/0/000.p/255', 'tile/entries/000.p/255']);
    expect(partials()).toEqual([]);
  });

  test('removes what a dead publisher left, but no partial whose full tile is not there', async () => {
    const world = await published(255);
    const left = ['tile/0/000.p/255', 'tile/entries/000.p/255'].map((name) => [name, world.vault.objects.get(name) as Buffer] as const);
    await grow(world, 2);
    await world.publish();
    for (const [name, bytes] of left) world.vault.objects.set(name, bytes);
    world.vault.objects.delete('tile/0/000'); // somebody's doing: what is left of it is the partial
    expect(await world.publish()).toMatchObject({ outcome: 'nothing-new' });
    expect([...world.vault.objects.keys()].filter((name) => name.endsWith('.p/255'))).toEqual(['tile/0/000.p/255']);
  });

  test('costs a known number of calls: a round of 20 onto a log of 100', async () => {
    const world = await makeWorld({ seed: 5 });
    const process = world.process();
    const publisher = makePublisher(process.ports);
    await grow(world, 100);
    await publishLog(publisher);
    const before = process.calls.length;
    await grow(world, 20);
    await publishLog(publisher);
    const calls = process.calls.slice(before).map(({ port, method }) => `${port}.${method}`);
    expect(calls).toEqual([
      'vault.getMutable', // checkpoint
      'log.readHead',
      'vault.getMutable', // log.vkeys
      'log.rounds',
      'vault.get', // the segment
      'vault.createPartial',
      'vault.createPartial',
      'vault.get', // is this size signed?
      'signer.sign',
      'vault.createLocked',
      'vault.replaceMutable',
    ]);
  });

  test('measures the size of the log and the age of what is newest in it', async () => {
    const world = await makeWorld({ seed: 6 });
    await grow(world, 2);
    world.advance(60_000);
    await world.publish();
    expect(world.meter.gauges.get('CheckpointSize')).toBe(2);
    expect(world.meter.gauges.get('CheckpointAge')).toBeGreaterThanOrEqual(60);
  });

  test('puts a genuine earlier checkpoint that somebody put back forward again', async () => {
    const world = await published(250);
    const early = world.vault.objects.get('checkpoint') as Buffer;
    await grow(world, 60);
    await world.publish();
    const late = checkpointOf(world);
    world.vault.objects.set('checkpoint', early);
    await world.publish();
    expect(checkpointOf(world)).toBe(late);
    expect(world.check()).toEqual([]);
  });

  test('is not ended by what somebody put beyond the checkpoint: more than memory holds, or what cannot be read', async () => {
    const world = await published(3);
    await grow(world, 2);
    const planted = ['e', 'f'].map((digit) => `segment/${'5'.padStart(20, '0')}/${digit.repeat(64)}`) as [string, string];
    for (const name of planted) world.vault.objects.set(name, Buffer.alloc(LARGEST_SEGMENT_BYTES + 1));
    const read: number[] = [];
    const publisher = world.publisher(world.process());
    const counting = { ...publisher, vault: { ...publisher.vault, get: async (name: string, maxBytes?: number) => {
      if (name === planted[1]) throw new PortError('corrupt', 'it is archived');
      const bytes = await publisher.vault.get(name, maxBytes);
      read.push(bytes.length);
      return bytes;
    } } };
    expect(await publishLog(counting)).toEqual({ outcome: 'published', size: 5 });
    expect(Math.max(...read)).toBeLessThan(100_000);
    expect(checkpointOf(world)).toContain('\n5\n');
  });

  test('uses the note that is signed already, though the signing key has changed', async () => {
    const world = await published(4);
    const signed = checkpointOf(world);
    const next = memorySigner(world);
    await rotateVerifierKey({ log: world.log, vault: world.vault, current: world.signer, next });
    world.vault.objects.set('checkpoint', world.vault.objects.get('checkpoints/0') as Buffer);
    const process = world.process();
    await publishLog(makePublisher({ ...process.ports, signer: next }));
    expect(checkpointOf(world)).toBe(signed);
    expect(process.calls.some(({ method }) => method === 'createLocked' || method === 'sign')).toBe(false);
    expect(await findingsOf(world)).toEqual([]);
  });

  test.each(['sign', 'replaceMutable'])('gives way to a publisher that was faster, and never goes back: overtaken at %s', async (overtakenAt) => {
    const world = await published(2);
    await grow(world, 1);
    let raced = false;
    const slow = world.process(async ({ method }) => {
      if (method !== overtakenAt || raced) return undefined;
      raced = true;
      await grow(world, 1);
      await world.publish(); // another one, a round further
      return undefined;
    });
    expect(await publishLog(makePublisher(slow.ports))).toEqual({ outcome: 'nothing-new', size: 4 });
    expect(world.check()).toEqual([]);
  });
});

describe('a publisher stops, and signs nothing,', () => {
  const key = (world: World): Buffer => headKey({ generation: 1, key: world.kek });
  const segmentOf = (world: World): string => [...world.vault.objects.keys()].findLast((name) => name.startsWith('segment/')) as string;
  const signedByStranger = async (world: World): Promise<Buffer> => {
    const { origin } = world.identity;
    const stranger = memorySigner(world);
    const { size, root } = world.log.tables.head as Head;
    return signCheckpoint({ origin, size, root, extensions: [] }, verifierKey(origin, await stranger.publicKey()), (message) => stranger.sign(message));
  };
  const anotherHead = (world: World): Head => headOf(key(world), { size: 5, edge: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] });

  test.each<[string, string, (world: World) => void | Promise<void>]>([
    ['the head is not ours', 'head-forged', (w) => void (w.log.tables.head = { ...(w.log.tables.head as Head), mac: Buffer.alloc(32) })],
    ['the head states another tree than the segments make', 'fork', (w) => void (w.log.tables.head = anotherHead(w))],
    ['a segment is gone', 'segment-damaged', (w) => void w.vault.objects.delete(segmentOf(w))],
    ['a segment was changed', 'segment-damaged', (w) => void w.vault.objects.set(segmentOf(w), Buffer.from('\0\x01x\0\x01y'))],
    ['a round names a segment that is none', 'segment-damaged', (w) => void w.log.tables.rounds.set(3, { from: 3, n: 2, segment: 'checkpoint', time: '' })],
    ['a round is gone', 'segment-damaged', (w) => void w.log.tables.rounds.delete(3)],
    ['a round states another count', 'segment-damaged', (w) => void w.log.tables.rounds.set(3, { ...(w.log.tables.rounds.get(3) as never as { from: 3; n: 2; segment: string; time: string }), n: 1 })],
    ['a partial tile was changed', 'tiles-damaged', (w) => void w.vault.objects.set('tile/0/000.p/3', Buffer.alloc(96))],
    ['a partial bundle was changed', 'tiles-damaged', (w) => void w.vault.objects.set('tile/entries/000.p/3', Buffer.from('\0\x01a\0\x01b\0\x01c'))],
    ['a partial tile is gone', 'tiles-damaged', (w) => void w.vault.objects.delete('tile/0/000.p/3')],
    ['a partial tile is cut off', 'tiles-damaged', (w) => void w.vault.objects.set('tile/0/000.p/3', Buffer.alloc(95))],
    ['the checkpoint is signed by nobody', 'checkpoint-unsigned', (w) => void w.vault.objects.set('checkpoint', Buffer.from(checkpointOf(w).replace(/.{8}\n$/, 'AAAAAA==\n').replace(/AAAAAA==\n$/, 'AAAAAAA=\n')))],
    ['the next size is signed over another tree', 'fork', (w) => void w.vault.objects.set('checkpoints/5', w.vault.objects.get('checkpoint') as Buffer)],
    ['the next size is signed by a stranger', 'checkpoint-unsigned', async (w) => void w.vault.objects.set('checkpoints/5', await signedByStranger(w))],
    ['the next size is taken by something else', 'checkpoint-unreadable', (w) => void w.vault.objects.set('checkpoints/5', Buffer.from('x'))],
    ['log.vkeys is no chain', 'keys-unreadable', (w) => void w.vault.objects.set('log.vkeys', Buffer.from('x\n'))],
    ['log.vkeys is gone', 'not-initialized', (w) => void w.vault.objects.delete('log.vkeys')],
  ])('when %s', async (_name, code, change) => {
    const world = await published(3);
    await grow(world, 2);
    await change(world);
    const before = new Set(world.vault.objects.keys());
    expect(await stopCode(world.publish())).toBe(code);
    expect(world.meter.counts.get('SealStopped')).toBe(1);
    expect([...world.vault.objects.keys()].filter((name) => !before.has(name) && name.startsWith('checkpoints/'))).toEqual([]);
    expect(checkpointOf(world)).not.toContain('\n5\n');
  });

  /** Three entries published, then five; then head, rounds, marks and checkpoint put back to the three, by somebody who may write the log table and `checkpoint`. */
  async function putBack(): Promise<World> {
    const world = await published(3);
    const { tables } = world.log;
    const [head, checkpoint] = [tables.head, world.vault.objects.get('checkpoint') as Buffer];
    await grow(world, 2);
    await world.publish();
    tables.head = head;
    tables.rounds.delete(3);
    for (const byRound of tables.marks.values()) byRound.delete(3);
    world.vault.objects.set('checkpoint', checkpoint);
    return world;
  }

  test.each([
    ['and nothing was sealed since', 0, 'signed-ahead'],
    ['and less was sealed since than was signed', 1, 'signed-ahead'],
    ['and another tree of the signed size was sealed since', 2, 'fork'],
    ['and a round was sealed that passes over the signed size', 3, 'fork'],
  ])('when head and checkpoint were put back together, %s', async (_name, sealed, code) => {
    const world = await putBack();
    if (sealed > 0) await grow(world, sealed);
    const before = [...world.vault.objects.keys()];
    expect(await stopCode(world.publish())).toBe(code);
    expect([...world.vault.objects.keys()]).toEqual(before);
  });

  test('but goes on where a publisher died between the signed copy and the checkpoint, and where another one is ahead of what it read', async () => {
    const world = await published(3);
    await grow(world, 2);
    const dying = world.process(({ method }) => (method === 'replaceMutable' ? 'kill-before' : undefined));
    await publishLog(world.publisher(dying)).catch(() => undefined);
    expect(world.vault.objects.has('checkpoints/5')).toBe(true);
    await grow(world, 1);
    let overtaken = false;
    const slow = world.process(async ({ method }) => {
      if (method !== 'list' || overtaken) return undefined;
      overtaken = true; // after this one has read head and checkpoint
      await grow(world, 2);
      await world.publish();
      return undefined;
    });
    expect(await publishLog(world.publisher(slow))).toEqual({ outcome: 'nothing-new', size: 8 });
    expect(overtaken).toBe(true);
    expect(world.check()).toEqual([]);
    expect(await findingsOf(world)).toEqual([]);
  });

  test('when its key is not in log.vkeys', async () => {
    const world = await published(1);
    await grow(world, 1);
    expect(await stopCode(publishLog(makePublisher({ ...world, signer: memorySigner(world) })))).toBe('signer-unlisted');
  });

  test('when a newer key has signed before', async () => {
    const world = await published(1);
    const next = memorySigner(world);
    await rotateVerifierKey({ log: world.log, vault: world.vault, current: world.signer, next });
    await grow(world, 1);
    await world.publish(); // the old key may go on until the new one is used
    await grow(world, 1);
    await publishLog(makePublisher({ ...world, signer: next }));
    await grow(world, 1);
    expect(await stopCode(world.publish())).toBe('signer-unlisted');
    await publishLog(makePublisher({ ...world, signer: next }));
    expect(await findingsOf(world)).toEqual([]);
  });
});

describe('rotating the verifier key', () => {
  test('lets the previous key vouch for the next, once, and keeps the ones before', async () => {
    const world = await published(1);
    const [second, third] = [memorySigner(world), memorySigner(world)];
    const rotate = (current: typeof second, next: typeof second) => rotateVerifierKey({ log: world.log, vault: world.vault, current, next });
    expect(await rotate(world.signer, second)).toMatchObject({ outcome: 'rotated' });
    expect(await rotate(world.signer, second)).toMatchObject({ outcome: 'done' });
    expect(await rotate(second, third)).toMatchObject({ outcome: 'rotated' });
    const keys = parseKeyHistory(world.vault.objects.get('log.vkeys') as Buffer);
    expect(keys.map(({ publicKey }) => publicKey.toString('hex'))).toEqual((await Promise.all([world.signer, second, third].map((signer) => signer.publicKey()))).map((each) => each.toString('hex')));
    expect(await findingsOf(world)).toEqual([]);
  });

  test('is refused to a key that is not the newest', async () => {
    const world = await published(1);
    const stranger = memorySigner(world);
    expect(await stopCode(rotateVerifierKey({ log: world.log, vault: world.vault, current: stranger, next: memorySigner(world) }))).toBe('signer-unlisted');
  });

  test('survives another rotation in between', async () => {
    const world = await published(1);
    const [a, b] = [memorySigner(world), memorySigner(world)];
    const vault = {
      getMutable: world.vault.getMutable,
      replaceMutable: async (...args: Parameters<World['vault']['replaceMutable']>) => {
        await rotateVerifierKey({ log: world.log, vault: world.vault, current: world.signer, next: a });
        return world.vault.replaceMutable(...args);
      },
    };
    expect(await stopCode(rotateVerifierKey({ log: world.log, vault, current: world.signer, next: b }))).toBe('signer-unlisted');
    expect(parseKeyHistory(world.vault.objects.get('log.vkeys') as Buffer)).toHaveLength(2);
  });
});
