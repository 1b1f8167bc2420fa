/**
 * Proofs of one message: that they hold with nothing but the file, checked here by hand with node:crypto alone, and that every change of any byte of one, and
 * every honest-looking forgery, is refused.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { checkDisclosure, formatDisclosure, MAX_PROOF_BYTES, PROOF_FORMAT } from '../../src/core/disclosure';
import { encodeEntry } from '../../src/core/entry';
import { stringOf, type Image } from '../../src/core/image';
import { commitmentOf } from '../../src/core/commitment';
import { appendKey } from '../../src/core/log/log-vkeys';
import { formatVkey, parseVkey, verifierKey } from '../../src/core/log/vkey';
import { memorySigner } from '../../src/adapters/memory/keys';
import { seededDraw, seededRandom } from '../../src/adapters/memory/schedule';
import { proveMessage } from '../../src/operations/prove-message';
import { delivery, memoryDeployment, type MemoryDeployment } from '../cli/command-run';
import { seeds } from '../seeds';

let cloud: MemoryDeployment;
const prove = (messageId: string, phoneNumberId?: string) =>
  proveMessage({ ...cloud.world, keyService: cloud.world.keyService }, { messageId, ...(phoneNumberId !== undefined && { phoneNumberId }) });
async function proven(messageId = 'wamid.A'): Promise<string> {
  const proof = await prove(messageId);
  if ('refused' in proof) throw new Error(`refused: ${JSON.stringify(proof)}`);
  return proof.file;
}
const check = (file: string | Buffer, vkey?: string) => checkDisclosure(Buffer.from(file as string), vkey === undefined ? undefined : parseVkey(vkey));
const codes = (file: string, vkey?: string) => check(file, vkey).findings.map(({ code }) => code);
interface ProofFile {
  [member: string]: unknown;
  vkeys: string;
  entry: string;
  proof: string;
  disclosed: { salt: string; image: string };
}
const send = (body: string) => cloud.run(['send', '-'], { stdin: body });
const edited = (file: string, edit: (json: ProofFile) => void): string => {
  const json = JSON.parse(file) as ProofFile;
  edit(json);
  return JSON.stringify(json);
};
const theMessage = async (): Promise<Image> => {
  for await (const image of cloud.world.records.scan({ kinds: ['message'] })) if (stringOf(image, 'messageId') === 'wamid.A') return image;
  throw new Error('no message');
};

/** A log in which the message is neither first nor last, over several rounds. */
async function makeLog(later: number): Promise<void> {
  cloud = await memoryDeployment();
  for (let i = 0; i < 10; i++) await send(delivery(`wamid.before.${i}`, 'x'));
  await cloud.settle();
  await send(delivery('wamid.A', 'the price is 100'));
  await cloud.settle();
  for (let i = 0; i < later; i++) await cloud.world.write(cloud.world.message(`later ${i}`));
  await cloud.settle();
}
beforeEach(() => makeLog(20));

