/**
 * A verifier that shares no line with ours, written from docs/format.md alone, judges our vaults and proofs; and the two agree on which are clean. What it
 * and the TypeScript verifier disagree on, one of them or the document has wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { directoryVault } from '../../src/adapters/files/directory-vault';
import { seededDraw } from '../../src/adapters/memory/schedule';
import { canonicalize } from '../../src/core/canonical-json';
import { commitmentOf } from '../../src/core/commitment';
import { checkDisclosure } from '../../src/core/disclosure';
import { signCheckpoint } from '../../src/core/log/checkpoint';
import { formatNote, signNote } from '../../src/core/log/signed-note';
import { formatVkey, parseVkey, verifierKey } from '../../src/core/log/vkey';
import { verifyVault, type VerifyReport } from '../../src/operations/verify-vault';
import { delivery, memoryDeployment } from '../cli/command-run';
import { builtProof, BuiltVault, jweShape, keyPair, sha256 } from '../operations/built-vault';
import { forEachSeed } from '../seeds';
import { describeWithPython, outsiderBatch, outsiderCommand, type Verdict } from './outsider';

let outsider: ReturnType<typeof outsiderBatch>;
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'intact-outsider-'));
  outsider = outsiderBatch();
});
afterAll(async () => {
  await outsider.close();
  rmSync(scratch, { recursive: true });
});

let folders = 0;
function write(objects: ReadonlyMap<string, Buffer>): string {
  const folder = join(scratch, String(folders++));
  mkdirSync(folder);
  for (const [name, bytes] of objects) writeObject(folder, name, bytes);
  return folder;
}
function writeObject(folder: string, name: string, bytes: Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), bytes);
}

interface Both {
  readonly theirs: Verdict;
  readonly ours: VerifyReport;
}
async function judge(folder: string, vkey?: string): Promise<Both> {
  const theirs = await outsider.judge({ folder, ...(vkey !== undefined && { vkey }) });
  return { theirs, ours: await verifyVault(directoryVault(folder), { profile: 'intact', keys: vkey === undefined ? [] : [parseVkey(vkey)] }) };
}
/** What a failed expectation shows: who found what. */
const told = ({ theirs, ours }: Both) => ({ outsider: theirs.findings.map(([code, object]) => `${code} ${object}`), ours: ours.findings.map(({ code, object }) => `${code} ${object}`) });
const codesOf = ({ theirs, ours }: Both): readonly [string[], string[]] => [theirs.findings.map(([code]) => code).sort(), ours.findings.map(({ code }) => code).sort()];
/** What both must say of a clean vault. */
function expectClean(both: Both, what: unknown): void {
  expect([what, told(both), both.theirs.exit]).toEqual([what, { outsider: [], ours: [] }, 0]);
  expect([what, both.theirs.size, both.theirs.root]).toEqual([what, both.ours.size, both.ours.root]);
}
function expectRefused(both: Both, what: unknown): void {
  expect([what, told(both)]).toEqual([what, { outsider: expect.arrayContaining([expect.any(String)]), ours: expect.arrayContaining([expect.any(String)]) }]);
  expect([what, both.theirs.exit]).toEqual([what, 1]);
}

const jwe = ({ header = '{"alg":"dir","enc":"A256GCM","kid":"1"}', iv = 12, text = 40, tag = 16 } = {}): string =>
  jweShape({ header, iv: Buffer.alloc(iv, 1), ciphertext: Buffer.alloc(text, 2), tag: Buffer.alloc(tag, 3) });
/** A JWE with its part at `place` put in place of another; spare bits set, where nothing is given. */
const withPart = (place: number, part?: string): string => jwe().split('.').map((own, i) => (i !== place ? own : (part ?? own.slice(0, -1) + String.fromCharCode(own.charCodeAt(own.length - 1) + 1)))).join('.');
const digest = (label: string): string => Buffer.from(sha256(Buffer.from(label)), 'hex').toString('base64url');

type Members = Readonly<Record<string, unknown>>;
/** A put as a sealer makes it; `undefined` leaves a member out. */
const members = (i: number, change: Members = {}): Members => {
  const all: Members = { v: 1, op: 'put', kind: 'message', id: digest(`id ${i}`), rev: 1, at: '2026-01-01T00:00:00.000Z', subject: 'subject-of-a-test', src: `event-${i}`, commit: digest(`commit ${i}`), image: jwe(), ...change };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
};
const entry = (i: number, change: Members = {}): Buffer => Buffer.from(canonicalize(members(i, change)));
const REMOVED = { op: 'remove', commit: undefined, image: undefined };
const HASH = sha256(Buffer.from('x'));

function seal(vault: BuiltVault, n: number): void {
  vault.seal(Array.from({ length: n }, (_, i) => entry(vault.entries.length + i)));
}

/** One object of every class: full and partial tiles and bundles, a blob, a report, a rotated key, an orphan, and what sealing left ahead of publishing. */
async function fullVault(): Promise<BuiltVault> {
  const vault = new BuiltVault();
  await vault.publish();
  seal(vault, 3);
  await vault.publish();
  vault.put('report/a', Buffer.from('a report'));
  vault.seal([entry(3, { image: undefined, blob: sha256(vault.putBlob('a JWE')) }), entry(4, { objects: [{ name: 'report/a', sha256: sha256(Buffer.from('a report')) }] }), entry(5, REMOVED)]);
  seal(vault, 252);
  await vault.publish();
  await vault.rotate(keyPair(2));
  seal(vault, 20);
  await vault.publish();
  seal(vault, 15);
  await vault.publish();
  vault.put(`segment/00000000000000000003/${HASH}`, Buffer.from('x')); // a loser's, and not even readable
  vault.putBlob('nobody names me');
  vault.put('report/b', Buffer.from('another report'));
  vault.seal([entry(vault.entries.length, { objects: [{ name: 'report/b', sha256: sha256(Buffer.from('another report')) }, vault.putSnapshot().manifest] })]);
  return vault;
}
const SIZE = 293;

