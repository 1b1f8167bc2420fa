/** Restoring: whatever was destroyed, the table afterwards is what a Map says that was told only what the system did; whatever died in the middle, doing it again ends the same. */
import { FAULTS, Killed, type Fault, type OnCall } from '../../src/adapters/memory/process';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { checkMac, withMac } from '../../src/core/record-mac';
import { repairsOf } from '../../src/core/repair-record';
import { labelIn } from '../../src/core/restore-label';
import { runResultIn } from '../../src/core/run-records';
import { openContent } from '../../src/operations/restore-content';
import { applyRestore, planRestore, type RestoreOptions } from '../../src/operations/restore-records';
import { PortError } from '../../src/ports';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { subjectNamed } from '../world';
import { harm, LIVE_SETTINGS, live, longMessage, nameOf, profile, restoringWorld, textsOf, type Life, type RestoringWorld } from './restoring-world';

const labelOf = (place: RestoringWorld, table: string) => labelIn(place.tables.get(table)?.settings.tags ?? []);
const contentsIn = (place: RestoringWorld): ReadonlyMap<string, string> => new Map([...place.world.inbox.objects].map(([name, { bytes }]) => [name, bytes.toString()] as const).sort());
/** The facts of the model, and what the log has of the system's own records. */
const factsOf = ({ model }: Life): ReadonlyMap<string, string> => textsOf(model.values());