describe('a proof of a message', () => {
  it('holds under RFC 6962, C2SP signed-note and SHA-256 as written down there, with nothing of ours', async () => {
    await makeLog(300); // full tiles, partial ones and two levels
    const { format, vkeys, entry, proof, disclosed } = JSON.parse(await proven());
    expect(format).toBe(PROOF_FORMAT);
    const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
    expect(JSON.parse(entry).commit).toBe(sha256('intact/v1', Buffer.from(disclosed.salt, 'base64'), disclosed.image).toString('base64url'));
    expect(JSON.parse(disclosed.image)).toMatchObject({ kind: { S: 'message' }, messageId: { S: 'wamid.A' }, text: { S: 'the price is 100' } });

    const [head, note] = proof.split(/\n\n([^]*)/);
    const [version, indexLine, ...path] = head.split('\n');
    expect(version).toBe('c2sp.org/tlog-proof@v1');
    const [text, signatures] = note.split(/\n\n([^]*)/);
    const [origin, size, root] = text.split('\n');
    // RFC 9162, 2.1.3.2.
    let hash = sha256(Buffer.of(0), entry);
    let [fn, sn] = [Number(indexLine.slice('index '.length)), Number(size) - 1];
    for (const sibling of path.map((line: string) => Buffer.from(line, 'base64'))) {
      expect(sn).toBeGreaterThan(0);
      if (fn % 2 === 1 || fn === sn) {
        hash = sha256(Buffer.of(1), sibling, hash);
        while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
      } else hash = sha256(Buffer.of(1), hash, sibling);
      [fn, sn] = [fn >> 1, sn >> 1];
    }
    expect(sn).toBe(0);
    expect(hash.toString('base64')).toBe(root);
    const [name, , keyBytes] = /^([^+]+)\+([0-9a-f]{8})\+(.+)\n$/.exec(vkeys)!.slice(1);
    expect(name).toBe(origin);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(keyBytes!, 'base64').subarray(1)]);
    const signature = Buffer.from(signatures.split('\n')[0].split(' ')[2], 'base64').subarray(4);
    expect(verify(null, Buffer.from(`${text}\n`), createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)).toBe(true);
  });

  it('is accepted, with and without the pinned key, and says which of the two', async () => {
    const file = await proven();
    const vkey = formatVkey(verifierKey(cloud.world.identity.origin, await cloud.world.signer.publicKey()));
    expect(check(file)).toMatchObject({ findings: [], keySource: 'own', entry: { kind: 'message' }, checkpoint: { origin: cloud.world.identity.origin } });
    expect(check(file, vkey)).toMatchObject({ findings: [], keySource: 'given' });
  });

  it('holds no key: not the subject key, not the key-encryption key, not the MAC key', async () => {
    const file = await proven();
    const secrets = [cloud.world.subjectKeyOf(JSON.parse(JSON.parse(file).entry).subject), cloud.world.kek, cloud.world.macKey.secret];
    for (const secret of secrets) for (const encoding of ['base64', 'base64url', 'hex'] as const) expect(file).not.toContain(secret?.toString(encoding));
  });

  it('is refused after any change of any byte (positions drawn from a seed)', async () => {
    const bytes = Buffer.from(await proven());
    const [seed = 1] = seeds(1);
    process.stdout.write(`    flipped positions: seed ${seed}\n`);
    const draw = seededDraw(seed);
    const original = JSON.stringify(JSON.parse(bytes.toString()));
    const positions = process.env['INTACT_FULL'] ? [...bytes.keys()] : Array.from({ length: 500 }, () => Math.floor(draw() * bytes.length));
    for (const at of positions) {
      const flipped = Buffer.from(bytes);
      flipped[at] = flipped[at]! ^ (1 << Math.floor(draw() * 8));
      // White space between members is not part of what is proven.
      const isSame = ((): boolean => { try { return JSON.stringify(JSON.parse(flipped.toString())) === original; } catch { return false; } })();
      if (!isSame) expect({ at, findings: check(flipped).findings.length }).not.toEqual({ at, findings: 0 });
    }
  });

  it('is refused, whatever the bytes are, with codes and never an error', () => {
    const random = seededRandom(7);
    for (let i = 0; i < 200; i++) expect(check(random(i)).findings.length).toBeGreaterThan(0);
    for (const text of ['', 'null', '[]', '{}', '{"format":1}', `{"format":"${PROOF_FORMAT}"}`, '"x"', '1e999']) expect(codes(text)).toEqual(['file']);
    expect(codes('{"format":"intact/proof/v2"}')).toEqual(['format']);
  });

  it('is refused when it is longer than any we make, though white space is no part of what is proven', async () => {
    const file = await proven();
    const blanks = ' '.repeat(MAX_PROOF_BYTES - Buffer.byteLength(file));
    expect(codes(file + blanks)).toEqual([]);
    expect(codes(`${file}${blanks} `)).toEqual(['file']);
  });
});

describe('a forger', () => {
  it('who changes the disclosed image is named: commitment', async () => {
    expect(codes(edited(await proven(), (json) => { json.disclosed.image = json.disclosed.image.replace('100', '900'); }))).toEqual(['commitment']);
  });

  it('who changes image and commitment together is not in the log: not-included', async () => {
    const file = edited(await proven(), (json) => {
      json.disclosed.image = json.disclosed.image.replace('100', '900');
      const entry = JSON.parse(json.entry);
      entry.commit = commitmentOf(Buffer.concat([Buffer.from(json.disclosed.salt, 'base64'), Buffer.from(json.disclosed.image)]));
      json.entry = encodeEntry(entry).toString();
    });
    expect(codes(file)).toEqual(['not-included']);
  });

  it('who brings a log of his own is refused by the pinned key, and only by it', async () => {
    const file = await proven();
    const other = await memoryDeployment(2);
    await other.run(['send', '-'], { stdin: delivery('wamid.A', 'the price is 900') });
    await other.settle();
    const forged = await other.run(['proof', 'wamid.A']);
    const vkey = formatVkey(verifierKey(cloud.world.identity.origin, await cloud.world.signer.publicKey()));
    expect(codes(forged.stdout)).toEqual([]);
    expect(codes(forged.stdout, vkey)).toEqual(['unpinned-key']);
    // The same, with the true log's key file stuck on.
    expect(codes(edited(forged.stdout, (json) => { json.vkeys = JSON.parse(file).vkeys; }), vkey)).toEqual(['untrusted-key']);
  });

  it("who puts another entry's proof behind this entry is not included", async () => {
    const other = JSON.parse(await proven('wamid.before.1'));
    expect(codes(edited(await proven(), (json) => { json.proof = other.proof; }))).toEqual(['not-included']);
  });

  it('who adds members, texts that are no Unicode, or an image in another spelling, is refused', async () => {
    const file = await proven();
    expect(codes(edited(file, (json) => { json.note = 'trust me'; }))).toEqual(['file']);
    expect(codes(edited(file, (json) => { json.disclosed.image += '\ud800'; }))).toEqual(['file']);
    expect(codes(edited(file, (json) => { json.disclosed.image = ` ${json.disclosed.image}`; }))).toEqual(['image', 'commitment']);
    expect(codes(edited(file, (json) => { json.entry = ` ${json.entry}`; }))).toEqual(['entry', 'not-included']);
    expect(codes(edited(file, (json) => { json.disclosed.salt = json.disclosed.salt.replace('=', ''); }))).toEqual(['commitment']);
  });
});

