/**
 * What an erasure is told by the vault and the log table decides whether a key goes for ever. Whoever can write to either, but not sign with the log's key, makes it believe nothing: it stops, and goes on when what was
 * there is there again.
 */
import { randomBytes } from 'node:crypto';
import { memorySigner } from '../../../src/adapters/memory/keys';
import { encodeEntry, type PutEntry } from '../../../src/core/entry';
import { stringOf } from '../../../src/core/image';
import { encodeEntries } from '../../../src/core/log/bundle';
import { signCheckpoint } from '../../../src/core/log/checkpoint';
import { formatFirstKey } from '../../../src/core/log/log-vkeys';
import { sha256Hex } from '../../../src/core/log/sha256';
import { verifierKey } from '../../../src/core/log/vkey';
import { segmentName } from '../../../src/core/verify/vault-name';
import type { StreamEvent } from '../../../src/ports';
import { QUIET_MS } from '../../../src/operations/erasure/waits';
import { textDelivery } from '../receiving-world';
import { EVERY_MS, OTHER, populated, SECRETS, type ErasingWorld } from './erasing-world';

const erasedKeys = (it: ErasingWorld): number => [...it.world.keys.subjects.values()].filter((row) => row === 'erased').length;

/** A checkpoint of the very tree there is, by another key, with the history that names it. */
async function plantStranger({ world }: ErasingWorld): Promise<void> {
  const stranger = memorySigner({ random: randomBytes });
  const { size, root } = world.log.tables.head!;
  const key = verifierKey(world.identity.origin, await stranger.publicKey());
  world.vault.objects.set('log.vkeys', formatFirstKey(key));
  world.vault.objects.set('checkpoint', await signCheckpoint({ origin: key.name, size, root, extensions: [] }, key, (message) => stranger.sign(Buffer.from(message))));
}

test('a checkpoint that another key signed makes nothing go, though keys and checkpoint in the vault agree with each other and with the log table', async () => {
  const { it, eve } = await populated(301);
  const requestId = await it.confirmed(eve);
  await it.settle();
  // The publisher stands still from here on; the sealer works.
  let sealed = it.world.stream.length;
  for (let run = 0; run < 12; run++) {
    await it.advance();
    await it.world.seal(it.world.stream.slice(sealed));
    sealed = it.world.stream.length;
    it.world.advance(EVERY_MS);
  }
  const genuine = ['log.vkeys', 'checkpoint'].map((name) => [name, it.world.vault.objects.get(name)!] as const);
  await plantStranger(it);
  for (let run = 0; run < 12; run++) {
    await expect(it.advance()).rejects.toMatchObject({ name: 'ReplayError', code: 'untrusted' });
    it.world.advance(EVERY_MS);
  }
  expect(await it.images('tombstone')).toEqual([]);
  for (const [name, bytes] of genuine) it.world.vault.objects.set(name, bytes);
  await it.settle();
  expect(await it.untilDone()).toMatchObject([{ requestId, state: 'done' }]);
  for (const secret of SECRETS) expect([secret, await it.holding(secret)]).toEqual([secret, []]);
});

test('rounds that name a segment which was never published, full of removals, make no key go', async () => {
  const { it, eve } = await populated(302);
  await it.confirmed(eve);
  let reached = 0;
  for (let run = 0; (await it.images('tombstone')).length === 0; run++) {
    expect(run).toBeLessThan(12);
    await it.settle();
    reached = it.world.stream.length;
    it.world.advance(EVERY_MS);
    await it.advance();
  }
  // The sealer is told of everything but the tombstones, and of enough others to forge as many of.
  const withheld: StreamEvent[] = [];
  const seal = async (): Promise<void> => {
    const events = it.world.stream.slice(reached);
    reached = it.world.stream.length;
    withheld.push(...events.filter(({ newImage }) => stringOf(newImage, 'kind') === 'tombstone'));
    await it.world.seal(events.filter(({ newImage }) => stringOf(newImage, 'kind') !== 'tombstone'));
    await it.world.publish();
  };
  for (let n = 0; n < 8; n++) await it.receiver().receive(textDelivery(`wamid.crowd-${n}`, 'one of many', OTHER));
  for (let run = 0; run < QUIET_MS / EVERY_MS + 3; run++) {
    await it.advance();
    await seal();
    it.world.advance(EVERY_MS);
  }
  expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: 'sealing' }]);

  const { tables } = it.world.log;
  const genuine = new Map(tables.rounds);
  const [request] = await it.images('erasure-request');
  const late = [...genuine.values()].filter(({ time }) => time >= stringOf(request, 'recordedAt')!);
  const [from, to] = [Math.min(...late.map((round) => round.from)), tables.head!.size];
  const entry = (n: number): PutEntry => ({ v: 1, op: 'put', kind: 'tombstone', id: 'A'.repeat(43), rev: 2, at: stringOf(request, 'recordedAt')!, subject: it.world.identity.systemSubject, src: `planted-${n}`, commit: 'A'.repeat(43), blob: 'a'.repeat(64) });
  const bytes = encodeEntries(Array.from({ length: to - from }, (_, n) => encodeEntry(entry(n))));
  expect(to - from).toBeGreaterThan((await it.images('tombstone')).length);
  const segment = segmentName(from, sha256Hex(bytes));
  it.world.vault.objects.set(segment, bytes);
  for (const round of late) tables.rounds.delete(round.from);
  tables.rounds.set(from, { from, n: to - from, segment, time: late[0]!.time });

  expect(await it.advance()).toMatchObject([{ state: 'removing', waiting: 'sealing' }]);
  expect(erasedKeys(it)).toBe(0);
  tables.rounds.clear();
  for (const [at, round] of genuine) tables.rounds.set(at, round);
  await it.world.seal(withheld);
  await it.world.publish();
  expect(await it.untilDone()).toMatchObject([{ state: 'done' }]);
  expect(erasedKeys(it)).toBe(1);
});
