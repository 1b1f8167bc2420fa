/**
 * Which of several copies of the same 256 (or fewer) leaf hashes is the logged one. A vault holds each entry twice and its hash once, under
 * hashes that lead up to a signed root; so one damaged copy can be named and verification goes on with the right one, instead of blaming
 * everything after it.
 */
import { fullSubtreeRoot, hashAt, hashCount } from '../log/merkle';
import { TILE_WIDTH } from '../log/bundle';
import { HASH_SIZE } from '../log/sha256';

export interface LeafCopies {
  /** How many leaves there should be. */
  readonly width: number;
  /** Hashes in the stored tile, if it is there and has whole hashes; may be more or fewer than `width`. */
  readonly tile?: Buffer;
  /** The tile is proven right by the signed root (right edge of the tree). */
  readonly tileAuthentic: boolean;
  /** Leaf hashes of the stored bundle's entries, if it can be read. */
  readonly bundle?: Buffer;
  /** Leaf hashes that intact segments give for entry i of this run. */
  readonly segments: (i: number) => readonly Buffer[];
  /** The hash one level up that a full run should have; `authentic` if it is proven right by the signed root. */
  readonly parent?: { readonly hash: Buffer; readonly authentic: boolean };
}

export interface ChosenLeaves {
  /** The logged leaf hashes as far as can be known; undefined when no copy tells. */
  readonly leaves?: Buffer;
  /** Root of the run, if it is full and known. */
  readonly root?: Buffer;
  /** All copies agree on something that the authentic tree above contradicts; `root` is then the authentic one. */
  readonly contradicted: boolean;
  /** Copies differ and nothing tells which is right; `leaves` is one of them, and all that differ are suspects. */
  readonly undecided?: true;
  /** `leaves` is the only copy left, and nothing above confirms it: it may be damaged itself. */
  readonly unconfirmed?: true;
}

export function chooseLeaves(copies: LeafCopies): ChosenLeaves {
  const { width, parent } = copies;
  const exact = (hashes: Buffer | undefined): Buffer | undefined => (hashes !== undefined && hashCount(hashes) === width ? hashes : undefined);
  const full = width === TILE_WIDTH;
  const rootOf = (leaves: Buffer | undefined): Buffer | undefined => (full && leaves !== undefined ? fullSubtreeRoot(leaves) : undefined);
  const hasParent = (root: Buffer | undefined): boolean => parent !== undefined && root?.equals(parent.hash) === true;

  const tile = exact(copies.tile);
  const tileRoot = rootOf(tile);
  if (tile !== undefined && (copies.tileAuthentic || (parent?.authentic === true && hasParent(tileRoot)))) {
    return { leaves: tile, ...(tileRoot === undefined ? {} : { root: tileRoot }), contradicted: false };
  }
  // The healthy case of a tree whose right edge is damaged: two copies agree, nothing above can be asked.
  const candidates = [exact(copies.bundle), fromSegments(copies), tile];
  const proven = candidates.find((leaves) => hasParent(rootOf(leaves)));
  const agreed = proven !== undefined && parent?.authentic === true ? proven : (majority(copies) ?? proven);
  const present = candidates.filter((c) => c !== undefined);
  const leaves = agreed ?? present[0];
  const undecided = agreed !== undefined || present.length === 0 ? {} : present.length > 1 ? ({ undecided: true } as const) : ({ unconfirmed: true } as const);
  const root = rootOf(leaves);
  if (parent?.authentic === true && full && !hasParent(root)) return { ...(leaves === undefined ? {} : { leaves }), root: parent.hash, contradicted: leaves !== undefined, ...undecided };
  if (leaves === undefined) return { ...(parent === undefined || !full ? {} : { root: parent.hash }), contradicted: false };
  return { leaves, ...(root === undefined ? {} : { root }), contradicted: false, ...undecided };
}

function fromSegments({ width, segments }: LeafCopies): Buffer | undefined {
  const hashes: Buffer[] = [];
  for (let i = 0; i < width; i++) {
    const hash = segments(i)[0];
    if (hash === undefined) return undefined;
    hashes.push(hash);
  }
  return Buffer.concat(hashes);
}

/** Leaf by leaf what two copies agree on; undefined when some leaf has no two. */
function majority({ width, tile, bundle, segments }: LeafCopies): Buffer | undefined {
  const at = (hashes: Buffer | undefined, i: number): Buffer | undefined => (hashes !== undefined && i < hashCount(hashes) ? hashAt(hashes, i) : undefined);
  const chosen = Buffer.allocUnsafe(width * HASH_SIZE);
  for (let i = 0; i < width; i++) {
    const [t, b, s] = [at(tile, i), at(bundle, i), segments(i)];
    const agreed = t !== undefined && (b?.equals(t) === true || s.some((hash) => hash.equals(t))) ? t : b !== undefined && s.some((hash) => hash.equals(b)) ? b : undefined;
    if (agreed === undefined) return undefined;
    agreed.copy(chosen, i * HASH_SIZE);
  }
  return chosen;
}
