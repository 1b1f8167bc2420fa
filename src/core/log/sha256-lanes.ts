/**
 * The hashes of a Merkle tree by the hundred: verification and publishing hash each entry and as many inner nodes. Uses sha256-lanes-module.ts where the machine
 * has WebAssembly vectors, node:crypto elsewhere; the answers are the same.
 */
import { FREE, ROW, sha256LanesModule } from './sha256-lanes-module';
import { HASH_SIZE, sha256, sha256Into } from './sha256';

/** The parts of WebAssembly used; Node's own types leave it out. */
interface WebAssemblyHost {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}
interface Kernels {
  readonly m: { readonly buffer: ArrayBuffer };
  n(from: number, to: number, groups: number): void;
  t(to: number, from: number, rest: number, bits: number): void;
  l(table: number, rows: number): void;
}
interface Lanes {
  readonly kernels: Kernels;
  readonly memory: Buffer;
  readonly words: Uint32Array;
}

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** Hashes whose root is computed in one go, a power of two. */
const MAX_NODES = 1024;
/** Messages hashed in one go: a bundle. */
const MAX_LEAVES = 256;
/** With fewer, node:crypto is as fast. */
const WORTHWHILE = 8;

// The module's memory. What is read past the end of a region is never used.
const PAGES = 16;
const NODES = FREE;
const TABLE = NODES + MAX_NODES * HASH_SIZE;
const LEAVES = TABLE + (MAX_LEAVES / 4) * ROW;
const ENDS = LEAVES + (MAX_LEAVES + 1) * HASH_SIZE; // one more: where idle lanes leave their hashes
const DATA = ENDS + MAX_LEAVES * 128;
/** Bytes of entries that fit; an idle lane and "t" read up to 64 KiB and 64 bytes past the last. */
const MAX_DATA = PAGES * 65_536 - DATA - 66_000;

let started: Lanes | 'absent' | undefined;

function start(): Lanes | 'absent' {
  const host = (globalThis as { readonly WebAssembly?: WebAssemblyHost }).WebAssembly;
  const bytes = sha256LanesModule(PAGES);
  if (host?.validate(bytes) !== true) return 'absent';
  const kernels = new host.Instance(new host.Module(bytes)).exports as Kernels;
  return { kernels, memory: Buffer.from(kernels.m.buffer), words: new Uint32Array(kernels.m.buffer) };
}

const lanes = (): Lanes | 'absent' => (started ??= start());

// Scratch space: everything here is synchronous, so no two callers ever meet in it.
const nodeInput = Buffer.alloc(1 + 2 * HASH_SIZE);
nodeInput[0] = NODE_PREFIX;

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_SIZE);
  return sha256(nodeInput);
}

/** SHA-256(0x00 ‖ entry). */
export const leafHash = (entry: Uint8Array): Buffer => sha256(Buffer.concat([Buffer.of(LEAF_PREFIX), entry]));

/** Root of the full subtree over the `width` hashes in `hashes`; `width` is a power of two. */
export function subtreeRoot(hashes: Buffer, width: number): Buffer {
  if (width <= MAX_NODES) {
    const root = Buffer.allocUnsafe(HASH_SIZE);
    rootInto(root, 0, hashes, 0, width);
    return root;
  }
  const roots = Buffer.allocUnsafe((width / MAX_NODES) * HASH_SIZE);
  for (let i = 0; i < width / MAX_NODES; i++) rootInto(roots, i * HASH_SIZE, hashes, i * MAX_NODES * HASH_SIZE, MAX_NODES);
  return subtreeRoot(roots, width / MAX_NODES);
}

/** Writes the root of the `width` hashes in `hashes` from byte `from` on to `out` at `to`. */
function rootInto(out: Buffer, to: number, hashes: Buffer, from: number, width: number): void {
  const vectors = lanes();
  if (vectors === 'absent' || width < WORTHWHILE) return rootByLibrary(out, to, hashes, from, width);
  const { kernels, memory } = vectors;
  hashes.copy(memory, NODES, from, from + width * HASH_SIZE);
  // Beyond the last pair hashes are made that nobody reads.
  for (let pairs = width / 2; pairs >= 1; pairs /= 2) kernels.n(NODES, NODES, Math.ceil(pairs / 4));
  memory.copy(out, to, NODES, NODES + HASH_SIZE);
}

