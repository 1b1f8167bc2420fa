/**
 * What all copies together tell of one bundle: which leaf hashes it may have had, and the bytes of every entry that some copy still holds. A candidate is believed once a signed root confirms it.
 */
import { encodeEntries, entryAt, entryLeafHashes, LONGEST_SEGMENT, startsOf, TILE_WIDTH } from '../core/log/bundle';
import { leafCandidates, readableEntries, runWitness, tileWitness, type LeafWitness, type ReadEntries } from '../core/log/leaf-candidates';
import { hashAt, hashCount, rootOfLeaves, type RightEdge } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { tilePath, type TileName } from '../core/log/tile-path';
import type { Checkpoint } from '../core/log/checkpoint';
import { inParallel } from './in-parallel';
import type { Anchor } from './mend-anchor';
import type { VaultCopies } from './mend-copies';
import { SegmentPlaces, type SegmentCopy } from './mend-segments';

/** What something was repaired from: an older version of the same object; the other form of the same entries (segment or bundle); what follows from proven entries; the replica. */
export type MendSource = 'older-version' | 'other-form' | 'recomputed' | 'replica';

export interface BundleEvidence {
  /** Whole vectors of leaf hashes, likeliest first; none where no copy tells of some entry. */
  readonly candidates: readonly Buffer[];
  /** What tiles one level up say is the root of this bundle. */
  readonly roots: readonly Buffer[];
  /** The entries that have the hashes of `leaves`; undefined where no copy holds one. `from`: of those that the bundle as it stands there does not hold. */
  entriesOf(leaves: Buffer): { readonly entries: readonly (Buffer | undefined)[]; readonly from: ReadonlySet<MendSource> };
}

/** A bundle that stands there and holds the entries its tile names; or, without a tile, entries at least. */
export interface StandingBundle {
  readonly leaves: Buffer;
  readonly root: Buffer;
  readonly bytes: Buffer;
  readonly agreesWithTile: boolean;
}

interface Run {
  readonly first: number;
  readonly read: ReadEntries;
  readonly from: MendSource | 'own';
}

/** A segment that signed roots confirm outweighs everything that merely lies there. */
const CONFIRMED = 100;
/** Asked about one bundle, which 256 rounds of one entry may make up, and read at once. */
const MOST_SEGMENTS = 512;
const SEGMENTS_AT_ONCE = 8;

/** Candidates that are tried beside one that a tile above names, those where none is named, and those among which one is looked for. */
const FEW = 8;
const MANY = 64;
const MOST = 256;

export class EntryEvidence {
  private places: Promise<SegmentPlaces> | undefined;
  /** Segments that signed roots confirmed. */
  private readonly confirmed = new Set<string>();

  constructor(
    private readonly copies: VaultCopies,
    private readonly anchor: Anchor,
  ) {}

  /** Bundle `index` of a tree of `size` as it stands there; undefined where it cannot be read to its end. */
  async standing(index: number, size: number): Promise<StandingBundle | undefined> {
    const width = widthOf(index, size);
    const [bundle, tile] = await Promise.all([this.ownForm('entries', index, width), this.ownForm(0, index, width)]);
    const starts = bundle === undefined ? undefined : startsOf(bundle);
    if (bundle === undefined || starts === undefined || starts.length <= width) return undefined;
    const leaves = entryLeafHashes(bundle, starts, 0, width);
    return { leaves, root: rootOfLeaves(leaves), bytes: bundle.subarray(0, starts[width]), agreesWithTile: tile?.subarray(0, leaves.length).equals(leaves) === true };
  }

  private async ownForm(level: TileName['level'], index: number, width: number): Promise<Buffer | undefined> {
    for (const name of this.formsOf(level, index, width)) {
      const bytes = await this.copies.own(name);
      if (typeof bytes !== 'string') return bytes;
    }
    return undefined;
  }

  /** Everything that is known of bundle `index` of a tree of `size`. */
  async all(index: number, size: number): Promise<BundleEvidence> {
    const width = widthOf(index, size);
    const from = index * TILE_WIDTH;
    const tiles = await this.copiesOfForms(0, index, width);
    const bundles = await this.bundleRuns(index, width);
    const segments = await this.segmentRuns(from, width);
    const runs: readonly Run[] = [...bundles.filter((run) => run.from !== 'replica'), ...segments.filter(({ run }) => run.from !== 'replica').map(({ run }) => run), ...bundles.filter((run) => run.from === 'replica'), ...segments.filter(({ run }) => run.from === 'replica').map(({ run }) => run)];
    const witnesses: readonly LeafWitness[] = [
      ...bundles.map(({ read }) => runWitness(read.leaves, 0, width)),
      ...segments.map(({ run, weight }) => runWitness(run.read.leaves, run.first, width, weight)),
      ...tiles.map(({ bytes }) => tileWitness(bytes, width)),
    ];
    const roots = width === TILE_WIDTH ? await this.rootsAbove(index) : [];
    return { candidates: chosen(leafCandidates(witnesses, width), roots), roots, entriesOf: (leaves) => entriesWith(leaves, runs) };
  }

