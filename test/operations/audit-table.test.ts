/** The audit of the table: what is planted is found, and nothing else; whoever writes meanwhile is no finding; whatever call fails, the next audit says it all. */
import { FAULTS, Killed, type Fault } from '../../src/adapters/memory/process';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { checkMac, withMac } from '../../src/core/record-mac';
import { repairImage } from '../../src/core/repair-record';
import { runResultIn } from '../../src/core/run-records';
import { isOfShare, shareAt, WHOLE } from '../../src/core/shares';
import { auditTable, type AuditDeps, type AuditReport, LOOK_AGAIN_MS, MAX_FINDING_RECORDS } from '../../src/operations/audit-table';
import { sealMissing } from '../../src/operations/seal-missing';
import { PortError } from '../../src/ports';
import { figure } from '../figures';
import { forEachSeed } from '../seeds';
import { subjectNamed, type World } from '../world';
import { auditedWorld, auditFindings, nameOf, populated, profile, tableOf, type AuditedWorld } from './audited-world';

const HOUR_MS = 3_600_000;
const about = (code: string, image: Image): string => `${code} ${JSON.stringify(keyOf(image))}`;

async function auditRecords({ world }: AuditedWorld): Promise<Image[]> {
  const found: Image[] = [];
  for await (const image of world.records.partition('audit')) found.push(image);
  return found;
}

test('a sound table has no findings, whoever asks, and the audit leaves a record that says so, sealed like any other', async () => {
  const audited = await auditedWorld(1);
  await populated(audited, 60);
  const report = await audited.audit({ by: 'local:tester' });
  expect(report).toMatchObject({ ok: true, findings: 0, found: [], records: 60, waiting: 0, closed: 0, asked: 0, size: 60 });
  expect(report.keys).toEqual({ checked: new Set([...audited.world.keys.subjects.keys()]).size, erased: 0, unused: 0 });
  const [record, ...others] = await auditRecords(audited);
  expect(others).toEqual([]);
  expect(checkMac([audited.world.macKey], record as Image)).toBe('valid');
  expect(runResultIn(record as Image)).toMatchObject({ ok: true, findings: 0, records: 60, size: 60, by: 'local:tester' });
  expect(audited.world.meter.counts.get('AuditCompleted')).toBe(1);
  expect(audited.world.meter.counts.get('AuditFindings')).toBeUndefined();
  await audited.settle();
  expect(await auditFindings(audited)).toEqual([]);
  expect(audited.world.check()).toEqual([]);
});

