/**
 * Re-derives every tile and the root of a log from its entries, one bundle after another, and names each object that differs. Holds one tile
 * per level and a few bundles read ahead, however large the log.
 *
 * A damaged object must not throw suspicion on the rest, so the tree is trusted from both ends: from the signed root downwards (a stored tile
 * that hashes to what its parent holds is right) and, where that path is broken, by what the other copies of the entries agree on.
 */
import { toBase64 } from '../core/log/base64';
import { encodeEntries, entryAt, entryLeafHashes, entryStarts, TILE_WIDTH } from '../core/log/bundle';
import { LogFormatError } from '../core/log/log-format-error';
import { appendLeaves, EMPTY_EDGE, EMPTY_ROOT, fullSubtreeRoot, hashAt, rootOfEdge, type RightEdge } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { tilePath, type TileName } from '../core/log/tile-path';
import { edgeTileNames, levelCount, partialWidth, rightEdgeOf, type TreeEdge } from '../core/log/tiles';
import { chooseLeaves } from '../core/verify/choose-leaves';
import { diffEntries } from '../core/verify/entry-diff';
import { finding, type Finding } from '../core/verify/finding-codes';
import type { BundleRun, VaultReader } from '../ports/vault-reader';
import { tileKey } from './verify-names';
import type { SegmentReader } from './verify-segments';

export interface TreeTask {
  readonly reader: Pick<VaultReader, 'get'>;
  /** Bundles from the first one to be checked on, examined ahead. */
  readonly examined: BundleRun | undefined;
  readonly size: number;
  /** The root that a trusted checkpoint states; undefined when none is trusted. */
  readonly signedRoot: Buffer | undefined;
  /** Widths of stored partial tiles, by tileKey. */
  readonly partials: ReadonlyMap<string, readonly number[]>;
  /** One past the last entry any stored bundle could hold; undefined where the store cannot be listed. */
  readonly bundlesEnd: number | undefined;
  readonly segments: SegmentReader | undefined;
  /** Ascending sizes at which `onRoot` is called. */
  readonly rootsAt: readonly number[];
  readonly report: (finding: Finding) => void;
  readonly onRoot: (size: number, root: Buffer | undefined) => Promise<void>;
  /** The logged entry `index`, as far as any object still holds it. */
  readonly onEntry: ((index: number, entry: Buffer) => Promise<void> | void) | undefined;
  /** After each full bundle: there the derivation can be stopped and gone on from. Throws to stop. */
  readonly onBundle: (entries: number) => void;
}

/** Between two bundles: enough to go on in another process. Hashes in base64, null where unknown. */
export interface TreeState {
  readonly bundle: number;
  readonly tileEdge: readonly string[] | null;
  readonly levels: readonly (readonly (string | null)[])[];
  readonly tiles: number;
  /** Bundles in a row, up to this one, of which no copy is left. */
  readonly hole: number;
}

export interface DerivedTree {
  readonly root: Buffer | undefined;
  /** The right edge with the entries of the partial bundle, where all is known. */
  readonly edge: TreeEdge | undefined;
}

/** Bundles requested before they are needed: hides the latency of a remote store, bounds the memory (16 MB a bundle at the very most). */
const READ_AHEAD = 16;
/** After so many bundles of which no copy is left, where none can be expected either, the rest is reported as one hole. */
const HOLE_LIMIT = 1000;

interface Stored {
  readonly name: string;
  readonly bytes: Buffer;
}
interface LeafObjects {
  readonly tile: Stored | undefined;
  readonly bundle: Stored | undefined;
}
interface StoredTile {
  readonly index: number;
  readonly stored: Stored | undefined;
  readonly authentic: boolean;
}

export class TreeCheck {
  private bundle = 0;
  private tiles = 0;
  private hole = 0;
  /** The tree over tile roots so far; undefined once a tile is unknown. */
  private tileEdge: RightEdge | undefined = EMPTY_EDGE;
  /** Derived hashes of the unfinished tile at each level from 1. */
  private levels: (Buffer | undefined)[][] = [[]];
  private readonly storedTiles = new Map<number, StoredTile>();
  private edgeTiles: (Stored | undefined)[] = [];
  private edgeAuthentic = false;
  private readonly ahead = new Map<number, Promise<LeafObjects>>();
  private nextRoot = 0;
  private examined: BundleRun | undefined;

