/**
 * What lies beyond the checkpoint. Sealing runs ahead of publishing, and publishing writes tiles before it signs; so a healthy vault has, at
 * any moment, segments, and perhaps tiles and bundles, that no checkpoint covers yet. They are no finding as long as the segments explain them.
 */
import { decodeEntries, TILE_WIDTH } from '../core/log/bundle';
import { LogFormatError } from '../core/log/log-format-error';
import { rootOfEdge } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { parseTilePath, tilePath, type TileName } from '../core/log/tile-path';
import { extendTree, rightEdgeOf, type TreeEdge } from '../core/log/tiles';
import { finding, type Finding } from '../core/verify/finding-codes';
import { segmentName } from '../core/verify/vault-name';
import type { VaultReader } from '../ports/vault-reader';
import { tileEnd, tileKey } from './verify-names';
import type { Segment, SegmentReader } from './verify-segments';

export interface AheadTask {
  readonly reader: Required<Pick<VaultReader, 'get' | 'list'>>;
  readonly segments: SegmentReader;
  /** The log at the checkpoint; undefined when damage leaves it unknown: then tiles beyond it cannot be judged. */
  readonly edge: TreeEdge | undefined;
  readonly size: number;
  readonly objects: ReadonlyMap<string, TileName>;
  /** Sizes beyond the checkpoint at which the root is wanted, ascending. */
  readonly rootsAt: readonly number[];
  readonly report: (finding: Finding) => void;
  readonly onRoot: (size: number, root: Buffer | undefined) => Promise<void>;
  /** Every entry of every segment there that has the hash in its name: nobody knows yet whose will be signed. */
  readonly onSealed: (entry: Buffer) => void;
  /** Those that follow the checkpoint, as far as can be told. */
  readonly onEntry: (index: number, entry: Buffer, segment: string) => void;
}

/** Follows the segments beyond the checkpoint as far as they go, and holds the objects there against them. */
export async function checkAhead(task: AheadTask): Promise<void> {
  const { segments, report } = task;
  const objects = new AheadObjects(task);
  const roots = new Map<number, Buffer>();
  let edge = task.edge;
  let at = task.size;
  for (;;) {
    const segment = await objects.choose(await takeAt(task, at));
    if (segment === undefined) break;
    segments.chain.accept(segment, []);
    decodeEntries(segment.bytes).forEach((entry, i) => task.onEntry(at + i, entry, segment.name));
    if (edge !== undefined) {
      const extension = extendTree(edge, segment.bytes);
      for (const { name, bytes } of extension.full) await objects.compare(parseTilePath(name)!, bytes);
      edge = extension.edge;
      if (task.rootsAt.includes(edge.size)) roots.set(edge.size, rootOfEdge(rightEdgeOf(edge).edge));
    }
    at = segment.to;
  }
  if (edge !== undefined) await objects.compareEdge(edge);
  await reportHole(task, at);
  for (let next = await segments.next(); next !== undefined; next = await segments.next()) for (const segment of await takeAt(task, next)) segments.chain.reject(segment);
  if (edge !== undefined) {
    for (const name of objects.unexplained()) report(finding('unexpected-object', name, `it reaches beyond the checkpoint (size ${task.size}), and no segment explains it (they end at ${at})`));
  }
  for (const size of task.rootsAt) await task.onRoot(size, roots.get(size));
}

async function takeAt({ segments, onSealed }: AheadTask, at: number): Promise<readonly Segment[]> {
  await segments.readUntil(at + 1);
  for (const { bytes, altered } of segments.pending) if (!altered) decodeEntries(bytes).forEach(onSealed);
  return segments.takeAt(at);
}

/** Every segment, a loser's too, begins where the log once ended: one that begins beyond the end shows that segments before it are gone. */
async function reportHole({ reader, segments, report }: AheadTask, at: number): Promise<void> {
  const next = await segments.next();
  if (next === undefined || next <= at) return;
  const prefix = segmentName(at, '');
  for await (const _ of reader.list(prefix)) return; // written after our listing had passed it
  if (segments.chain.isDamaged(at)) return;
  report(finding('segment-missing', prefix, `no segment begins at entry ${at}, but one begins at ${next}`, at));
}

/** The tiles and bundles listed beyond the checkpoint. */
class AheadObjects {
  private readonly left: Set<string>;
  private readonly partials = new Map<string, TileName[]>();

