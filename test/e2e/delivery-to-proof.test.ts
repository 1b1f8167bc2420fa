/**
 * One signed text message all the way: answered, recorded, sealed, published, pulled, verified by us and by another implementation, and proven to somebody
 * who has nothing but a file and a key. Nothing readable of it may stand in the vault or in a log.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../local/state-directory';
import { formatVkey, parseVkey, verifierKey } from '../../src/core/log/vkey';
import { describeWithGo, fsck } from '../oracles/go';
import { answer, messages, newMarker, newMessageId, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post, type WebhookAnswer } from './harness/post';
import { checkpoint, entriesOf, recordsUnder, recordsWith, type SealedEntry } from './harness/published-log';
import { type Item } from './harness/tables';
import { logLines } from './harness/watching';

const began = new Date();
const directory = mkdtempSync(join(tmpdir(), 'intact-e2e-'));
const pulled = join(directory, 'pulled');
const proof = join(directory, 'proof.json');
const [phoneNumberId, from, id, marker] = [newPhoneNumberId(), newPerson(), newMessageId(), newMarker()];
const message = text({ id, from, body: `Guten Tag, Grüße 👋 ${marker}` });
const body = messages(phoneNumberId, message);

let answered: WebhookAnswer;
let record: Item;
let sealed: readonly SealedEntry[];
let vkey: string;

beforeAll(async () => {
  answered = await post(body);
  [record = {}] = await recordsUnder(phoneNumberId);
  sealed = await entriesOf(record['subject']?.S ?? '');
  vkey = (await intact(['key'])).stdout.trim();
}, 90_000);
afterAll(() => rmSync(directory, { recursive: true }));

/** Every file below `directory`, whole. */
const files = (): readonly (readonly [string, Buffer])[] =>
  readdirSync(pulled, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name))]);

/** `file` with the first `of` in it replaced. */
const altered = (name: string, change: (text: string) => string): string => {
  const before = readFileSync(proof, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`nothing was changed for ${name}`);
  const file = join(directory, `${name}.json`);
  writeFileSync(file, after);
  return file;
};

describe('one signed text message', () => {
  it('is answered 200 with exactly what became of it', () => {
    expect(answered.status).toBe(200);
    expect(answered.contentType).toMatch(/^application\/json/);
    expect(answered.json).toEqual(answer(body, { recorded: 1 }));
  });

  it('lies in the table with everything others may rely on', () => {
    const { pk, sk, kind, customerId, receivedAt, rev, raw, digest, subject, mac, ...rest } = record;
    expect([kind?.S, rev?.N, sk?.S]).toEqual(['message', '1', `${phoneNumberId}#message`]);
    expect(pk?.S).toMatch(/^m#[\w-]{43}$/);
    expect(customerId?.S).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(subject?.S).toMatch(/^[\w-]{22}$/);
    expect(mac?.S).toMatch(/^1\.[\w-]{43}$/);
    expect(digest?.B).toHaveLength(32);
    expect(Buffer.from(raw?.B ?? []).toString()).toBe(message);
    expect(new Date(receivedAt?.S ?? '').toISOString()).toBe(receivedAt?.S);
    expect(Date.parse(receivedAt?.S ?? '')).toBeGreaterThanOrEqual(began.getTime() - 1000);
    expect(Date.parse(receivedAt?.S ?? '')).toBeLessThanOrEqual(Date.now() + 1000);
    expect(rest).toMatchObject({ phoneNumberId: { S: phoneNumberId }, messageId: { S: id }, timestamp: { S: '1790000000' }, text: { S: `Guten Tag, Grüße 👋 ${marker}` } });
    expect(Object.keys(rest)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(status|participant|textClean|removed|anomalies|unknownType)$/)]));
  });

  it('makes its sender a customer, once', async () => {
    const ofCustomer = await recordsWith('customerId', record['customerId']?.S ?? '');
    expect(ofCustomer.map(({ kind }) => kind?.S).sort()).toEqual(['alias', 'customer', 'link', 'message']);
  });

  it('is sealed once', () => {
    expect(sealed.filter(({ kind }) => kind === 'message')).toEqual([expect.objectContaining({ op: 'put', rev: 1, commit: expect.stringMatching(/^[\w-]{43}$/), src: expect.stringMatching(/./) })]);
  });

  it('is in a pulled copy that verifies clean with the key pinned', async () => {
    const pull = await intact(['pull', pulled, '--json']);
    expect([pull.code, pull.stderr]).toEqual([0, expect.any(String)]);
    const verified = await intact(['verify', pulled, '--vkey', vkey, '--json']);
    const report = JSON.parse(verified.stdout) as { size: number; root: string };
    expect(report).toMatchObject({ ok: true, keySource: 'given', findings: [], locks: null });
    expect(verified.code).toBe(0);
    const now = await checkpoint();
    expect(now.size).toBeGreaterThanOrEqual(report.size);
    expect(readFileSync(join(pulled, 'checkpoint'), 'utf8')).toContain(`\n${report.size}\n${report.root}\n`);
    const copied = files();
    for (const entry of sealed) expect(copied.some(([, bytes]) => bytes.includes(entry.id))).toBe(true);
  });

  it('cannot be read in that copy: no words, no number, no message id', () => {
    const telling = [marker, from, id, phoneNumberId, record['customerId']?.S ?? '', Buffer.from(marker).toString('base64').slice(0, 30)];
    expect(files().flatMap(([name, bytes]) => telling.filter((each) => bytes.includes(each)).map((each) => [name, each]))).toEqual([]);
  });

  it('leaves no word of it in any log', async () => {
    const lines = await logLines(began);
    // That the lines about it are there at all shows that the search sees what it should.
    expect(lines.filter(({ group, json }) => group.endsWith('/receive-webhook') && json['deliveryId'] === answered.json?.['deliveryId'])).not.toEqual([]);
    expect(lines.filter(({ text: line }) => [marker, from, id].some((each) => line.includes(each)))).toEqual([]);
  });
});

