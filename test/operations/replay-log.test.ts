/** Replaying: what the log says every record is, against a Map that was told only what the system itself did. */
import { seededDraw } from '../../src/adapters/memory/schedule';
import { canonicalImage } from '../../src/core/canonical-image';
import { keyOf, type Image } from '../../src/core/image';
import { decodeEntries, encodeEntries } from '../../src/core/log/bundle';
import { leafHash } from '../../src/core/log/merkle';
import { segmentName } from '../../src/core/verify/vault-name';
import { withMac } from '../../src/core/record-mac';
import { loadSecrets } from '../../src/operations/load-secrets';
import { publishedCheckpoint, type PublishedLog } from '../../src/operations/published-entries';
import { replayLog, type ReplayedRecord, type ReplayOptions, type ReplaySummary } from '../../src/operations/replay-log';
import { subjectKeys } from '../../src/operations/subject-keys';
import { forEachSeed } from '../seeds';
import { makeWorld, subjectNamed, type World } from '../world';
import { makeEntry, sha256 } from './built-vault';

const nameOf = (image: Image): string => JSON.stringify(keyOf(image));
const textOf = (image: Image): string => canonicalImage(image).toString();

async function replay(world: World, options: Partial<ReplayOptions> = {}, vault: PublishedLog = world.vault): Promise<{ readonly records: ReadonlyMap<string, ReplayedRecord>; readonly summary: ReplaySummary }> {
  const secrets = loadSecrets(world);
  const records = new Map<string, ReplayedRecord>();
  const deps = { vault, subjectKeys: subjectKeys({ ...world, kek: secrets.kek }), macKeys: await secrets.macKeys() };
  const summary = await replayLog(deps, { checkpoint: await publishedCheckpoint(world.vault), ...options }, async (record) => {
    expect(records.has(nameOf(record.image))).toBe(false);
    records.set(nameOf(record.image), record);
  });
  return { records, summary };
}

const imagesOf = (records: ReadonlyMap<string, ReplayedRecord>): ReadonlyMap<string, string> => new Map([...records].map(([name, { image }]) => [name, textOf(image)]).sort() as [string, string][]);
const inOrder = (model: ReadonlyMap<string, Image>): ReadonlyMap<string, string> => new Map([...model].map(([name, image]) => [name, textOf(image)]).sort() as [string, string][]);

/** A life of a table: what the system writes goes into the model, what is done by hand does not. */
async function live(world: World, draw: () => number, steps: number): Promise<Map<string, Image>> {
  const model = new Map<string, Image>();
  const genuine: Image[] = [];
  const pick = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)] as T;
  for (let step = 0; step < steps; step++) {
    const what = draw();
    const known = [...model.values()];
    if (what < 0.4 || known.length === 0) {
      const image = world.message(`message ${step}`, { subject: { S: subjectNamed(`customer ${Math.floor(draw() * 5)}`) } });
      const whole = withMac(world.macKey, image);
      await world.records.create(whole);
      model.set(nameOf(whole), whole);
      genuine.push(whole);
    } else if (what < 0.7) {
      const n = Math.floor(draw() * 5);
      const there = model.get(nameOf(world.profile(n, 1, '')));
      const image = world.profile(n, there === undefined ? 1 : Number((there['rev'] as { N: string }).N) + 1, `step ${step}`);
      const done = there === undefined ? (await world.records.create(image)) === 'created' : (await world.records.replace(image, Number((image['rev'] as { N: string }).N) - 1)) === 'replaced';
      if (!done) continue;
      model.set(nameOf(image), image);
      genuine.push(image);
    } else if (what < 0.78) world.records.byHand.put({ ...pick(known), text: { S: 'another' } });
    else if (what < 0.84) world.records.byHand.remove(keyOf(pick(known)));
    else if (what < 0.9) world.records.byHand.put(pick(genuine)); // put back as it once was, with a MAC that is valid
    else if (what < 0.94) world.records.byHand.put({ ...world.message(`forged ${step}`), text: { S: 'forged' } });
    else if (what < 0.97) world.records.byHand.put({ ...pick(known), subject: { S: subjectNamed('nobody') } });
    else world.records.byHand.put({ ...pick(known), kind: { S: 'status' } });
    if (draw() < 0.2) {
      world.advance(90_000);
      await world.seal(world.stream.slice(-40));
    }
    if (draw() < 0.1) await world.publish();
  }
  await world.seal();
  await world.seal(); // what the first one found
  await world.publish();
  for await (const image of world.records.scan({ kinds: ['finding'] })) model.set(nameOf(image), image);
  return model;
}

