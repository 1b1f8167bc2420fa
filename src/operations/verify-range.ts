/**
 * Verification of a vault that is too big for one run, range by range, by the very verification that one run would be. A range begins where an interrupted run would go on: from a state that
 * is foretold, from the tiles that lead up to the signed root and from the segments around its beginning. It ends in the state it really came to. Where the end of each range is the beginning
 * of the next, all of them together are one run from the first entry to the last, and so is what they found. Where it is not, which takes damage, the two are done again as one: at worst it
 * comes to one run after all.
 *
 * Nothing that was foretold is believed: it is an assumption that the range before either confirms or does not.
 */
import { toBase64 } from '../core/log/base64';
import { TILE_WIDTH } from '../core/log/bundle';
import { hashAt, hashCount } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { partialWidth, rightEdgeOf } from '../core/log/tiles';
import { isOfShare, type Share } from '../core/shares';
import type { Finding } from '../core/verify/finding-codes';
import { openCheckpoint, trustKeys, type KeyTrust } from '../core/verify/key-trust';
import { CHECKPOINT, checkpointCopyName, classifyName, LOG_VKEYS, segmentsFrom } from '../core/verify/vault-name';
import type { VaultReader } from '../ports/vault-reader';
import { authenticTiles, type AuthenticTiles } from './authentic-tiles';
import { checkLocks, type LockPolicy, type LockSummary } from './verify-locks';
import type { NamedObjectsState } from './verify-objects';
import { SegmentReader, type SegmentsState } from './verify-segments';
import type { TreeState } from './verify-tree';
import { verifyVault, type VerifyOptions, type VerifyReport, type VerifyState } from './verify-vault';

/** Entries [from, to), both multiples of a bundle. */
export interface VerifyRange {
  readonly from: number;
  readonly to: number;
}

/** What all ranges of one verification have in common; plain JSON. */
export interface RangesPlan {
  /** The checkpoint that is verified, base64. */
  readonly checkpoint: string;
  /** Ascending, without gaps, from 0 to the last full bundle. */
  readonly ranges: readonly VerifyRange[];
}

/** What a range came to; plain JSON. */
export interface RangeResult {
  /** Of the state it began with, what decides how the run goes on; null: it could not be foretold, and the range was not looked at. */
  readonly start: string | null;
  /** Where it ended; null: the run ended in it, because nothing is left of the entries from there on. */
  readonly end: VerifyState | null;
}

/** A vault of ours that can be listed. */
export type ListedVault = VaultReader & Required<Pick<VaultReader, 'list'>>;

/** Whose state at a range's beginning is foretold from the segments of so many entries before it: three of the longest sealing rounds. */
const OVERLAP = 16_384;
/** Copies of the checkpoint tried for the key that signed last. */
const MAX_COPIES = 100;

/** The ranges, about `each` entries long; 'one': it is no more than one, or keys and checkpoint do not stand, and one run has to say why. Throws VaultReadError. */
export async function planRanges(vault: VaultReader, keys: VerifyOptions['keys'], each: number): Promise<RangesPlan | 'one'> {
  // `checkpoint` before `log.vkeys`, as the verification reads them.
  const bytes = await vault.get(CHECKPOINT);
  const { trust, findings } = trustKeys(await vault.get(LOG_VKEYS), keys);
  if (bytes === 'absent' || findings.length > 0) return 'one';
  const { trusted, checkpoint } = openCheckpoint(CHECKPOINT, bytes, trust, true);
  if (!trusted || checkpoint === undefined) return 'one';
  const end = Math.floor(checkpoint.size / TILE_WIDTH) * TILE_WIDTH;
  const length = Math.max(TILE_WIDTH, Math.floor(each / TILE_WIDTH) * TILE_WIDTH);
  const ranges = Array.from({ length: Math.ceil(end / length) }, (_, i) => ({ from: i * length, to: Math.min(end, (i + 1) * length) }));
  return ranges.length < 2 ? 'one' : { checkpoint: toBase64(bytes), ranges };
}

