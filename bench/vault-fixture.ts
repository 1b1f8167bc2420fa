/** A healthy vault of ours on disk, of any size, as sealers and the publisher leave it: segments of one round each, bundles, tiles, one checkpoint. */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeEntry } from '../src/core/entry';
import { encodeEntries } from '../src/core/log/bundle';
import { signCheckpoint } from '../src/core/log/checkpoint';
import { formatFirstKey } from '../src/core/log/log-vkeys';
import { rootOfEdge } from '../src/core/log/merkle';
import { sha256Hex } from '../src/core/log/sha256';
import { EMPTY_TREE, extendTree, partialObjects, rightEdgeOf } from '../src/core/log/tiles';
import { verifierKey } from '../src/core/log/vkey';
import { checkpointCopyName, segmentName } from '../src/core/verify/vault-name';

const ROUND = 1000;
/** Makes an entry about 600 bytes long, as a short text message's is. */
const CIPHERTEXT = 'A'.repeat(180);

function entry(i: number): Buffer {
  const digest = (label: string): string => createHash('sha256').update(`${label} ${i}`).digest('base64url');
  return encodeEntry({
    v: 1,
    op: 'put',
    kind: 'message',
    id: digest('id'),
    rev: 0,
    at: new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString(),
    subject: 'subject-of-a-bench',
    src: `${digest('event').slice(0, 32)}`,
    commit: digest('commit'),
    image: `eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMSJ9..AAAAAAAAAAAAAAAA.${digest('text')}${CIPHERTEXT}.AAAAAAAAAAAAAAAAAAAAAA`,
  });
}

export async function writeVault(directory: string, size: number): Promise<void> {
  const write = (name: string, bytes: Uint8Array): void => {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), bytes);
  };
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)]), format: 'der', type: 'pkcs8' });
  const key = verifierKey('example.org/bench', Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url'));
  write('log.vkeys', formatFirstKey(key));
  let tree = EMPTY_TREE;
  for (let from = 0; from < size; from += ROUND) {
    const bytes = encodeEntries(Array.from({ length: Math.min(ROUND, size - from) }, (_, i) => entry(from + i)));
    write(segmentName(from, sha256Hex(bytes)), bytes);
    const { edge, full } = extendTree(tree, bytes);
    for (const object of full) write(object.name, object.bytes);
    tree = edge;
  }
  for (const { name, bytes } of partialObjects(tree)) write(name, bytes);
  const note = await signCheckpoint({ origin: key.name, size, root: rootOfEdge(rightEdgeOf(tree).edge), extensions: [] }, key, async (text) => sign(null, text, privateKey));
  write(checkpointCopyName(size), note);
  write('checkpoint', note);
}
