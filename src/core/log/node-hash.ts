/**
 * Roots of full subtrees, fast: verification and publishing hash as many inner nodes as there are entries. Uses node-hash-module.ts where the machine has
 * WebAssembly vectors, node:crypto elsewhere; the answers are the same.
 */
import { FREE, nodeHashModule } from './node-hash-module';
import { HASH_SIZE, sha256, sha256Into } from './sha256';

/** The parts of WebAssembly used; Node's own types leave it out. */
interface WebAssemblyHost {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}
interface NodeHasher {
  readonly m: { readonly buffer: ArrayBuffer };
  n(from: number, to: number, groups: number): void;
}

const NODE_PREFIX = 0x01;
/** Hashes that fit in the module's one page of memory, as a power of two. */
const CHUNK = 1024;
/** Four pairs are hashed in the time of one or two by node:crypto. */
const WORTHWHILE = 8;

// Scratch space: everything here is synchronous, so no two callers ever meet in it.
const nodeInput = Buffer.alloc(1 + 2 * HASH_SIZE);
nodeInput[0] = NODE_PREFIX;

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_SIZE);
  return sha256(nodeInput);
}

let started: { readonly hasher: NodeHasher; readonly memory: Buffer } | 'absent' | undefined;

function start(): typeof started {
  const host = (globalThis as { readonly WebAssembly?: WebAssemblyHost }).WebAssembly;
  const bytes = nodeHashModule();
  if (host?.validate(bytes) !== true) return 'absent';
  const hasher = new host.Instance(new host.Module(bytes)).exports as NodeHasher;
  return { hasher, memory: Buffer.from(hasher.m.buffer) };
}

/** Writes the root of the `width` hashes (a power of two) in `hashes` from byte `from` on to `out` at `to`. */
function rootInto(out: Buffer, to: number, hashes: Buffer, from: number, width: number): void {
  started ??= start();
  if (started === undefined || started === 'absent' || width < WORTHWHILE) return rootIntoByLibrary(out, to, hashes, from, width);
  const { hasher, memory } = started;
  hashes.copy(memory, FREE, from, from + width * HASH_SIZE);
  for (let pairs = width / 2; pairs >= 1; pairs /= 2) hasher.n(FREE, FREE, Math.ceil(pairs / 4)); // what lies behind the last pair is hashed for nothing
  memory.copy(out, to, FREE, FREE + HASH_SIZE);
}

/** As `rootInto`, with node:crypto alone. */
export function rootIntoByLibrary(out: Buffer, to: number, hashes: Buffer, from: number, width: number): void {
  const work = Buffer.from(hashes.subarray(from, from + width * HASH_SIZE));
  for (let pairs = width / 2; pairs >= 1; pairs /= 2) {
    for (let i = 0; i < pairs; i++) {
      work.copy(nodeInput, 1, 2 * i * HASH_SIZE, 2 * (i + 1) * HASH_SIZE);
      sha256Into(work, i * HASH_SIZE, nodeInput);
    }
  }
  work.copy(out, to, 0, HASH_SIZE);
}

/** Root of the full subtree over the `width` hashes in `hashes`; `width` is a power of two. */
export function subtreeRoot(hashes: Buffer, width: number): Buffer {
  if (width <= CHUNK) {
    const root = Buffer.allocUnsafe(HASH_SIZE);
    rootInto(root, 0, hashes, 0, width);
    return root;
  }
  const roots = Buffer.allocUnsafe((width / CHUNK) * HASH_SIZE);
  for (let i = 0; i < width / CHUNK; i++) rootInto(roots, i * HASH_SIZE, hashes, i * CHUNK * HASH_SIZE, CHUNK);
  return subtreeRoot(roots, width / CHUNK);
}