/** One range. `overlap`: see `OVERLAP`. Throws VaultReadError. */
export async function verifyRange(vault: ListedVault, options: RangeOptions, plan: RangesPlan, range: VerifyRange, overlap = OVERLAP): Promise<RangeResult> {
  const known = Math.max(0, range.from - overlap);
  const reader = partOf(vault, plan, { from: known, to: range.to });
  const start = range.from === 0 ? undefined : await foretell(reader, options.keys, plan, range.from, known);
  if (start === 'unknown') return { start: null, end: null };
  try {
    await verifyVault(reader, { ...options, profile: 'intact', ...(start !== undefined && { resume: start }), onProgress: ({ entries, state }) => {
      if (entries >= range.to) throw new Ended(state());
    } });
  } catch (ended) {
    if (!(ended instanceof Ended)) throw ended;
    return { start: start === undefined ? '' : decisive(start), end: ended.state };
  }
  return { start: start === undefined ? '' : decisive(start), end: null };
}

export type RangeOptions = Pick<VerifyOptions, 'keys' | 'remembered'>;

class Ended extends Error {
  constructor(readonly state: VerifyState) {
    super('the range ends here');
  }
}

/** The vault of a part: the checkpoint is the plan's, whatever was signed since; of the names those that decide something before `to`. */
function partOf(vault: ListedVault, plan: RangesPlan, segments: VerifyRange): ListedVault {
  const checkpoint = Buffer.from(plan.checkpoint, 'base64');
  return {
    source: vault.source,
    get: async (name) => (name === CHECKPOINT ? checkpoint : vault.get(name)),
    list: async function* (prefix) {
      if (prefix === 'segment/') return yield* segmentNames(vault, segments.from, segments.to);
      // Every other name is the merge's business.
      for (const each of prefix === '' ? ['checkpoints/', 'tile/'] : [prefix]) yield* vault.list(each);
    },
  };
}

/** Names of segments that begin in [from, to), ascending; `to` Infinity: all from there on. A few dozen listings, wherever in the log that is. */
async function* segmentNames({ list }: Pick<ListedVault, 'list'>, from: number, to: number): AsyncGenerator<string> {
  const first = segmentsFrom(from);
  const digits = first.length - String(from).padStart(20, '0').length;
  const prefixes = [first];
  // All that is larger shares the first digits, up to one that is larger.
  for (let at = first.length - 1; at >= digits; at--) for (let digit = Number(first[at]) + 1; digit <= 9; digit++) prefixes.push(`${first.slice(0, at)}${digit}`);
  for (const prefix of prefixes) {
    if (Number(prefix.slice(digits).padEnd(20, '0')) >= to) return;
    for await (const name of list(prefix)) {
      const known = classifyName(name);
      if (known.kind !== 'segment') continue;
      if (known.from >= to) return;
      yield name;
    }
  }
}

/** The state in which one run would come to entry `at`, if nothing is wrong near it. `known`: segments that begin before it are not looked at. */
async function foretell(reader: ListedVault, keys: RangeOptions['keys'], plan: RangesPlan, at: number, known: number): Promise<VerifyState | 'unknown'> {
  const { trust } = trustKeys(await reader.get(LOG_VKEYS), keys);
  const { checkpoint } = openCheckpoint(CHECKPOINT, Buffer.from(plan.checkpoint, 'base64'), trust, true);
  if (checkpoint === undefined) return 'unknown';
  const tiles = await authenticTiles(reader, checkpoint);
  const tree = await treeAt(tiles, at);
  const segments = tree === undefined ? undefined : await segmentsAt(reader, tiles, at, known);
  if (tree === undefined || segments === undefined) return 'unknown';
  const newestKey = await newestKeyAt(reader, trust, at);
  return {
    v: 1,
    checkpoint: plan.checkpoint,
    tree,
    checkpoints: { newestKey, newestBelow: newestKey, soundSize: 0, wrong: [], memory: 'unknown' },
    objects: { named: [], unsettled: [], snapshots: { named: 0, gone: 0 }, lostParts: [] },
    segments,
    orphans: [],
    findings: [],
  };
}