  constructor(
    private readonly task: TreeTask,
    state?: TreeState,
  ) {
    if (state === undefined) return;
    this.bundle = state.bundle;
    this.tiles = state.tiles;
    this.hole = state.hole;
    const edge = state.tileEdge?.map((hash) => Buffer.from(hash, 'base64'));
    this.tileEdge = edge === undefined ? undefined : { size: state.bundle, edge };
    this.levels = state.levels.map((level) => level.map((hash) => (hash === null ? undefined : Buffer.from(hash, 'base64'))));
    while ((task.rootsAt[this.nextRoot] ?? Infinity) <= this.bundle * TILE_WIDTH && this.bundle > 0) this.nextRoot++;
  }

  get tileCount(): number {
    return this.tiles;
  }

  state(): TreeState {
    return {
      bundle: this.bundle,
      tileEdge: this.tileEdge?.edge.map(toBase64) ?? null,
      levels: this.levels.map((level) => level.map((hash) => (hash === undefined ? null : toBase64(hash)))),
      tiles: this.tiles,
      hole: this.hole,
    };
  }

  async run(): Promise<DerivedTree> {
    const { size, segments, onBundle, examined } = this.task;
    await this.readEdgeTiles();
    // What was examined ahead is held against the tree above; without one it shows nothing.
    if (this.edgeAuthentic) this.examined = examined;
    if (this.bundle === 0) await this.rootsUpTo(0, () => EMPTY_ROOT);
    let last: PartialRun | undefined;
    while (this.bundle * TILE_WIDTH < size) {
      const run = await this.checkBundle(this.bundle);
      this.hole = run.leaves === undefined ? this.hole + 1 : 0;
      if (run.width < TILE_WIDTH) last = run;
      this.bundle++;
      if (this.hole >= HOLE_LIMIT && this.bundle * TILE_WIDTH >= (this.task.bundlesEnd ?? 0)) return await this.giveUp();
      if (run.width === TILE_WIDTH) onBundle(this.bundle * TILE_WIDTH);
    }
    segments?.finishAt(size);
    return this.finish(last);
  }

  /** The tiles on the right edge, and whether they have the signed root together: then every hash in them is right. */
  private async readEdgeTiles(): Promise<void> {
    const { size, signedRoot } = this.task;
    this.edgeTiles = await Promise.all(edgeTileNames(size).map((name) => (name === undefined ? undefined : this.read(name))));
    const tiles = this.edgeTiles.map((tile) => tile?.bytes ?? Buffer.alloc(0));
    const whole = tiles.every((bytes, level) => bytes.length === partialWidth(size, level) * HASH_SIZE);
    this.edgeAuthentic = whole && signedRoot !== undefined && rootOfEdge(rightEdgeOf({ size, tiles }).edge).equals(signedRoot);
  }

  /** A tile or bundle; where the partial form is gone, the full one stands in, and its beginning is what counts. */
  private async read(tile: TileName): Promise<Stored | undefined> {
    const name = tilePath(tile);
    const bytes = await this.task.reader.get(name);
    if (bytes !== 'absent') return { name, bytes };
    if (tile.width === TILE_WIDTH) return undefined;
    const fullName = tilePath({ ...tile, width: TILE_WIDTH });
    const full = await this.task.reader.get(fullName);
    if (full === 'absent') return undefined;
    if (tile.level !== 'entries') return { name: fullName, bytes: full.subarray(0, tile.width * HASH_SIZE) };
    try {
      return { name: fullName, bytes: full.subarray(0, entryStarts(full)[tile.width] ?? full.length) };
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      return { name: fullName, bytes: full };
    }
  }

  private widthOf(index: number): number {
    return Math.min(TILE_WIDTH, this.task.size - index * TILE_WIDTH);
  }

