/**
 * A snapshot: the log up to one size, without what no longer matters. Its rows are entries of the log, verbatim, with their index: encrypted as they were sealed, erased when their key
 * is, and replayed by the code that replays the log. Rows lie in compressed parts; a manifest says which parts, what they hold, and where the tree of the log stood, so that the
 * entries behind it can be held against the signed root. docs/format.md is the format. Whatever is parsed here may have been written by an adversary.
 */
import { gunzipSync, gzipSync, type ZlibOptions } from 'node:zlib';
import { canonicalize, CanonicalJsonError } from './canonical-json';
import { isTimestamp } from './entry';
import { fromBase64 } from './log/base64';
import { edgeLength, rootOfEdge, type RightEdge } from './log/merkle';
import { HASH_SIZE, sha256Hex } from './log/sha256';
import { classifyName, manifestName, partName } from './verify/vault-name';

export { SNAPSHOT_PREFIX } from './verify/vault-name';

/**
 * `empty-log`: there is nothing to take one of. `absent`: no such snapshot, or a part of it is gone. `truncated`, `altered`: the bytes are not the ones its name or manifest states. `foreign`: no
 * snapshot, or of another log. `mixed-up`: its parts, its manifest and the log do not belong together. `older-format`, `newer-format`: this program does not read its version. `unsealed`:
 * no entry of the log vouches for it. `too-new`: it stands for more than was asked for. `incomplete`: it stands for entries that cannot be opened any more, where the log may hold others.
 */
export type SnapshotErrorCode = 'empty-log' | 'absent' | 'truncated' | 'altered' | 'foreign' | 'mixed-up' | 'older-format' | 'newer-format' | 'unsealed' | 'too-new' | 'incomplete';

const RUN_VERIFY = 'Run intact verify, which names what is damaged, and put the object back from the replica; or restore from the entries alone, which hold everything a snapshot does (--snapshot none).';
const NEXT: Readonly<Record<SnapshotErrorCode, string>> = {
  'empty-log': 'Wait for the first entries to be published.',
  absent: RUN_VERIFY,
  truncated: RUN_VERIFY,
  altered: RUN_VERIFY,
  foreign: 'Name a snapshot of this vault (intact snapshot --list), or restore from the entries alone (--snapshot none).',
  'mixed-up': RUN_VERIFY,
  'older-format': 'Take a new snapshot (intact snapshot), or restore from the entries alone (--snapshot none).',
  'newer-format': 'Use the version of this program that wrote it, or a newer one; or restore from the entries alone (--snapshot none).',
  unsealed: 'Wait a minute if it was just taken; otherwise it is what a run left that died, or not ours: name another (intact snapshot --list), or restore from the entries alone (--snapshot none).',
  'too-new': 'Name an earlier snapshot (intact snapshot --list), or none.',
  incomplete: 'Run intact verify, and put the missing objects back from the replica.',
};

/** A snapshot cannot be used, or taken. `object`: its name in the vault, or what there is of it. */
export class SnapshotError extends Error {
  readonly next: string;
  constructor(
    readonly code: SnapshotErrorCode,
    readonly object: string,
    detail: string,
    options?: { readonly cause?: unknown },
  ) {
    super(`${object}: ${detail}`, options);
    this.name = 'SnapshotError';
    this.next = NEXT[code];
  }
}

/** The version of the format this program writes and reads. */
const VERSION = 1;
const KIND = 'intact-snapshot';
/** What is held in memory of each part that is read or written; more than any one row. */
export const MAX_PART_BYTES = 8 * 1024 * 1024;
/** Their numbers have six digits; 8 TB. */
export const MAX_PARTS = 1_000_000;
/** A part takes less than 400 in it. It is read before anything vouches for it, and what is longer than a string can be would end in an error that says nothing. */
const MAX_MANIFEST_BYTES = 400 * MAX_PARTS;

export interface SnapshotPart {
  readonly name: string;
  /** Hex, of the object's bytes. */
  readonly sha256: string;
  /** Of the object. */
  readonly bytes: number;
  /** Of the rows in it. */
  readonly uncompressed: number;
  readonly rows: number;
  /** Index of its first and of its last row. Parts of several shares overlap. */
  readonly first: number;
  readonly last: number;
}

export interface SnapshotManifest {
  readonly v: typeof VERSION;
  readonly kind: typeof KIND;
  readonly origin: string;
  /** It stands for the entries [0, size). */
  readonly size: number;
  /** Of the tree of that size, base64. */
  readonly root: string;
  /** Roots of the full subtrees of that tree, largest first, base64: what the entries behind it are appended to. */
  readonly edge: readonly string[];
  /** The latest `at` among the entries it stands for. */
  readonly newestAt: string;
  /** When it was begun. */
  readonly at: string;
  /** Its objects are locked until then at least; what is gone before that was destroyed. */
  readonly keptUntil?: string;
  /** Names of the log that have a state which counts, and states sealed as the stream's own record. */
  readonly records: number;
  readonly rows: number;
  /** Of the rows, those that could not be opened when it was taken: kept, because a key may come back. */
  readonly closed: number;
  readonly parts: readonly SnapshotPart[];
}