describeWithPython('the outsider', () => {
  test('accepts vaults on both sides of every tile edge, with our size and root', async () => {
    for (const rounds of [[], [1], [255], [256], [257], [100, 400, 12], [100, 400, 13]]) {
      const vault = new BuiltVault();
      await vault.publish();
      for (const n of rounds) {
        seal(vault, n);
        await vault.publish();
      }
      expectClean(await judge(write(vault.objects), formatVkey(keyPair(1).key)), rounds);
    }
  });

  test('accepts what receiving, sealing and publishing write: blobs, contents, removals, findings, records it cannot read', async () => {
    const cloud = await memoryDeployment();
    for (const [id, text] of [['a', 'hello'], ['b', `\u0007${'long '.repeat(3_900)}`], ['c', `\u0007${'long '.repeat(9_000)}`]] as const) {
      await cloud.run(['send', '-'], { stdin: delivery(`wamid.${id}`, text) });
      await cloud.settle();
    }
    cloud.world.records.byHand.put({ pk: { S: 'odd' }, sk: { S: 'odd' } });
    const gone = cloud.world.message('gone');
    await cloud.world.write(gone, ...Array.from({ length: 260 }, (_, i) => cloud.world.message(`later ${i}`)));
    cloud.world.records.byHand.remove({ pk: (gone['pk'] as { S: string }).S, sk: (gone['sk'] as { S: string }).S });
    await cloud.settle();
    const entries = cloud.world.entries().map(({ entry: sealed }) => sealed);
    expect(new Set(entries.map(({ kind }) => kind))).toEqual(new Set(['customer', 'alias', 'link', 'message', 'raw', 'finding']));
    expect([entries.some((sealed) => 'blob' in sealed), entries.some((sealed) => 'objects' in sealed), entries.some(({ op }) => op === 'remove')]).toEqual([true, true, true]);
    expectClean(await judge(write(cloud.world.vault.objects as ReadonlyMap<string, Buffer>)), 'the world');
  });

  test('accepts a vault whose key was rotated from who pinned either key, and whatever publishing had written when it died', async () => {
    const vault = await fullVault();
    const folder = write(vault.objects);
    for (const vkey of [undefined, formatVkey(keyPair(1).key), formatVkey(keyPair(2).key)]) expectClean(await judge(folder, vkey), vkey);
    for (const steps of [1, 2, 3, 4, 5]) {
      const dying = await fullVault();
      seal(dying, 300);
      await dying.publish(steps);
      expectClean(await judge(write(dying.objects)), `${steps} steps`);
    }
  });

  test('as a command prints findings, size and root, and exits with 0, 1 or 2', async () => {
    const vault = await fullVault();
    const [folder, vkey] = [write(vault.objects), formatVkey(keyPair(1).key)];
    const root = vault.objects.get('checkpoint')!.toString().split('\n')[2];
    expect(outsiderCommand(folder, '--vkey', vkey)).toEqual({ exit: 0, lines: [`size ${SIZE}`, `root ${root}`], message: '' });
    expect(outsiderCommand(folder, '--vkey', formatVkey(keyPair(3).key))).toMatchObject({ exit: 1, lines: expect.arrayContaining([expect.stringMatching(/^key-not-listed log\.vkeys: /)]) });
    for (const args of [[join(scratch, 'nowhere')], [folder, '--vkey', 'no key'], ['proof', join(scratch, 'nowhere')], []]) expect([args, outsiderCommand(...args)]).toMatchObject([args, { exit: 2, lines: [] }]);
  });

  test('names the object, as we do, after a byte of it is changed, cut off or added, or it is gone', async () => {
    const vault = await fullVault();
    const folder = write(vault.objects);
    const segment = [...vault.objects.keys()].find((name) => name.startsWith(`segment/${'0'.repeat(20)}/`))!;
    const blob = `blob/${sha256(Buffer.from('a JWE'))}`;
    const [part, manifest] = ['000001', 'manifest'].map((word) => [...vault.objects.keys()].find((name) => name.startsWith(`snapshot/${SIZE}/${word}-`))!) as [string, string];
    const classes = ['checkpoint', 'checkpoints/3', `checkpoints/${SIZE}`, 'tile/0/000', 'tile/0/001.p/37', 'tile/0/001.p/2', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/37', segment, blob, 'report/a', 'report/b', manifest, part, 'log.vkeys'];
    /** Nothing signed says that these were ever there; a log that was cut whole, back to one of them, needs a memory to be noticed. */
    const dispensable = ['checkpoints/3', 'tile/0/001.p/2', 'report/b', manifest, part];
    for (const name of classes) {
      const good = vault.objects.get(name)!;
      const flipped = Buffer.from(good);
      flipped[Math.floor(good.length / 2)]! ^= 1;
      for (const [damage, bytes] of Object.entries({ flipped, truncated: good.subarray(0, -1), extended: Buffer.concat([good, Buffer.from('\n')]), emptied: Buffer.alloc(0) })) {
        writeObject(folder, name, bytes);
        const both = await judge(folder);
        expectRefused(both, [damage, name]);
        expect([damage, name, both.theirs.findings.some(([, object]) => object.startsWith(name))]).toEqual([damage, name, true]);
      }
      rmSync(join(folder, name));
      if (dispensable.includes(name)) expectClean(await judge(folder), `without ${name}`);
      else expectRefused(await judge(folder), `without ${name}`);
      writeObject(folder, name, good);
    }
    expectClean(await judge(folder), 'put back');
  });

  test('refuses, as we do, what no single byte does: other logs, old states, forged checkpoints, strangers', async () => {
    const vault = await fullVault();
    const pinned = formatVkey(keyPair(1).key);
    const folder = write(vault.objects);
    const good = (name: string): string => vault.objects.get(name)!.toString();
    const [text] = good('checkpoint').split(/(?<=\n)\n/) as [string];
    const signed = async (note: string, by: number): Promise<string> => {
      const { key, sign } = keyPair(by);
      return `${note}\n— ${key.name} ${Buffer.concat([Buffer.from(formatVkey(key).split('+')[1]!, 'hex'), await sign(Buffer.from(note))]).toString('base64')}\n`;
    };
    const stranger = new BuiltVault(keyPair(66));
    stranger.seal(vault.entries);
    await stranger.publish();
    const swapped = Object.fromEntries([...stranger.objects].filter(([name]) => /^(log\.vkeys|checkpoint|checkpoints\/.*)$/.test(name)));
    expect((await judge(write(stranger.objects), pinned)).theirs.findings.map(([code]) => code)).toContain('key-not-listed');
    const cases: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>> = {
      'a log swapped as a whole, its keys included': swapped,
      'the checkpoint of an earlier size put back': { checkpoint: good('checkpoints/278') },
      'a root nobody has': { checkpoint: await signed(text.replace(/.*=\n$/, `${Buffer.alloc(32).toString('base64')}\n`), 2) },
      'an earlier root nobody had': { 'checkpoints/3': await signed(`${text.split('\n')[0]}\n3\n${Buffer.alloc(32).toString('base64')}\n`, 1) },
      'another size': { checkpoint: await signed(text.replace(`${SIZE}`, `${SIZE + 1}`), 2) },
      'a size nobody can count to': { checkpoint: await signed(text.replace(`${SIZE}`, `${2 ** 52}`), 2) },
      'a size that is no safe integer': { checkpoint: await signed(text.replace(`${SIZE}`, `${2 ** 53}`), 2) },
      'another spelling of the size': { checkpoint: await signed(text.replace(`${SIZE}`, `0${SIZE}`), 2) },
      'another origin': { checkpoint: (await signCheckpoint({ origin: 'example.org/other', size: SIZE, root: Buffer.from(text.split('\n')[2]!, 'base64'), extensions: [] }, keyPair(2).key, keyPair(2).sign)).toString() },
      'a key that was replaced': { checkpoint: await signed(text, 1) },
      'an extension line': { checkpoint: await signed(`${text}more\n`, 2) },
      'an extension line in a copy': { 'checkpoints/3': await signed(good('checkpoints/3').replace(/\n\n[^]*/, '\nmore\n'), 1) },
      'a forged signature of a key whose successor signed': { checkpoint: good('checkpoint').replace(/\n\n/, `\n\n${good('checkpoints/3').trimEnd().split('\n').at(-1)}\n`) },
      'more than a hundred signatures': { checkpoint: good('checkpoint') + `— other.example ${Buffer.alloc(68).toString('base64')}\n`.repeat(100) },
      'a million bytes': { checkpoint: good('checkpoint') + `— ${'o'.repeat(1_000_000)} ${Buffer.alloc(68).toString('base64')}\n` },
      'a key that is not listed': { checkpoint: await signed(text, 3) },
      'no signature': { checkpoint: text },
      'a checkpoint under another size': { 'checkpoints/5': good('checkpoints/3') },
      'a cut key history': { 'log.vkeys': `${good('log.vkeys').split('\n')[0]}\n` },
      'line ends of another system': { 'log.vkeys': good('log.vkeys').replace(/\n/g, '\r\n') },
      'a key id in capitals': { 'log.vkeys': good('log.vkeys').replace(/\+[0-9a-f]{8}\+/, (id) => id.toUpperCase()) },
      'a tile beyond all segments': { 'tile/0/002': Buffer.alloc(8192) },
      'a bundle beyond all segments': { 'tile/entries/009.p/1': Buffer.from([0, 1, 0]) },
      'a level the log does not have': { 'tile/2/000.p/1': Buffer.alloc(32) },
      'a tile index in another spelling': { 'tile/0/x000/000': vault.objects.get('tile/0/000')! },
      'an object in no snapshot': { 'snapshot/x': 'x' },
      'a report that no entry names': { 'report/unnamed': 'x' },
      'a blob under no hash': { 'blob/zz': 'x' },
      'a file that is none of ours': { '.DS_Store': 'x' },
      'a segment beyond a hole': { [`segment/00000000000000009999/${HASH}`]: 'x' },
      'an entry ahead of the checkpoint that is none': { [`segment/00000000000000000294/${sha256(Buffer.from([0, 1, 120]))}`]: Buffer.from([0, 1, 120]) },
    };
    for (const [what, changed] of Object.entries(cases)) {
      for (const [name, bytes] of Object.entries(changed)) writeObject(folder, name, Buffer.from(bytes as string));
      expectRefused(await judge(folder, pinned), what);
      for (const name of Object.keys(changed)) {
        if (vault.objects.has(name)) writeObject(folder, name, vault.objects.get(name)!);
        else rmSync(join(folder, name));
      }
    }
    expectClean(await judge(folder, pinned), 'put back');
  });

  test('judges, as we do, snapshots: what is none, what expired, what is of a newer format, what nobody names', async () => {
    const later = '2026-01-02T00:00:00.000Z';
    const [good] = (() => {
      const vault = new BuiltVault();
      seal(vault, 12);
      const { manifest } = vault.putSnapshot();
      return [JSON.parse(vault.objects.get(manifest.name)!.toString()) as { readonly edge: readonly string[]; readonly parts: readonly Members[] }];
    })();
    const partWith = (change: Members) => ({ parts: [{ ...good.parts[0], ...change }, good.parts[1]] });
    const refused: Readonly<Record<string, Members>> = {
      'of no kind': { kind: 'intact-snapshots' }, 'of an older format': { v: 0 }, 'of a version that is no integer': { v: 1.5 }, 'of no version': { v: '1' }, 'with a member too many': { note: '' }, 'without a member': { closed: undefined },
      'of another size': { size: 11 }, 'of a size of text': { size: '12' }, 'of no entries': { size: 0 }, 'without an origin': { origin: '' }, 'with a root too short': { root: Buffer.alloc(31).toString('base64') }, 'with another root': { root: Buffer.alloc(32).toString('base64') },
      'with an edge too long': { edge: [...good.edge, good.edge[0]] }, 'with an edge of no tree': { edge: [] }, 'with a day there is not': { at: '2026-02-30T00:00:00.000Z' }, 'with half a time': { newestAt: '2026-01-01' }, 'with an end that is none': { keptUntil: null },
      'with a count below nothing': { closed: -1 }, 'with more records than rows': { records: 13 }, 'with more closed than rows': { closed: 13 }, 'with rows that do not add up': { rows: 11 }, 'with a part left out': { parts: [good.parts[0]] },
      'with a part twice': { parts: [good.parts[0], good.parts[0]] }, 'with parts that are no list': { parts: {} }, 'with a part that is none': { parts: [1] }, 'with a part of more members': partWith({ note: 1 }), 'with a part of another snapshot': partWith({ name: `snapshot/11/000000-${HASH}` }),
      'with a manifest as a part': partWith({ name: `snapshot/12/manifest-${HASH}`, sha256: HASH }), 'with a part of another hash': partWith({ sha256: HASH }), 'with an empty part': partWith({ rows: 0 }), 'with a part beyond its size': partWith({ last: 12 }),
      'with a part that ends first': partWith({ first: 5, last: 4 }), 'with a part too large': partWith({ uncompressed: 8_388_609 }), 'with a part too small': partWith({ uncompressed: 47 }),
    };
    const clean: Readonly<Record<string, Members>> = { 'as it should be': {}, 'kept until a day': { keptUntil: later }, 'in a newer format': { v: 2, kind: 'intact-snapshot', anything: true } };
    const judged = async (change: Members, harm: (vault: BuiltVault, made: ReturnType<BuiltVault['putSnapshot']>) => void = () => undefined): Promise<Both> => {
      const vault = new BuiltVault();
      seal(vault, 12);
      // Undefined leaves a member out.
      const made = vault.putSnapshot(change);
      vault.seal([entry(12, { objects: [made.manifest] })]);
      await vault.publish();
      harm(vault, made);
      return judge(write(vault.objects));
    };
    for (const [what, change] of Object.entries(clean)) expectClean(await judged(change), what);
    for (const [what, change] of Object.entries(refused)) expect([what, codesOf(await judged(change))]).toEqual([what, [['snapshot-malformed'], ['snapshot-malformed']]]);
    expectClean(await judged({}, (vault, { manifest }) => vault.objects.delete(manifest.name)), 'expired');
    expectClean(await judged({}, (vault, { manifest, parts }) => [manifest.name, parts[0]!].forEach((name) => vault.objects.delete(name))), 'expiring, its manifest first');
    expectClean(await judged({ keptUntil: '2025-12-31T23:59:59.999Z' }, (vault, { parts }) => vault.objects.delete(parts[0]!)), 'expiring, a part first');
    for (const keptUntil of [undefined, '2026-01-01T00:00:00.000Z', later]) expect([keptUntil, codesOf(await judged({ keptUntil }, (vault, { parts }) => vault.objects.delete(parts[0]!)))]).toEqual([keptUntil, [['object-missing'], ['object-missing']]]);
    expectClean(await judged({}, (vault) => void vault.putSnapshot()), 'another one that nobody names');
  });

  test('misses, as we do, the copy of the checkpoint of an empty log, and that of any other size', async () => {
    for (const size of [0, 5]) {
      const vault = new BuiltVault();
      await vault.publish();
      if (size > 0) seal(vault, size);
      await vault.publish();
      expectClean(await judge(write(vault.objects)), size);
      vault.objects.delete(`checkpoints/${size}`);
      expect([size, codesOf(await judge(write(vault.objects)))]).toEqual([size, [['checkpoint-copy-missing'], ['checkpoint-copy-missing']]]);
    }
  });

  test('refuses, as we do, a checkpoint with an extension line, wherever it stands', async () => {
    const vault = await fullVault();
    const [first, second] = [keyPair(1), keyPair(2)];
    const extended = async (name: string, { key, sign }: typeof first): Promise<Buffer> => {
      const [origin, size, root] = vault.objects.get(name)!.toString().split('\n') as [string, string, string];
      return signCheckpoint({ origin, size: Number(size), root: Buffer.from(root, 'base64'), extensions: ['more'] }, key, sign);
    };
    for (const [name, pair] of [['checkpoint', second], [`checkpoints/${SIZE}`, second], ['checkpoints/3', first], ['checkpoints/0', first]] as const) {
      const both = await judge(write(new Map(vault.objects).set(name, await extended(name, pair))));
      expect([name, both.theirs.findings.map(([code, object]) => `${code} ${object}`), both.ours.findings.map(({ code, object }) => `${code} ${object}`)]).toEqual([name, expect.arrayContaining([`checkpoint-unreadable ${name}`]), [`checkpoint-unreadable ${name}`]]);
    }
  });

  test('takes, as we do, a key for replaced from the next larger checkpoint on', async () => {
    const [text, copy] = ['checkpoint', `checkpoints/${SIZE}`] as const;
    const signedBy = async (vault: BuiltVault, seed: number): Promise<Buffer> => {
      const [origin, size, root] = vault.objects.get(text)!.toString().split('\n') as [string, string, string];
      return signCheckpoint({ origin, size: Number(size), root: Buffer.from(root, 'base64'), extensions: [] }, keyPair(seed).key, keyPair(seed).sign);
    };
    // Twice the same size: neither key had been replaced by a smaller checkpoint.
    const vault = await fullVault();
    await vault.rotate(keyPair(3));
    for (const name of [text, copy]) expectClean(await judge(write(new Map(vault.objects).set(name, await signedBy(vault, 3)))), name);
    // Died between copy and checkpoint, after a rotation: the new key says nothing against the smaller checkpoint of the old one.
    seal(vault, 1);
    const before = new Map(vault.objects);
    await vault.publish();
    const dying = new Map(vault.objects).set(text, before.get(text)!);
    for (const [name, bytes] of before) dying.set(name, bytes); // what publishing deletes last
    expect(codesOf(await judge(write(dying)))).toEqual([['checkpoint-behind'], ['checkpoint-behind']]);
    // A larger one by a key that `checkpoint` has retired.
    const stolen = new Map(dying).set(text, await signedBy(await fullVault(), 3)).set(`checkpoints/${SIZE + 2}`, vault.objects.get(`checkpoints/${SIZE + 2}`)!);
    const larger = vault.objects.get(text)!.toString().split('\n') as [string, string, string];
    stolen.set(`checkpoints/${SIZE + 2}`, await signCheckpoint({ origin: larger[0], size: SIZE + 2, root: Buffer.from(larger[2], 'base64'), extensions: [] }, keyPair(2).key, keyPair(2).sign));
    expect(codesOf(await judge(write(stolen)))).toEqual([['checkpoint-behind', 'checkpoint-retired-key'], ['checkpoint-behind', 'checkpoint-retired-key']]);
  });

  test('refuses, as we do, a file of keys that is too long, or not UTF-8', async () => {
    const vault = new BuiltVault();
    await vault.publish();
    // The name as a careless reader would see it, and its true key id.
    const careless = keyPair(1, 'example.org/\ufffd');
    const bytes = Buffer.from(`${formatVkey(careless.key)}\n`);
    const at = bytes.indexOf(Buffer.from('\ufffd'));
    const keys = Buffer.concat([bytes.subarray(0, at), Buffer.of(0xff), bytes.subarray(at + 3)]);
    expect(codesOf(await judge(write(new Map(vault.objects).set('log.vkeys', keys))))).toEqual([expect.arrayContaining(['keys-unreadable']), expect.arrayContaining(['keys-unreadable'])]);
    for (const n of [365, 366]) {
      const long = new BuiltVault(keyPair(1));
      let [file, previous] = [long.objects.get('log.vkeys')!, keyPair(1)];
      for (let i = 1; i <= n; i++) {
        const next = keyPair(Buffer.alloc(32, sha256(Buffer.from(String(i))), 'hex'));
        file = Buffer.concat([file, formatNote(await signNote(`${formatVkey(next.key)}\n`, previous.key, previous.sign))]);
        previous = next;
      }
      await long.publish();
      long.objects.set('log.vkeys', file);
      if (n === 365) expectClean(await judge(write(long.objects)), n);
      else expect(codesOf(await judge(write(long.objects)))).toEqual([expect.arrayContaining(['keys-unreadable']), expect.arrayContaining(['keys-unreadable'])]);
    }
  });

  test('agrees with us on every vault with one random byte changed', async () => {
    const vault = await fullVault();
    const folder = write(vault.objects);
    const names = [...vault.objects.keys()];
    await forEachSeed('single bytes changed in a vault', 100, async (seed) => {
      const draw = seededDraw(seed);
      const name = names[Math.floor(draw() * names.length)]!;
      const bad = Buffer.from(vault.objects.get(name)!);
      const at = Math.floor(draw() * bad.length);
      bad[at]! ^= 1 + Math.floor(draw() * 255);
      writeObject(folder, name, bad);
      const both = await judge(folder);
      writeObject(folder, name, vault.objects.get(name)!);
      expect([name, at, told(both), both.theirs.exit === 0]).toEqual([name, at, told(both), both.ours.ok]);
      expectRefused(both, [name, at]); // nothing in a vault may change unnoticed
    });
    expectClean(await judge(folder), 'put back');
  });
});

describeWithPython('what an entry is, the outsider', () => {
  const logged = async (bytes: Buffer): Promise<Both> => {
    const vault = new BuiltVault();
    vault.put('report/a', Buffer.from('x')).put(`blob/${HASH}`, Buffer.from('x'));
    vault.seal([entry(0, { objects: [{ name: 'report/a', sha256: HASH }] }), bytes]);
    await vault.publish();
    return judge(write(vault.objects));
  };
  const spelled = (from: string | RegExp, to: string): Buffer => Buffer.from(entry(1).toString().replace(from, to));
  const naming = (...objects: readonly unknown[]): Buffer => entry(1, { objects });

  test.each<[string, Buffer]>([
    ['the largest revision', entry(1, { rev: Number.MAX_SAFE_INTEGER })],
    ['a leap day', entry(1, { at: '2024-02-29T23:59:59.999Z' })],
    ['the year 0', entry(1, { at: '0000-02-29T00:00:00.000Z' })],
    ['the longest kind, subject and source', entry(1, { kind: 'a'.repeat(40), subject: '_'.repeat(64), src: '~'.repeat(128) })],
    ['a source sealed late', entry(1, { src: `late:${HASH}` })],
    ['a source whose id does not fit', entry(1, { src: `sha256:${HASH}` })],
    ['a source without an id', entry(1, { src: `none:${HASH}` })],
    ['a source that only resembles these', entry(1, { src: 'later:x' })],
    ['a later generation of the key', entry(1, { image: jwe({ header: '{"alg":"dir","enc":"A256GCM","kid":"999999999"}' }) })],
    ['no content but the salt', entry(1, { image: jwe({ text: 32 }) })],
    ['a blob', entry(1, { image: undefined, blob: HASH })],
    ['an object, twice', naming({ name: 'report/a', sha256: HASH }, { name: 'report/a', sha256: HASH })],
    ['a blob among the objects', naming({ name: `blob/${HASH}`, sha256: HASH })],
    ['a removal', entry(1, REMOVED)],
    ['a record that could not be read', entry(1, { kind: 'raw', rev: 0 })],
    ['an image as long as an entry may be', entry(1, { image: jwe({ text: 48_600 }) })],
  ])('accepts, as we do: %s', async (what, bytes) => expectClean(await logged(bytes), what));

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['no JSON', Buffer.from('{')],
    ['no object', Buffer.from('[]')],
    ['nesting without end', Buffer.from('['.repeat(60_000))],
    ['a space', spelled('{', '{ ')],
    ['a byte order mark', spelled('{', '\ufeff{')],
    ['bytes that are no UTF-8', Buffer.from(spelled('message', 'm\x80').toString(), 'latin1')],
    ['members in another order', spelled(/^\{("at":"[^"]*"),(.*)\}$/, '{$2,$1}')],
    ['a member twice', spelled('"v":1', '"v":1,"v":1')],
    ['an escape that is not needed', spelled('message', '\\u006dessage')],
    ['a revision with an exponent', spelled('"rev":1', '"rev":1e0')],
    ['a negative zero', spelled('"rev":1', '"rev":-0')],
    ['a revision that is no safe integer', spelled('"rev":1', '"rev":9007199254740992')],
    ['a version that is true', entry(1, { v: true })],
    ['another version', entry(1, { v: 2 })],
    ['another op', entry(1, { op: 'delete' })],
    ['an unknown member', entry(1, { x: 1 })],
    ...['at', 'commit', 'id', 'image', 'kind', 'op', 'rev', 'src', 'subject', 'v'].map((name): [string, Buffer] => [`no ${name}`, entry(1, { [name]: undefined })]),
    ['image and blob', entry(1, { blob: HASH })],
    ['a removal with a commitment', entry(1, { ...REMOVED, commit: digest('x') })],
    ['an id in another spelling', spelled(/("id":"[^"]{42})[^"]/, '$1F')],
    ['a commitment of 31 bytes', entry(1, { commit: digest('x').slice(0, 42) })],
    ['a day there is not', entry(1, { at: '2026-02-29T00:00:00.000Z' })],
    ['a time without milliseconds', entry(1, { at: '2026-02-03T00:00:00Z' })],
    ['hour 24', entry(1, { at: '2026-02-03T24:00:00.000Z' })],
    ['a leap second', entry(1, { at: '2016-12-31T23:59:60.000Z' })],
    ['a kind in capitals', entry(1, { kind: 'Message' })],
    ['a kind with a line feed', entry(1, { kind: 'message\n' })],
    ['a short subject', entry(1, { subject: 'a'.repeat(15) })],
    ['a source with a space', entry(1, { src: 'a b' })],
    ['an image that is no JWE', entry(1, { image: 'hello' })],
    ['a JWE with an encrypted key', entry(1, { image: jwe().replace('..', '.AAAA.') })],
    ['a JWE header with a further member', entry(1, { image: jwe({ header: '{"alg":"dir","enc":"A256GCM","kid":"1","zip":"DEF"}' }) })],
    ['a JWE header with its members in another order', entry(1, { image: jwe({ header: '{"enc":"A256GCM","alg":"dir","kid":"1"}' }) })],
    ['a JWE header with a space', entry(1, { image: jwe({ header: '{"alg":"dir", "enc":"A256GCM","kid":"1"}' }) })],
    ['a JWE header without encryption', entry(1, { image: jwe({ header: '{"alg":"none","enc":"A256GCM","kid":"1"}' }) })],
    ['a JWE header with another encryption', entry(1, { image: jwe({ header: '{"alg":"dir","enc":"A128GCM","kid":"1"}' }) })],
    ['a generation that is a number', entry(1, { image: jwe({ header: '{"alg":"dir","enc":"A256GCM","kid":1}' }) })],
    ['generation 0', entry(1, { image: jwe({ header: '{"alg":"dir","enc":"A256GCM","kid":"0"}' }) })],
    ['a generation with a leading zero', entry(1, { image: jwe({ header: '{"alg":"dir","enc":"A256GCM","kid":"01"}' }) })],
    ['a generation of ten digits', entry(1, { image: jwe({ header: '{"alg":"dir","enc":"A256GCM","kid":"1000000000"}' }) })],
    ['an IV of 11 bytes', entry(1, { image: jwe({ iv: 11 }) })],
    ['an IV of 13 bytes', entry(1, { image: jwe({ iv: 13 }) })],
    ['a tag of 15 bytes', entry(1, { image: jwe({ tag: 15 }) })],
    ['a tag of 17 bytes', entry(1, { image: jwe({ tag: 17 }) })],
    ['a tag in another spelling', entry(1, { image: withPart(4) })],
    ['a ciphertext in another spelling', entry(1, { image: withPart(3) })],
    ['a long ciphertext in another spelling', entry(1, { image: withPart(3, `${'A'.repeat(5001)}B`) })],
    ['a long ciphertext in the other base64', entry(1, { image: withPart(3, `${'A'.repeat(5003)}+`) })],
    ['a ciphertext in the other base64', entry(1, { image: withPart(3, `${'A'.repeat(42)}+/`) })],
    ['a ciphertext with padding', entry(1, { image: withPart(3, `${'A'.repeat(43)}=`) })],
    ['a text without room for the salt', entry(1, { image: jwe({ text: 31 }) })],
    ['kind raw with a revision', entry(1, { kind: 'raw', rev: 1 })],
    ['kind raw removed', entry(1, { ...REMOVED, kind: 'raw', rev: 0 })],
    ['a source sealed late without its hash', entry(1, { src: 'late:' })],
    ['a source sealed late with a hash in capitals', entry(1, { src: `late:${HASH.toUpperCase()}` })],
    ['a source with a hash of 63 digits', entry(1, { src: `sha256:${HASH.slice(1)}` })],
    ['a source without an id, with no hash', entry(1, { src: 'none:0' })],
    ['a source of 129 characters', entry(1, { src: '~'.repeat(129) })],
    ['a blob in capitals', entry(1, { image: undefined, blob: HASH.toUpperCase() })],
    ['a blob that is not there', entry(1, { image: undefined, blob: '0'.repeat(64) })],
    ['no object in objects', naming()],
    ['101 objects', naming(...Array.from({ length: 101 }, () => ({ name: 'report/a', sha256: HASH })))],
    ['an object with another hash', naming({ name: 'report/a', sha256: '0'.repeat(64) })],
    ['an object that is not there', naming({ name: 'report/b', sha256: HASH })],
    ['an object elsewhere', naming({ name: 'checkpoint', sha256: HASH })],
    ['a way out of the folder', naming({ name: 'report/../report/a', sha256: HASH })],
    ['an object with a third member', naming({ name: 'report/a', sha256: HASH, size: 1 })],
  ])('refuses, as we do: %s', async (what, bytes) => expectRefused(await logged(bytes), what));

  test.each([
    ['the hash of others', `blob/${'1'.repeat(64)}`, 'object-altered'],
    ['no hash', 'blob/a', 'unexpected-object'],
  ])('refuses, as we do, a blob that an entry names by its bytes, under %s', async (_what, name, code) => {
    const vault = new BuiltVault();
    vault.put(name, Buffer.from('x')).seal([entry(0, { objects: [{ name, sha256: HASH }] })]);
    await vault.publish();
    expect(codesOf(await judge(write(vault.objects)))).toEqual([['entry-malformed', code], ['entry-malformed', code]]);
  });
});

describeWithPython('proofs, judged by the outsider', () => {
  interface ProofFile {
    vkeys: string;
    entry: string;
    proof: string;
    disclosed: { salt: string; image: string };
  }
  let file: string;
  let vkey: string;
  let other: ProofFile;
  beforeAll(async () => {
    const cloud = await memoryDeployment();
    await cloud.world.write(...Array.from({ length: 300 }, (_, i) => cloud.world.message(`earlier ${i}`)));
    for (const id of ['A', 'B']) await cloud.run(['send', '-'], { stdin: delivery(`wamid.${id}`, 'Grüezi 👋, the price is 100') });
    await cloud.settle();
    file = (await cloud.run(['proof', 'wamid.A'])).stdout;
    other = JSON.parse((await cloud.run(['proof', 'wamid.B'])).stdout) as ProofFile;
    vkey = formatVkey(verifierKey(cloud.world.identity.origin, await cloud.world.signer.publicKey()));
  });

  const judgeProof = async (bytes: Uint8Array, key?: string) => {
    writeFileSync(join(scratch, 'proof.json'), bytes);
    const theirs = await outsider.judge({ proof: join(scratch, 'proof.json'), ...(key !== undefined && { vkey: key }) });
    return { theirs, ours: checkDisclosure(bytes, key === undefined ? undefined : parseVkey(key)) };
  };

  test('hold, with and without the key, for the command too', async () => {
    for (const key of [undefined, vkey]) {
      const { theirs, ours } = await judgeProof(Buffer.from(file), key);
      expect([theirs.findings, ours.findings]).toEqual([[], []]);
      expect([theirs.size, theirs.root]).toEqual([ours.checkpoint?.size, ours.checkpoint?.root.toString('base64')]);
    }
    const { exit, lines } = outsiderCommand('proof', join(scratch, 'proof.json'), '--vkey', vkey);
    expect([exit, lines.map((line) => line.split(' ')[0])]).toEqual([0, ['index', 'size', 'root']]);
  });

  test.each<[string, (json: ProofFile) => void, string]>([
    ['another image', (json) => void (json.disclosed.image = json.disclosed.image.replace('100', '900')), 'commitment'],
    ['another salt', (json) => void (json.disclosed.salt = other.disclosed.salt), 'commitment'],
    ['a salt that takes a byte of the image', (json) => {
      const { salt, image } = json.disclosed;
      json.disclosed = { salt: Buffer.concat([Buffer.from(salt, 'base64'), Buffer.from(image.slice(0, 1))]).toString('base64'), image: image.slice(1) };
    }, 'commitment'],
    ['another image with its commitment', (json) => {
      json.disclosed.image = json.disclosed.image.replace('100', '900');
      const commit = commitmentOf(Buffer.concat([Buffer.from(json.disclosed.salt, 'base64'), Buffer.from(json.disclosed.image)]));
      json.entry = json.entry.replace(/"commit":"[^"]*"/, `"commit":"${commit}"`);
    }, 'not-included'],
    ["another entry's path", (json) => void (json.proof = other.proof), 'not-included'],
    ['a path that is longer', (json) => void (json.proof = json.proof.replace('\n\n', `\n${Buffer.alloc(32).toString('base64')}\n\n`)), 'not-included'],
    ['a path that is shorter', (json) => void (json.proof = json.proof.replace(/\n[^\n]*\n\n/, '\n\n')), 'not-included'],
    ['another index', (json) => void (json.proof = json.proof.replace(/index \d+/, 'index 7')), 'not-included'],
    ['a checkpoint with another root', (json) => void (json.proof = json.proof.replace(/(\n\d+\n)(.{43}=)/, `$1${Buffer.alloc(32).toString('base64')}`)), 'untrusted-key'],
    ['keys of another log', (json) => void (json.vkeys = `${formatVkey(keyPair(3).key)}\n`), 'untrusted-key'],
    ['a further member', (json) => void Object.assign(json, { note: 'trust me' }), 'file'],
    ['another version', (json) => void Object.assign(json, { format: 'intact/proof/v2' }), 'file'],
    ['an image in another spelling', (json) => void (json.disclosed.image = ` ${json.disclosed.image}`), 'image'],
  ])('with %s are refused, as by us', async (what, change, code) => {
    const json = JSON.parse(file) as ProofFile;
    change(json);
    const { theirs, ours } = await judgeProof(Buffer.from(JSON.stringify(json)));
    expect([what, theirs.findings.map(([found]) => found), ours.findings.length > 0]).toEqual([what, expect.arrayContaining([code]), true]);
  });

  const twice = (member: string, value: string) => (text: string) => text.replace(member, `${value}, ${member}`);
  test.each<[string, (text: string) => string]>([
    ['its format twice', twice('"format":', '"format": "intact/proof/v1"')],
    ['its entry twice', twice('"entry":', '"entry": "{}"')],
    ['its entry twice, once with an escape', twice('"entry":', '"\\u0065ntry": "{}"')],
    ['its entry twice, once as no text', twice('"entry":', '"entry": {"a": [1, "entry"]}')],
    ['its salt twice', twice('"salt":', '"salt": ""')],
    ['its image twice', twice('"image":', '"image": "{}"')],
    ['what is disclosed twice', twice('"disclosed":', '"disclosed": {}')],
    ['a byte order mark', (text) => `\ufeff${text}`],
    ['half a surrogate pair in its image', (text) => text.replace('Grüezi', 'Gr\\ud83dezi')],
    ['half a surrogate pair in its keys', (text) => text.replace('"vkeys": "', '"vkeys": "\\ud83d')],
    ['a second value', (text) => `${text}{}`],
    ['a list around it', (text) => `[${text}]`],
    ['a prototype', twice('"entry":', '"__proto__": {}')],
    ['nesting without end', () => '['.repeat(100_000)],
    ['one byte too many', (text) => text + ' '.repeat(4_000_001 - Buffer.byteLength(text))],
  ])('with %s are refused, as by us', async (what, change) => {
    expect([what, change(file) === file]).toEqual([what, false]);
    const { theirs, ours } = await judgeProof(Buffer.from(change(file)));
    expect([what, theirs.findings.map(([code]) => code), ours.findings.map(({ code }) => code)]).toEqual([what, ['file'], ['file']]);
  });

  test('of the largest size are read', async () => {
    const { theirs, ours } = await judgeProof(Buffer.from(file + ' '.repeat(4_000_000 - Buffer.byteLength(file))));
    expect([theirs.findings, ours.findings]).toEqual([[], []]);
  });

  test.each([
    ['scalars', '{"a":{"S":""},"b":{"N":"0"},"c":{"BOOL":false},"d":{"NULL":true},"e":{"B":""}}'],
    ['every form of a number', '{"a":{"L":[{"N":"-12"},{"N":"1.5"},{"N":"1E+30"},{"N":"-1.5E-10"}]}}'],
    ['sets', '{"a":{"SS":["a","b"]},"b":{"NS":["1","10","2"]},"c":{"BS":["AA==","AQ=="]}}'],
    ['what is nested', '{"a":{"M":{"b":{"L":[{"M":{}},{"L":[]}]}}}}'],
  ])('of an image with %s hold', async (what, image) => {
    const { theirs, ours } = await judgeProof(await builtProof({ image }));
    expect([what, theirs.findings, ours.findings]).toEqual([what, [], []]);
  });

  test.each([
    ['half a surrogate pair', '{"a":{"S":"\\ud83d"}}'],
    ['a number that is none', '{"a":{"N":"abc"}}'],
    ['an empty number', '{"a":{"N":""}}'],
    ['a number with a plus sign', '{"a":{"N":"+1"}}'],
    ['a number that is not text', '{"a":{"N":1}}'],
    ['a number that is none, far inside', '{"a":{"M":{"b":{"L":[{"N":"0x1"}]}}}}'],
    ['an empty set', '{"a":{"SS":[]}}'],
    ['a set with a member twice', '{"a":{"SS":["a","a"]}}'],
    ['a set of numbers with a member twice', '{"a":{"NS":["1","1"]}}'],
    ['a set of bytes with a member twice', '{"a":{"BS":["AA==","AA=="]}}'],
    ['a set of numbers that are none', '{"a":{"NS":["a"]}}'],
    ['a set in another order', '{"a":{"SS":["b","a"]}}'],
    ['no null', '{"a":{"NULL":false}}'],
    ['two types', '{"a":{"N":"1","S":"1"}}'],
    ['no type', '{"a":{}}'],
    ['an unknown type', '{"a":{"X":"1"}}'],
    ['bytes in another spelling', '{"a":{"B":"AB=="}}'],
    ['an attribute twice', '{"a":{"S":"1"},"a":{"S":"1"}}'],
    ['no item', '[]'],
  ])('of an image with %s are refused, as by us', async (what, image) => {
    const { theirs, ours } = await judgeProof(await builtProof({ image }));
    expect([what, theirs.findings.map(([code]) => code), ours.findings.map(({ code }) => code)]).toEqual([what, ['image'], ['image']]);
  });

  test.each([
    ['an entry of kind raw', { entry: { kind: 'raw', rev: 0 } }, 'entry'],
    ['a removal', { entry: REMOVED }, 'entry'],
    ['an entry whose JWE has another header', { entry: { image: jwe({ header: '{"alg":"dir","enc":"A256GCM"}' }) } }, 'entry'],
    ['a checkpoint with an extension line', { extensions: ['more'] }, 'proof'],
  ])('of %s are refused, as by us', async (what, change, code) => {
    const { theirs, ours } = await judgeProof(await builtProof(change));
    expect([what, theirs.findings.map(([found]) => found), ours.findings.map(({ code: found }) => found)]).toEqual([what, [code], [code]]);
  });

  test('under another key than the one given are refused', async () => {
    const { theirs, ours } = await judgeProof(Buffer.from(file), formatVkey(keyPair(3).key));
    expect([theirs.findings.map(([code]) => code), ours.findings.map(({ code }) => code)]).toEqual([['unpinned-key'], ['unpinned-key']]);
  });

  test('with one random byte changed are judged as by us', async () => {
    let refused = 0;
    await forEachSeed('single bytes changed in a proof', 150, async (seed) => {
      const draw = seededDraw(seed);
      const bad = Buffer.from(file);
      const at = Math.floor(draw() * bad.length);
      bad[at]! ^= 1 + Math.floor(draw() * 255);
      const { theirs, ours } = await judgeProof(bad);
      expect([at, theirs.findings, theirs.exit === 0]).toEqual([at, theirs.findings, ours.findings.length === 0]);
      refused += theirs.exit;
    });
    expect(refused).toBeGreaterThan(0);
  });
});

describeWithPython('the Ed25519 of the outsider', () => {
  const program = readFileSync(join(__dirname, 'outsider/verify.py'), 'utf8');

  test('is its own: it takes nothing but the standard library', () => {
    const modules = [...program.matchAll(/^\s*(?:import|from) (\S+)/gm)].map(([, name]) => name);
    expect(modules).toEqual(['base64', 'binascii', 'datetime', 'functools', 'hashlib', 'json', 'os', 're', 'stat', 'sys']);
  });

  test.each([
    ['another prime', '2**255 - 19', '2**255 - 21'],
    ['no bound for S', ' or s >= ORDER:', ':'],
    ['the sign of a point ignored', 'if x & 1 != sign:', 'if False:'],
    ['the message left out', 'public_key + message).digest()', 'public_key).digest()'],
  ])('with %s fails the vectors of RFC 8032, and it refuses to start', async (what, good, bad) => {
    expect(program.split(good)).toHaveLength(2);
    writeFileSync(join(scratch, 'broken.py'), program.replace(good, bad));
    const { status, stderr } = spawnSync('python3', [join(scratch, 'broken.py'), write((await fullVault()).objects)], { encoding: 'utf8' });
    expect([what, status, stderr]).toEqual([what, 2, expect.stringContaining('RFC 8032')]);
  });
});