describe('each kind of damage is found, named, recorded once and handed on', () => {
  test.each<[string, string, (audited: AuditedWorld, images: readonly Image[]) => Promise<Image> | Image]>([
    ['a changed message', 'record-modified', ({ world }, [image]) => (world.records.byHand.put({ ...image!, text: { S: 'another' } }), image!)],
    ['a message in whose place another one of ours was put', 'record-modified', ({ world }, [image]) => (world.records.byHand.put(withMac(world.macKey, { ...image!, text: { S: 'ours, but not this' } })), image!)],
    ['a record moved to another subject', 'record-modified', ({ world }, [image]) => (world.records.byHand.put({ ...image!, subject: { S: subjectNamed('nobody') } }), image!)],
    ['a removed message', 'record-missing', ({ world }, [image]) => (world.records.byHand.remove(keyOf(image!)), image!)],
    ['an item nobody of ours wrote', 'record-extra', ({ world }) => {
      const planted = { ...world.message('planted'), text: { S: 'forged' } };
      world.records.byHand.put(planted);
      return planted;
    }],
    ['a profile put back to what it once was', 'record-out-of-version', async (audited, images) => {
      const first = images[4]!;
      await audited.world.records.replace(profile(audited.world, 4, 2), 1);
      await audited.settle();
      audited.world.records.byHand.put(first);
      return first;
    }],
  ])('%s', async (_what, code, damage) => {
    const audited = await auditedWorld(2);
    const images = await populated(audited, 20);
    const victim = await damage(audited, images);
    await audited.settle();
    const report = await audited.audit();
    expect(report).toMatchObject({ ok: false, findings: 1, byCode: { [code]: 1 }, asked: 1 });
    expect(await auditFindings(audited)).toEqual([about(code, victim)]);
    expect(audited.asked).toEqual([keyOf(victim)]);
    expect(audited.world.meter.counts.get('AuditFindings')).toBe(1);
    // Again: it is found again, and it is the same finding.
    audited.world.advance(HOUR_MS);
    expect(await audited.audit()).toMatchObject({ findings: 1 });
    expect(await auditFindings(audited)).toEqual([about(code, victim)]);
    expect(await auditRecords(audited)).toHaveLength(2);
  });

  test('a finding tells no key that was made up by hand, which may hold anything', async () => {
    const audited = await auditedWorld(3);
    await populated(audited, 5);
    audited.world.records.byHand.put({ pk: { S: 'Erika Mustermann, +49 151' }, sk: { S: 'x' }, kind: { S: 'message' } });
    expect(await audited.audit()).toMatchObject({ byCode: { 'record-extra': 1 } });
    for await (const image of audited.world.records.scan({ kinds: ['finding'] })) expect(JSON.stringify(image)).not.toContain('Mustermann');
  });

  test('a record of ours that is long in the table and not in the log is unsealed, and nobody repairs it', async () => {
    const audited = await auditedWorld(4);
    await populated(audited, 10);
    const lost = audited.world.message('lost');
    await audited.world.write(lost);
    audited.working = false; // the stream has forgotten it
    audited.world.advance(2 * HOUR_MS);
    expect(await audited.audit()).toMatchObject({ findings: 1, byCode: { 'record-unsealed': 1 }, asked: 0 });
    expect(await auditFindings(audited)).toEqual([about('record-unsealed', lost)]);
  });

  test('a young one is not: it waits for its sealing like every other', async () => {
    const audited = await auditedWorld(5);
    await populated(audited, 10);
    await audited.world.write(audited.world.message('young'));
    audited.working = false;
    audited.world.advance(HOUR_MS / 2);
    expect(await audited.audit()).toMatchObject({ ok: true, waiting: 1 });
  });

  test('one that bears an old time because it waited in the inbox is sealed while the audit looks again', async () => {
    const audited = await auditedWorld(6);
    await populated(audited, 10);
    const late = withMac(audited.world.macKey, { ...audited.world.message('late'), receivedAt: { S: '2026-01-01T00:00:00.000Z' } });
    await audited.world.write(late);
    expect(await audited.audit()).toMatchObject({ ok: true, waiting: 0, closed: 0 });
  });

  test('nor is one that is written to all the while: what it is now will be sealed in its turn', async () => {
    const audited = await auditedWorld(18);
    const { world } = audited;
    await populated(audited, 10);
    const busy = (rev: number): Image => withMac(world.macKey, { ...profile(world, 4, rev), receivedAt: { S: '2026-01-01T00:00:00.000Z' } });
    await world.records.replace(busy(2), 1);
    audited.working = false; // slow today
    let rev = 2;
    audited.busy = async () => void (await world.records.replace(busy(++rev), rev - 1));
    expect(await audited.audit()).toMatchObject({ ok: true, waiting: 1 });
  });

  test('a record that was changed by hand before it was ever sealed is modified, not extra: it is looked at again before anything is said', async () => {
    const audited = await auditedWorld(19);
    await populated(audited, 10);
    const fresh = audited.world.message('fresh');
    await audited.world.write(fresh);
    audited.world.records.byHand.put({ ...fresh, text: { S: 'another' } });
    expect(await audited.audit()).toMatchObject({ findings: 1, byCode: { 'record-modified': 1 } });
    expect(await auditFindings(audited)).toEqual([about('record-modified', fresh)]);
  });

  test('a state that was sealed twice is doubled; one that came back after another is not, nor one sealed late', async () => {
    const audited = await auditedWorld(7);
    const { world } = audited;
    const [twice, back] = await populated(audited, 10);
    const event = (image: Image) => world.stream.find(({ key }) => JSON.stringify(key) === nameOf(image))!;
    await world.seal([{ ...event(twice!), eventId: 'f'.repeat(32) }]);
    // The stream gets through after all, when seal-missing has given it up.
    await world.write(world.message('late'));
    for (const hours of [0, 26]) {
      world.advance(hours * HOUR_MS);
      await sealMissing(world);
    }
    expect(world.entries().filter(({ entry }) => entry.src.startsWith('late:'))).toHaveLength(1);
    await audited.settle();
    world.records.byHand.put({ ...back!, text: { S: 'another' } });
    world.records.byHand.put(back!);
    await audited.settle();
    expect(await audited.audit()).toMatchObject({ findings: 1, byCode: { 'record-doubled': 1 }, asked: 0 });
    expect(await auditFindings(audited)).toEqual([about('record-doubled', twice!)]);
  });

  test('nor is one that was put back over a bit that flipped in its subject, where the state in between is sealed late and under no subject of a record', async () => {
    const audited = await auditedWorld(9);
    const { world } = audited;
    const [image] = await populated(audited, 5);
    for (const subject of ['not a subject', subjectNamed('somebody else')]) {
      world.records.byHand.decay({ ...image!, subject: { S: subject } });
      for (const hours of [0, 26]) {
        world.advance(hours * HOUR_MS);
        await sealMissing(world);
      }
      await audited.settle();
      world.records.byHand.put(image!); // as a repair does, which the sealer would not report
      await audited.settle();
    }
    expect(await audited.audit()).toMatchObject({ findings: 0 });
  });

  test('nor is one that a restore put into a table that had been lost, and had to say so', async () => {
    const audited = await auditedWorld(10);
    const { world } = audited;
    const [restored, planted] = await populated(audited, 10);
    const event = (image: Image, eventId: string) => ({ ...world.stream.find(({ key }) => JSON.stringify(key) === nameOf(image))!, eventId });
    const permission = (image: Image): Image => repairImage({ key: keyOf(image), from: undefined, to: image, entry: 0 }, world.identity.systemSubject, world.now().toISOString());
    await world.write(withMac(world.macKey, permission(restored!)), withMac({ id: 1, secret: Buffer.alloc(32, 7) }, permission(planted!)));
    await world.seal([event(restored!, 'e'.repeat(32)), event(planted!, 'f'.repeat(32))]);
    await audited.settle();
    expect((await audited.audit()).found.filter(({ code }) => code === 'record-doubled').map(({ key }) => key)).toEqual([keyOf(planted!)]);
  });

  test('of a record that was removed by hand and recorded anew under another subject the first counts', async () => {
    const audited = await auditedWorld(17);
    const { world } = audited;
    const [image] = await populated(audited, 8);
    const anew = withMac(world.macKey, { ...image!, subject: { S: subjectNamed('somebody new') } });
    world.records.byHand.remove(keyOf(image!));
    await audited.settle();
    await world.write(anew);
    await audited.settle();
    expect(await audited.audit()).toMatchObject({ byCode: { 'record-modified': 1 }, findings: 1 });
    world.records.byHand.put(image!);
    await audited.settle();
    world.advance(1);
    expect(await audited.audit()).toMatchObject({ ok: true });
  });

  test('nor one between whose two entries another state was sealed raw', async () => {
    const audited = await auditedWorld(8);
    const { world } = audited;
    const [image] = await populated(audited, 6);
    const row = world.keys.subjects.get(stringOf(image, 'subject')!)!;
    world.records.byHand.put({ ...image!, text: { S: 'another' } });
    world.keys.subjects.set(stringOf(image, 'subject')!, 'corrupt');
    await audited.settle();
    world.keys.subjects.set(stringOf(image, 'subject')!, row);
    world.records.byHand.put(image!);
    await audited.settle();
    expect(await audited.audit()).toMatchObject({ ok: true });
  });
});

