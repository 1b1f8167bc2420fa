import { createPrivateKey, sign as ed25519 } from 'node:crypto';
import fc from 'fast-check';
import { formatCheckpoint, parseCheckpoint, parseCheckpointText, parseOwnCheckpoint, signCheckpoint, type Checkpoint } from '../../../src/core/log/checkpoint';
import { LogFormatError } from '../../../src/core/log/log-format-error';
import { appendKey, formatFirstKey, parseKeyHistory } from '../../../src/core/log/log-vkeys';
import { inclusionProof, leafHash, subtreesOfLeaves } from '../../../src/core/log/merkle';
import { formatNote, parseNote, signNote, verifyNote, type Sign } from '../../../src/core/log/signed-note';
import { formatTlogProof, parseTlogProof, verifyTlogProof, type TlogProof } from '../../../src/core/log/tlog-proof';
import { formatVkey, parseVkey, verifierKey, type VerifierKey } from '../../../src/core/log/vkey';
import { hash, propertyRuns, sumdb, sumdbEntry } from './vectors';

/** A key pair from a seed of 32 equal bytes, as in the vectors. */
function keyPair(name: string, seed: number): { readonly key: VerifierKey; readonly sign: Sign } {
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)]), format: 'der', type: 'pkcs8' });
  const publicKey = Buffer.from((privateKey.export({ format: 'jwk' }) as { x: string }).x, 'base64url');
  return { key: verifierKey(name, publicKey), sign: async (message) => ed25519(null, message, privateKey) };
}
const log0 = keyPair('example.org/log0', 1);

// The examples of C2SP signed-note.
const SPEC_VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const SPEC_NOTE = 'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

/** Calls `parse` on variations of `good` and on noise; it may only return or throw LogFormatError. */
function fuzz(parse: (bytes: Buffer) => unknown, good: Buffer): void {
  const mutated = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255), fc.constantFrom('set', 'insert', 'delete')), { minLength: 1, maxLength: 4 }).map((edits) => {
    const bytes = [...good];
    for (const [at, value, kind] of edits) bytes.splice(Math.min(at, bytes.length), kind === 'insert' ? 0 : 1, ...(kind === 'delete' ? [] : [value]));
    return Buffer.from(bytes);
  });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b)), fc.string({ unit: 'binary' }).map((s) => Buffer.from(s))), (bytes) => {
      try {
        parse(bytes);
      } catch (error) {
        if (!(error instanceof LogFormatError)) throw error;
      }
    }),
    { numRuns: propertyRuns },
  );
}

describe('a verifier key', () => {
  test('of the specification parses, and formats to the same text', () => {
    expect(formatVkey(parseVkey(SPEC_VKEY))).toBe(SPEC_VKEY);
    for (const { vkeys } of sumdb.notes) for (const vkey of vkeys) expect(formatVkey(parseVkey(vkey))).toBe(vkey);
  });

  test('is the one golang.org/x/mod/sumdb/note makes of the same seed', () => {
    expect(formatVkey(log0.key)).toBe(sumdb.notes[0]!.vkeys[0]);
  });

  test.each([
    ['vkey-form', SPEC_VKEY.replace('+530d903a', '+530D903A')],
    ['vkey-form', `${SPEC_VKEY}=`],
    ['vkey-form', SPEC_VKEY.slice(0, -1)],
    ['vkey-form', ''],
    ['vkey-key-id', SPEC_VKEY.replace('530d903a', '530d903b')],
    ['vkey-key-id', SPEC_VKEY.replace('foo', 'fop')],
    ['vkey-name', SPEC_VKEY.replace('foo', 'f o')],
    ['vkey-algorithm', SPEC_VKEY.replace('+Aeky', '+BOky')],
  ])('with one thing changed is refused: %s', (code, text) => {
    expect(() => parseVkey(text)).toThrow(expect.objectContaining({ code }));
  });

  test('never parses to anything but itself', () => fuzz((bytes) => expect(formatVkey(parseVkey(bytes.toString('latin1')))).toBe(bytes.toString('latin1')), Buffer.from(SPEC_VKEY)));
});

