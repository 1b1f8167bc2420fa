/** Repairs: whatever is done to records by hand, they become what they genuinely are again, and where that cannot be known nothing is touched. */
import { keyOf, type Image } from '../../src/core/image';
import { macOf, withMac } from '../../src/core/record-mac';
import { repairImage, repairsOf, stateHash } from '../../src/core/repair-record';
import { planRepairs, repairRecord } from '../../src/operations/repair-record';
import { publishedCheckpoint } from '../../src/operations/published-entries';
import { makeSealer, sealRecords } from '../../src/operations/seal-records';
import { sealedHistories } from '../../src/operations/sealed-history';
import { settledLog } from '../../src/operations/settled-log';
import { PortError } from '../../src/ports';
import { sealMissing } from '../../src/operations/seal-missing';
import { findingsIn, subjectNamed } from '../world';
import { makeRepairWorld, textOf, type RepairWorld } from './repair-world';

/** A world with a message and a profile of two revisions, sealed and published. */
async function quietWorld(seed = 1): Promise<RepairWorld & { readonly message1: Image; readonly profile1: Image; readonly profile2: Image }> {
  const world = await makeRepairWorld(seed);
  const [message1, profile1, profile2] = [world.message('one'), world.profile(1, 1, 'first'), world.profile(1, 2, 'second')];
  await world.write(message1, world.message('two'), profile1);
  await world.records.replace(profile2, 1);
  await world.settle();
  return { ...world, message1, profile1, profile2 };
}

type Quiet = Awaited<ReturnType<typeof quietWorld>>;