/** The same with node:crypto alone. */
export function rootByLibrary(out: Buffer, to: number, hashes: Buffer, from: number, width: number): void {
  const work = Buffer.from(hashes.subarray(from, from + width * HASH_SIZE));
  for (let pairs = width / 2; pairs >= 1; pairs /= 2) {
    for (let i = 0; i < pairs; i++) {
      work.copy(nodeInput, 1, 2 * i * HASH_SIZE, 2 * (i + 1) * HASH_SIZE);
      sha256Into(work, i * HASH_SIZE, nodeInput);
    }
  }
  work.copy(out, to, 0, HASH_SIZE);
}

/**
 * Leaf hashes of entries [first, last), 32 bytes each, to `out` from byte `to` on. Entry i lies in `source` from `starts[i]` + 2 to `starts[i + 1]`, behind its
 * length, which has at most 65,535 to say.
 */
export function leafHashesInto(out: Buffer, to: number, source: Buffer, starts: readonly number[], first: number, last: number): void {
  const vectors = lanes();
  let at = to;
  for (let from = first; from < last; ) {
    let end = from + 1;
    while (end < last && end - from < MAX_LEAVES && starts[end + 1]! - starts[from]! <= MAX_DATA) end++;
    if (vectors === 'absent' || end - from < WORTHWHILE) leavesByLibrary(out, at, source, starts, from, end);
    else leavesInLanes(vectors, out, at, source, starts, from, end);
    at += (end - from) * HASH_SIZE;
    from = end;
  }
}

/**
 * Memory in which `leafHashesInto` finds its source without copying it. Whatever else is hashed meanwhile may overwrite it: for one bundle after another, each
 * read, hashed and forgotten.
 */
export function hashingSpace(): Buffer {
  const vectors = lanes();
  return vectors === 'absent' ? Buffer.allocUnsafeSlow(MAX_DATA) : vectors.memory.subarray(DATA, DATA + MAX_DATA);
}

/** The same with node:crypto alone. */
export function leavesByLibrary(out: Buffer, to: number, source: Buffer, starts: readonly number[], first: number, last: number): void {
  for (let i = first; i < last; i++) leafHash(source.subarray(starts[i]! + 2, starts[i + 1]!)).copy(out, to + (i - first) * HASH_SIZE);
}

/** Blocks of 64 bytes of the longest message, and one more. */
const MAX_BLOCKS = 1027;
const counts = new Uint16Array(MAX_BLOCKS);
const blocks = new Uint16Array(MAX_LEAVES);
const order = new Uint16Array(MAX_LEAVES);

function leavesInLanes({ kernels, memory, words }: Lanes, out: Buffer, to: number, source: Buffer, starts: readonly number[], first: number, last: number): void {
  const base = starts[first]!;
  const count = last - first;
  const isThere = source.buffer === memory.buffer;
  if (!isThere) source.copy(memory, DATA, base, starts[last]!);
  const data = isThere ? source.byteOffset + base : DATA;
  counts.fill(0);
  let most = 0;
  for (let i = 0; i < count; i++) {
    // The message begins on the last byte of the entry's length, which makes way for the prefix.
    const length = starts[first + i + 1]! - starts[first + i]! - 1;
    const n = ((length + 8) >>> 6) + 1;
    blocks[i] = n;
    counts[n + 1]!++;
    if (n > most) most = n;
  }
  // Messages of equal length share a row, so that no lane waits for another: a counting sort.
  for (let n = 1; n <= most; n++) counts[n]! += counts[n - 1]!;
  for (let i = 0; i < count; i++) order[counts[blocks[i]!]!++] = i;

  const rows = Math.ceil(count / 4);
  for (let place = 0; place < rows * 4; place++) {
    const idle = place >= count;
    const i = order[idle ? count - 1 : place]!;
    const begin = data + starts[first + i]! - base + 1;
    const length = starts[first + i + 1]! - starts[first + i]! - 1;
    const rest = length & 63;
    const end = ENDS + 128 * i;
    if (!idle) kernels.t(end, begin + length - rest, rest, length * 8);
    const column = (TABLE + (place >>> 2) * ROW) / 4 + (place & 3);
    words[column] = begin;
    words[column + 4] = end - (length - rest);
    words[column + 8] = length >>> 6;
    words[column + 12] = blocks[i]!;
    words[column + 16] = LEAVES + (idle ? MAX_LEAVES : i) * HASH_SIZE;
  }
  kernels.l(TABLE, rows);
  memory.copy(out, to, LEAVES, LEAVES + count * HASH_SIZE);
}