describe('restoring into a table of its own', () => {
  test('gives what the system wrote, whatever was done by hand in between, and puts lost bodies back', async () => {
    await forEachSeed('tables restored', 6, async (seed) => {
      const place = await restoringWorld(seed);
      const draw = seededDraw(seed);
      const life = await live(place, draw, 80);
      const contents = contentsIn(place);
      for (const name of contents.keys()) if (draw() < 0.5) place.world.inbox.objects.delete(name);
      const { plan, result } = await place.restore('copy', draw() < 0.5 ? { keepBytes: 500 } : {});
      expect(textsOf(place.factsIn('copy'))).toEqual(factsOf(life));
      expect(contentsIn(place)).toEqual(contents);
      expect([plan.exists, plan.losses, plan.same, result.left, result.settings]).toEqual([false, 0, 0, [], []]);
      expect([result.written, plan.records, plan.toWrite]).toEqual(Array(3).fill(place.itemsIn('copy').length));
      expect(place.tables.get('copy')?.settings).toEqual({ ...LIVE_SETTINGS, tags: [`intact:restore=${place.world.identity.origin}@${plan.size}`, ...LIVE_SETTINGS.tags] });
    });
  });

  test('again writes only what differs, and takes away what the log does not have', async () => {
    await forEachSeed('tables restored again', 4, async (seed) => {
      const place = await restoringWorld(seed);
      const draw = seededDraw(seed);
      const life = await live(place, draw, 60);
      const { plan: first } = await place.restore('copy');
      const before = textsOf(place.itemsIn('copy'));
      const copy = place.tables.get('copy')!.items;
      let harmed = 0;
      for (const image of life.model.values()) {
        const what = draw();
        if (what < 0.3) copy.remove(keyOf(image));
        else if (what < 0.5) copy.put({ ...image, text: { S: 'changed in the copy' } });
        else continue;
        harmed += 1;
      }
      copy.put(place.world.message('only in the copy'));
      await place.settle();
      const { plan, result } = await place.restore('copy', { size: first.size, ...(draw() < 0.5 && { keepBytes: 0 }) });
      expect(textsOf(place.itemsIn('copy'))).toEqual(before);
      expect([plan.toWrite, result.written, plan.same, plan.toRemove, result.removed]).toEqual([harmed, harmed, before.size - harmed, [keyOf(place.world.message('only in the copy'))], 1]);
      expect((await place.plan('copy', { size: first.size })).toWrite).toBe(0);
    });
  });

  test('to a size or a time gives the table of then', async () => {
    const place = await restoringWorld(3);
    const { world } = place;
    const early = [profile(place, 1, 1, 'first'), world.message('early')];
    await world.write(...early);
    await place.settle();
    const [then, size] = [world.now().toISOString(), world.log.tables.head?.size as number];
    world.advance(3_600_000);
    await world.records.replace(profile(place, 1, 2, 'second'), 1);
    await world.write(world.message('late'));
    await place.settle();
    await place.restore('by-size', { size });
    await place.restore('by-time', { at: then });
    for (const table of ['by-size', 'by-time']) expect(textsOf(place.itemsIn(table))).toEqual(textsOf(early));
    expect([labelOf(place, 'by-size'), labelOf(place, 'by-time')]).toMatchObject([{ point: { size } }, { point: { at: then } }]);
    expect((await place.restore('now')).plan.records).toBe(3);
  });

  test('of one customer or one record gives only these, and says that it is a part', async () => {
    const place = await restoringWorld(4);
    const { world } = place;
    await world.write(profile(place, 1, 1, 'one'), profile(place, 2, 1, 'two'), world.message('a', { customerId: { S: 'customer-1' } }), world.message('b'));
    await place.settle();
    const ofOne = (image: Image): boolean => stringOf(image, 'customerId') === 'customer-1';
    const { plan } = await place.restore('copy', { only: ofOne });
    expect(place.itemsIn('copy').map((image) => keyOf(image).pk).sort()).toEqual([profile(place, 1, 1, ''), world.message('a')].map((image) => keyOf(image).pk).sort());
    expect(labelOf(place, 'copy')).toMatchObject({ part: true, incomplete: false });
    // The same of another customer goes beside it; the rest makes it whole.
    await place.restore('copy', { only: (image) => stringOf(image, 'customerId') === 'customer-2', size: plan.size });
    expect([place.itemsIn('copy').length, labelOf(place, 'copy')]).toMatchObject([3, { part: true }]);
    await place.restore('copy', { size: plan.size });
    expect([place.itemsIn('copy').length, labelOf(place, 'copy')]).toMatchObject([4, { part: false, incomplete: false }]);
    // A part put right in a whole one leaves it whole.
    place.tables.get('copy')!.items.remove(keyOf(profile(place, 1, 1, '')));
    await place.restore('copy', { only: ofOne, size: plan.size });
    expect([place.itemsIn('copy').length, labelOf(place, 'copy')]).toMatchObject([4, { part: false, incomplete: false }]);
  });

  test('of a place that was recorded twice, under two people, keeps what was there first', async () => {
    await forEachSeed('places with two pasts', 4, async (seed) => {
      const place = await restoringWorld(seed);
      const { world } = place;
      const first = world.message('resent', { subject: { S: subjectNamed('first') } });
      await world.write(first);
      await place.settle();
      world.records.byHand.remove(keyOf(first));
      await world.write(withMac(world.macKey, { ...first, subject: { S: subjectNamed('second') } }));
      await place.settle();
      if (seed % 2 === 0) {
        // Back to the first: now the entries of the second end before those of the first do.
        world.records.byHand.remove(keyOf(first));
        await world.write(first);
        await place.settle();
      }
      for (const keepBytes of [undefined, 0]) {
        const table = `copy ${keepBytes}`;
        const { plan } = await place.restore(table, { keepBytes });
        expect(textsOf(place.factsIn(table))).toEqual(textsOf([first]));
        expect(plan.records).toBe(place.itemsIn(table).length);
      }
    });
  });
});

