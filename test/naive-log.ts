/** RFC 6962 and tlog-tiles the slow way: straight from their definitions, over all entries at once. What the fast code is held against. */
import { createHash } from 'node:crypto';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
export const naiveLeaf = (entry: Uint8Array): Buffer => sha256(Buffer.from([0]), entry);

/** MTH of RFC 6962, section 2.1. */
export function naiveRoot(entries: readonly Buffer[]): Buffer {
  return entries.length === 0 ? sha256() : rootOf(entries.map(naiveLeaf));
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.from([1]), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** Every tile and bundle of a log of exactly these entries, by name. With `only`, that one object (a partial one an earlier, smaller log had) is added. */
export function naiveTiles(entries: readonly Buffer[], only?: { readonly name: string }): Map<string, Buffer> {
  const objects = new Map<string, Buffer>();
  let hashes = entries.map(naiveLeaf);
  const encoded = entries.map((entry) => Buffer.concat([Buffer.from([entry.length >> 8, entry.length & 255]), entry]));
  const put = (level: string, items: readonly Buffer[]): void => {
    for (let i = 0; i * 256 < items.length; i++) {
      const part = items.slice(i * 256, i * 256 + 256);
      objects.set(`tile/${level}/${path(i)}${part.length === 256 ? '' : `.p/${part.length}`}`, Buffer.concat(part));
      const width = Number(/\.p\/(\d+)$/.exec(only?.name ?? '')?.[1] ?? 0);
      if (only?.name === `tile/${level}/${path(i)}.p/${width}` && width <= part.length) objects.set(only.name, Buffer.concat(part.slice(0, width)));
    }
  };
  put('entries', encoded);
  for (let level = 0; hashes.length > 0; level++) {
    put(String(level), hashes);
    hashes = Array.from({ length: Math.floor(hashes.length / 256) }, (_, i) => rootOf(hashes.slice(i * 256, i * 256 + 256)));
  }
  return objects;
}

const path = (index: number): string => {
  const groups = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
};