  private objectsOf(index: number): Promise<LeafObjects> {
    const readAhead = this.examined === undefined ? READ_AHEAD : 1;
    for (let i = index; i < index + readAhead && i * TILE_WIDTH < this.task.size; i++) {
      if (this.ahead.has(i)) continue;
      const width = this.widthOf(i);
      const isEdge = width < TILE_WIDTH;
      const objects = Promise.all([isEdge ? this.edgeTiles[0] : this.read({ level: 0, index: i, width }), this.read({ level: 'entries', index: i, width })]).then(([tile, bundle]) => ({ tile, bundle }));
      objects.catch(() => undefined); // awaited in order, below, which throws it
      this.ahead.set(i, objects);
    }
    const objects = this.ahead.get(index)!;
    this.ahead.delete(index);
    return objects;
  }

  private async checkBundle(index: number): Promise<PartialRun> {
    const { segments, report } = this.task;
    const width = this.widthOf(index);
    const from = index * TILE_WIDTH;
    const proven = width === TILE_WIDTH ? await this.checkExamined(index) : undefined;
    if (proven !== undefined) return proven;
    const { tile, bundle } = await this.objectsOf(index);
    await segments?.readUntil(from + width);
    const parsed = this.parseBundle(index, width, bundle);
    const tileBytes = this.wholeHashes({ level: 0, index, width }, tile);
    const parent = width === TILE_WIDTH ? await this.parentHash(1, index) : undefined;
    const chosen = chooseLeaves({
      width,
      ...(tileBytes === undefined ? {} : { tile: tileBytes }),
      tileAuthentic: width < TILE_WIDTH && this.edgeAuthentic,
      ...(parsed === undefined ? {} : { bundle: parsed.hashes }),
      segments: (i) => segments?.hashesAt(from + i) ?? [],
      ...(parent === undefined ? {} : { parent }),
    });
    const bundleName = bundle?.name ?? tilePath({ level: 'entries', index, width });
    if (chosen.contradicted) report(finding('entries-altered', bundleName, `entries ${from} to ${from + width - 1} do not have the hash that the tree above holds for them`, from));
    const { leaves } = chosen;
    if (chosen.unconfirmed === true) {
      // Its innocence cannot be shown, and an altered object must not pass because everything around it was altered too.
      if (tileBytes !== undefined) report(finding('tile-altered', tile!.name, 'it is the only readable copy of these hashes, and the tree above does not confirm it', from));
      if (parsed !== undefined) report(finding('entries-altered', bundleName, 'it is the only readable copy of these entries, and the tree above does not confirm it', from));
    }
    if (leaves !== undefined) {
      if (tileBytes !== undefined) this.compareTile({ level: 0, index, width }, tile!.name, tileBytes, leaves);
      const suspect = chosen.undecided === true && tileBytes?.length === leaves.length ? tileBytes : leaves;
      if (parsed !== undefined) diffEntries(bundleName, parsed.hashes, suspect, from).forEach(report);
    }
    const right = leaves !== undefined && parsed?.hashes.equals(leaves) === true ? parsed : undefined;
    if (leaves !== undefined) await this.comparePartials(index, width, leaves, right);
    const entries = leaves === undefined ? undefined : await this.entriesOf(from, leaves, right, width < TILE_WIDTH);
    if (leaves === undefined) segments?.decide(from + width);
    else segments?.compare(from, leaves, right);
    await this.rootsUpTo(from + width, (at) => this.rootWithin(at - from, leaves, chosen.root));
    if (width === TILE_WIDTH) await this.push(1, index, chosen.root);
    return { width, leaves, entries };
  }