describe('a record changed by hand', () => {
  const bad = (of: Image, change: Image): Image => ({ ...of, ...change });
  const without = (of: Image, name: string): Image => Object.fromEntries(Object.entries(of).filter(([each]) => each !== name));
  const cases: readonly (readonly [string, (world: Quiet) => { readonly was: Image; readonly made: Image }, readonly string[]])[] = [
    ['an immutable one with another text', ({ message1: was }) => ({ was, made: bad(was, { text: { S: 'forged' } }) }), ['immutable-modified', 'mac-invalid']],
    ['of another kind', ({ message1: was }) => ({ was, made: bad(was, { kind: { S: 'status' } }) }), ['immutable-modified', 'kind-changed', 'mac-invalid']],
    ['of a kind there is not', ({ profile2: was }) => ({ was, made: bad(was, { kind: { S: 'letter' }, rev: { N: '3' } }) }), ['kind-changed', 'kind-unknown', 'mac-invalid']],
    ['given to another subject', ({ message1: was }) => ({ was, made: bad(was, { subject: { S: subjectNamed('nobody') } }) }), ['immutable-modified', 'mac-invalid', 'subject-changed']],
    ['without a subject', ({ message1: was }) => ({ was, made: without(was, 'subject') }), ['immutable-modified', 'mac-invalid', 'subject-changed', 'subject-missing']],
    ['without a MAC', ({ message1: was }) => ({ was, made: without(was, 'mac') }), ['immutable-modified', 'mac-missing']],
    ['with a MAC of a key there is not', ({ message1: was }) => ({ was, made: bad(was, { mac: { S: macOf({ id: 9, secret: Buffer.alloc(32) }, was) } }) }), ['immutable-modified', 'mac-unknown-key']],
    ['a versioned one, with the next revision', ({ profile2: was }) => ({ was, made: bad(was, { words: { S: 'forged' }, rev: { N: '3' } }) }), ['mac-invalid']],
    ['a versioned one, put back to an earlier revision that is genuine', ({ profile2: was, profile1: made }) => ({ was, made }), ['rev-not-next']],
    ['emptied', ({ message1: was }) => ({ was, made: { pk: was['pk']!, sk: was['sk']! } }), ['immutable-modified', 'kind-changed', 'kind-unknown', 'mac-missing', 'subject-changed', 'subject-missing']],
  ];

  test.each(cases)('%s is put back, with the evidence sealed and no finding but of the hand', async (_, make, codes) => {
    const world = await quietWorld();
    const { was, made } = make(world);
    const before = await world.table();
    world.records.byHand.put(made);
    expect(await world.settle()).toEqual([{ outcome: 'put-back', entry: expect.any(Number) as number }]);
    expect(await world.read(keyOf(was))).toBe(textOf(was));
    expect(await findingsIn(world)).toEqual(codes);
    expect(world.isSealed(made)).toBe(true);
    // Nothing is new in the table but what was found and what was done.
    const after = await world.table();
    const ours = [...(await world.ofKind('finding')), ...(await world.ofKind('repair'))].length;
    expect([...before].every(([name, text]) => after.get(name) === text)).toBe(true);
    expect([after.size, await world.ofKind('repair')]).toEqual([before.size + ours, [expect.objectContaining({ action: { S: 'put-back' }, recordPk: was['pk'] })]]);
    expect([world.meter.counts.get('RecordsRepaired'), world.meter.counts.get('RepairsRefused')]).toEqual([1, undefined]);
    expect([world.check(), await world.verify()]).toEqual([[], []]);
  });

  test('removed by hand comes back, whatever its kind', async () => {
    const world = await quietWorld();
    const before = await world.table();
    for (const image of [world.message1, world.profile2]) world.records.byHand.remove(keyOf(image));
    expect(await world.settle()).toEqual([{ outcome: 'put-back', entry: expect.any(Number) as number }, { outcome: 'put-back', entry: expect.any(Number) as number }]);
    expect([await world.read(keyOf(world.message1)), await world.read(keyOf(world.profile2))]).toEqual([before.get(JSON.stringify([world.message1['pk'], world.message1['sk']].map((part) => (part as { S: string }).S))), textOf(world.profile2)]);
    expect(await findingsIn(world)).toEqual(['record-removed', 'record-removed']);
    expect(world.entries().filter(({ entry }) => entry.op === 'remove')).toHaveLength(2);
    expect([world.check(), await world.verify()]).toEqual([[], []]);
  });

  test('that is one of the system’s own, a finding or a repair, comes back too', async () => {
    const world = await quietWorld();
    world.records.byHand.put({ ...world.message1, text: { S: 'forged' } });
    await world.settle();
    const own = [...(await world.ofKind('finding')), ...(await world.ofKind('repair'))];
    const before = await world.table();
    for (const image of own) world.records.byHand.remove(keyOf(image));
    await world.settle();
    const after = await world.table();
    expect(own).toHaveLength(3);
    expect([...before].filter(([name, text]) => after.get(name) !== text)).toEqual([]);
    expect(await findingsIn(world)).toEqual(['immutable-modified', 'mac-invalid', 'record-removed', 'record-removed', 'record-removed']);
  });

  test('several times before anybody looked, from one subject to the next, is put back to what it was at first, and every state is in the log', async () => {
    const world = await quietWorld();
    const states = ['b', 'c', 'd'].map((name) => ({ ...world.message1, subject: { S: subjectNamed(name) }, text: { S: `forged by ${name}` } }));
    for (const state of states) world.records.byHand.put(state);
    world.records.byHand.remove(keyOf(world.message1));
    world.records.byHand.put(states[2]!);
    const outcomes = await world.settle();
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['put-back', 'sound', 'sound', 'sound', 'sound']);
    expect(await world.read(keyOf(world.message1))).toBe(textOf(world.message1));
    expect(states.every(world.isSealed)).toBe(true);
    expect([world.check(), await world.verify()]).toEqual([[], []]);
  });

  test('whose request names only the last of several hands is still found under its first subject', async () => {
    const world = await quietWorld();
    const states = ['b', 'c', 'd'].map((name) => ({ ...world.message1, subject: { S: subjectNamed(name) } }));
    for (const state of states) world.records.byHand.put(state);
    await world.sealNew();
    await world.publishNew();
    const last = world.asked.at(-1)!;
    expect(await world.repair(last)).toEqual([{ outcome: 'put-back', entry: expect.any(Number) as number }]);
    expect(await world.read(keyOf(world.message1))).toBe(textOf(world.message1));
  });
});