describe('a signed note', () => {
  test('of the specification verifies', () => {
    const note = parseNote(Buffer.from(SPEC_NOTE));
    expect(note.text).toBe('This is an example message.\n');
    expect(verifyNote(note, [parseVkey(SPEC_VKEY)])).toEqual({ signedBy: [parseVkey(SPEC_VKEY)], forged: [] });
  });

  test('of golang.org/x/mod/sumdb/note verifies and is formatted to the same bytes', async () => {
    for (const { text, note, vkeys } of sumdb.notes) {
      const parsed = parseNote(Buffer.from(note));
      expect(parsed.text).toBe(text);
      expect(verifyNote(parsed, vkeys.map(parseVkey)).signedBy.map(formatVkey)).toEqual(vkeys);
      expect(formatNote(parsed).toString()).toBe(note);
    }
    const { text, note } = sumdb.notes[0]!;
    expect(formatNote(await signNote(text, log0.key, log0.sign)).toString()).toBe(note);
  });

  test('is not trusted when any byte of it is another', () => {
    const good = Buffer.from(SPEC_NOTE);
    const key = parseVkey(SPEC_VKEY);
    for (let i = 0; i < good.length; i++) {
      for (const bit of [1, 0x20, 0x80]) {
        const bytes = Buffer.from(good);
        bytes[i]! ^= bit;
        let trusted = false;
        try {
          const { signedBy, forged } = verifyNote(parseNote(bytes), [key]);
          trusted = signedBy.length > 0 && forged.length === 0;
        } catch (error) {
          expect(error).toBeInstanceOf(LogFormatError);
        }
        expect([i, trusted]).toEqual([i, false]);
      }
    }
  });

  test('ignores the lines of keys it does not know, and names a known key that did not sign', () => {
    const [signature] = parseNote(Buffer.from(SPEC_NOTE)).signatures;
    const key = parseVkey(SPEC_VKEY);
    expect(verifyNote({ text: 'This is an example message.\n', signatures: [{ ...signature!, name: 'other' }] }, [key])).toEqual({ signedBy: [], forged: [] });
    expect(verifyNote({ text: 'another\n', signatures: [signature!] }, [key])).toEqual({ signedBy: [], forged: [key] });
  });

  test.each([
    ['note-not-utf8', Buffer.concat([Buffer.of(0xff), Buffer.from(SPEC_NOTE)])],
    ['note-control-character', Buffer.from(`\r${SPEC_NOTE}`)],
    ['note-no-signatures', Buffer.from('text\n')],
    ['note-no-signatures', Buffer.from('text\n\n')],
    ['note-signature-line', Buffer.from(SPEC_NOTE.slice(0, -1))],
    ['note-signature-line', Buffer.from(SPEC_NOTE.replace('—', '-'))],
    ['note-signature-line', Buffer.from(SPEC_NOTE.replace('aQM=', 'aQN='))], // the same bytes to a lenient decoder
    ['note-too-many-signatures', Buffer.from(SPEC_NOTE + SPEC_NOTE.split('\n').slice(2).join('\n').repeat(100))],
    ['note-too-long', Buffer.alloc(1_000_001, 'a')],
  ])('that is malformed is refused: %s', (code, bytes) => {
    expect(() => parseNote(bytes)).toThrow(expect.objectContaining({ code }));
  });

  test('survives any bytes', () => fuzz(parseNote, Buffer.from(SPEC_NOTE)));

  test('is not made of a signature that the key does not verify', async () => {
    await expect(signNote('text\n', parseVkey(SPEC_VKEY), log0.sign)).rejects.toThrow(RangeError);
  });
});

