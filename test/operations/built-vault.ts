/** A vault made the way sealers and the publisher make it, in memory, to be damaged and verified. */
import { createHash, createPrivateKey, sign as ed25519 } from 'node:crypto';
import { canonicalize } from '../../src/core/canonical-json';
import { commitmentOf } from '../../src/core/commitment';
import { PROOF_FORMAT } from '../../src/core/disclosure';
import { encodeEntry, type Entry } from '../../src/core/entry';
import { encodeEntries } from '../../src/core/log/bundle';
import { signCheckpoint } from '../../src/core/log/checkpoint';
import { appendKey, formatFirstKey } from '../../src/core/log/log-vkeys';
import { appendLeaves, EMPTY_EDGE, leafHash, rootOfEdge } from '../../src/core/log/merkle';
import type { Sign } from '../../src/core/log/signed-note';
import { EMPTY_TREE, extendTree, partialObjects, rightEdgeOf, type TreeEdge } from '../../src/core/log/tiles';
import { formatTlogProof } from '../../src/core/log/tlog-proof';
import { formatVkey, verifierKey, type VerifierKey } from '../../src/core/log/vkey';
import { formatPart, formatRow } from '../../src/core/snapshot';
import { blobName, checkpointCopyName, manifestName, segmentName } from '../../src/core/verify/vault-name';
import { verifyVault, type VerifyOptions, type VerifyReport } from '../../src/operations/verify-vault';
import type { VaultReader } from '../../src/ports/vault-reader';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface KeyPair {
  readonly key: VerifierKey;
  readonly sign: Sign;
}

/** `seed`: 32 bytes, or the byte that all of them are. */
export function keyPair(seed: number | Buffer, name = 'example.org/intact/test'): KeyPair {
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)]), format: 'der', type: 'pkcs8' });
  const publicKey = Buffer.from((privateKey.export({ format: 'jwk' }) as { x: string }).x, 'base64url');
  return { key: verifierKey(name, publicKey), sign: async (message) => ed25519(null, message, privateKey) };
}

/** What looks like a JWE of ours to whoever has no key. Each part can be made another one. */
export function jweShape({ header = '{"alg":"dir","enc":"A256GCM","kid":"1"}', iv = Buffer.alloc(12, 1), ciphertext = Buffer.alloc(40, 2), tag = Buffer.alloc(16, 3) } = {}): string {
  return [Buffer.from(header), Buffer.alloc(0), iv, ciphertext, tag].map((part) => part.toString('base64url')).join('.');
}

/** Entry `i`, with a blob or a report where asked; `salt` makes another entry for the same place. */
export function makeEntry(i: number, { blob, objects, salt = '' }: { readonly blob?: Buffer; readonly objects?: readonly { name: string; sha256: string }[]; readonly salt?: string } = {}): Buffer {
  const digest = (label: string): string => createHash('sha256').update(`${label} ${i} ${salt}`).digest('base64url');
  const content = blob === undefined ? { image: jweShape({ ciphertext: Buffer.from(digest('plaintext')) }) } : { blob: sha256(blob) };
  const entry: Entry = {
    v: 1,
    op: 'put',
    kind: 'message',
    id: digest('id'),
    rev: 0,
    at: new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString(),
    subject: 'subject-of-a-test',
    src: `event-${i}${salt}`,
    commit: digest('commit'),
    ...content,
    ...(objects === undefined ? {} : { objects }),
  };
  return encodeEntry(entry);
}

/**
 * The proof of the only entry of a log: whatever somebody who holds the log's key can have sealed. `entry`: members in place of a good one's, undefined for
 * none; `extensions`: of the checkpoint.
 */
export async function builtProof({ image = '{"pk":{"S":"a"}}', entry = {}, extensions = [] }: { readonly image?: string; readonly entry?: Readonly<Record<string, unknown>>; readonly extensions?: readonly string[] } = {}): Promise<Buffer> {
  const { key, sign } = keyPair(1);
  const salt = Buffer.alloc(32, 7);
  const members = Object.entries({ ...JSON.parse(makeEntry(0).toString()), commit: commitmentOf(Buffer.concat([salt, Buffer.from(image)])), ...entry });
  const bytes = Buffer.from(canonicalize(Object.fromEntries(members.filter(([, value]) => value !== undefined))));
  const checkpoint = await signCheckpoint({ origin: key.name, size: 1, root: leafHash(bytes), extensions }, key, sign);
  const proof = formatTlogProof({ index: 0, path: [], checkpoint }).toString();
  return Buffer.from(JSON.stringify({ format: PROOF_FORMAT, vkeys: `${formatVkey(key)}\n`, entry: bytes.toString(), proof, disclosed: { salt: salt.toString('base64'), image } }));
}

export class BuiltVault {
  readonly objects = new Map<string, Buffer>();
  readonly entries: Buffer[] = [];
  private published: TreeEdge = EMPTY_TREE;
  private keys: KeyPair[] = [];

