/**
 * The Merkle tree of RFC 6962, section 2: hashes, roots, inclusion and consistency proofs, and appending from the right edge alone.
 * Checked in test/core/log against the vectors of RFC 6962 and golang.org/x/mod/sumdb/tlog. Nothing here reads or waits; a function that
 * takes a range of leaves may run in a worker, because it depends on nothing but its arguments.
 *
 * Leaf hashes travel as one buffer, 32 bytes each. Sizes and indexes are safe integers, so shifts (32 bits in JavaScript) are not used.
 */
import { leafHash, nodeHash, subtreeRoot } from './sha256-lanes';
import { HASH_SIZE, sha256 } from './sha256';

export { leafHash, nodeHash };

/** Root of the empty tree: SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0));

/** A tree of `size` leaves, as the roots of the full subtrees it consists of, largest first: one per set bit of `size`. */
export interface RightEdge {
  readonly size: number;
  readonly edge: readonly Buffer[];
}

export const EMPTY_EDGE: RightEdge = { size: 0, edge: [] };

/** How many hashes `hashes` holds. Throws RangeError when it is not whole hashes: a programming error, contents of files are checked before. */
export function hashCount(hashes: Uint8Array): number {
  if (hashes.length % HASH_SIZE !== 0) throw new RangeError(`${hashes.length} bytes are not whole hashes of ${HASH_SIZE}`);
  return hashes.length / HASH_SIZE;
}

/** The `i`-th hash of `hashes`, sharing its memory. */
export const hashAt = (hashes: Buffer, i: number): Buffer => hashes.subarray(i * HASH_SIZE, (i + 1) * HASH_SIZE);

/** Root of the full subtree over `hashes` (a power of two of them, at least one), which is left as it was. */
export function fullSubtreeRoot(hashes: Buffer): Buffer {
  const width = hashCount(hashes);
  if (width === 0 || !Number.isInteger(Math.log2(width))) throw new RangeError(`a full subtree has a power of two of leaves, not ${width}`);
  return subtreeRoot(hashes, width);
}

/** Root of the tree whose leaf hashes are `leaves`. */
export const rootOfLeaves = (leaves: Buffer): Buffer => rootOfEdge(appendLeaves(EMPTY_EDGE, leaves).edge);

/** Root of the tree with this right edge. */
export function rootOfEdge(edge: readonly Buffer[]): Buffer {
  let root: Buffer | undefined;
  for (let i = edge.length - 1; i >= 0; i--) root = root === undefined ? edge[i] : nodeHash(edge[i]!, root);
  return root ?? EMPTY_ROOT;
}

/** How many subtrees the right edge of a tree of `size` has: the set bits of `size`. */
export function edgeLength(size: number): number {
  let bits = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}

/**
 * The right edge after appending `leaves` (32 bytes each). Needs nothing but the old edge: a sealer moves the head without reading the tree.
 * Throws RangeError when `from` has not as many subtrees as its size demands.
 */
export function appendLeaves(from: RightEdge, leaves: Buffer): RightEdge {
  const added = hashCount(leaves);
  if (from.edge.length !== edgeLength(from.size)) throw new RangeError(`an edge of ${from.edge.length} hashes is not one of ${from.size} leaves`);
  const edge = [...from.edge];
  let size = from.size;
  for (let done = 0; done < added; ) {
    const width = largestAligned(size, added - done);
    edge.push(fullSubtreeRoot(leaves.subarray(done * HASH_SIZE, (done + width) * HASH_SIZE)));
    done += width;
    size += width;
    // As many merges as the new size has fewer subtrees than there are now.
    for (let merges = edge.length - edgeLength(size); merges > 0; merges--) {
      const right = edge.pop()!;
      edge.push(nodeHash(edge.pop()!, right));
    }
  }
  return { size, edge };
}

/** The widest full subtree that starts at `position` and needs at most `available` leaves. */
function largestAligned(position: number, available: number): number {
  let width = 1;
  while (width * 2 <= available && position % (width * 2) === 0) width *= 2;
  return width;
}

