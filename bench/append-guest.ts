/**
 * Our side of `npm run bench -- append`, in a process of its own: the bundle-encoded entries of standard input, batch by batch, into a tlog-tiles log in a
 * directory. As Tessera's POSIX driver does: every batch is on the disk, its state file too, before the next begins; a checkpoint is signed every interval.
 *
 *     append-guest <directory> <batch> <interval ms>      prints {"vkey":…,"seconds":…}
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { logDirectory } from '../src/adapters/files/log-directory';
import { decodeEntries, encodeEntries } from '../src/core/log/bundle';
import { toBase64 } from '../src/core/log/base64';
import { signCheckpoint } from '../src/core/log/checkpoint';
import { rootOfEdge } from '../src/core/log/merkle';
import { EMPTY_TREE, extendTree, partialObjects, rightEdgeOf } from '../src/core/log/tiles';
import { formatVkey, verifierKey } from '../src/core/log/vkey';

async function main([path, batchText, intervalText]: readonly string[]): Promise<void> {
  const [batch, intervalMs] = [Number(batchText), Number(intervalText)];
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)]), format: 'der', type: 'pkcs8' });
  const publicKey = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url');
  const origin = 'example.org/made-by-intact';
  const key = verifierKey(origin, publicKey);
  // Entries one by one, as a log is given them.
  const entries = decodeEntries(readFileSync(0));
  const directory = logDirectory(path!);

  const start = performance.now();
  let tree = EMPTY_TREE;
  let published = { at: start, size: 0 };
  const publish = async (): Promise<void> => {
    published = { at: performance.now(), size: tree.size };
    await directory.replace('checkpoint', await signCheckpoint({ origin, size: tree.size, root: rootOfEdge(rightEdgeOf(tree).edge), extensions: [] }, key, async (text) => sign(null, text, privateKey)));
  };
  for (let from = 0; from < entries.length; from += batch) {
    const { edge, full } = extendTree(tree, encodeEntries(entries.slice(from, from + batch)));
    await directory.put([...full, ...partialObjects(edge)]);
    await directory.replace('.state/tree', Buffer.from(JSON.stringify({ size: edge.size, root: toBase64(rootOfEdge(rightEdgeOf(edge).edge)) })));
    tree = edge;
    if (performance.now() - published.at >= intervalMs) await publish();
  }
  if (published.size < tree.size) {
    // The last checkpoint keeps its interval too: theirs has to wait for it.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, published.at + intervalMs - performance.now())));
    await publish();
  }
  process.stdout.write(`${JSON.stringify({ vkey: formatVkey(key), seconds: (performance.now() - start) / 1000 })}\n`);
}

void main(process.argv.slice(2));