describe('what cannot be restored', () => {
  test('is said: erased as it should be, lost for good, or made up for by a later entry', async () => {
    const place = await restoringWorld(5);
    const { world } = place;
    const big = (rev: number): Image => withMac(world.macKey, { ...profile(place, 1, rev, 'x'.repeat(60_000)) });
    await world.write(world.message('kept'), world.message('erased', { subject: { S: subjectNamed('bob') } }), world.message('lost', { subject: { S: subjectNamed('carol') } }), big(1));
    await place.settle();
    await world.records.replace(profile(place, 1, 2, 'short again'), 1);
    await world.write(withMac(world.macKey, { ...world.message('long'), text: { S: 'x'.repeat(60_000) } }));
    const bodies = [await longMessage(place, 'body gone everywhere'), await longMessage(place, 'body changed')];
    await world.write(...bodies);
    await place.settle();
    world.keys.subjects.set(subjectNamed('bob'), 'erased');
    world.keys.subjects.delete(subjectNamed('carol'));
    for (const name of [...world.vault.objects.keys()]) if (name.startsWith('blob/')) world.vault.objects.delete(name);
    const [gone, changed] = bodies.map((image) => stringOf(image, 'contentName') as string) as [string, string];
    world.inbox.objects.delete(gone);
    world.inbox.objects.set(changed, { bytes: Buffer.from('something else'), at: world.now() });
    const plan = await place.plan('copy');
    expect(plan.notes.map(({ why, meaning, count }) => [why, meaning, count]).sort()).toEqual([
      ['blob-absent', 'ignored', 1],
      ['blob-absent', 'loss', 1],
      ['content-closed', 'loss', 1],
      ['content-different', 'loss', 1],
      ['erased', 'gap', 1],
      ['key-absent', 'loss', 1],
    ]);
    expect([plan.losses, plan.records, plan.contents]).toEqual([4, 4, 0]);
    await place.restore('copy');
    expect(place.world.inbox.objects.get(changed)?.bytes.toString()).toBe('something else');
  });

  test('a record whose MAC names a key that nobody has is a loss and no matter of course, but where something later makes up for it', async () => {
    const place = await restoringWorld(9);
    const { world } = place;
    const old = { id: 7, secret: Buffer.alloc(32, 7) };
    await world.write(withMac(old, world.message('of a key that is gone')), world.message('kept'), withMac(old, profile(place, 1, 1, 'a')));
    await place.settle();
    world.records.byHand.put(profile(place, 1, 2, 'b'));
    await place.settle();
    const plan = await place.plan('copy');
    const told = plan.notes.map(({ why, meaning, count, entries }) => [why, meaning, count, entries]);
    expect(told).toEqual(expect.arrayContaining([['mac-unknown-key', 'loss', 1, [0]], ['mac-unknown-key', 'ignored', 1, [2]]]));
    expect(plan.losses).toBe(1);
    // With the key it is a record like any other.
    const { deps } = await place.depsOf('copy');
    const whole = await planRestore({ ...deps, macKeys: [...deps.macKeys, old] }, { settings: LIVE_SETTINGS });
    expect([whole.losses, whole.records]).toEqual([0, plan.records + 1]);
  });

  test('without the key of the records\' MACs the live table loses nothing: what the log cannot vouch for stays', async () => {
    const place = await restoringWorld(10);
    const { world } = place;
    await world.write(world.message('one'), world.message('two'));
    await place.settle();
    const before = textsOf(place.itemsIn('records'));
    const { deps } = await place.depsOf('records');
    const lost = { ...deps, macKeys: [{ id: 8, secret: Buffer.alloc(32, 8) }] };
    const plan = await planRestore(lost, { settings: LIVE_SETTINGS });
    expect([plan.losses, plan.toRemove.length]).toEqual([2, 2]);
    expect(await applyRestore(lost, plan)).toMatchObject({ removed: 0, left: [{ why: 'unreadable' }, { why: 'unreadable' }] });
    for (const [name, text] of before) expect(textsOf(place.itemsIn('records')).get(name)).toBe(text);
  });

  test('a body counts only if its hash is the one in the record, whichever blob an entry names', async () => {
    const place = await restoringWorld(8);
    const { world } = place;
    const [a, b] = [await longMessage(place, 'a'), await longMessage(place, 'b')] as const;
    await world.write(a, b);
    await place.settle();
    const { deps } = await place.depsOf('copy');
    const objectsOf = (n: number) => world.entries()[n]!.entry.objects ?? [];
    const lost = { name: stringOf(a, 'contentName') as string, sha256: Buffer.from((a['contentSha256'] as { B: Uint8Array }).B).toString('hex'), subject: subjectNamed('alice'), index: 0, id: '' };
    expect(await openContent(deps, { ...lost, objects: objectsOf(1) })).toBe('content-closed');
    expect(await openContent(deps, { ...lost, objects: [...objectsOf(1), ...objectsOf(0)] })).toEqual(world.inbox.objects.get(lost.name)?.bytes);
    expect(await openContent(deps, { ...lost, objects: [] })).toBe('content-unsealed');
  });

  test('without the keys table nothing, and it says so before it touches anything', async () => {
    const place = await restoringWorld(6);
    place.world.keys.secrets.clear();
    await expect(place.restore('copy')).rejects.toMatchObject({ name: 'RestoreError', code: 'no-keys' });
    expect(place.tables.has('copy')).toBe(false);
  });

  test('a log that does not lead to its signed root is not restored from, and no table is made', async () => {
    const place = await restoringWorld(7);
    await live(place, seededDraw(7), 30);
    for (const name of [...place.world.vault.objects.keys()]) if (name.startsWith('tile/entries/') || name.startsWith('segment/')) place.world.vault.objects.delete(name);
    await expect(place.restore('copy')).rejects.toMatchObject({ name: 'ReplayError', code: 'damaged' });
    expect([...place.tables.keys()]).toEqual(['records']);
  });
});

