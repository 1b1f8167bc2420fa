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
import { formatVkey, parseVkey, verifierKey } from '../../src/core/log/vkey';
import { verifyVault, type VerifyReport } from '../../src/operations/verify-vault';
import { delivery, memoryDeployment } from '../cli/command-run';
import { BuiltVault, keyPair, sha256 } from '../operations/built-vault';
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
/** What both must say of a clean vault. */
function expectClean(both: Both, what: unknown): void {
  expect([what, told(both), both.theirs.exit]).toEqual([what, { outsider: [], ours: [] }, 0]);
  expect([what, both.theirs.size, both.theirs.root]).toEqual([what, both.ours.size, both.ours.root]);
}
function expectRefused(both: Both, what: unknown): void {
  expect([what, told(both)]).toEqual([what, { outsider: expect.arrayContaining([expect.any(String)]), ours: expect.arrayContaining([expect.any(String)]) }]);
  expect([what, both.theirs.exit]).toEqual([what, 1]);
}

const base64url = (bytes: Buffer | string): string => Buffer.from(bytes as string).toString('base64url');
const jwe = ({ header = '{"alg":"dir","enc":"A256GCM","kid":"1"}', iv = 12, text = 40, tag = 16 } = {}): string =>
  [base64url(header), '', base64url(Buffer.alloc(iv, 1)), base64url(Buffer.alloc(text, 2)), base64url(Buffer.alloc(tag, 3))].join('.');
const digest = (label: string): string => base64url(Buffer.from(sha256(Buffer.from(label)), 'hex'));

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
  vault.put('snapshot/b', Buffer.from('a snapshot'));
  vault.seal([entry(vault.entries.length, { objects: [{ name: 'snapshot/b', sha256: sha256(Buffer.from('a snapshot')) }] })]);
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
    const classes = ['checkpoint', 'checkpoints/3', `checkpoints/${SIZE}`, 'tile/0/000', 'tile/0/001.p/37', 'tile/0/001.p/2', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/37', segment, blob, 'report/a', 'snapshot/b', 'log.vkeys'];
    /** Nothing says that these were ever there; a log that was cut whole, back to one of them, needs a memory to be noticed. */
    const dispensable = ['checkpoints/3', 'tile/0/001.p/2'];
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
      'another spelling of the size': { checkpoint: await signed(text.replace(`${SIZE}`, `0${SIZE}`), 2) },
      'another origin': { checkpoint: (await signCheckpoint({ origin: 'example.org/other', size: SIZE, root: Buffer.from(text.split('\n')[2]!, 'base64'), extensions: [] }, keyPair(2).key, keyPair(2).sign)).toString() },
      'a key that was replaced': { checkpoint: await signed(text, 1) },
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
    ['a blob', entry(1, { image: undefined, blob: HASH })],
    ['an object, twice', naming({ name: 'report/a', sha256: HASH }, { name: 'report/a', sha256: HASH })],
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

  test.each<[string, Buffer]>([
    ['a JWE header with a further member', entry(1, { image: jwe({ header: '{"alg":"dir","enc":"A256GCM","kid":"1","zip":"DEF"}' }) })],
    ['a JWE header without encryption', entry(1, { image: jwe({ header: '{"alg":"none","enc":"A256GCM","kid":"1"}' }) })],
    ['an IV of 11 bytes', entry(1, { image: jwe({ iv: 11 }) })],
    ['a tag of 15 bytes', entry(1, { image: jwe({ tag: 15 }) })],
    ['a text without room for the salt', entry(1, { image: jwe({ text: 31 }) })],
    ['kind raw with a revision', entry(1, { kind: 'raw', rev: 1 })],
    ['kind raw removed', entry(1, { ...REMOVED, kind: 'raw', rev: 0 })],
  ])('refuses by the letter of the document: %s', async (what, bytes) => {
    expect([what, (await logged(bytes)).theirs]).toMatchObject([what, { exit: 1, findings: [['entry-malformed', expect.stringContaining('(entry 1)'), expect.any(String)]] }]);
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