  /** The short way through a bundle that an examination ahead found to be what the authentic tree above says; undefined: look at every copy of it. */
  private async checkExamined(index: number): Promise<PartialRun | undefined> {
    const { partials, rootsAt, segments, onEntry } = this.task;
    const from = index * TILE_WIDTH;
    const to = from + TILE_WIDTH;
    const examined = await this.examined?.take(index);
    if (examined === undefined) return undefined;
    const parent = await this.parentHash(1, index);
    if (parent?.authentic !== true || !parent.hash.equals(examined.root)) return undefined;
    const hasPartials = partials.has(tileKey({ level: 0, index })) || partials.has(tileKey({ level: 'entries', index }));
    if (hasPartials || (rootsAt[this.nextRoot] ?? Infinity) < to) return undefined;
    this.tiles++;
    const { judged } = examined;
    if (judged !== undefined) {
      const starts = entryStarts(judged.bundle);
      await segments?.readUntil(to);
      for (const i of judged.remarkable) await onEntry?.(from + i, entryAt(judged.bundle, starts, i));
      segments?.compare(from, judged.tile, { bytes: judged.bundle, starts });
    }
    await this.rootsUpTo(to, () => this.rootWithin(TILE_WIDTH, undefined, examined.root));
    await this.push(1, index, examined.root);
    return { width: TILE_WIDTH, leaves: judged?.tile ?? NOT_KEPT, entries: undefined };
  }

  /** The bundle's entries, cut or found short; reports what cannot be read. */
  private parseBundle(index: number, width: number, bundle: Stored | undefined): ParsedBundle | undefined {
    const from = index * TILE_WIDTH;
    if (bundle === undefined) {
      this.task.report(finding('bundle-missing', tilePath({ level: 'entries', index, width }), `the bundle of entries ${from} to ${from + width - 1} is not there`, from));
      return undefined;
    }
    try {
      const starts = entryStarts(bundle.bytes);
      return { bytes: bundle.bytes, starts, hashes: entryLeafHashes(bundle.bytes, starts) };
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      this.task.report(finding('bundle-unreadable', bundle.name, error.message, from));
      return undefined;
    }
  }

  /** The stored hashes if they can be compared at all; reports a tile that is missing or is no run of hashes. */
  private wholeHashes(tile: TileName & { readonly level: number }, stored: Stored | undefined): Buffer | undefined {
    const first = tile.index * TILE_WIDTH ** (tile.level + 1);
    if (stored === undefined) {
      this.task.report(finding('tile-missing', tilePath(tile), `the tile of ${tile.width} hashes is not there`, first));
      return undefined;
    }
    this.tiles++;
    if (stored.bytes.length % HASH_SIZE === 0) return stored.bytes;
    this.task.report(finding('tile-altered', stored.name, `it has ${stored.bytes.length} bytes in place of ${tile.width * HASH_SIZE}`, first));
    return undefined;
  }

  private compareTile(tile: TileName & { readonly level: number }, name: string, actual: Buffer, derived: Buffer): void {
    if (actual.equals(derived)) return;
    const { level, index } = tile;
    if (actual.length !== derived.length) {
      this.task.report(finding('tile-altered', name, `it holds ${actual.length / HASH_SIZE} hashes in place of ${derived.length / HASH_SIZE}`, index * TILE_WIDTH ** (level + 1)));
      return;
    }
    for (let i = 0; i < derived.length / HASH_SIZE; i++) {
      if (hashAt(actual, i).equals(hashAt(derived, i))) continue;
      const entry = (index * TILE_WIDTH + i) * TILE_WIDTH ** level;
      this.task.report(finding('tile-altered', name, `hash ${i} is ${toBase64(hashAt(actual, i))}, the entries make it ${toBase64(hashAt(derived, i))}`, entry));
    }
  }

  /** Other partial forms of the tile and bundle at `index` that are still there: an earlier checkpoint was served with them. */
  private async comparePartials(index: number, width: number, leaves: Buffer, right: ParsedBundle | undefined): Promise<void> {
    await this.compareTilePartials(0, index, width, leaves);
    for (const partial of this.task.partials.get(tileKey({ level: 'entries', index })) ?? []) {
      if (partial >= width) continue;
      const name = tilePath({ level: 'entries', index, width: partial });
      const bytes = await this.task.reader.get(name);
      if (bytes === 'absent') continue; // replaced by the full bundle meanwhile
      if (right?.bytes.subarray(0, right.starts[partial]).equals(bytes) === true) continue;
      try {
        const actual = entryLeafHashes(bytes, entryStarts(bytes));
        diffEntries(name, actual, leaves.subarray(0, partial * HASH_SIZE), index * TILE_WIDTH).forEach(this.task.report);
      } catch (error) {
        if (!(error instanceof LogFormatError)) throw error;
        this.task.report(finding('bundle-unreadable', name, error.message, index * TILE_WIDTH));
      }
    }
  }