/** Hash of the full subtree `index` at `level` (level 0: leaves), as proofs need it. */
export type SubtreeHash = (level: number, index: number) => Buffer;

/** Full subtrees of the tree over `leaves`. */
export const subtreesOfLeaves =
  (leaves: Buffer): SubtreeHash =>
  (level, index) =>
    fullSubtreeRoot(leaves.subarray(index * 2 ** level * HASH_SIZE, (index + 1) * 2 ** level * HASH_SIZE));

/** MTH(D[start, end)), where `start` is aligned as it is in a proof: a multiple of the first subtree's width. */
export function rangeHash(start: number, end: number, subtree: SubtreeHash): Buffer {
  const edge: Buffer[] = [];
  for (let at = start; at < end; ) {
    const width = largestAligned(at - start, end - at);
    // Widest first: `at - start` is 0 or a multiple of what was taken before, so the width only shrinks.
    edge.push(subtree(Math.log2(width), at / width));
    at += width;
  }
  return rootOfEdge(edge);
}

/** Largest power of two smaller than `n` (n ≥ 2): where RFC 6962 splits a tree. */
function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** PATH(index, D[size]): sibling hashes from the leaf up. Throws RangeError when the tree has no such leaf. */
export function inclusionProof(index: number, size: number, subtree: SubtreeHash): Buffer[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`a tree of ${size} has no leaf ${index}`);
  const proof: Buffer[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      proof.push(rangeHash(middle, end, subtree));
      end = middle;
    } else {
      proof.push(rangeHash(start, middle, subtree));
      start = middle;
    }
  }
  return proof.reverse();
}

/** PROOF(oldSize, D[size]): empty when the sizes are equal. Throws RangeError unless 0 < oldSize ≤ size. */
export function consistencyProof(oldSize: number, size: number, subtree: SubtreeHash): Buffer[] {
  if (!(oldSize > 0 && oldSize <= size)) throw new RangeError(`no consistency proof from ${oldSize} to ${size}`);
  const proof: Buffer[] = [];
  let start = 0;
  let end = size;
  while (oldSize !== end) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      proof.push(rangeHash(middle, end, subtree));
      end = middle;
    } else {
      proof.push(rangeHash(start, middle, subtree));
      start = middle;
    }
  }
  if (start !== 0) proof.push(rangeHash(start, end, subtree)); // else the verifier holds the old root already
  return proof.reverse();
}

/** Whether `proof` shows that `leaf` (a leaf hash) is number `index` of the tree with this size and root. Takes anything, throws nothing. */
export function verifyInclusion(proof: readonly Uint8Array[], index: number, size: number, leaf: Uint8Array, root: Uint8Array): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (leaf.length !== HASH_SIZE || proof.some((hash) => hash.length !== HASH_SIZE)) return false;
  let hash: Uint8Array = leaf;
  let node = index;
  let last = size - 1;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameBytes(hash, root);
}

/** Whether `proof` shows that the tree (size, root) extends the tree (oldSize, oldRoot). Every tree extends the empty one. Throws nothing. */
export function verifyConsistency(proof: readonly Uint8Array[], oldSize: number, size: number, oldRoot: Uint8Array, root: Uint8Array): boolean {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(size) || oldSize < 0 || oldSize > size) return false;
  if ([oldRoot, root, ...proof].some((hash) => hash.length !== HASH_SIZE)) return false;
  if (oldSize === size) return proof.length === 0 && sameBytes(oldRoot, root);
  if (oldSize === 0) return proof.length === 0 && sameBytes(oldRoot, EMPTY_ROOT);
  let [node, last] = [oldSize - 1, size - 1];
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  const path = node === 0 ? [oldRoot, ...proof] : proof; // a full old tree is itself a node of the new one
  let oldHash = path[0];
  let newHash = path[0];
  if (oldHash === undefined || newHash === undefined) return false;
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameBytes(oldHash, oldRoot) && sameBytes(newHash, root);
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