describe('refused, with what, where and what to do', () => {
  const refusal = async (place: RestoringWorld, to: string, options: Partial<RestoreOptions> = {}): Promise<unknown> => {
    const before = [...place.tables].map(([name, { settings }]) => [name, settings, textsOf(place.itemsIn(name))]);
    const error: unknown = await place.restore(to, options).catch((thrown: unknown) => thrown);
    expect([...place.tables].map(([name, { settings }]) => [name, settings, textsOf(place.itemsIn(name))])).toEqual(before);
    expect(error).toMatchObject({ name: 'RestoreError', message: expect.stringMatching(/\S/) as string, next: expect.stringMatching(/\S/) as string });
    return (error as { code: unknown }).code;
  };
  const settled = async (seed: number): Promise<RestoringWorld> => {
    const place = await restoringWorld(seed);
    await place.world.write(place.world.message('one'));
    await place.settle();
    return place;
  };

  test('points that the log does not have', async () => {
    const place = await settled(11);
    expect(await refusal(place, 'copy', { size: 0 })).toBe('before-first');
    expect(await refusal(place, 'copy', { at: '2026-02-03T04:05:05.000Z' })).toBe('before-first');
    expect(await refusal(place, 'copy', { at: '2026-02-03T04:05:07.000Z' })).toBe('in-future');
    expect(await refusal(place, 'copy', { size: 2 })).toBe('past-end');
    expect((await place.restore('copy', { at: '2026-02-03T04:05:06.000Z' })).plan.records).toBe(1);
    const empty = await restoringWorld(12);
    expect(await refusal(empty, 'copy')).toBe('before-first');
  });

  test("another log's vault, and the live table at an earlier point", async () => {
    const place = await settled(13);
    expect(await refusal(place, 'copy', { origin: 'example.com/another/log' })).toBe('other-log');
    expect(await refusal(place, 'records', { size: 1 })).toBe('live-not-back');
    expect(await refusal(place, 'records', { at: '2026-02-03T04:05:06.000Z' })).toBe('live-not-back');
  });

  test('a table of somebody else, of another restore, of another point, of a deployment', async () => {
    const place = await settled(14);
    const { origin } = place.world.identity;
    const put = async (tags: readonly string[], item = true): Promise<void> => {
      place.tables.delete('theirs');
      const target = place.open('theirs');
      await target.create({ ...LIVE_SETTINGS, tags });
      if (item) await target.write([place.world.message('theirs')]);
    };
    await put([]);
    expect(await refusal(place, 'theirs')).toBe('not-empty');
    await put(['intact:restore=example.com/another/log@1 incomplete']);
    expect(await refusal(place, 'theirs')).toBe('foreign-label');
    await put([`intact:restore=${origin}@9`]);
    expect(await refusal(place, 'theirs')).toBe('foreign-label');
    await put([`intact:restore=${origin}@2026-02-03T04:05:06.000Z incomplete`]);
    expect(await refusal(place, 'theirs', { size: 1 })).toBe('foreign-label');
    await put(['intact:restore=whatever this is']);
    expect(await refusal(place, 'theirs')).toBe('foreign-label');
    await put(['intact:stage=prod'], false);
    expect(await refusal(place, 'theirs')).toBe('of-a-stage');
    // Empty and nobody's: it may be filled, and is labelled first.
    await put(['team=records'], false);
    place.tables.get('theirs')!.settings = { ...place.tables.get('theirs')!.settings, pointInTimeRecovery: false };
    const { plan, result } = await place.restore('theirs');
    expect(plan.settings).toEqual([
      { setting: 'pointInTimeRecovery', wanted: 'on', there: 'off' },
      { setting: 'tags', wanted: 'intact:stage=test', there: 'team=records' },
    ]);
    expect([result.settings, place.tables.get('theirs')?.settings.tags]).toEqual([[], [`intact:restore=${origin}@1`, 'intact:stage=test', 'team=records']]);
  });
});