  private async compareTilePartials(level: number, index: number, width: number, hashes: Buffer): Promise<void> {
    for (const partial of this.task.partials.get(tileKey({ level, index })) ?? []) {
      if (partial >= width) continue;
      const name = tilePath({ level, index, width: partial });
      const bytes = await this.task.reader.get(name);
      if (bytes === 'absent') continue;
      if (bytes.length % HASH_SIZE === 0) this.compareTile({ level, index, width: partial }, name, bytes, hashes.subarray(0, partial * HASH_SIZE));
      else this.task.report(finding('tile-altered', name, `it has ${bytes.length} bytes in place of ${partial * HASH_SIZE}`, index * TILE_WIDTH ** (level + 1)));
    }
  }

  /** Hands out the logged entries; returns them where the caller needs them (`keep`) and all are known. */
  private async entriesOf(from: number, leaves: Buffer, right: ParsedBundle | undefined, keep: boolean): Promise<Buffer[] | undefined> {
    const { onEntry, segments } = this.task;
    if (onEntry === undefined && !keep) return undefined;
    const kept: Buffer[] = [];
    for (let i = 0; i < leaves.length / HASH_SIZE; i++) {
      const entry = right === undefined ? segments?.entryAt(from + i, hashAt(leaves, i)) : entryAt(right.bytes, right.starts, i);
      if (entry === undefined) continue; // no object holds it any more; that was reported
      if (keep) kept.push(entry);
      const pending = onEntry?.(from + i, entry);
      if (pending !== undefined) await pending;
    }
    return keep && kept.length * HASH_SIZE === leaves.length ? kept : undefined;
  }

  /** Root of the log that ends `width` entries into the current run. */
  private rootWithin(width: number, leaves: Buffer | undefined, root: Buffer | undefined): Buffer | undefined {
    if (this.tileEdge === undefined) return undefined;
    if (width === TILE_WIDTH) return root === undefined ? undefined : rootOfEdge(appendLeaves(this.tileEdge, root).edge);
    return leaves === undefined ? undefined : rootOfEdge([...this.tileEdge.edge, ...appendLeaves(EMPTY_EDGE, leaves.subarray(0, width * HASH_SIZE)).edge]);
  }

  private async rootsUpTo(size: number, rootAt: (size: number) => Buffer | undefined): Promise<void> {
    const { rootsAt, onRoot } = this.task;
    for (let at = rootsAt[this.nextRoot]; at !== undefined && at <= size; at = rootsAt[++this.nextRoot]) await onRoot(at, rootAt(at));
  }

  /** The hash that the tree holds for tile `index` of the level below `level`. */
  private async parentHash(level: number, index: number): Promise<{ readonly hash: Buffer; readonly authentic: boolean } | undefined> {
    const { stored, authentic } = await this.storedTile(level, Math.floor(index / TILE_WIDTH));
    const at = (index % TILE_WIDTH) * HASH_SIZE;
    return stored === undefined || stored.bytes.length < at + HASH_SIZE ? undefined : { hash: stored.bytes.subarray(at, at + HASH_SIZE), authentic };
  }

  /** The stored tile at a level from 1, kept while the entries under it pass by. */
  private async storedTile(level: number, index: number): Promise<StoredTile> {
    const kept = this.storedTiles.get(level);
    if (kept?.index === index) return kept;
    const tile = await this.readInner(level, index);
    this.storedTiles.set(level, tile);
    return tile;
  }

  private async readInner(level: number, index: number): Promise<StoredTile> {
    const { size } = this.task;
    if (level >= levelCount(size)) return { index, stored: undefined, authentic: false };
    if (index === Math.floor(size / TILE_WIDTH ** (level + 1))) return { index, stored: this.edgeTiles[level], authentic: this.edgeAuthentic };
    const [stored, parent] = [await this.read({ level, index, width: TILE_WIDTH }), await this.parentHash(level + 1, index)];
    const whole = stored?.bytes.length === TILE_WIDTH * HASH_SIZE;
    return { index, stored, authentic: whole && parent?.authentic === true && fullSubtreeRoot(stored.bytes).equals(parent.hash) };
  }