describe('after a rotation of the key', () => {
  it('who pinned the old key still accepts what the new one signed', async () => {
    const old = verifierKey(cloud.world.identity.origin, await cloud.world.signer.publicKey());
    const next = memorySigner({ random: seededRandom(99) });
    const nextKey = verifierKey(old.name, await next.publicKey());
    const file = JSON.parse(await proven());
    const rotated = await appendKey(Buffer.from(file.vkeys), nextKey, (message) => cloud.world.signer.sign(message));
    const resigned = edited(JSON.stringify(file), (json) => { json.vkeys = rotated.toString(); });
    expect(codes(resigned, formatVkey(old))).toEqual([]);
    // The other way round, the new key does not answer for what only the old one signed.
    expect(codes(resigned, formatVkey(nextKey))).toEqual(['untrusted-key']);
  });
});

describe('proveMessage', () => {
  it('finds the first sealing of a record that was changed by hand, and says that the table holds something else', async () => {
    cloud.world.records.byHand.put({ ...(await theMessage()), text: { S: 'the price is 900' }, receivedAt: { S: '2030-01-01T00:00:00.000Z' } });
    await cloud.settle();
    const proof = await prove('wamid.A');
    expect(proof).toMatchObject({ doubts: ['record-changed', 'mac-invalid'] });
    expect('file' in proof && JSON.parse(JSON.parse(proof.file).disclosed.image).text).toEqual({ S: 'the price is 100' });
  });

  it('opens an image that was too big for its entry from its blob', async () => {
    // Written, cleaned and raw: three times 20 KB in one record.
    await send(delivery('wamid.long', `\u0007${'long '.repeat(3_900)}`));
    await cloud.settle();
    const file = await proven('wamid.long');
    expect(JSON.parse(JSON.parse(file).entry).blob).toMatch(/^[0-9a-f]{64}$/);
    expect(codes(file)).toEqual([]);
    for (const name of cloud.world.vault.objects.keys()) if (name.startsWith('blob/')) cloud.world.vault.objects.delete(name);
    expect(await prove('wamid.long')).toMatchObject({ refused: 'damaged' });
  });

  it.each([
    ['absent', async () => prove('wamid.unknown')],
    ['not-sealed', async () => { await send(delivery('wamid.new', 'x')); return prove('wamid.new'); }],
    ['not-published', async () => { await send(delivery('wamid.new', 'x')); await cloud.world.seal(); return prove('wamid.new'); }],
    ['ambiguous', async () => { await send(delivery('wamid.A', 'x', '307000000000099')); return prove('wamid.A'); }],
    ['erased', async () => { cloud.world.keys.subjects.set(stringOf(await theMessage(), 'subject') ?? '', 'erased'); return prove('wamid.A'); }],
    ['damaged', async () => { for (const name of cloud.world.vault.objects.keys()) if (name.startsWith('tile/0/')) cloud.world.vault.objects.delete(name); return prove('wamid.A'); }],
    ['damaged', async () => { for (const [name, bytes] of cloud.world.vault.objects) if (name.startsWith('segment/')) cloud.world.vault.objects.set(name, Buffer.concat([bytes, Buffer.of(0)])); return prove('wamid.A'); }],
    ['damaged', async () => { cloud.world.vault.objects.set('checkpoint', Buffer.from('nonsense')); return prove('wamid.A'); }],
  ])('refuses: %s', async (refused, attempt) => {
    expect(await attempt()).toMatchObject({ refused });
  });

  it('with a number of ours, proves the one of several messages that is meant', async () => {
    await send(delivery('wamid.A', 'to the other number', '307000000000099'));
    await cloud.settle();
    const proof = await prove('wamid.A', '307000000000099');
    expect('file' in proof && JSON.parse(JSON.parse(proof.file).disclosed.image).text).toEqual({ S: 'to the other number' });
  });

  it('makes no key for a subject that has none', async () => {
    await cloud.world.write({ ...(await theMessage()), sk: { S: '42#message' }, subject: { S: 'nobodyknowsthissubject' } });
    const before = cloud.world.keys.subjects.size;
    expect(await prove('wamid.A', '42')).toEqual({ refused: 'not-sealed' });
    expect(cloud.world.keys.subjects.size).toBe(before);
  });
});

describe('a proof file', () => {
  it('is made from exactly these parts', async () => {
    const { vkeys, entry, proof, disclosed } = JSON.parse(await proven());
    const plaintext = Buffer.concat([Buffer.from(disclosed.salt, 'base64'), Buffer.from(disclosed.image)]);
    expect(formatDisclosure({ entry: Buffer.from(entry), proof: Buffer.from(proof), plaintext, vkeys: Buffer.from(vkeys) })).toBe(await proven());
  });
});