  private async bundleRuns(index: number, width: number): Promise<Run[]> {
    return (await this.copiesOfForms('entries', index, width)).map(({ bytes, from }) => ({ first: 0, read: readableEntries(bytes, TILE_WIDTH), from }));
  }

  private async segmentRuns(from: number, width: number): Promise<{ readonly run: Run; readonly weight: number }[]> {
    const places = await (this.places ??= SegmentPlaces.read(this.copies));
    const overlapping = places.overlapping(from, from + width);
    const confirmed = overlapping.filter(({ name }) => this.confirmed.has(name));
    // Sealers that raced leave one or two; who lays thousands there gains no memory of ours, and what signed roots confirm is never among those left out.
    const some = [...confirmed, ...overlapping.filter(({ name }) => !this.confirmed.has(name)).slice(0, Math.max(0, MOST_SEGMENTS - confirmed.length))];
    return inParallel(some, SEGMENTS_AT_ONCE, async (segment) => ({
      run: partOf(await segment.read(), segment, from, width),
      weight: this.confirmed.has(segment.name) ? CONFIRMED : 1,
    }));
  }

  /** Asks whether segments alone lead from `edge`, which is proven, to the signed tree; from then on these are believed before anything else. */
  async confirmSegments(edge: RightEdge, signed: Checkpoint): Promise<boolean> {
    const places = await (this.places ??= SegmentPlaces.read(this.copies));
    const way = await places.wayTo(this.copies, edge, signed);
    for (const name of way ?? []) this.confirmed.add(name);
    return way !== undefined;
  }

  /** What the tiles above say; the wider form of a partial one says it too. */
  private async rootsAbove(index: number): Promise<Buffer[]> {
    const place = index % TILE_WIDTH;
    const above = Math.floor(index / TILE_WIDTH);
    const width = Math.min(TILE_WIDTH, Math.floor(this.anchor.head.checkpoint.size / TILE_WIDTH) - above * TILE_WIDTH);
    const tiles = await this.copiesOfForms(1, above, width);
    return tiles.flatMap(({ bytes }) => (bytes.length % HASH_SIZE === 0 && place < hashCount(bytes) ? [hashAt(bytes, place)] : []));
  }

  private async copiesOfForms(level: TileName['level'], index: number, width: number): Promise<{ readonly bytes: Buffer; readonly from: MendSource | 'own' }[]> {
    const found: { readonly bytes: Buffer; readonly from: MendSource | 'own' }[] = [];
    for (const name of this.formsOf(level, index, width)) for await (const copy of this.copies.of(name)) found.push(copy);
    return found;
  }

  /** The form of this width; that of the whole log; and the full one, which may have replaced them. */
  private formsOf(level: TileName['level'], index: number, width: number): string[] {
    const span = level === 'entries' ? 1 : TILE_WIDTH ** level;
    const atHead = Math.min(TILE_WIDTH, Math.floor(this.anchor.head.checkpoint.size / span) - index * TILE_WIDTH);
    return [...new Set([width, atHead, TILE_WIDTH])].map((each) => tilePath({ level, index, width: each }));
  }
}

/** What a segment holds of the bundle that begins at entry `from`; the rest of it is let go. */
function partOf(bytes: Buffer, segment: SegmentCopy, from: number, width: number): Run {
  const { starts } = readableEntries(bytes, LONGEST_SEGMENT);
  const first = Math.max(0, from - segment.from);
  const [begin = bytes.length, end = starts.at(-1)] = [starts[first], starts[from + width - segment.from]];
  const part = Buffer.from(bytes.subarray(begin, end));
  return { first: segment.from + first - from, read: readableEntries(part, TILE_WIDTH), from: segment.source === 'replica' ? 'replica' : 'other-form' };
}

/** What has a root that stands one level up is nearly always it, so it comes first. */
function chosen(candidates: Iterable<Buffer>, roots: readonly Buffer[]): readonly Buffer[] {
  const others: Buffer[] = [];
  for (const candidate of candidates) {
    const root = roots.length === 0 ? undefined : rootOfLeaves(candidate);
    if (root !== undefined && roots.some((each) => each.equals(root))) return [candidate, ...others.slice(0, FEW)];
    others.push(candidate);
    if (others.length >= (roots.length === 0 ? MANY : MOST)) break;
  }
  return others.slice(0, MANY);
}

export const widthOf = (index: number, size: number): number => Math.min(TILE_WIDTH, size - index * TILE_WIDTH);

function entriesWith(leaves: Buffer, runs: readonly Run[]): ReturnType<BundleEvidence['entriesOf']> {
  const from = new Set<MendSource>();
  const entries = Array.from({ length: hashCount(leaves) }, (_, place) => {
    const wanted = hashAt(leaves, place);
    for (const { first, read, from: source } of runs) {
      const at = place - first;
      if (at < 0 || at >= hashCount(read.leaves) || !hashAt(read.leaves, at).equals(wanted)) continue;
      if (source !== 'own') from.add(source);
      return entryAt(read.bytes, read.starts, at);
    }
    return undefined;
  });
  return { entries, from };
}

/** As a bundle holds them; undefined where one is lost. */
export const bundleOf = (entries: readonly (Buffer | undefined)[]): Buffer | undefined => (entries.every((entry) => entry !== undefined) ? encodeEntries(entries) : undefined);