/** One leaf of the log. */
export interface SealedEntry {
  readonly index: number;
  readonly bytes: Buffer;
}

// --- Parts

const INDEX_BYTES = 6;
const ROW_HEAD = INDEX_BYTES + 2;

/** uint48 index ‖ uint16 length ‖ entry. */
export function formatRow({ index, bytes }: SealedEntry): Buffer {
  const row = Buffer.allocUnsafe(ROW_HEAD + bytes.length);
  row.writeUIntBE(index, 0, INDEX_BYTES);
  row.writeUInt16BE(bytes.length, INDEX_BYTES);
  row.set(bytes, ROW_HEAD);
  return row;
}

// Ciphertext in base64 gives up a quarter and no more, however hard one tries.
const COMPRESSION: ZlibOptions = { level: 1 };

/** The object of part `number` of a snapshot of `size`. `rows`: at least one, as `formatRow` makes them, in order of their index, at most `MAX_PART_BYTES`. */
export function formatPart(size: number, number: number, rows: readonly Buffer[]): { readonly part: SnapshotPart; readonly bytes: Buffer } {
  const plain = Buffer.concat(rows);
  const bytes = gzipSync(plain, COMPRESSION);
  const sha256 = sha256Hex(bytes);
  const [first, last] = [rows[0]!.readUIntBE(0, INDEX_BYTES), rows.at(-1)!.readUIntBE(0, INDEX_BYTES)];
  return { part: { name: partName(size, number, sha256), sha256, bytes: bytes.length, uncompressed: plain.length, rows: rows.length, first, last }, bytes };
}

/** The rows of `part`, of which `bytes` is the object. Throws `SnapshotError`. */
export function parsePart(part: SnapshotPart, bytes: Buffer): SealedEntry[] {
  const wrong = (code: SnapshotErrorCode, detail: string, cause?: unknown): never => {
    throw new SnapshotError(code, part.name, detail, cause === undefined ? undefined : { cause });
  };
  if (bytes.length < part.bytes) wrong('truncated', `it has ${bytes.length} bytes of the ${part.bytes} its manifest states`);
  if (sha256Hex(bytes) !== part.sha256) wrong('altered', 'its bytes do not have the hash its manifest states');
  // From here on it is what the manifest means; what is wrong now was wrong when it was written.
  const plain = bytes.length === part.bytes ? unpacked(bytes, part.uncompressed) : undefined;
  if (plain?.length !== part.uncompressed) return wrong('mixed-up', `it does not hold the ${part.uncompressed} bytes of rows its manifest states`);
  const rows: SealedEntry[] = [];
  for (let at = 0; at < plain.length; ) {
    const end = at + ROW_HEAD > plain.length ? Infinity : at + ROW_HEAD + plain.readUInt16BE(at + INDEX_BYTES);
    if (end > plain.length) return wrong('mixed-up', `its row ${rows.length} reaches past its end`);
    const index = plain.readUIntBE(at, INDEX_BYTES);
    if (index <= (rows.at(-1)?.index ?? -1)) wrong('mixed-up', `its row ${rows.length} is of entry ${index}, which is not behind the one before`);
    rows.push({ index, bytes: plain.subarray(at + ROW_HEAD, end) });
    at = end;
  }
  if (rows.length !== part.rows || rows[0]?.index !== part.first || rows.at(-1)?.index !== part.last) wrong('mixed-up', 'it does not hold the rows its manifest states');
  return rows;
}

/** Undefined: no gzip, or of more than `size` bytes. */
function unpacked(bytes: Buffer, size: number): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: size });
  } catch {
    return undefined; // a pure function of the bytes: whatever it says, they are not a part
  }
}

// --- The manifest

/** The manifest's object. */
export function formatManifest(manifest: Omit<SnapshotManifest, 'v' | 'kind'>): { readonly name: string; readonly sha256: string; readonly bytes: Buffer } {
  const bytes = Buffer.from(canonicalize({ ...manifest, v: VERSION, kind: KIND }), 'utf8');
  const sha256 = sha256Hex(bytes);
  return { name: manifestName(manifest.size, sha256), sha256, bytes };
}