describe('restoring into the live table', () => {
  const facts = (place: RestoringWorld): ReadonlyMap<string, string> => textsOf(place.factsIn('records'));

  test('puts back exactly what is wrong, whatever was done, and leaves alone what is newer than the log', async () => {
    let harmed = 0;
    await forEachSeed('live tables restored', 6, async (seed) => {
      const place = await restoringWorld(seed);
      const draw = seededDraw(seed);
      const life = await live(place, draw, 60);
      for (let i = 0; i < 15; i++) harm(place, life, draw);
      if (draw() < 0.7) await place.settle();
      // Ours, and not in the log yet.
      const fresh = place.world.message('fresh');
      const there = life.model.get(nameOf(profile(place, 9, 1, '')));
      await place.world.write(fresh, ...(there === undefined ? [profile(place, 9, 1, 'fresh')] : []));
      const { plan, result } = await place.restore('records', draw() < 0.5 ? { keepBytes: 0 } : {});
      expect(facts(place)).toEqual(textsOf([...life.model.values(), fresh, profile(place, 9, 1, 'fresh')]));
      expect([result.left, result.written, result.removed]).toEqual([[], plan.toWrite, plan.toRemove.length]);
      harmed += plan.toWrite + plan.toRemove.length;
      // The log still says the same, and so does a second look.
      await place.settle();
      const again = await place.plan('records');
      expect([again.toWrite, again.toRemove]).toEqual([0, []]);
      const copy = await restoringCopy(place);
      expect(copy).toEqual(facts(place));
    });
    figure('restore into a live table that was changed by hand', `${harmed} records put back or removed, 0 differences from the model`);
  });

  const restoringCopy = async (place: RestoringWorld): Promise<ReadonlyMap<string, string>> => {
    await place.restore('copy');
    return textsOf(place.factsIn('copy'));
  };

  test('says first why records come back, and for each record what it may become', async () => {
    const place = await restoringWorld(21);
    const { world } = place;
    const [kept, lost, forged] = [world.message('kept'), world.message('lost'), world.message('forged')];
    await world.write(kept, lost, forged);
    await place.settle();
    world.records.byHand.remove(keyOf(lost));
    world.records.byHand.put({ ...forged, text: { S: 'forged' } });
    world.records.byHand.put({ ...world.message('invented'), text: { S: 'forged' } });
    await place.settle();
    const seen = world.stream.length;
    const { plan, result } = await place.restore('records');
    const [announced, ...changes] = world.stream.slice(seen);
    expect(announced?.key).toEqual(result.record);
    expect(runResultIn(announced?.newImage as Image)).toMatchObject({ ok: true, records: 3, by: 'tester', target: 'records', size: plan.size });
    const repairs = changes.filter(({ newImage }) => stringOf(newImage, 'kind') === 'repair');
    expect(repairs.every(({ newImage }) => checkMac([world.macKey], newImage as Image) === 'valid')).toBe(true);
    for (const image of [lost, forged, world.message('invented')]) {
      const change = changes.findIndex(({ key }) => key.pk === keyOf(image).pk);
      const permission = changes.findIndex(({ key }) => key.pk === repairsOf(keyOf(image)));
      expect([permission >= 0, permission < change]).toEqual([true, true]);
    }
    expect([repairs.length, changes.length, world.meter.counts.get('RecordsRepaired')]).toEqual([3, 6, 3]);
    // Nothing to do: not even a record of it.
    await place.settle();
    const after = world.stream.length;
    expect((await place.restore('records')).result).toMatchObject({ written: 0, removed: 0, record: undefined });
    expect(world.stream.length).toBe(after);
  });

  test('overwrites nothing that is not in the log, however long it waits', async () => {
    const place = await restoringWorld(22);
    const { world } = place;
    await world.write(world.message('forged'), world.message('lost'));
    await place.settle();
    const forged = { ...world.message('forged'), text: { S: 'forged' } };
    const invented = { ...world.message('invented'), text: { S: 'forged' } };
    world.records.byHand.put(forged);
    world.records.byHand.put(invented);
    world.records.byHand.remove(keyOf(world.message('lost')));
    const { deps } = await place.depsOf('records');
    const stopped = { ...deps, live: { ...deps.live!, sleep: world.sleep } }; // nobody seals meanwhile
    const waited: string[] = [];
    const began = world.now().getTime();
    const result = await applyRestore(stopped, await planRestore(stopped, { settings: LIVE_SETTINGS, onProgress: ({ step }) => void waited.push(step) }));
    expect(result.left.map(({ key, why }) => [key.pk, why]).sort()).toEqual([forged, invented].map((image) => [keyOf(image).pk, 'unsealed']).sort());
    expect(facts(place)).toEqual(textsOf([forged, invented, world.message('lost', { receivedAt: { S: new Date(began).toISOString() } })]));
    expect([waited.includes('waiting'), world.now().getTime() - began]).toEqual([true, 60_000]);
    // Sealed while it waits: put back.
    const { result: second } = await place.restore('records');
    expect([second.left, second.written, second.removed]).toEqual([[], 1, 1]);
  });

  test('leaves what somebody changes meanwhile', async () => {
    const place = await restoringWorld(23);
    const { world } = place;
    await world.write(world.message('forged'));
    await place.settle();
    world.records.byHand.put({ ...world.message('forged'), text: { S: 'forged' } });
    await place.settle();
    let n = 0;
    const { deps } = await place.depsOf('records', ({ port }) => {
      if (port === 'repairs') world.records.byHand.put({ ...world.message('forged'), text: { S: `forged again ${n++}` } });
      return undefined;
    });
    const result = await applyRestore(deps, await planRestore(deps, { settings: LIVE_SETTINGS }));
    expect(result.left).toEqual([{ key: keyOf(world.message('forged')), why: 'unsealed' }]);
    expect(place.itemsIn('records').find((image) => stringOf(image, 'kind') === 'message')?.['text']).toEqual({ S: 'forged again 0' });
  });

  test('removes nothing while the log holds entries that nobody can open', async () => {
    const place = await restoringWorld(24);
    const { world } = place;
    await world.write(world.message('unreadable', { subject: { S: subjectNamed('carol') } }));
    await place.settle();
    const damaged = { ...world.message('unreadable'), subject: { S: subjectNamed('carol') }, text: { S: 'damaged' } };
    world.records.byHand.put(damaged);
    await place.settle();
    world.keys.subjects.delete(subjectNamed('carol'));
    const { plan, result } = await place.restore('records');
    expect([plan.losses, plan.toRemove.length, result.removed, result.left.map(({ why }) => why)]).toEqual([2, 1, 0, ['unreadable']]);
    expect(facts(place)).toEqual(textsOf([damaged]));
  });

  test('puts no earlier state back where a later one is sealed and cannot be read; into a table of its own it does, and says so', async () => {
    const place = await restoringWorld(27);
    const { world } = place;
    const big = withMac(world.macKey, { ...profile(place, 1, 2, 'x'.repeat(60_000)) });
    await world.write(profile(place, 1, 1, 'earlier'));
    await world.records.replace(big, 1);
    await place.settle();
    world.records.byHand.remove(keyOf(big));
    for (const name of [...world.vault.objects.keys()]) if (name.startsWith('blob/')) world.vault.objects.delete(name);
    const { plan, result } = await place.restore('records');
    expect([plan.losses, result.left, facts(place).size]).toEqual([1, [{ key: keyOf(big), why: 'unreadable' }], 0]);
    expect((await place.restore('copy')).plan.losses).toBe(1);
    expect(textsOf(place.factsIn('copy'))).toEqual(textsOf([profile(place, 1, 1, 'earlier')]));
    // What is in the table, ours and as new, needs no entry.
    world.records.byHand.put(big);
    expect((await place.restore('records')).result.left).toEqual([]);
    expect(facts(place)).toEqual(textsOf([big]));
  });

  test('that is gone makes it anew, with its settings, labelled until it is whole', async () => {
    const place = await restoringWorld(25);
    const life = await live(place, seededDraw(25), 40);
    for (const image of place.itemsIn('records')) place.world.records.byHand.remove(keyOf(image));
    place.tables.delete('records');
    const { plan, result } = await place.restore('records');
    expect([plan.exists, plan.isLive, result.left]).toEqual([false, true, []]);
    expect(facts(place)).toEqual(factsOf(life));
    expect(place.tables.get('records')?.settings).toEqual({ ...LIVE_SETTINGS, tags: [`intact:restore=${place.world.identity.origin}@${plan.size}`, ...LIVE_SETTINGS.tags] });
  });

  test('brings back its settings too', async () => {
    const place = await restoringWorld(26);
    await live(place, seededDraw(26), 10);
    place.tables.get('records')!.settings = { ...LIVE_SETTINGS, pointInTimeRecovery: false, deletionProtection: false };
    const { plan } = await place.restore('records');
    expect(plan.settings.map(({ setting }) => setting)).toEqual(['pointInTimeRecovery', 'deletionProtection']);
    expect(place.tables.get('records')?.settings).toEqual(LIVE_SETTINGS);
  });
});