describe('replaying the log', () => {
  test('gives every record its newest genuine state, whatever was done by hand in between', async () => {
    await forEachSeed('lives of a table', 12, async (seed) => {
      const world = await makeWorld({ seed });
      const model = await live(world, seededDraw(seed), 120);
      const { records, summary } = await replay(world);
      expect(imagesOf(records)).toEqual(inOrder(model));
      expect(summary.records).toBe(model.size);
      expect(summary.entries).toBe(world.log.tables.head?.size);
      for (const { index, image, entry } of records.values()) expect([entry, textOf(image)]).toEqual([world.entries()[index]!.entry, (world.open(entry) as Buffer).subarray(32).toString()]);
    });
  });

  test('of a place that was sealed under two subjects gives once what was sealed first, however often it changes afterwards', async () => {
    const world = await makeWorld({ seed: 5 });
    const under = (subject: string, rev: number): Image => withMac(world.macKey, { ...world.profile(1, rev, `${subject} ${rev}`), subject: { S: subjectNamed(subject) } });
    // Sealed in this order; the second name's newest state lies between the first and the newest of the first name.
    for (const image of [under('first', 1), under('second', 1), under('second', 7), under('first', 2)]) {
      world.records.byHand.remove(keyOf(image));
      await world.write(image);
      await world.seal();
    }
    await world.publish();
    const places = [...(await replay(world)).records.values()].filter(({ key }) => key.pk === keyOf(under('first', 1)).pk);
    expect(places.map(({ image }) => image['words'])).toEqual([{ S: 'first 2' }]);
    // Whose key is gone has no state that counts.
    world.keys.subjects.set(subjectNamed('first'), 'erased');
    const left = [...(await replay(world)).records.values()].filter(({ key }) => key.pk === keyOf(under('first', 1)).pk);
    expect(left.map(({ image }) => image['words'])).toEqual([{ S: 'second 7' }]);
  });

  test('of a place that was first sealed raw gives that, or what its own subject made of it, and nothing of another subject', async () => {
    const world = await makeWorld({ seed: 6 });
    const under = (subject: string, rev: number): Image => withMac(world.macKey, { ...world.profile(1, rev, `${subject} ${rev}`), subject: { S: subjectNamed(subject) } });
    const write = async (image: Image): Promise<void> => {
      world.records.byHand.remove(keyOf(image));
      await world.write(image);
      await world.seal();
    };
    const given = async (): Promise<unknown[]> => [...(await replay(world)).records.values()].filter(({ key }) => key.pk === keyOf(under('first', 1)).pk).map(({ image }) => image['words']);
    world.keys.subjects.set(subjectNamed('first'), 'corrupt');
    await write(under('first', 1));
    world.keys.subjects.delete(subjectNamed('first'));
    await write(under('second', 4));
    await world.publish();
    expect(await given()).toEqual([{ S: 'first 1' }]);
    await write(under('first', 2));
    await write(under('second', 5));
    await world.publish();
    expect(await given()).toEqual([{ S: 'first 2' }]);
  });

  test('to an earlier size or time gives the state of then', async () => {
    const world = await makeWorld({ seed: 7 });
    await world.write(world.profile(1, 1, 'first'), world.message('early'));
    await world.seal();
    const [then, size] = [world.now().toISOString(), world.log.tables.head?.size as number];
    world.advance(3_600_000);
    await world.records.replace(world.profile(1, 2, 'second'), 1);
    await world.write(world.message('late'));
    await world.seal();
    await world.publish();
    const expected = new Map([world.profile(1, 1, 'first'), { ...world.message('early'), receivedAt: { S: then } }].map((image) => [nameOf(image), image]));
    for (const options of [{ size }, { at: then }]) {
      const { records } = await replay(world, options);
      expect([...records.keys()].sort()).toEqual([...expected.keys()].sort());
      expect(records.get(nameOf(world.profile(1, 1, '')))?.image['words']).toEqual({ S: 'first' });
    }
    expect((await replay(world)).records.get(nameOf(world.profile(1, 1, '')))?.image['words']).toEqual({ S: 'second' });
    expect((await replay(world, { only: (image) => image['words'] !== undefined })).records.size).toBe(1);
  });

  test('reads a damaged or missing bundle from the segments, and refuses what no segment holds either', async () => {
    const world = await makeWorld({ seed: 9 });
    for (let i = 0; i < 300; i++) {
      await world.write(world.message(`${i}`));
      if (i % 37 === 0) await world.seal(world.stream.slice(-37));
    }
    await world.seal();
    await world.publish();
    const bundle = world.vault.objects.get('tile/entries/000') as Buffer;
    for (const damage of [undefined, Buffer.concat([bundle.subarray(0, 500), Buffer.from([bundle[500]! ^ 1]), bundle.subarray(501)]), Buffer.from('\0\x01x')]) {
      if (damage === undefined) world.vault.objects.delete('tile/entries/000');
      else world.vault.objects.set('tile/entries/000', damage);
      expect((await replay(world)).records.size).toBe(300);
    }
    const segment = [...world.vault.objects.keys()].find((name) => name.startsWith(`segment/${'38'.padStart(20, '0')}`)) as string;
    world.vault.objects.delete(segment);
    await expect(replay(world)).rejects.toMatchObject({ name: 'ReplayError', code: 'damaged' });
  });

  test('believes no bundle and tile that were changed together', async () => {
    const world = await makeWorld({ seed: 11 });
    for (let i = 0; i < 300; i++) await world.write(world.message(`${i}`));
    await world.seal();
    await world.publish();
    const other = await makeWorld({ seed: 12 });
    for (let i = 0; i < 300; i++) await other.write(other.message(`${i}`));
    await other.seal();
    await other.publish();
    for (const name of ['tile/0/000', 'tile/entries/000']) world.vault.objects.set(name, other.vault.objects.get(name) as Buffer);
    const given: unknown[] = [];
    await expect(replay(world).then(({ records }) => given.push(...records))).rejects.toMatchObject({ code: 'damaged' });
    expect(given).toEqual([]);
    world.vault.objects.set('checkpoint', other.vault.objects.get('checkpoint') as Buffer);
    await expect(replay(world)).rejects.toMatchObject({ code: 'untrusted' });
    world.vault.objects.delete('checkpoint');
    await expect(replay(world)).rejects.toMatchObject({ code: 'no-log' });
  });

  test('believes no other entries when it reads them again, though they are as many and ours', async () => {
    const world = await makeWorld({ seed: 16 });
    await world.records.create(world.profile(1, 1, 'first'));
    await world.records.replace(world.profile(1, 2, 'second'), 1);
    for (let i = 0; i < 300; i++) await world.write(world.message(`${i}`));
    await world.seal();
    await world.publish();
    const bundle = decodeEntries(world.vault.objects.get('tile/entries/000') as Buffer);
    const rolledBack = [bundle[0] as Buffer, bundle[0] as Buffer, ...bundle.slice(2)];
    const second = new Map([['tile/entries/000', encodeEntries(rolledBack)], ['tile/0/000', Buffer.concat(rolledBack.map(leafHash))]]);
    const reads = new Map<string, number>();
    const get = async (name: string): Promise<Buffer | 'absent'> => {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return (reads.get(name) as number) > 1 ? (second.get(name) ?? world.vault.get(name)) : world.vault.get(name);
    };
    const sound = await replay(world, { size: 200 });
    expect(sound.records.size).toBe(199);
    const given: unknown[] = [];
    await expect(replay(world, { size: 200 }, { ...world.vault, get }).then(({ records }) => given.push(...records))).rejects.toMatchObject({ name: 'ReplayError', code: 'damaged' });
    expect(given).toEqual([]);
  });

  test('tries each place once where segments lie side by side and neither bundle nor tile is there', async () => {
    const world = await makeWorld({ seed: 17 });
    for (let i = 0; i < 40; i++) await world.write(world.message(`${i}`));
    await world.seal();
    await world.publish();
    for (const name of [...world.vault.objects.keys()]) if (name.startsWith('tile/') || name.startsWith('segment/')) world.vault.objects.delete(name);
    for (let at = 0; at < 39; at++) {
      for (const salt of ['a', 'b']) {
        const bytes = encodeEntries([makeEntry(at, { salt })]);
        world.vault.objects.set(segmentName(at, sha256(bytes)), bytes);
      }
    }
    // 2^39 ways lead nowhere.
    await expect(replay(world)).rejects.toMatchObject({ name: 'ReplayError', code: 'damaged' });
  });

  test('tells what could not be opened, and why', async () => {
    const world = await makeWorld({ seed: 13 });
    await world.write(world.message('kept'), world.message('erased', { subject: { S: subjectNamed('bob') } }), world.message('lost', { subject: { S: subjectNamed('carol') } }));
    await world.write(withMac(world.macKey, { ...world.message('long'), text: { S: 'x'.repeat(60_000) } }));
    await world.seal();
    await world.publish();
    world.keys.subjects.set(subjectNamed('bob'), 'erased');
    world.keys.subjects.delete(subjectNamed('carol'));
    for (const name of world.vault.objects.keys()) if (name.startsWith('blob/')) world.vault.objects.delete(name);
    const { records, summary } = await replay(world);
    expect(records.size).toBe(1);
    expect(summary.notes.map(({ why }) => why).sort()).toEqual(['blob-absent', 'erased', 'key-absent']);
  });

  test('finds a genuine record that was sealed raw because its key could not be opened', async () => {
    const world = await makeWorld({ seed: 15 });
    await world.write(world.message('first', { subject: { S: subjectNamed('dave') } }));
    await world.seal();
    const row = world.keys.subjects.get(subjectNamed('dave')) as { wrapped: Buffer };
    world.keys.subjects.set(subjectNamed('dave'), { ...(row as object), wrapped: Buffer.alloc(60) } as never);
    const image = withMac(world.macKey, { ...world.message('second'), subject: { S: subjectNamed('dave') } });
    await world.write(image);
    await world.seal();
    world.keys.subjects.set(subjectNamed('dave'), row as never);
    await world.publish();
    expect([...(await replay(world)).records.values()].some(({ image: found }) => textOf(found) === textOf(image))).toBe(true);
  });
});
