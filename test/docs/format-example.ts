/**
 * The worked example of docs/format.md: a log of two entries made by the code that seals and publishes, from keys and "random" bytes a reader can type. The
 * test beside this file holds the document to it, and re-computes every step a second time with node:crypto alone.
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { canonicalImage } from '../../src/core/canonical-image';
import { commitmentOf, joinPlaintext } from '../../src/core/commitment';
import type { Image } from '../../src/core/image';
import { keyOf } from '../../src/core/image';
import { encodeEntries } from '../../src/core/log/bundle';
import { signCheckpoint } from '../../src/core/log/checkpoint';
import { formatFirstKey } from '../../src/core/log/log-vkeys';
import { leafHash, rootOfLeaves } from '../../src/core/log/merkle';
import { sha256Hex } from '../../src/core/log/sha256';
import { extendTree, EMPTY_TREE, partialObjects } from '../../src/core/log/tiles';
import { formatVkey, verifierKey } from '../../src/core/log/vkey';
import { withMac } from '../../src/core/record-mac';
import { sealPut, sealRemove } from '../../src/core/sealed-change';
import { subjectKey, wrapSubjectKey } from '../../src/core/subject-key';
import { segmentName } from '../../src/core/verify/vault-name';

const repeated = (byte: number, n: number): Buffer => Buffer.alloc(n, byte);

/** Bytes a reader can type: 32 of salt are a2, 12 of IV are b1. */
const random = (n: number): Buffer => repeated(n === 32 ? 0xa2 : 0xb1, n);

export const EXAMPLE = {
  macKey: { id: 1, secret: repeated(0xc3, 32) },
  kek: { generation: 1, key: repeated(0xd4, 32) },
  subject: 'AQIDBAUGBwgJCgsMDQ4PEA',
  customerKey: repeated(0xe5, 32),
  signingSeed: repeated(0xf6, 32),
  origin: 'example.com/whatsapp/0011223344556677',
  image: {
    pk: { S: 'm#9vXc2oU1kq0m0m6yT5xJm8k1wq4m3s2l1Z0y9x8w7vU' },
    sk: { S: '106540352242922#message' },
    kind: { S: 'message' },
    rev: { N: '1' },
    subject: { S: 'AQIDBAUGBwgJCgsMDQ4PEA' },
    receivedAt: { S: '2026-02-03T04:05:06.789Z' },
    text: { S: 'Grüezi 👋' },
    raw: { B: Buffer.from('{"type":"text"}') },
  } satisfies Image,
  put: { kind: 'message', rev: 1, at: '2026-02-03T04:05:07.000Z', src: 'c4ca4238a0b923820dcc509a6f75849b' },
  remove: { kind: 'message', rev: 1, at: '2026-02-03T05:00:00.000Z', src: 'c81e728d9d4c2f636f067f89cc14862c' },
};

/** Every step, as text. */
export async function exampleLines(): Promise<readonly (readonly [string, string])[]> {
  const { macKey, kek, subject, customerKey, signingSeed, origin } = EXAMPLE;
  const image = withMac(macKey, EXAMPLE.image);
  const canonical = canonicalImage(image);
  const key = subjectKey(subject, 1, customerKey);
  const put = sealPut({ ...EXAMPLE.put, key: keyOf(image) }, key, canonical, random);
  const remove = sealRemove({ ...EXAMPLE.remove, key: keyOf(image) }, key);
  const entries = [put.entry, remove.entry];
  const segment = encodeEntries(entries);
  const leaves = entries.map(leafHash);
  const root = rootOfLeaves(Buffer.concat(leaves));
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), signingSeed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const vkey = verifierKey(origin, publicKey);
  const checkpoint = await signCheckpoint({ origin, size: 2, root, extensions: [] }, vkey, async (message) => sign(null, message, privateKey));
  const objects = partialObjects(extendTree(EMPTY_TREE, segment).edge);
  const plaintext = joinPlaintext(random(32), canonical);
  return [
    ['record, canonical', canonical.toString()],
    ['wrapped key (hex)', wrapSubjectKey(kek, key, random).wrapped.toString('hex')],
    ['id key (hex)', key.idKey.toString('hex')],
    ['JWE plaintext (bytes)', String(plaintext.length)],
    ['commit', commitmentOf(plaintext)],
    ['entry 0', put.entry.toString()],
    ['entry 1', remove.entry.toString()],
    ['segment (hex, first 8 bytes)', segment.subarray(0, 8).toString('hex')],
    ['segment (name)', segmentName(0, sha256Hex(segment))],
    ['leaf 0 (hex)', (leaves[0] as Buffer).toString('hex')],
    ['leaf 1 (hex)', (leaves[1] as Buffer).toString('hex')],
    ['root (hex)', root.toString('hex')],
    ['log objects', objects.map(({ name, bytes }) => `${name} (${bytes.length} bytes)`).join(', ')],
    ['vkey', formatVkey(vkey)],
    ['log.vkeys', formatFirstKey(vkey).toString()],
    ['checkpoint', checkpoint.toString()],
  ];
}

/** The block as it stands in docs/format.md. */
export async function exampleBlock(): Promise<string> {
  const lines = await exampleLines();
  return lines.map(([name, value]) => `${name}:\n${value.trimEnd()}\n`).join('\n');
}