  constructor(first: KeyPair = keyPair(1)) {
    this.keys.push(first);
    this.objects.set('log.vkeys', formatFirstKey(first.key));
  }

  get signer(): KeyPair {
    return this.keys.at(-1)!;
  }

  /** One sealing round. Returns the segment's name. */
  seal(entries: readonly Buffer[]): string {
    const bytes = encodeEntries(entries);
    const name = segmentName(this.entries.length, sha256(bytes));
    this.objects.set(name, bytes);
    this.entries.push(...entries);
    return name;
  }

  sealCount(n: number): string {
    return this.seal(Array.from({ length: n }, (_, i) => makeEntry(this.entries.length + i)));
  }

  /** What publishing writes; stops after `steps` writes, as if it died there. */
  async publish(steps = Infinity): Promise<void> {
    const step = extendTree(this.published, encodeEntries(this.entries.slice(this.published.size)));
    let left = steps;
    for (const { name, bytes } of [...step.full, ...partialObjects(step.edge)]) if (left-- > 0) this.objects.set(name, bytes);
    const { origin, size, root } = { origin: this.signer.key.name, size: step.edge.size, root: rootOfEdge(rightEdgeOf(step.edge).edge) };
    const note = await signCheckpoint({ origin, size, root, extensions: [] }, this.signer.key, this.signer.sign);
    if (left-- > 0) this.objects.set(checkpointCopyName(size), note);
    if (left-- > 0) {
      this.objects.set('checkpoint', note);
      this.published = step.edge;
    }
    for (const prefix of step.superseded) {
      for (const name of [...this.objects.keys()].filter((n) => n.startsWith(prefix))) if (left-- > 0) this.objects.delete(name);
    }
  }

  async rotate(next: KeyPair): Promise<void> {
    this.objects.set('log.vkeys', await appendKey(this.objects.get('log.vkeys')!, next.key, this.signer.sign));
    this.keys.push(next);
  }

  put(name: string, bytes: Buffer): this {
    this.objects.set(name, bytes);
    return this;
  }

  /** A snapshot of all entries so far, in two parts; what an entry names of it. `change`: members of its manifest in place of good ones, undefined for none. */
  putSnapshot(change: Readonly<Record<string, unknown>> = {}): { readonly manifest: { readonly name: string; readonly sha256: string }; readonly parts: readonly string[] } {
    const size = this.entries.length;
    const rows = this.entries.map((bytes, index) => formatRow({ index, bytes }));
    const made = [rows.slice(0, size / 2), rows.slice(size / 2)].filter((some) => some.length > 0).map((some, number) => formatPart(size, number, some));
    for (const { part, bytes } of made) this.put(part.name, bytes);
    const { edge } = appendLeaves(EMPTY_EDGE, Buffer.concat(this.entries.map(leafHash)));
    const at = '2026-02-03T04:05:06.000Z';
    const good = { origin: this.signer.key.name, size, root: rootOfEdge(edge).toString('base64'), edge: edge.map((hash) => hash.toString('base64')), newestAt: at, at, records: size, rows: size, closed: 0, parts: made.map(({ part }) => part) };
    const bytes = Buffer.from(canonicalize(Object.fromEntries(Object.entries({ v: 1, kind: 'intact-snapshot', ...good, ...change }).filter(([, value]) => value !== undefined))));
    const manifest = { name: manifestName(size, sha256(bytes)), sha256: sha256(bytes) };
    this.put(manifest.name, bytes);
    return { manifest, parts: good.parts.map(({ name }) => name) };
  }

  /** Puts content under its hash and returns it. */
  putBlob(text: string): Buffer {
    const bytes = Buffer.from(text);
    this.objects.set(blobName(sha256(bytes)), bytes);
    return bytes;
  }
}

/** A vault of `rounds` (entries per round), published after each. */
export async function builtVault(...rounds: readonly number[]): Promise<BuiltVault> {
  const vault = new BuiltVault();
  for (const n of rounds) {
    vault.sealCount(n);
    await vault.publish();
  }
  return vault;
}

export function readerOf(objects: ReadonlyMap<string, Buffer>): VaultReader & Required<Pick<VaultReader, 'list'>> {
  return {
    source: 'memory',
    get: async (name) => objects.get(name) ?? 'absent',
    list: async function* (prefix) {
      yield* [...objects.keys()].filter((name) => name.startsWith(prefix)).sort();
    },
  };
}

export function verify(vault: BuiltVault | ReadonlyMap<string, Buffer>, options: Partial<VerifyOptions> = {}): Promise<VerifyReport> {
  return verifyVault(readerOf(vault instanceof BuiltVault ? vault.objects : vault), { profile: 'intact', keys: [keyPair(1).key], ...options });
}

/** `code object` of every finding. */
export const found = (report: VerifyReport): string[] => report.findings.map(({ code, object }) => `${code} ${object}`);