describeWithGo("another implementation's verdict on the pulled log", () => {
  it('is the same: accepted with our size and root, refused after a flipped byte', async () => {
    const { size, root } = JSON.parse((await intact(['verify', pulled, '--vkey', vkey, '--json'])).stdout) as { size: number; root: string };
    expect(fsck(pulled, vkey)).toMatchObject({ exit: 0, log: { size, root } });
    // Partials of earlier sizes lie there too; a reader of this checkpoint does not read them.
    const last = new RegExp(`/pulled/(checkpoint|tile/(0|entries)/[x0-9/]+${size % 256 === 0 ? '' : `\\.p/${size % 256}`})$`);
    const read = files().filter(([name]) => last.test(name));
    expect(read.length).toBeGreaterThanOrEqual(3);
    for (const [name, bytes] of read) {
      const flipped = Buffer.from(bytes);
      flipped[Math.floor(bytes.length / 2)]! ^= 1;
      writeFileSync(name, flipped);
      const [theirs, ours] = [fsck(pulled, vkey).exit, await intact(['verify', pulled, '--vkey', vkey, '--json'])];
      writeFileSync(name, bytes);
      const { findings } = JSON.parse(ours.stdout) as { findings: readonly { readonly object: string }[] };
      expect([name, theirs, ours.code, findings.some(({ object }) => name.endsWith(object))]).toEqual([name, 1, 1, true]);
    }
    expect(fsck(pulled, vkey).exit).toBe(0);
  }, 120_000);
});

describe('the proof of one message', () => {
  /** With nothing of the cloud in the environment: no endpoint, no credentials, no state directory. */
  const verifyOffline = (...args: readonly string[]): { code: number | null; report: { ok: boolean; keySource: string; record: Record<string, unknown> | null; findings: unknown[] } } => {
    const { status, stdout } = spawnSync(process.execPath, [join(projectRoot, 'bin', 'intact.cjs'), 'proof', 'verify', ...args, '--json'], { cwd: directory, env: { PATH: process.env['PATH'] }, encoding: 'utf8' });
    return { code: status, report: JSON.parse(stdout) as ReturnType<typeof verifyOffline>['report'] };
  };

  it('holds offline, with the key pinned, and shows the message', async () => {
    const made = await intact(['proof', id, '--out', proof]);
    expect([made.code, made.stdout]).toEqual([0, '']);
    const { code, report } = verifyOffline(proof, '--vkey', vkey);
    expect([code, report]).toEqual([0, expect.objectContaining({ ok: true, keySource: 'given', findings: [] })]);
    expect(JSON.stringify(report.record)).toContain(marker);
  });

  it.each([
    ['the words', (file: string) => file.replace(marker, marker.replace('marker', 'merker'))],
    ['the entry', (file: string) => file.replace(/"rev\\?":1/, (rev) => rev.replace('1', '2'))],
    ['the salt', (file: string) => file.replace(/("salt": ?")(.)/, (_, name: string, first: string) => `${name}${first === 'A' ? 'B' : 'A'}`)],
    ['the path', (file: string) => file.replace(/(index \d+\\n)(.)/, (_, index: string, first: string) => `${index}${first === 'A' ? 'B' : 'A'}`)],
  ])('fails when a byte of %s is changed', (what, change) => {
    const { code, report } = verifyOffline(altered(what.replace(' ', '-'), change), '--vkey', vkey);
    expect([code, report.ok, report.record === null || report.findings.length > 0]).toEqual([1, false, true]);
  });

  it('fails for whoever has pinned another key of the same name', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const other = formatVkey(verifierKey(parseVkey(vkey).name, publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)));
    const { code, report } = verifyOffline(proof, '--vkey', other);
    expect([code, report.ok]).toEqual([1, false]);
  });
});