async function treeAt(tile: AuthenticTiles, at: number): Promise<TreeState | undefined> {
  const bundle = at / TILE_WIDTH;
  const unfinished: Buffer[] = [];
  for (let level = 1; TILE_WIDTH ** level <= at; level++) {
    const width = partialWidth(at, level);
    const hashes = width === 0 ? Buffer.alloc(0) : await tile(level, Math.floor(at / TILE_WIDTH ** (level + 1)));
    if (hashes === undefined || hashes.length < width * HASH_SIZE) return undefined;
    unfinished.push(hashes.subarray(0, width * HASH_SIZE));
  }
  const { edge } = rightEdgeOf({ size: at, tiles: [Buffer.alloc(0), ...unfinished] });
  const levels = unfinished.map((hashes) => Array.from({ length: hashCount(hashes) }, (_, i) => toBase64(hashAt(hashes, i))));
  return { bundle, tileEdge: edge.map(toBase64), levels, tiles: 0, hole: 0 };
}

/** The chain of segments at entry `at`, as those from `known` on make it, held against the authentic leaves. */
async function segmentsAt(reader: ListedVault, tile: AuthenticTiles, at: number, known: number): Promise<SegmentsState | undefined> {
  const segments = new SegmentReader(reader, () => undefined);
  for (let from = Math.floor(known / TILE_WIDTH) * TILE_WIDTH; from < at; from += TILE_WIDTH) {
    const leaves = await tile(0, from / TILE_WIDTH);
    if (leaves === undefined) return undefined;
    await segments.readUntil(from + TILE_WIDTH);
    segments.compare(from, leaves, undefined);
  }
  const { chain, ...rest } = segments.state();
  return { ...rest, chain: { ...chain, length: 0 } };
}

/** Place of the key that signed the last copy at or before `at`; -1: none was signed. */
async function newestKeyAt(reader: ListedVault, trust: KeyTrust, at: number): Promise<number> {
  const sizes: number[] = [];
  for await (const name of reader.list('checkpoints/')) {
    const known = classifyName(name);
    if (known.kind === 'checkpoint-copy' && known.size <= at) sizes.push(known.size);
  }
  for (const size of sizes.sort((a, b) => b - a).slice(0, MAX_COPIES)) {
    const bytes = await reader.get(checkpointCopyName(size));
    const opened = bytes === 'absent' ? undefined : openCheckpoint(checkpointCopyName(size), bytes, trust, false);
    if (opened?.trusted === true && opened.checkpoint?.size === size) return opened.key ?? -1;
  }
  return -1;
}

/** What of a state decides what the run does from there on, in one form. What it has collected so far is not part of it. */
function decisive({ tree: { bundle, tileEdge, levels, hole }, checkpoints: { newestKey, newestBelow }, segments }: VerifyState): string {
  const above = levels.slice(0, levels.findLastIndex((level) => level.length > 0) + 1);
  const { ends = [], damaged = [] } = segments?.chain ?? {};
  // A hole begins at an open end: what was damaged before all of them cannot explain one any more.
  const explaining = damaged.filter((from) => from >= Math.min(...ends));
  const byNumber = (a: number, b: number): number => a - b;
  return JSON.stringify([bundle, tileEdge, above, hole, newestKey, newestBelow, [...ends].sort(byNumber), explaining.sort(byNumber), segments?.pending ?? []]);
}

/** The ranges as they have to be done once more, each break undone; the same as in the plan where there is none. `results`: in the order of the plan. */
export function joinBroken({ ranges }: RangesPlan, results: readonly RangeResult[]): readonly VerifyRange[] {
  const joined: VerifyRange[] = [];
  for (const [i, range] of ranges.entries()) {
    const [before, { start }] = [results[i - 1], results[i]!];
    // Nothing is left from the range before on: what follows is looked at by whoever goes on from there.
    if (before !== undefined && before.end === null && before.start !== null) break;
    const last = joined.at(-1);
    const end = before?.end ?? null;
    if (last === undefined || (end !== null && decisive(end) === start)) joined.push(range);
    else joined[joined.length - 1] = { from: last.from, to: range.to };
  }
  return joined;
}

/**
 * The verification that all ranges are together, but for locks: goes on where the last of them ended, to the end of the log and what lies beyond it. `results`: of unbroken ranges (`joinBroken`),
 * in order. Throws VaultReadError.
 */