  constructor(private readonly task: AheadTask) {
    this.left = new Set(task.objects.keys());
    for (const tile of task.objects.values()) {
      if (tile.width < TILE_WIDTH) this.partials.set(tileKey(tile), [...(this.partials.get(tileKey(tile)) ?? []), tile]);
    }
  }

  unexplained(): ReadonlySet<string> {
    return this.left;
  }

  /** `bytes` is what a tile or bundle of this width holds: compares the object, and narrower forms of it. */
  async compare(tile: TileName, bytes: Buffer): Promise<void> {
    const forms = [tile, ...(this.partials.get(tileKey(tile)) ?? []).filter(({ width }) => width < tile.width)];
    for (const form of forms) {
      const name = tilePath(form);
      if (!this.left.delete(name)) continue;
      const actual = await this.task.reader.get(name);
      if (actual === 'absent' || actual.equals(prefixOf(form, bytes))) continue;
      const code = form.level === 'entries' ? 'entry-modified' : 'tile-altered';
      this.task.report(finding(code, name, 'it does not hold what the segments beyond the checkpoint hold', tileEnd(form) - 1));
    }
  }

  /** The unfinished tiles where the segments end. */
  async compareEdge({ size, tiles, bundle }: TreeEdge): Promise<void> {
    const index = Math.floor(size / TILE_WIDTH);
    await this.compareUpTo({ level: 'entries', index, width: size % TILE_WIDTH }, bundle);
    for (const [level, bytes] of tiles.entries()) {
      await this.compareUpTo({ level, index: Math.floor(size / TILE_WIDTH ** (level + 1)), width: bytes.length / HASH_SIZE }, bytes);
    }
  }

  private async compareUpTo(tile: TileName, bytes: Buffer): Promise<void> {
    if (tile.width > 0) await this.compare(tile, bytes);
  }

  /**
   * Which of the segments that begin at one entry goes on: the one that the bundles beyond the checkpoint confirm; without any, one that
   * another segment follows; else the longest. Only a confirmed one matters to a verdict.
   */
  async choose(candidates: readonly Segment[]): Promise<Segment | undefined> {
    const { segments } = this.task;
    const usable = candidates.filter(({ from, to }) => to > from);
    if (usable.length <= 1) return this.take(candidates, usable[0]);
    const ranked = [];
    for (const segment of usable) ranked.push({ segment, confirmed: await this.confirms(segment), followed: segments.beginsAt(segment.to) });
    ranked.sort((a, b) => b.confirmed - a.confirmed || Number(b.followed) - Number(a.followed) || b.segment.to - a.segment.to);
    return this.take(candidates, ranked[0]?.segment);
  }

  private take(candidates: readonly Segment[], chosen: Segment | undefined): Segment | undefined {
    for (const segment of candidates) if (segment !== chosen) this.task.segments.chain.reject(segment);
    return chosen;
  }

  /** How many entries of `segment` the bundles hold at their places; -1 when they hold others. */
  private async confirms(segment: Segment): Promise<number> {
    let confirmed = 0;
    const entries = decodeEntries(segment.bytes);
    for (const [name, tile] of this.task.objects) {
      if (tile.level !== 'entries' || tile.index * TILE_WIDTH >= segment.to || tileEnd(tile) <= segment.from) continue;
      const stored = readable(await this.task.reader.get(name));
      for (let i = segment.from; i < segment.to; i++) {
        const there = stored[i - tile.index * TILE_WIDTH];
        if (there === undefined) continue;
        if (!there.equals(entries[i - segment.from]!)) return -1;
        confirmed++;
      }
    }
    return confirmed;
  }
}

function readable(bundle: Buffer | 'absent'): Buffer[] {
  try {
    return bundle === 'absent' ? [] : decodeEntries(bundle);
  } catch (error) {
    if (error instanceof LogFormatError) return []; // it is compared, and named, once the segment is chosen
    throw error;
  }
}

function prefixOf({ level, width }: TileName, bytes: Buffer): Buffer {
  if (level !== 'entries') return bytes.subarray(0, width * HASH_SIZE);
  let end = 0;
  for (let i = 0; i < width && end < bytes.length; i++) end += 2 + bytes.readUInt16BE(end);
  return bytes.subarray(0, end);
}