  /** Appends a hash to the unfinished tile at `level`, and what follows when that fills it. */
  private async push(level: number, index: number, hash: Buffer | undefined): Promise<void> {
    if (level === 1) this.tileEdge = hash === undefined || this.tileEdge === undefined ? undefined : appendLeaves(this.tileEdge, hash);
    const derived = (this.levels[level - 1] ??= []);
    derived.push(hash);
    if (derived.length < TILE_WIDTH) return;
    this.levels[level - 1] = [];
    const tile = { level, index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH };
    const { stored } = await this.storedTile(level, tile.index);
    await this.settle(tile, stored, derived);
    const parent = await this.parentHash(level + 1, tile.index);
    let root = derived.every((h) => h !== undefined) ? fullSubtreeRoot(Buffer.concat(derived)) : undefined;
    if (parent?.authentic === true && root?.equals(parent.hash) === false) {
      const first = tile.index * TILE_WIDTH ** (level + 1);
      this.task.report(finding('entries-altered', tilePath(tile), `the ${TILE_WIDTH ** (level + 1)} entries from ${first} on do not have the hash that the tree above holds for them`, first));
      root = undefined;
    }
    await this.push(level + 1, tile.index, root ?? (parent?.authentic === true ? parent.hash : undefined));
  }

  /** Compares a stored tile with what was derived, as far as that is known. */
  private async settle(tile: TileName & { readonly level: number }, stored: Stored | undefined, derived: readonly (Buffer | undefined)[]): Promise<void> {
    const bytes = this.wholeHashes(tile, stored);
    const known = bytes === undefined ? derived : derived.map((hash, i) => hash ?? (bytes.length >= (i + 1) * HASH_SIZE ? hashAt(bytes, i) : undefined));
    if (!known.every((hash) => hash !== undefined)) return;
    const hashes = Buffer.concat(known);
    if (bytes !== undefined) this.compareTile(tile, stored!.name, bytes, hashes);
    await this.compareTilePartials(tile.level, tile.index, tile.width, hashes);
  }

  private async finish(last: PartialRun | undefined): Promise<DerivedTree> {
    const { size } = this.task;
    const tiles: (Buffer | undefined)[] = [partialWidth(size, 0) === 0 ? Buffer.alloc(0) : last?.leaves];
    for (let level = 1; level < levelCount(size); level++) {
      const derived = this.levels[level - 1] ?? [];
      const width = partialWidth(size, level);
      if (width > 0) await this.settle({ level, index: Math.floor(size / TILE_WIDTH ** (level + 1)), width }, this.edgeTiles[level], derived);
      tiles.push(derived.every((hash) => hash !== undefined) ? Buffer.concat(derived) : undefined);
    }
    if (size === 0) return { root: EMPTY_ROOT, edge: { size: 0, tiles: [], bundle: Buffer.alloc(0) } };
    if (!tiles.every((tile) => tile !== undefined)) return { root: undefined, edge: undefined };
    const entries = last === undefined ? [] : last.entries;
    const edge = entries === undefined ? undefined : { size, tiles, bundle: encodeEntries(entries) };
    return { root: rootOfEdge(rightEdgeOf({ size, tiles }).edge), edge };
  }

  private async giveUp(): Promise<DerivedTree> {
    const { size, report } = this.task;
    await this.rootsUpTo(size, () => undefined);
    const from = this.bundle * TILE_WIDTH;
    if (from < size) report(finding('bundle-missing', tilePath({ level: 'entries', index: this.bundle, width: this.widthOf(this.bundle) }), `nothing is there of entries ${from} to ${size - 1}`, from));
    return { root: undefined, edge: undefined };
  }
}

/** Leaves that are known to be right and that nobody asked for. */
const NOT_KEPT = Buffer.alloc(0);

interface ParsedBundle {
  readonly bytes: Buffer;
  readonly starts: readonly number[];
  readonly hashes: Buffer;
}

interface PartialRun {
  readonly width: number;
  readonly leaves: Buffer | undefined;
  readonly entries: readonly Buffer[] | undefined;
}