describe('a restore that dies', () => {
  const isFull = process.env['INTACT_FULL'] !== undefined;

  /** Three ways to begin: no table yet, a damaged copy, a damaged live table. Each has something of everything. */
  async function story(to: 'copy' | 'damaged' | 'records'): Promise<{ readonly place: RestoringWorld; readonly expected: ReadonlyMap<string, string> }> {
    const place = await restoringWorld(31);
    const { world } = place;
    const images = [...Array.from({ length: 4 }, (_, i) => world.message(`message ${i}`)), await longMessage(place, 'long'), profile(place, 1, 1, 'one')];
    await world.write(...images);
    await place.settle();
    if (to === 'damaged') await place.restore(to, { size: 6 });
    const items = place.tables.get(to === 'damaged' ? to : 'records')!.items;
    items.remove(keyOf(images[0]!));
    items.put({ ...images[1]!, text: { S: 'forged' } });
    items.put({ ...world.message('invented'), text: { S: 'forged' } });
    if (to === 'damaged') place.tables.get(to)!.settings = { ...place.tables.get(to)!.settings, pointInTimeRecovery: false };
    world.inbox.objects.clear();
    await place.settle();
    return { place, expected: textsOf(images) };
  }
  const faultAt = (index: number, fault: Fault): OnCall => (call) => (call.index === index ? fault : undefined);
  const options = (to: string): RestoreOptions => ({ settings: LIVE_SETTINGS, keepBytes: to === 'damaged' ? 0 : 1e6, ...(to !== 'records' && { size: 6 }) });

  /** One run that a fault may end. Returns how many calls it made. */
  async function run(place: RestoringWorld, to: string, onCall: OnCall): Promise<number> {
    let calls = 0;
    const counting: OnCall = (call) => {
      calls += 1;
      return onCall(call);
    };
    let late: (() => Promise<void>) | undefined;
    try {
      const { deps, settle } = await place.depsOf(to, counting);
      late = settle;
      await applyRestore(deps, await planRestore(deps, options(to)));
    } catch (error) {
      if (!(error instanceof Killed || error instanceof PortError)) throw error;
    }
    await late?.();
    return calls;
  }

  let tried = 0;
  afterAll(() => figure('restore: one fault at one call, of six kinds, into a new, a damaged and the live table', `${tried} tried, the same command again ends in the same state`));

  describe.each(['copy', 'damaged', 'records'] as const)('into %s', (to) => {
    test.each(isFull ? FAULTS : (['kill-before', 'kill-after', 'timeout'] as const))('is finished by the same command after %s at any one call', async (fault) => {
      const begun = await story(to);
      const calls = await run(begun.place, to, () => undefined);
      expect(calls).toBeGreaterThan(20);
      for (let index = 0; index < calls; index++) {
        const { place, expected } = await story(to);
        await run(place, to, faultAt(index, fault));
        // In the middle: a table that is not whole says so.
        const label = labelOf(place, to);
        const isWhole = JSON.stringify([...textsOf(place.factsIn(to))]) === JSON.stringify([...expected]);
        const wasWhole = to === 'damaged' && !isWhole && typeof label === 'object' && !label.incomplete; // nothing begun yet: as it was found
        if (to !== 'records' && place.tables.has(to) && !wasWhole) expect([index, isWhole || (typeof label === 'object' && label.incomplete)]).toEqual([index, true]);
        // What was being sealed when it died is sealed meanwhile.
        await place.settle();
        const finished = await run(place, to, () => undefined);
        expect([index, finished > 0, textsOf(place.factsIn(to))]).toEqual([index, true, expected]);
        expect([index, labelOf(place, to)]).toEqual([index, to === 'records' ? 'none' : expect.objectContaining({ incomplete: false })]);
        expect(place.world.inbox.objects.size).toBe(1);
        expect(place.tables.get(to)?.settings).toMatchObject({ pointInTimeRecovery: true });
        tried += 1;
      }
    });
  });

  test('goes on at the point it began at, however far the log has grown', async () => {
    const place = await restoringWorld(32);
    await place.world.write(place.world.message('one'), place.world.message('two'));
    await place.settle();
    const { deps } = await place.depsOf('copy', ({ method }) => (method === 'write' ? 'kill-before' : undefined));
    await expect(planRestore(deps, { settings: LIVE_SETTINGS }).then((plan) => applyRestore(deps, plan))).rejects.toBeInstanceOf(Killed);
    expect(labelOf(place, 'copy')).toMatchObject({ point: { size: 2 }, incomplete: true });
    await place.world.write(place.world.message('three'));
    await place.settle();
    const { plan } = await place.restore('copy');
    expect([plan.resumes, plan.size, plan.records, labelOf(place, 'copy')]).toMatchObject([true, 2, 2, { point: { size: 2 }, incomplete: false }]);
    // Finished, it stays what it is: another point is another table.
    await expect(place.restore('copy')).rejects.toMatchObject({ code: 'foreign-label' });
  });
});

describe('speed', () => {
  test('of a restore into an empty table', async () => {
    const n = isFullSize() ? 20_000 : 2_000;
    const place = await restoringWorld(41);
    for (let i = 0; i < n; i++) await place.world.write(place.world.message(`message ${i}`, { text: { S: 'x'.repeat(300) } }));
    await place.settle();
    const began = process.hrtime.bigint();
    const { result } = await place.restore('copy');
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    expect([result.written, place.itemsIn('copy').length]).toEqual([n, n]);
    figure('restore in process, memory to memory, one core, records of 0.6 KB', `${Math.round(n / seconds)} records/s (${n} records, opened, checked, compared, written)`);
  });
  const isFullSize = (): boolean => process.env['INTACT_FULL'] !== undefined;
});
