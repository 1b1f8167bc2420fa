/** A vault with one of everything, in a bucket in memory that keeps versions and locks, to be damaged and mended. */
import { seededDraw } from '../../src/adapters/memory/schedule';
import { versionedVault, type VersionedVault } from '../../src/adapters/memory/versioned-vault';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { encodeEntries } from '../../src/core/log/bundle';
import { toBase64 } from '../../src/core/log/base64';
import { appendLeaves, EMPTY_EDGE, leafHash, rootOfEdge } from '../../src/core/log/merkle';
import type { VerifierKey } from '../../src/core/log/vkey';
import { formatManifest, formatPart, formatRow } from '../../src/core/snapshot';
import { segmentName } from '../../src/core/verify/vault-name';
import { mendVault, type Mended, type MendOptions } from '../../src/operations/mend-vault';
import type { PullTarget } from '../../src/operations/pull-vault';
import type { VaultReader } from '../../src/ports/vault-reader';
import { BuiltVault, keyPair, makeEntry, sha256 } from './built-vault';

export type Objects = ReadonlyMap<string, Buffer>;

/** Partial forms that wider ones replaced may be there or not. */
export const isSuperseded = (name: string, objects: Objects): boolean => {
  const [, tile, width] = /^(tile\/.*)\.p\/(\d+)$/.exec(name) ?? [];
  return tile !== undefined && (objects.has(tile) || [...objects.keys()].some((other) => Number(new RegExp(`^${tile}\\.p/(\\d+)$`).exec(other)?.[1] ?? 0) > Number(width)));
};

export interface BuildOptions {
  /** Entries of each round; published after every `publishEvery`th. */
  readonly rounds?: readonly number[];
  readonly publishEvery?: number;
  /** A sealer that lost a race leaves a segment beside the winner's. */
  readonly losers?: boolean;
  readonly rotate?: boolean;
  readonly snapshot?: boolean;
  /** Partial forms of earlier sizes too, as the publisher leaves them. */
  readonly superseded?: boolean;
}

/** What a healthy vault of that kind holds. */
export async function wholeVault({ rounds = [40, 260, 13, 300, 77], publishEvery = 1, losers = false, rotate = true, snapshot = true, superseded = false }: BuildOptions = {}): Promise<Objects> {
  const vault = new BuiltVault();
  for (const [round, n] of rounds.entries()) {
    const first = vault.entries.length;
    const entries = Array.from({ length: n }, (_, i) => makeEntry(first + i));
    if (n > 2) {
      entries[1] = makeEntry(first + 1, { blob: vault.putBlob(`a long body ${round}`) });
      const [name, bytes] = [`report/2026-0${round}`, Buffer.from(`report ${round}`)];
      entries[2] = makeEntry(first + 2, { objects: [{ name, sha256: sha256(bytes) }] });
      vault.put(name, bytes);
    }
    if (snapshot && round === 2) entries[0] = makeEntry(first, { objects: [putSnapshot(vault, first)] });
    if (losers) {
      const other = encodeEntries([makeEntry(first, { salt: 'lost' }), makeEntry(first + 1, { salt: 'lost' })]);
      vault.put(segmentName(first, sha256(other)), other);
    }
    vault.seal(entries);
    if (rotate && round === 1) await vault.rotate(keyPair(2));
    if ((round + 1) % publishEvery === 0 || round === rounds.length - 1) await vault.publish();
  }
  return new Map([...vault.objects].filter(([name]) => superseded || !isSuperseded(name, vault.objects)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of the first `size` entries, all of them rows, in one part. */
function putSnapshot(vault: BuiltVault, size: number): { readonly name: string; readonly sha256: string } {
  const rows = vault.entries.slice(0, size).map((bytes, index) => formatRow({ index, bytes }));
  const { part, bytes } = formatPart(size, 0, rows);
  vault.put(part.name, bytes);
  const { edge } = appendLeaves(EMPTY_EDGE, Buffer.concat(vault.entries.slice(0, size).map(leafHash)));
  const at = '2026-01-01T00:00:00.000Z';
  const manifest = formatManifest({ origin: keyPair(1).key.name, size, root: toBase64(rootOfEdge(edge)), edge: edge.map(toBase64), newestAt: at, at, records: size, rows: size, closed: 0, parts: [part] });
  vault.put(manifest.name, manifest.bytes);
  return { name: manifest.name, sha256: manifest.sha256 };
}

export const LOCK = { mode: 'COMPLIANCE', retentionDays: 10 } as const;
const at = new Date('2026-03-01T00:00:00Z');

export function bucketOf(objects: Objects, source = 's3://vault'): VersionedVault {
  const bucket = versionedVault(LOCK, () => at, source);
  for (const [name, bytes] of objects) bucket.byHand.put(name, bytes);
  return bucket;
}

export function memoryTarget(): PullTarget & { readonly objects: Map<string, Buffer>; readonly reader: VaultReader } {
  const objects = new Map<string, Buffer>();
  return { objects, reader: memoryVaultReader(objects), read: async (name) => objects.get(name) ?? 'absent', write: async (name, bytes) => void objects.set(name, Buffer.from(bytes)) };
}

export const PINNED: readonly VerifierKey[] = [keyPair(1).key];

/** Mends into a new vault in memory. */
export async function mendedCopy(vault: VaultReader, options: Partial<MendOptions> = {}): Promise<Mended & { readonly objects: ReadonlyMap<string, Buffer> }> {
  const target = memoryTarget();
  const mended = await mendVault(vault, { pinned: PINNED, replicas: [], partial: false, target: { kind: 'copy', to: target, reader: target.reader }, ...options });
  return { ...mended, objects: target.objects };
}

/** Other bytes of the same length. */
export function flipped(bytes: Buffer, draw: () => number, flips = 1): Buffer {
  const bad = Buffer.from(bytes);
  for (let i = 0; i < flips; i++) bad[Math.floor(draw() * bad.length)]! ^= 1 + Math.floor(draw() * 255);
  return bad;
}

export const drawOf = seededDraw;

/** Sorted, for comparing whole vaults: name → bytes in base64. */
export const contents = (objects: Objects): Record<string, string> => Object.fromEntries([...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => [name, bytes.toString('base64')]));