describe('a checkpoint', () => {
  const checkpoint: Checkpoint = { origin: log0.key.name, size: 600, root: hash(sumdb.roots[600]!), extensions: [] };

  test('signs to a note that parses back to it', async () => {
    const parsed = parseCheckpoint(await signCheckpoint(checkpoint, log0.key, log0.sign));
    expect(parsed.checkpoint).toEqual(checkpoint);
    expect(verifyNote(parsed.note, [log0.key]).signedBy).toEqual([log0.key]);
  });

  test('of another log may have extension lines, one of ours may not', async () => {
    const extended = await signCheckpoint({ ...checkpoint, extensions: ['more'] }, log0.key, log0.sign);
    expect(parseCheckpoint(extended).checkpoint.extensions).toEqual(['more']);
    expect(() => parseOwnCheckpoint(extended)).toThrow(expect.objectContaining({ code: 'checkpoint-lines' }));
    expect(parseOwnCheckpoint(await signCheckpoint(checkpoint, log0.key, log0.sign)).checkpoint).toEqual(checkpoint);
  });

  const text = formatCheckpoint(checkpoint);
  test.each([
    ['checkpoint-lines', 'a\n1\n'],
    ['checkpoint-lines', text.slice(0, -1)],
    ['checkpoint-lines', `${text}\n`],
    ['checkpoint-origin', text.replace(log0.key.name, '')],
    ['checkpoint-size', text.replace('600', '0600')],
    ['checkpoint-size', text.replace('600', '-1')],
    ['checkpoint-size', text.replace('600', '6e2')],
    ['checkpoint-size', text.replace('600', '9007199254740992')],
    ['checkpoint-root', text.replace('=\n', '\n')],
    ['checkpoint-root', text.replace(/.{8}=\n/, '=\n')],
  ])('with one thing changed is refused: %s', (code, changed) => {
    expect(() => parseCheckpointText(changed)).toThrow(expect.objectContaining({ code }));
  });

  test('keeps extension lines as they are', () => {
    expect(formatCheckpoint(parseCheckpointText(`${text}more\n`))).toBe(`${text}more\n`);
  });

  test('survives any bytes', async () => {
    fuzz(parseCheckpoint, await signCheckpoint(checkpoint, log0.key, log0.sign));
    fuzz((bytes) => parseCheckpointText(bytes.toString('utf8')), Buffer.from(text));
  });
});

describe('the key history log.vkeys', () => {
  const [first, second, third, stranger] = [keyPair('example.org/log', 1), keyPair('example.org/log', 2), keyPair('example.org/log', 3), keyPair('example.org/other', 4)];
  const two = (): Promise<Buffer> => appendKey(formatFirstKey(first.key), second.key, first.sign);

  test('holds one key a line, each later one with the note of the key before it', async () => {
    const file = await appendKey(await two(), third.key, second.sign);
    expect(parseKeyHistory(file).map(formatVkey)).toEqual([first, second, third].map(({ key }) => formatVkey(key)));
    const lines = file.toString().split('\n');
    expect(lines.map((line, i) => (i === 0 || i % 3 === 1 ? line : line.slice(0, 2)))).toEqual([formatVkey(first.key), formatVkey(second.key), '', '— ', formatVkey(third.key), '', '— ', ''].map((line) => line));
    expect(file.subarray(0, (await two()).length)).toEqual(await two());
  });

  test('refuses a key that the one before it did not sign', async () => {
    const file = Buffer.concat([formatFirstKey(first.key), formatNote(await signNote(`${formatVkey(third.key)}\n`, second.key, second.sign))]);
    expect(() => parseKeyHistory(file)).toThrow(expect.objectContaining({ code: 'keys-rotation' }));
    await expect(appendKey(await two(), third.key, first.sign)).rejects.toThrow(RangeError);
  });

  test('refuses a key of another name, and one that occurs twice', async () => {
    await expect(appendKey(formatFirstKey(first.key), stranger.key, first.sign)).rejects.toMatchObject({ code: 'keys-line' });
    await expect(appendKey(await two(), first.key, second.sign)).rejects.toMatchObject({ code: 'keys-line' });
  });

  test('is not accepted when any byte of it is another, missing or added', async () => {
    const good = await two();
    for (let i = 0; i < good.length; i++) {
      const flipped = Buffer.from(good);
      flipped[i]! ^= 1;
      const shorter = Buffer.concat([good.subarray(0, i), good.subarray(i + 1)]);
      const longer = Buffer.concat([good.subarray(0, i), Buffer.from('A'), good.subarray(i)]);
      for (const bytes of [flipped, shorter, longer]) expect(() => parseKeyHistory(bytes)).toThrow(LogFormatError);
    }
  });

  test('cut off after a whole rotation is a valid history of fewer keys, which is why verification looks for the signing key', async () => {
    expect(parseKeyHistory((await two()).subarray(0, formatFirstKey(first.key).length))).toHaveLength(1);
  });

  test('survives any bytes', async () => fuzz(parseKeyHistory, await two()));
});

