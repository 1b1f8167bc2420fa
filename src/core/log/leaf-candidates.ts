/**
 * What the leaf hashes of one bundle may have been, told from copies that may all be damaged: tiles hold the hashes, bundles and segments the entries. Copies vote place by place, since one
 * flipped byte spoils one entry and not its neighbours; which candidate it was, a signed root decides, never the votes.
 */
import { entryLeafHashes, entryStarts } from './bundle';
import { hashAt, hashCount } from './merkle';
import { HASH_SIZE } from './sha256';

/** Leaf hashes that one copy gives, by place in the bundle; places it tells nothing about are absent. */
export interface LeafWitness {
  readonly hashes: ReadonlyMap<number, Buffer>;
  /** How much it counts. */
  readonly weight: number;
}

/** A tile's hashes as a witness; what is left of a truncated one. */
export function tileWitness(tile: Buffer, width: number, weight = 1): LeafWitness {
  const whole = tile.subarray(0, tile.length - (tile.length % HASH_SIZE));
  return { hashes: new Map(Array.from({ length: Math.min(width, hashCount(whole)) }, (_, i) => [i, hashAt(whole, i)])), weight };
}

/** Entries that begin at place `first` of the bundle, each with the hash of its own; the rest behind a length that reaches past the end is lost. */
export interface ReadEntries {
  readonly bytes: Buffer;
  /** As `entryStarts` gives them, of the part that could be read. */
  readonly starts: readonly number[];
  /** Leaf hashes, 32 bytes each. */
  readonly leaves: Buffer;
}

/** As much of a bundle or segment as can be read, and no more than `most` entries: an empty one takes two bytes, and its hash and place forty. */
export function readableEntries(bytes: Buffer, most: number): ReadEntries {
  const readable = readablePart(bytes, most);
  const starts = entryStarts(readable);
  return { bytes: readable, starts, leaves: entryLeafHashes(readable, starts) };
}

function readablePart(bytes: Buffer, most: number): Buffer {
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const next = at + 2 <= bytes.length ? at + 2 + bytes.readUInt16BE(at) : Infinity;
    if (next > bytes.length || n === most) return bytes.subarray(0, at);
    at = next;
  }
  return bytes;
}

/** What a run of leaf hashes that begins at place `first` (perhaps before the bundle) tells of the places [0, width). */
export function runWitness(leaves: Buffer, first: number, width: number, weight = 1): LeafWitness {
  const hashes = new Map<number, Buffer>();
  for (let place = Math.max(0, first); place < Math.min(width, first + hashCount(leaves)); place++) hashes.set(place, hashAt(leaves, place - first));
  return { hashes, weight };
}

/**
 * Whole vectors of `width` hashes, each once, likeliest first: what most witnesses say of each place, what a single witness says of all places, and then what few say of a few places. None where no
 * witness tells of some place. Witnesses named earlier win a tie. There may be very many: take a few.
 */
export function* leafCandidates(witnesses: readonly LeafWitness[], width: number): Generator<Buffer> {
  const places = Array.from({ length: width }, (_, place) => opinionsOn(place, witnesses));
  if (places.some((opinions) => opinions.length === 0)) return;
  const likeliest = Buffer.concat(places.map(([first]) => (first as Opinion).hash));
  const seen = [likeliest];
  yield likeliest;
  if (places.every((opinions) => opinions.length === 1)) return;
  for (const { hashes } of witnesses) {
    // Where one copy is silent, the likeliest stands in.
    const candidate = Buffer.concat(places.map(([first], place) => hashes.get(place) ?? (first as Opinion).hash));
    if (seen.some((each) => each.equals(candidate))) continue;
    seen.push(candidate);
    yield candidate;
  }
  for (const candidate of deviations(likeliest, places)) if (!seen.some((each) => each.equals(candidate))) yield candidate;
}

interface Opinion {
  readonly hash: Buffer;
  weight: number;
}

function opinionsOn(place: number, witnesses: readonly LeafWitness[]): Opinion[] {
  const opinions: Opinion[] = [];
  for (const witness of witnesses) {
    const hash = witness.hashes.get(place);
    if (hash === undefined) continue;
    const same = opinions.find((opinion) => opinion.hash.equals(hash));
    const weight = witness.weight * credibility(witness, place, witnesses);
    if (same === undefined) opinions.push({ hash, weight });
    else same.weight += weight;
  }
  return opinions.sort((a, b) => b.weight - a.weight); // stable: the earlier witness first
}

/** Behind a damaged length everything a witness says is wrong; whom others agree with on the places beside this one has read so far right. */
function credibility({ hashes }: LeafWitness, place: number, witnesses: readonly LeafWitness[]): number {
  const agreed = [place - 1, place + 1].filter((beside) => {
    const hash = hashes.get(beside);
    return hash !== undefined && witnesses.some((other) => other.hashes !== hashes && other.hashes.get(beside)?.equals(hash) === true);
  });
  return 1 + agreed.length;
}

/** Opinions that are weighed against the likeliest: all sets of so many are. */
const MOST_DOUBTFUL = 12;

/** `likeliest` with other opinions in some places, in the order of how much speaks against them. */
function* deviations(likeliest: Buffer, places: readonly (readonly Opinion[])[]): Generator<Buffer> {
  const doubtful = places
    .flatMap((opinions, place) => opinions.slice(1).map(({ hash, weight }) => ({ place, hash, margin: (opinions[0] as Opinion).weight - weight })))
    .sort((a, b) => a.margin - b.margin)
    .slice(0, MOST_DOUBTFUL);
  const sets = Array.from({ length: 2 ** doubtful.length - 1 }, (_, i) => doubtful.filter((_each, bit) => ((i + 1) >> bit) % 2 === 1))
    .filter((set) => new Set(set.map(({ place }) => place)).size === set.length)
    .map((set) => ({ set, margin: set.reduce((sum, { margin }) => sum + margin, 0) }))
    .sort((a, b) => a.margin - b.margin || a.set.length - b.set.length);
  for (const { set } of sets) {
    const candidate = Buffer.from(likeliest);
    for (const { place, hash } of set) hash.copy(candidate, place * HASH_SIZE);
    yield candidate;
  }
}

/** Another choice than the likeliest for some of many lists: place of the list → place in it, 1 and up. */
export type Choice = ReadonlyMap<number, number>;

/** One choice per list, in the order of how unlikely they are together; lists are likeliest first, `counts` says how many each has. Begins with the likeliest of all. */
export function* combinations(counts: readonly number[]): Generator<Choice> {
  const most = counts.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
  function* spend(rest: number, first: number, chosen: Choice): Generator<Choice> {
    if (rest === 0) return yield chosen;
    for (let list = first; list < counts.length; list++) {
      for (let rank = 1; rank <= Math.min(rest, (counts[list] as number) - 1); rank++) yield* spend(rest - rank, list + 1, new Map([...chosen, [list, rank]]));
    }
  }
  for (let sum = 0; sum <= most; sum++) yield* spend(sum, 0, new Map());
}