export async function concludeRanges(vault: ListedVault, options: RangeOptions, results: readonly RangeResult[]): Promise<VerifyReport> {
  const { source, get } = vault;
  const resume = together(results.flatMap(({ end }) => (end === null ? [] : [end])));
  const after = classifyName(resume?.segments?.after ?? '');
  const rest: ListedVault = {
    source,
    get: (name) => get(name),
    list: (prefix) => (prefix === 'segment/' && after.kind === 'segment' ? segmentNames(vault, after.from, Infinity) : vault.list(prefix)),
  };
  const report = await verifyVault(rest, { ...options, profile: 'intact', ...(resume !== undefined && { resume }) });
  // An object that entries of two ranges name was looked at by both.
  const findings = [...new Map(report.findings.map((found) => [JSON.stringify(found), found])).values()];
  return { ...report, findings };
}

/** The last state, with what all of them have collected. */
function together(states: readonly VerifyState[]): VerifyState | undefined {
  const last = states.at(-1);
  if (last === undefined) return undefined;
  const sum = (count: (state: VerifyState) => number): number => states.reduce((total, state) => total + count(state), 0);
  const { segments, tree, checkpoints } = last;
  return {
    ...last,
    tree: { ...tree, tiles: sum((state) => state.tree.tiles) },
    segments: segments && { ...segments, chain: { ...segments.chain, length: sum((state) => state.segments?.chain.length ?? 0) } },
    checkpoints: {
      ...checkpoints,
      soundSize: Math.max(...states.map((state) => state.checkpoints.soundSize)),
      wrong: states.flatMap((state) => state.checkpoints.wrong),
      memory: states.map((state) => state.checkpoints.memory).find((memory) => memory !== 'unknown') ?? 'unknown',
    },
    objects: objectsTogether(states.map(({ objects }) => objects)),
    orphans: states.flatMap(({ orphans }) => orphans),
    findings: states.flatMap(({ findings }) => findings),
  };
}

function objectsTogether(states: readonly NamedObjectsState[]): NamedObjectsState {
  const named = new Set(states.flatMap((state) => state.named));
  const manifests = [...named].filter((name) => classifyName(name).kind === 'snapshot-manifest').length;
  const lost = new Map(states.flatMap((state) => state.lostParts).map((part) => [JSON.stringify([part.name, part.manifest]), part]));
  const unsettled = new Map(states.flatMap((state) => state.unsettled).map((object) => [`${object.name}=${object.sha256}`, object]));
  const gone = states.reduce((total, { snapshots }) => total + snapshots.gone, 0);
  const counted = states.reduce((total, { snapshots }) => total + snapshots.named, 0);
  // Two ranges may name one manifest; those still being read are counted when they have been.
  return { named: [...named], unsettled: [...unsettled.values()], lostParts: [...lost.values()], snapshots: { named: Math.min(counted, manifests), gone: Math.min(gone, manifests) } };
}

/** The locks of a share of all names, and what is wrong with them. Throws VaultReadError. */
export async function verifyLocksOf(locks: NonNullable<VaultReader['locks']>, policy: LockPolicy | undefined, share: Share): Promise<LocksResult> {
  const findings: Finding[] = [];
  const versions = async function* (prefix?: string) {
    for await (const version of locks.versions(prefix)) if (isOfShare(version.name, share)) yield version;
  };
  const summary = await checkLocks({ lock: (version) => locks.lock(version), get: (version) => locks.get(version), versions }, policy, (found) => findings.push(found));
  return { summary, findings };
}

export interface LocksResult {
  readonly summary: LockSummary;
  readonly findings: readonly Finding[];
}

/** `report`, as if its run had looked at the locks too. `results`: of all shares. */
export function withLocks(report: VerifyReport, results: readonly LocksResult[]): VerifyReport {
  const summaries = results.map(({ summary }) => summary);
  const modes = new Set(summaries.flatMap(({ mode }) => (mode === null ? [] : [mode])));
  const days = summaries.flatMap(({ shortestDays }) => (shortestDays === null ? [] : [shortestDays]));
  const findings = [...report.findings, ...results.flatMap((result) => result.findings)];
  const locks: LockSummary = {
    checked: summaries.reduce((sum, { checked }) => sum + checked, 0),
    wrong: summaries.reduce((sum, { wrong }) => sum + wrong, 0),
    mode: modes.size > 1 ? 'mixed' : ([...modes][0] ?? null),
    shortestDays: days.length === 0 ? null : Math.min(...days),
    policy: summaries[0]?.policy ?? null,
  };
  return { ...report, ok: findings.length === 0, findings, locks, unchecked: report.unchecked.filter((what) => what !== 'locks') };
}