describe('a record that was never written by the system', () => {
  const cases: readonly (readonly [string, (world: Quiet) => Image, readonly string[]])[] = [
    ['a copy of a real one in another place', ({ message1 }) => ({ ...message1, sk: { S: '2#message' } }), ['mac-invalid', 'record-removed']],
    ['something without kind, subject and MAC', () => ({ pk: { S: 'anything at all' }, sk: { S: 'ünïcode\u{ffff}' }, note: { S: 'x' } }), ['kind-unknown', 'mac-missing', 'record-removed', 'rev-not-next', 'subject-missing', 'subject-missing']],
    ['one under a subject of its own making', (world) => ({ ...world.message('three', { subject: { S: subjectNamed('mallory') } }), text: { S: 'never said' } }), ['mac-invalid', 'record-removed']],
  ];
  test.each(cases)('%s is removed, and stays in the log', async (_, make, codes) => {
    const world = await quietWorld();
    const before = await world.table();
    const extra = make(world);
    world.records.byHand.put(extra);
    expect(await world.settle()).toEqual([{ outcome: 'removed' }]);
    expect(await world.read(keyOf(extra))).toBe('absent');
    // What the repair itself did is no finding.
    expect(await findingsIn(world)).toEqual(codes.filter((code, i) => code !== 'record-removed' && !(code === 'subject-missing' && codes.indexOf(code) !== i)));
    expect(world.isSealed(extra)).toBe(true);
    const after = await world.table();
    expect([...before].filter(([name, text]) => after.get(name) !== text)).toEqual([]);
    expect(await world.ofKind('repair')).toEqual([expect.objectContaining({ action: { S: 'remove' } })]);
    expect([world.check(), await world.verify()]).toEqual([[], []]);
  });
});

test('a record whose MAC names a key that is not there is not removed: with a lost key, all that is genuine would look like it', async () => {
  const world = await quietWorld();
  const unknown = world.message('three');
  world.records.byHand.put({ ...unknown, mac: { S: macOf({ id: 9, secret: Buffer.alloc(32) }, unknown) } });
  expect(await world.settle()).toEqual([{ outcome: 'nothing-to-restore-from', lost: [expect.objectContaining({ why: 'mac-unknown-key' })] }]);
  expect([await findingsIn(world), world.meter.counts.get('RepairsRefused'), await world.ofKind('repair')]).toEqual([['mac-unknown-key'], 1, []]);
  expect(await world.read(keyOf(unknown))).not.toBe('absent');
});

test('an invented record is removed although the log holds entries of somebody who was erased, which nobody can read', async () => {
  const world = await quietWorld();
  await world.write(world.message('of bob', { subject: { S: subjectNamed('bob') } }));
  await world.settle();
  world.keys.subjects.set(subjectNamed('bob'), 'erased');
  world.records.byHand.put({ ...world.message1, sk: { S: '2#message' } });
  expect(await world.settle()).toEqual([{ outcome: 'removed' }]);
});

test('the source of a change leads to the subject, and the subject to what was sealed before, without a look at any other', async () => {
  const world = await quietWorld();
  world.records.byHand.remove(keyOf(world.message1));
  await world.sealNew();
  await world.publishNew();
  const log = settledLog(world.ports);
  const asked: string[] = [];
  const subjectKeys = { existing: (subject: string) => (asked.push(subject), log.subjectKeys.existing(subject)) };
  const [history] = await sealedHistories({ vault: world.vault, subjectKeys, macKeys: await log.macKeys() }, await publishedCheckpoint(world.vault), [{ ...world.asked[0]!, subjects: [] }]);
  expect([textOf(history?.genuine?.image), history?.states.map(({ became }) => became.state), [...new Set(asked)]]).toEqual([textOf(world.message1), ['image', 'removed'], [subjectNamed('alice')]]);
});