describe('a tlog-proof', () => {
  const leaves = Buffer.concat(Array.from({ length: 600 }, (_, i) => leafHash(sumdbEntry(i))));
  const proofOf = async (index: number): Promise<TlogProof> => ({
    extra: Buffer.from('extra'),
    index,
    path: inclusionProof(index, 600, subtreesOfLeaves(leaves)),
    checkpoint: await signCheckpoint({ origin: log0.key.name, size: 600, root: hash(sumdb.roots[600]!), extensions: [] }, log0.key, log0.sign),
  });

  test('parses back to what was formatted, with and without extra data', async () => {
    const proof = await proofOf(598);
    expect(parseTlogProof(formatTlogProof(proof))).toEqual(proof);
    const { extra: _, ...bare } = proof;
    expect(parseTlogProof(formatTlogProof(bare))).toEqual(bare);
    expect(formatTlogProof(bare).toString().split('\n').slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 598']);
  });

  test('shows that the entry is in the log, and says what does not hold', async () => {
    const proof = await proofOf(7);
    const other = keyPair('example.org/other', 9);
    expect(verifyTlogProof(proof, leafHash(sumdbEntry(7)), [log0.key])).toMatchObject({ valid: true, checkpoint: { size: 600 } });
    expect(verifyTlogProof(proof, leafHash(sumdbEntry(8)), [log0.key])).toEqual({ valid: false, reason: 'not-included' });
    expect(verifyTlogProof({ ...proof, index: 8 }, leafHash(sumdbEntry(7)), [log0.key])).toEqual({ valid: false, reason: 'not-included' });
    expect(verifyTlogProof(proof, leafHash(sumdbEntry(7)), [other.key])).toEqual({ valid: false, reason: 'untrusted-key' });
    const foreign = await signCheckpoint({ ...parseCheckpoint(proof.checkpoint).checkpoint, origin: 'example.org/elsewhere' }, log0.key, log0.sign);
    expect(verifyTlogProof({ ...proof, checkpoint: foreign }, leafHash(sumdbEntry(7)), [log0.key])).toEqual({ valid: false, reason: 'wrong-origin' });
    const forged = Buffer.from(proof.checkpoint.toString().replace('\n600\n', '\n601\n'));
    expect(verifyTlogProof({ ...proof, checkpoint: forged }, leafHash(sumdbEntry(7)), [log0.key])).toEqual({ valid: false, reason: 'bad-signature' });
  });

  test.each([
    ['proof-header', (text: string) => text.replace('@v1', '@v2')],
    ['proof-extra', (text: string) => text.replace('ZXh0cmE=', 'ZXh0cmF=')],
    ['proof-index', (text: string) => text.replace('index 7', 'index 07')],
    ['proof-hash', (text: string) => text.replace('=\n\n', '\n\n')],
    ['proof-checkpoint', (text: string) => text.slice(0, text.indexOf('\n\n') + 2)],
  ])('with one thing changed is refused: %s', async (code, change) => {
    const text = formatTlogProof(await proofOf(7)).toString();
    expect(() => parseTlogProof(Buffer.from(change(text)))).toThrow(expect.objectContaining({ code }));
  });

  test('survives any bytes', async () => fuzz(parseTlogProof, formatTlogProof(await proofOf(300))));
});