describe('the keys', () => {
  test('that are gone or damaged are findings, each once; what they sealed is not blamed on the table', async () => {
    const audited = await auditedWorld(9);
    const { world } = audited;
    await populated(audited, 30);
    const [gone, broken, erased] = [0, 1, 2].map((n) => subjectNamed(`customer ${n}`)) as [string, string, string];
    world.keys.subjects.delete(gone);
    world.keys.subjects.set(broken, { ...(world.keys.subjects.get(broken) as { wrapped: Buffer }), wrapped: Buffer.alloc(60) } as never);
    world.keys.subjects.set(erased, 'erased');
    world.keys.subjects.set(subjectNamed('unused'), 'erased');
    world.advance(2 * HOUR_MS);
    const report = await audited.audit();
    expect(report).toMatchObject({ findings: 2, byCode: { 'key-absent': 1, 'key-corrupt': 1 }, asked: 0 });
    expect(report.closed).toBeGreaterThan(3);
    expect(report.keys).toMatchObject({ erased: 1, unused: 1 });
    expect(await auditFindings(audited)).toEqual([`key-absent ${gone}`, `key-corrupt ${broken}`]);
  });
});

describe('in shares', () => {
  test('every record is in exactly one, and damage is found by the one it is in', async () => {
    const audited = await auditedWorld(10);
    const images = await populated(audited, 40);
    const victims = images.slice(0, 12);
    for (const victim of victims) audited.world.records.byHand.put({ ...victim, tampered: { S: 'x' } });
    audited.world.records.byHand.put({ ...audited.world.message('planted'), text: { S: 'forged' } });
    await audited.settle();
    const reports = [];
    for (const number of [0, 1, 2]) {
      reports.push(await audited.audit({ share: { number, of: 3 } }));
      audited.world.advance(1);
    }
    for (const { records: compared } of reports) expect(compared).toBeGreaterThan(0);
    expect(reports.reduce((sum, { findings }) => sum + findings, 0)).toBe(13);
    expect((await auditFindings(audited)).filter((each) => each.startsWith('record-modified'))).toEqual(victims.map((image) => about('record-modified', image)).sort());
    expect((await auditRecords(audited)).map((record) => runResultIn(record)?.target)).toEqual(['share 1/3', 'share 2/3', 'share 3/3']);
  });

  test('statuses whose message nobody recorded are counted after an hour, each message in one share, and make no finding', async () => {
    const audited = await auditedWorld(17);
    const { world } = audited;
    const status = (id: string): Image => world.message(`${id}`, { sk: { S: '1#status#x' }, kind: { S: 'status' }, status: { S: 'sent' } });
    const outbound = (id: string): Image => world.message(id, { sk: { S: '1#outbound' }, kind: { S: 'outbound' }, subject: { S: subjectNamed('somebody else') } });
    for (let i = 0; i < 12; i++) await world.write(status(`out ${i}`), ...(i % 3 === 0 ? [outbound(`out ${i}`)] : []));
    await audited.settle();
    expect(await audited.audit()).toMatchObject({ ok: true, statusesWithoutMessage: 0 });
    world.advance(3_600_000);
    await world.write(status('just now'));
    await audited.settle();
    expect(await audited.audit()).toMatchObject({ ok: true, statusesWithoutMessage: 8 });
    expect(world.meter.counts.get('StatusWithoutMessage')).toBe(8);
    const counts = (await inShares(audited, 3)).map(({ statusesWithoutMessage }) => statusesWithoutMessage);
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(8);
    // Recorded late is recorded.
    await world.write(...Array.from({ length: 12 }, (_, i) => outbound(`out ${i}`)));
    await audited.settle();
    world.advance(1);
    expect((await audited.audit()).statusesWithoutMessage).toBe(0);
  });

  test('the shares of a sound table add up to the whole', async () => {
    const audited = await auditedWorld(16);
    await populated(audited, 40);
    const subjects = audited.world.keys.subjects.size;
    let [sum, keys] = [0, 0];
    for (let number = 0; number < 5; number++) {
      const report = await audited.audit({ share: { number, of: 5 } });
      expect(report).toMatchObject({ ok: true });
      sum += report.records;
      keys += report.keys.checked;
      audited.world.advance(1);
    }
    expect([sum, keys]).toEqual([40, subjects]);
  });

  const inShares = async (audited: AuditedWorld, of: number): Promise<readonly AuditReport[]> => {
    const reports: AuditReport[] = [];
    for (let number = 0; number < of; number++) {
      audited.world.advance(1);
      reports.push(await audited.audit({ share: { number, of } }));
    }
    return reports;
  };
  const codesOf = (reports: readonly AuditReport[]): readonly string[] => reports.flatMap(({ found }) => found.map(({ code, key }) => `${code} ${JSON.stringify(key)}`)).sort();

  test('a record that was given another subject is found once, whichever share it pretends to be of', async () => {
    const audited = await auditedWorld(21);
    const images = await populated(audited, 30);
    const victims = images.slice(0, 10);
    for (const [i, victim] of victims.entries()) audited.world.records.byHand.put({ ...victim, subject: { S: i % 2 === 0 ? subjectNamed(`customer ${(i + 3) % 7}`) : 'no subject' } });
    await audited.settle();
    expect(codesOf(await inShares(audited, 4))).toEqual(victims.map((victim) => about('record-modified', victim)).sort());
  });

  test('of a place that was sealed under subjects of two shares the first counts, and is judged once', async () => {
    const audited = await auditedWorld(22);
    const { world } = audited;
    const images = await populated(audited, 8);
    const anew = images.map((image, i) => withMac(world.macKey, { ...image, subject: { S: subjectNamed(`somebody new ${i}`) } }));
    for (const image of images) world.records.byHand.remove(keyOf(image));
    await audited.settle();
    await world.write(...anew);
    await audited.settle();
    expect(codesOf(await inShares(audited, 4))).toEqual(images.map((image) => about('record-modified', image)).sort());
    for (const image of images) world.records.byHand.put(image);
    await audited.settle();
    expect(codesOf(await inShares(audited, 4))).toEqual([]);
  });

  test('what is of another share is passed unopened', async () => {
    const audited = await auditedWorld(23);
    await populated(audited, 40);
    const share = { number: 1, of: 3 };
    const asked = new Set<string>();
    const keys = { ...audited.world.keys, get: async (subject: string) => (asked.add(subject), audited.world.keys.get(subject)) };
    expect(await auditTable({ ...audited.deps, keys }, { share })).toMatchObject({ ok: true });
    expect([...asked].sort()).toEqual([...audited.world.keys.subjects.keys()].filter((subject) => isOfShare(subject, share)).sort());
  });

  test('each comes round, one run after the other', () => {
    const days = Array.from({ length: 7 }, (_, day) => shareAt(new Date(Date.parse('2026-02-03T04:05:06Z') + day * 24 * HOUR_MS), 24, 7).number);
    expect([...days].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(shareAt(new Date(), 24, 1)).toEqual(WHOLE);
  });
});

test('a table that is wrong all over is told by the number; the records of findings are bounded', async () => {
  const audited = await auditedWorld(11);
  const images = await populated(audited, MAX_FINDING_RECORDS + 30);
  for (const image of images) audited.world.records.byHand.remove(keyOf(image));
  await audited.settle();
  const report = await audited.audit();
  expect(report).toMatchObject({ findings: images.length, byCode: { 'record-missing': images.length }, asked: images.length });
  expect(report.found).toHaveLength(MAX_FINDING_RECORDS);
  expect((await auditFindings(audited)).filter((each) => each.startsWith('record-missing'))).toHaveLength(MAX_FINDING_RECORDS);
});

/** The same audit, seeing the world through a process. */
const through = (audited: AuditedWorld, { records, log, vault, keys, keyService, signer }: Pick<World, 'records' | 'log' | 'vault' | 'keys' | 'keyService' | 'signer'>): AuditDeps => ({ ...audited.deps, records, log, vault, keys, keyService, signer, table: tableOf(records) });

/** One random damage to the table, as somebody at the console would do it; resolves with what has to be found, by place. */
function damage(draw: () => number, { world }: AuditedWorld, images: readonly Image[], rolledBack: ReadonlyMap<string, Image>, planted: Map<string, string>): void {
  const victim = images[Math.floor(draw() * images.length)] as Image;
  const name = nameOf(victim);
  if (planted.has(name)) return;
  const what = draw();
  if (what < 0.3) {
    world.records.byHand.put({ ...victim, words: { S: `${draw()}` } });
    planted.set(name, 'record-modified');
  } else if (what < 0.5) {
    world.records.byHand.remove(keyOf(victim));
    planted.set(name, 'record-missing');
  } else if (what < 0.7) {
    const extra = { ...world.message(`planted ${draw()}`), words: { S: 'x' } };
    world.records.byHand.put(extra);
    planted.set(nameOf(extra), 'record-extra');
  } else if (what < 0.85) {
    world.records.byHand.put({ ...victim, kind: { S: 'status' } });
    planted.set(name, 'record-modified');
  } else {
    const earlier = rolledBack.get(name);
    if (earlier === undefined) return;
    world.records.byHand.put(earlier);
    planted.set(name, 'record-out-of-version');
  }
}

test('random damage is found, all of it and nothing else, while others write', async () => {
  let planted = 0;
  await forEachSeed('damaged tables under writers', 10, async (seed) => {
    const draw = seededDraw(seed);
    const audited = await auditedWorld(seed);
    const { world } = audited;
    const images = await populated(audited, 50);
    const rolledBack = new Map<string, Image>();
    const revs = new Map<number, number>();
    const update = async (n: number): Promise<void> => {
      const rev = (revs.get(n) ?? 1) + 1;
      if ((await world.records.replace(profile(world, n, rev), rev - 1)) === 'replaced') revs.set(n, rev);
    };
    for (let n = 4; n < 30; n += 5) {
      rolledBack.set(nameOf(profile(world, n, 1)), images[n]!);
      await update(n);
    }
    await audited.settle();
    const expected = new Map<string, string>();
    // Profiles 34, 39, 44 and 49 are left to the writers.
    const victims = images.filter((_, i) => i < 30);
    for (let i = 0; i < 12; i++) damage(draw, audited, victims, rolledBack, expected);
    if (draw() < 0.5) await audited.settle();
    let written = 0;
    // Somebody writes between any two things the audit does.
    const write = async (): Promise<void> => {
      if (draw() < 0.6) await world.write(world.message(`meanwhile ${seed} ${written++}`));
      if (draw() < 0.6) await update(34 + 5 * Math.floor(draw() * 4));
      if (draw() < 0.3) await audited.settle();
    };
    audited.busy = write;
    const process = world.process(async () => {
      await write();
      return undefined;
    });
    const report = await auditTable(through(audited, process.ports));
    expect(written).toBeGreaterThan(5);
    expect(await auditFindings(audited)).toEqual([...expected].map(([name, code]) => `${code} ${name}`).sort());
    expect(report.findings).toBe(expected.size);
    expect(audited.asked.map((key) => JSON.stringify(key)).sort()).toEqual([...expected.keys()].sort());
    planted += expected.size;
  });
  figure('audit: random damage to a table that others write to', `${planted} planted, ${planted} found and named, 0 false alarms`);
});

describe('whatever call fails, and however', () => {
  const story = async (): Promise<{ readonly audited: AuditedWorld; readonly expected: readonly string[] }> => {
    const audited = await auditedWorld(12);
    const images = await populated(audited, 12);
    audited.world.records.byHand.put({ ...images[0]!, text: { S: 'another' } });
    audited.world.records.byHand.remove(keyOf(images[1]!));
    const planted = { ...audited.world.message('planted'), text: { S: 'forged' } };
    audited.world.records.byHand.put(planted);
    await audited.settle();
    return { audited, expected: [about('record-modified', images[0]!), about('record-missing', images[1]!), about('record-extra', planted)].sort() };
  };
  const run = async (audited: AuditedWorld, onCall: (index: number) => Fault | undefined): Promise<number> => {
    const process = audited.world.process(({ index }) => onCall(index));
    try {
      await auditTable(through(audited, process.ports));
    } catch (error) {
      if (!(error instanceof Killed || error instanceof PortError)) throw error;
    }
    await process.settle();
    return process.calls.length;
  };

  test.each(FAULTS)('%s: the next audit converges, and says everything once', async (fault) => {
    const calls = await run((await story()).audited, () => undefined);
    expect(calls).toBeGreaterThan(40);
    const step = process.env['INTACT_FULL'] === undefined ? 5 : 1;
    for (let at = FAULTS.indexOf(fault) % step; at < calls; at += step) {
      const { audited, expected } = await story();
      await run(audited, (index) => (index === at ? fault : undefined));
      audited.world.advance(60_000);
      expect(await audited.audit()).toMatchObject({ findings: 3 });
      expect([at, await auditFindings(audited)]).toEqual([at, expected]);
    }
  });
});

test('what cannot be read is no finding and no result: the audit fails, and nothing says that it was held', async () => {
  const audited = await auditedWorld(13);
  await populated(audited, 5);
  const broken = { ...audited.deps, table: { ...audited.deps.table, scan: async function* () { yield* []; throw new PortError('unavailable', 'no table'); } } };
  await expect(auditTable(broken)).rejects.toMatchObject({ code: 'unavailable' });
  audited.world.vault.objects.delete('checkpoint');
  await expect(audited.audit()).rejects.toMatchObject({ name: 'ReplayError', code: 'no-log' });
  expect(await auditRecords(audited)).toEqual([]);
  expect(audited.world.meter.counts.get('AuditCompleted')).toBeUndefined();
});

test('a log that another key signed is not believed', async () => {
  const audited = await auditedWorld(14);
  await populated(audited, 5);
  const other = await auditedWorld(15);
  await populated(other, 5);
  for (const [name, bytes] of other.world.vault.objects) audited.world.vault.objects.set(name, bytes);
  await expect(audited.audit()).rejects.toMatchObject({ code: 'untrusted' });
});

test('the waits of one audit fit well into the time a function has', () => {
  expect(LOOK_AGAIN_MS.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(3 * 60_000);
});