/** What the object `name` says, if it is a whole and coherent manifest of a version this program reads. Throws `SnapshotError`. */
export function parseManifest(name: string, bytes: Buffer): SnapshotManifest {
  const wrong = (code: SnapshotErrorCode, detail: string): SnapshotError => new SnapshotError(code, name, detail);
  const known = classifyName(name);
  if (known.kind !== 'snapshot-manifest') throw wrong('foreign', 'no manifest of a snapshot has such a name');
  if (bytes.length > MAX_MANIFEST_BYTES) throw wrong('foreign', `it has ${bytes.length} bytes, and no manifest has more than ${MAX_MANIFEST_BYTES}`);
  const text = bytes.toString('utf8');
  if (sha256Hex(bytes) !== known.sha256) {
    // Names are sorted, so that every manifest ends in its version.
    throw /,"v":\d+\}$/.test(text) ? wrong('altered', 'its bytes do not have the hash in its name') : wrong('truncated', 'it ends in the middle, and does not have the hash in its name');
  }
  const json = jsonIn(text);
  if (json?.['kind'] !== KIND || !Number.isSafeInteger(json['v'])) throw wrong('foreign', 'it is not the manifest of a snapshot');
  const v = json['v'] as number;
  if (v !== VERSION) throw wrong(v > VERSION ? 'newer-format' : 'older-format', `it is of version ${v}, and this program reads version ${VERSION}`);
  const member = malformedIn(json, MEMBERS, ['keptUntil']);
  if (member !== undefined) throw wrong('foreign', `its member ${member} is missing, malformed or none of a manifest's`);
  const manifest = json as unknown as SnapshotManifest;
  if (!bytes.equals(spelled(json))) throw wrong('foreign', 'it is not spelled as RFC 8785 prescribes');
  const contradiction = contradictionIn(manifest, known.size);
  if (contradiction !== undefined) throw wrong('mixed-up', contradiction);
  return manifest;
}

type Members = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

function jsonIn(text: string): Members | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Members) : undefined;
  } catch {
    return undefined; // no JSON: no manifest
  }
}

/** RFC 8785; empty where that has no spelling for it. */
function spelled(json: Members): Buffer {
  try {
    return Buffer.from(canonicalize(json), 'utf8');
  } catch (error) {
    if (error instanceof CanonicalJsonError) return Buffer.alloc(0);
    throw error;
  }
}

const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash: Check = (value) => typeof value === 'string' && fromBase64(value)?.length === HASH_SIZE;

const PART_MEMBERS: Readonly<Record<string, Check>> = {
  name: (value) => typeof value === 'string',
  sha256: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  bytes: isCount,
  uncompressed: (value) => isCount(value) && (value as number) <= MAX_PART_BYTES,
  rows: isCount,
  first: isCount,
  last: isCount,
};
const MEMBERS: Readonly<Record<string, Check>> = {
  v: isCount,
  kind: (value) => value === KIND,
  origin: (value) => typeof value === 'string' && value !== '',
  size: (value) => isCount(value) && value !== 0,
  root: isHash,
  edge: (value) => Array.isArray(value) && value.every(isHash),
  newestAt: isTimestamp,
  at: isTimestamp,
  keptUntil: isTimestamp,
  records: isCount,
  rows: isCount,
  closed: isCount,
  parts: (value) => Array.isArray(value) && value.length <= MAX_PARTS && value.every((part) => typeof part === 'object' && part !== null && malformedIn(part as Members, PART_MEMBERS, []) === undefined),
};

/** The name of a member that is malformed, missing, or not one of `checks`. */
function malformedIn(members: Members, checks: Readonly<Record<string, Check>>, optional: readonly string[]): string | undefined {
  const there = Object.keys(members);
  const missing = Object.keys(checks).find((name) => !optional.includes(name) && !Object.hasOwn(members, name));
  return missing ?? there.find((name) => !Object.hasOwn(checks, name) || !checks[name]!(members[name]))?.slice(0, 40);
}

/** What in a well-formed manifest cannot all be true. */
function contradictionIn({ size, root, edge, rows, records, closed, parts }: SnapshotManifest, named: number): string | undefined {
  if (size !== named) return `it is of size ${size}, and lies among the objects of another`;
  if (edge.length !== edgeLength(size) || !rootOfEdge(edge.map(hashOf)).equals(hashOf(root))) return 'its edge is not that of a tree with its size and root';
  const numbers = new Set<number>();
  for (const { name, sha256, rows: n, first, last, uncompressed } of parts) {
    const known = classifyName(name);
    if (known.kind !== 'snapshot-part' || known.size !== size || known.sha256 !== sha256) return `it names ${name.slice(0, 120)}, which is no part of it`;
    if (numbers.has(known.number)) return `it has two parts with the number ${known.number}`;
    numbers.add(known.number);
    if (n === 0 || last < first || last >= size || n > last - first + 1 || uncompressed < n * ROW_HEAD) return `what it states of ${name} cannot be`;
  }
  const sum = parts.reduce((total, part) => total + part.rows, 0);
  return sum !== rows || rows > size || records > rows || closed > rows ? 'its counts do not add up' : undefined;
}

const hashOf = (base64: string): Buffer => Buffer.from(base64, 'base64');

/** Where the tree of the log stood, for what is appended to it. */
export const edgeOf = ({ size, edge }: SnapshotManifest): RightEdge => ({ size, edge: edge.map(hashOf) });