describe('a repair is refused, and nothing is touched,', () => {
  const untouched = async (world: RepairWorld, bad: Image, request = { key: keyOf(bad) }): Promise<object> => {
    const [before, asked] = [await world.table(), await world.repair(request)];
    expect(await world.table()).toEqual(before);
    expect(world.meter.counts.get('RepairsRefused')).toBe(1);
    return asked;
  };
  const forged = async (world: Quiet, of = world.message1): Promise<Image> => {
    const bad = { ...of, text: { S: 'forged' } };
    world.records.byHand.put(bad);
    await world.sealNew();
    await world.publishNew();
    return bad;
  };
  const lost = (...why: readonly string[]): object[] => [{ outcome: 'nothing-to-restore-from', lost: why.map((each) => expect.objectContaining({ why: each }) as object) }];

  test('when the key of its subject was erased', async () => {
    const world = await quietWorld();
    const bad = await forged(world);
    world.keys.subjects.set(subjectNamed('alice'), 'erased');
    expect(await untouched(world, bad)).toEqual(lost('erased'));
  });

  test.each(['key-absent', 'key-corrupt'] as const)('when the keys table has lost it (%s), even if nothing in the record leads there', async (why) => {
    const world = await quietWorld();
    const bad = await forged(world, { ...world.message1, subject: { S: subjectNamed('elsewhere') } });
    if (why === 'key-absent') world.keys.subjects.delete(subjectNamed('alice'));
    else world.keys.subjects.set(subjectNamed('alice'), 'corrupt');
    expect(await world.repair({ key: keyOf(bad) })).toEqual(lost(why));
    expect(await world.read(keyOf(bad))).toBe(textOf(bad));
  });

  test('when every copy of its entries is damaged, and it says so', async () => {
    const world = await quietWorld();
    const bad = await forged(world);
    for (const [name, bytes] of world.vault.objects) if (/^(segment|tile\/entries)\//.test(name)) world.vault.objects.set(name, Buffer.from(bytes.map((byte) => byte ^ 1)));
    expect(await untouched(world, bad)).toEqual(lost('damaged'));
  });

  test('when the log is signed by another key than ours', async () => {
    const [world, other] = [await quietWorld(1), await quietWorld(2)];
    const bad = await forged(world);
    const note = (of: Quiet, name: string): Buffer => Buffer.from(String(of.vault.objects.get(name)).replaceAll(of.identity.origin, world.identity.origin));
    world.vault.objects.set('checkpoint', note(other, 'checkpoint'));
    expect(await untouched(world, bad)).toEqual(lost('untrusted'));
  });

  test('when a newer revision than the newest readable one is lost: going back would be a lie', async () => {
    const world = await quietWorld();
    await world.records.replace(world.profile(1, 3, 'x'.repeat(60_000)), 2);
    await world.settle();
    const bad = { ...world.profile(1, 4, 'fourth'), words: { S: 'forged' } };
    world.records.byHand.put(bad);
    await world.sealNew();
    await world.publishNew();
    for (const name of world.vault.objects.keys()) if (name.startsWith('blob/')) world.vault.objects.delete(name);
    expect(await untouched(world, bad)).toEqual(lost('blob-absent'));
  });

  test('when it was repaired three times within an hour, and it is repaired again an hour later', async () => {
    const world = await quietWorld();
    const bad = { ...world.message1, text: { S: 'forged again' } };
    for (let i = 0; i < 3; i++) {
      world.records.byHand.put(bad);
      expect(await world.settle()).toEqual([{ outcome: 'put-back', entry: expect.any(Number) as number }]);
      world.advance(60_000);
    }
    world.records.byHand.put(bad);
    expect(await world.settle()).toEqual([{ outcome: 'too-often', repairs: 3 }]);
    expect(await world.read(keyOf(bad))).toBe(textOf(bad));
    expect(await world.ofKind('repair')).toHaveLength(3);
    expect(world.meter.counts.get('RepairsRefused')).toBe(1);
    world.advance(3_600_000);
    expect(await world.repair({ key: keyOf(bad) })).toEqual([{ outcome: 'put-back', entry: expect.any(Number) as number }]);
  });

  test('but not because of repairs that somebody invented', async () => {
    const world = await quietWorld();
    const bad = await forged(world);
    for (const n of [1, 2, 3, 4]) world.records.byHand.put(repairImage({ key: keyOf(bad), from: bad, to: undefined }, world.identity.systemSubject, new Date(world.now().getTime() - n * 1000).toISOString()));
    expect((await world.repair({ key: keyOf(bad) })).map(({ outcome }) => outcome)).toEqual(['put-back']);
  });

  test('nor by an item that somebody put where its permission belongs', async () => {
    const world = await quietWorld();
    const bad = await forged(world);
    const since = world.entries().at(-1)!.entry.at;
    world.records.byHand.put(repairImage({ key: keyOf(bad), from: bad, to: world.message1 }, world.identity.systemSubject, since));
    expect((await world.repair(...world.asked.splice(0))).map(({ outcome }) => outcome)).toEqual(['put-back']);
    await world.settle();
    expect(await world.read(keyOf(bad))).toBe(textOf(world.message1));
    expect((await findingsIn(world)).filter((code) => code === 'immutable-modified')).toHaveLength(1);
  });
});

describe('a repair waits', () => {
  test('until the bad state is sealed and published', async () => {
    const world = await quietWorld();
    const bad = { ...world.message1, text: { S: 'forged' } };
    world.records.byHand.put(bad);
    const request = { key: keyOf(bad) };
    expect(await world.repair(request)).toEqual([{ outcome: 'later', why: 'unsealed' }]);
    await world.sealNew();
    expect(await world.repair(request)).toEqual([{ outcome: 'later', why: 'unpublished' }]);
    expect(await world.read(keyOf(bad))).toBe(textOf(bad));
    await world.publishNew();
    expect((await world.repair(request)).map(({ outcome }) => outcome)).toEqual(['put-back']);
    expect(world.meter.counts.get('RepairsRefused')).toBe(undefined);
  });

  test('for the very change it was asked about, although the record looks sound as far as the log goes', async () => {
    const world = await quietWorld();
    // The third revision is not published yet when somebody puts the second one, which is, back over it.
    await world.records.replace(world.profile(1, 3, 'third'), 2);
    world.records.byHand.put(world.profile2);
    const request = { key: keyOf(world.profile2), source: world.stream.at(-1)!.eventId };
    expect(await world.repair(request)).toEqual([{ outcome: 'later', why: 'unsealed' }]);
    await world.settle();
    expect(await world.read(keyOf(world.profile2))).toBe(textOf(world.profile(1, 3, 'third')));
  });

  test('no longer than it takes the sealer and the publisher to come', async () => {
    const world = await quietWorld();
    world.records.byHand.put({ ...world.message1, text: { S: 'forged' } });
    const dying = world.process(({ method }) => (method === 'commitRound' ? 'kill-before' : undefined));
    await expect(sealRecords(makeSealer(dying.ports), world.stream)).rejects.toThrow('killed'); // found and asked about, not sealed
    let polls = 0;
    const sleep = async (ms: number): Promise<void> => {
      world.advance(ms);
      polls += 1;
      if (polls === 3) await world.sealNew();
      if (polls === 6) await world.publishNew();
    };
    expect((await repairRecord({ ...world.ports, sleep }, world.asked[0]!)).outcome).toBe('put-back');
    expect(polls).toBe(6);
  });

  test('and permits nothing, when another hand comes in between', async () => {
    const world = await quietWorld();
    world.records.byHand.put({ ...world.message1, text: { S: 'forged' } });
    await world.sealNew();
    await world.publishNew();
    const again = { ...world.message1, text: { S: 'forged again' } };
    let reads = 0;
    const { ports } = world.process(({ port, method }) => {
      if (port === 'records' && method === 'get' && ++reads === 2) world.records.byHand.put(again);
      return undefined;
    });
    expect(await repairRecord(ports, world.asked[0]!)).toEqual({ outcome: 'later', why: 'changing' });
    expect([await world.read(keyOf(again)), await world.ofKind('repair')]).toEqual([textOf(again), []]);
  });

  test.each([
    ['the text', { text: { S: 'tezt' } }],
    ['the subject, which is none any more', { subject: { S: 'no subject' } }],
    ['the subject, which is another one', { subject: { S: subjectNamed('nobody') } }],
  ])('for what changed without the stream, %s, until seal-missing has sealed it as evidence, however old the record is', async (_, change) => {
    const world = await quietWorld();
    const decayed: Image = { ...world.message1, ...change };
    world.advance(30 * 24 * 3_600_000);
    await world.beat();
    await world.settle();
    world.records.byHand.decay(decayed);
    const request = { key: keyOf(decayed) };
    for (let hour = 0; hour <= 26; hour += 6) {
      expect(await world.repair(request)).toEqual([{ outcome: 'later', why: 'unsealed' }]);
      expect(await sealMissing(world.ports)).toMatchObject({ sealed: 0 });
      world.advance(6 * 3_600_000);
    }
    expect(await sealMissing(world.ports)).toMatchObject({ sealed: 1 });
    expect((await world.settle()).map(({ outcome }) => outcome)).toEqual(['put-back']);
    expect([await world.read(keyOf(decayed)), world.isSealed(decayed), await world.verify()]).toEqual([textOf(world.message1), true, []]);
  });

  test('for another hand that came in between', async () => {
    const world = await quietWorld();
    world.records.byHand.put({ ...world.message1, text: { S: 'forged' } });
    await world.sealNew();
    await world.publishNew();
    const again = { ...world.message1, text: { S: 'forged again' } };
    world.records.byHand.put(again);
    expect(await world.repairAsked()).toEqual([{ outcome: 'later', why: 'unsealed' }]);
    expect(await world.read(keyOf(again))).toBe(textOf(again));
    expect((await world.settle()).map(({ outcome }) => outcome)).toEqual(['put-back']);
    expect(world.isSealed(again)).toBe(true);
  });
});

describe('a sound record', () => {
  test('is left alone, also one that the log does not know yet or only in an older state', async () => {
    const world = await quietWorld();
    const fresh = world.message('fresh');
    await world.write(fresh);
    await world.records.replace(world.profile(1, 3, 'third'), 2);
    const before = await world.table();
    expect(await world.repair(...[world.message1, fresh, world.profile2].map((image) => ({ key: keyOf(image) })), { key: { pk: 'nothing', sk: 'here' } })).toEqual(Array.from({ length: 4 }, () => ({ outcome: 'sound' })));
    expect(await world.table()).toEqual(before);
  });

  test('is also one that a newer version of the system wrote, of a kind this one does not know', async () => {
    const world = await quietWorld();
    const fresh = withMac(world.macKey, { ...world.message('newer'), kind: { S: 'poll' } });
    await world.write(fresh);
    expect([await world.settle(), await findingsIn(world), await world.read(keyOf(fresh))]).toEqual([[{ outcome: 'sound' }], ['kind-unknown'], textOf(fresh)]);
  });

  test('that is asked about without need makes no record', async () => {
    const world = await quietWorld();
    world.records.byHand.put({ ...world.message1, text: { S: 'forged' } });
    await world.sealNew();
    const request = world.asked[0]!;
    await world.settle();
    const before = await world.table();
    expect(await world.repair(request, request)).toEqual([{ outcome: 'sound' }, { outcome: 'sound' }]);
    expect(await world.table()).toEqual(before);
  });
});

test('a plan changes nothing', async () => {
  const world = await quietWorld();
  const bad = { ...world.message1, text: { S: 'forged' } };
  world.records.byHand.put(bad);
  await world.sealNew();
  await world.publishNew();
  const before = await world.table();
  const plans = await planRepairs(world.ports, [{ key: keyOf(bad) }, { key: keyOf(world.profile2) }]);
  expect(plans.map(({ standing }) => standing)).toEqual(['differs', 'sound']);
  expect(plans[0]).toMatchObject({ plan: { key: keyOf(bad), to: world.message1 }, since: world.entries().find(({ entry }) => entry.src === world.asked[0]?.source)?.entry.at });
  expect(await world.table()).toEqual(before);
});

describe('the sealer', () => {
  const codesOf = async (world: RepairWorld): Promise<readonly string[]> => {
    await world.seal();
    return findingsIn(world);
  };
  const permitting = (world: RepairWorld, from: Image | undefined, to: Image | undefined, key = world.macKey): Image =>
    withMac(key, repairImage({ key: keyOf((from ?? to) as Image), from, to }, world.identity.systemSubject, world.now().toISOString()));

  /** A message forged by hand and found; then put back by hand under `permission`. */
  const putBackUnder = async (permission: (world: Quiet, bad: Image) => Image | undefined): Promise<readonly string[]> => {
    const world = await quietWorld();
    const bad = { ...world.message1, text: { S: 'forged' } };
    world.records.byHand.put(bad);
    const before = await codesOf(world);
    const record = permission(world, bad);
    if (record !== undefined) world.records.byHand.put(record);
    world.records.byHand.put(world.message1);
    const after = [...(await codesOf(world))];
    for (const code of before) after.splice(after.indexOf(code), 1);
    return after;
  };

  test('reports no step that a repair of ours permits', async () => {
    expect(await putBackUnder((world, bad) => permitting(world, bad, world.message1))).toEqual([]);
  });

  test.each<[string, (world: Quiet, bad: Image) => Image | undefined, readonly string[]]>([
    ['there is none', () => undefined, ['immutable-modified']],
    ['it permits another state', (world, bad) => permitting(world, bad, { ...world.message1, text: { S: 'other' } }), ['immutable-modified']],
    ['it permits it from another state', (world) => permitting(world, undefined, world.message1), ['immutable-modified']],
    ['it permits it to another record', (world, bad) => permitting(world, { ...bad, sk: { S: '2#message' } }, { ...world.message1, sk: { S: '2#message' } }), ['immutable-modified']],
    ['somebody else wrote it', (world, bad) => permitting(world, bad, world.message1, { id: 1, secret: Buffer.alloc(32, 7) }), ['immutable-modified', 'mac-invalid']],
  ])('reports the step when %s', async (_, permission, codes) => {
    expect(await putBackUnder(permission)).toEqual(codes);
  });

  test('reports a state that is not ours, whatever permits the step', async () => {
    const world = await quietWorld();
    const bad = { ...world.message1, text: { S: 'forged' } };
    world.records.byHand.put(permitting(world, world.message1, bad));
    world.records.byHand.put(bad);
    expect(await codesOf(world)).toEqual(['mac-invalid']);
  });

  test('asks for one repair of a change, and asks again when it has to begin again', async () => {
    const world = await quietWorld();
    world.records.byHand.put({ ...world.message1, text: { S: 'forged' } });
    const request = { key: keyOf(world.message1), source: world.stream.at(-1)!.eventId };
    const process = world.process(({ method }) => (method === 'commitRound' ? 'kill-before' : undefined));
    await expect(sealRecords(makeSealer(process.ports), world.stream)).rejects.toThrow('killed');
    expect(world.asked).toEqual([request]);
    await world.sealNew();
    expect(world.asked).toEqual([request, request]);
    await world.seal();
    expect(world.asked).toHaveLength(2);
  });

  test('asks for nothing where a person is to be asked, nor for what no repair of a record mends', async () => {
    const world = await quietWorld();
    await world.write(world.message('body', { contentName: { S: 'content/none' }, contentSha256: { B: Buffer.alloc(32) } }));
    await world.sealNew();
    expect([await findingsIn(world), world.asked]).toEqual([['content-absent'], []]);
    world.records.byHand.remove(keyOf(world.message1));
    await world.seal(); // by a sealer that has nobody to ask
    expect([await findingsIn(world), world.asked]).toEqual([['content-absent', 'record-removed'], []]);
  });

  test('goes on when nobody may be asked any more, and waits when nobody can be reached', async () => {
    const world = await quietWorld();
    world.records.byHand.remove(keyOf(world.message1));
    const asking = (code: 'denied' | 'unavailable') => makeSealer({ ...world.ports, repairRequests: { ask: () => Promise.reject(new PortError(code, 'no')) } });
    await expect(sealRecords(asking('unavailable'), world.stream)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await sealRecords(asking('denied'), world.stream)).toMatchObject({ sealed: 2 }); // and the finding of the attempt before
    expect(world.meter.counts.get('RepairsRefused')).toBe(1);
  });

  test('asks for a bad state that the stream lost, and it is repaired', async () => {
    const world = await quietWorld();
    const bad = { ...world.message1, text: { S: 'forged' } };
    world.records.byHand.put(bad);
    await sealMissing(world.ports);
    world.advance(26 * 3_600_000);
    expect(await sealMissing(world.ports)).toMatchObject({ sealed: 1 });
    expect(world.asked).toEqual([{ key: keyOf(bad), source: `late:${stateHash(bad)}` }]);
    await world.publishNew();
    expect((await world.repairAsked()).map(({ outcome }) => outcome)).toEqual(['put-back']);
    expect(await world.read(keyOf(bad))).toBe(textOf(world.message1));
  });
});

test('repairs of one record lie together, and say what was done, when and from which entry', async () => {
  const world = await quietWorld();
  const bad = { ...world.message1, text: { S: 'forged' } };
  world.records.byHand.put(bad);
  const [outcome] = await world.settle();
  const found: Image[] = [];
  for await (const image of world.records.partition(repairsOf(keyOf(bad)))) found.push(image);
  const { entry } = world.entries().find(({ entry: { src } }) => src === world.stream.find(({ newImage }) => newImage?.['text'] !== undefined && textOf(newImage) === textOf(bad))?.eventId)!;
  expect(found).toEqual([expect.objectContaining({ sk: { S: `${stateHash(bad)}#${stateHash(world.message1)}#${entry.at}` }, entry: { N: String((outcome as { entry: number }).entry) }, receivedAt: { S: entry.at } })]);
  expect(world.open(world.entries()[(outcome as { entry: number }).entry]!.entry)?.subarray(32).toString()).toBe(textOf(world.message1));
});
