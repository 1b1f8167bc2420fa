/**
 * Proves which entries the log has, out of copies that may all be damaged: bundle by bundle the likeliest leaf hashes are taken, and every signed size on the way says whether they are right. Where
 * they are not, the copies of the stretch since the last signed size are tried in other combinations, until the signed root comes out.
 */
import { TILE_WIDTH } from '../core/log/bundle';
import { combinations } from '../core/log/leaf-candidates';
import { appendLeaves, EMPTY_EDGE, hashCount, rootOfEdge, rootOfLeaves, type RightEdge } from '../core/log/merkle';
import { HASH_SIZE } from '../core/log/sha256';
import { checkpointCopyName } from '../core/verify/vault-name';
import type { Checkpoint } from '../core/log/checkpoint';
import { MendError, type Anchor } from './mend-anchor';
import { widthOf, type EntryEvidence } from './mend-evidence';

/** The log as far as it is proven. */
export interface ProvenLog {
  /** Entries [0, size) lead to a signed root; what the head states beyond is not proven by anything that is left. */
  readonly size: number;
  /** Root of each full bundle. */
  readonly roots: readonly Buffer[];
  /** Leaf hashes of the last bundle, where it is not full. */
  readonly edge: Buffer;
}

/** Bundles read before they are asked for. */
const READ_AHEAD = 16;
/** Combinations tried at one signed size, times the bundles each has to be recomputed over: seconds, not hours. */
const MAX_WORK = 5_000_000;
const MAX_TRIES = 2_000;
/** After so many signed sizes in a row that nothing leads to, only the last one is still tried: beyond a hole there is no way. */
const MAX_FAILURES = 3;

/** Throws `MendError` (`forked`), `VaultReadError`. `onProgress`: entries looked at. */
export async function proveLog(evidence: EntryEvidence, { head, signed }: Anchor, onProgress: (entries: number) => void = () => undefined): Promise<ProvenLog> {
  const proof = new LeafProof(evidence, head.checkpoint.size);
  const targets = [...signed.values()].map(({ checkpoint }) => checkpoint).filter(({ size }) => size > 0);
  targets.sort((a, b) => a.size - b.size);
  let failures = 0;
  for (const [i, target] of targets.entries()) {
    await proof.reach(target.size);
    onProgress(target.size);
    const isWorthTrying = failures < MAX_FAILURES || i === targets.length - 1;
    const end = isWorthTrying ? ((await proof.asChosen(target)) ?? (await proof.asSegmentsSay(target)) ?? (await proof.searched(target))) : undefined;
    if (end === undefined) {
      proof.passOver(target);
      failures++;
    } else {
      await proof.settle(target, end);
      failures = 0;
    }
  }
  return proof.proven();
}

/** Of a tree whose root came out right: the leaf hashes behind its last full bundle. */
type LastLeaves = Buffer;

class LeafProof {
  /** Likeliest root of each bundle so far, the last one's too where it is not full; undefined: not even that is told by anything. */
  private readonly roots: (Buffer | undefined)[] = [];
  private readonly ahead = new Map<number, ReturnType<EntryEvidence['standing']>>();
  /** Bundles before it are proven, and lie under `base`. */
  private open = 0;
  private base: RightEdge = EMPTY_EDGE;
  private settled: { readonly size: number; readonly last: LastLeaves } = { size: 0, last: Buffer.alloc(0) };
  private passed: Checkpoint[] = [];
  private remembered: { readonly index: number; readonly root: Buffer; readonly leaves: Buffer } | undefined;

  constructor(
    private readonly evidence: EntryEvidence,
    private readonly headSize: number,
  ) {}

  /** Takes the likeliest hashes of every bundle that begins before entry `end`. */
  async reach(end: number): Promise<void> {
    while (this.roots.length * TILE_WIDTH < end) {
      const index = this.roots.length;
      const standing = await this.standing(index);
      const isLikely = standing?.agreesWithTile === true;
      if (isLikely) this.remembered = { index, ...standing };
      this.roots.push(isLikely ? standing.root : await this.likeliest(index));
    }
  }

  private standing(index: number): ReturnType<EntryEvidence['standing']> {
    for (let i = index; i < index + READ_AHEAD && i * TILE_WIDTH < this.headSize; i++) {
      if (this.ahead.has(i)) continue;
      const reading = this.evidence.standing(i, this.headSize);
      reading.catch(() => undefined); // awaited in order, below, which throws it
      this.ahead.set(i, reading);
    }
    const standing = this.ahead.get(index) as ReturnType<EntryEvidence['standing']>;
    this.ahead.delete(index);
    return standing;
  }

  private async likeliest(index: number): Promise<Buffer | undefined> {
    const { candidates, roots } = await this.evidence.all(index, this.headSize);
    return candidates[0] === undefined ? roots[0] : rootOfLeaves(candidates[0]);
  }

  /** With the hashes that are chosen now. */
  async asChosen(target: Checkpoint): Promise<LastLeaves | undefined> {
    const root = this.roots[fullBundles(target)];
    const whole = target.size % TILE_WIDTH === 0 || root === undefined ? undefined : await this.leavesOf(fullBundles(target), root);
    const last = whole === undefined ? await this.lastCandidates(target) : [whole.subarray(0, (target.size % TILE_WIDTH) * HASH_SIZE)];
    const edge = this.edgeWith(this.roots, target);
    return edge && last.find((leaves) => isTree(edge, leaves, target));
  }

  /** The segments alone may lead from what is settled to the signed tree; then they are the likeliest. */
  async asSegmentsSay(target: Checkpoint): Promise<LastLeaves | undefined> {
    const edge = [...this.base.edge, ...appendLeaves(EMPTY_EDGE, this.settled.last).edge];
    if (!(await this.evidence.confirmSegments({ size: this.settled.size, edge }, target))) return undefined;
    for (let index = this.open; index * TILE_WIDTH < target.size; index++) this.roots[index] = await this.likeliest(index);
    return this.asChosen(target);
  }

  /** Tries other combinations of what copies say of the open bundles. The likeliest stays where none leads to the signed root. */
  async searched(target: Checkpoint): Promise<LastLeaves | undefined> {
    const full = fullBundles(target);
    const doubtful: { readonly index: number; readonly roots: readonly Buffer[] }[] = [];
    for (let index = this.open; index < full; index++) {
      const { candidates, roots: above } = await this.evidence.all(index, this.headSize);
      const known = candidates.map(rootOfLeaves);
      const roots = [...known, ...above.filter((root) => !known.some((each) => each.equals(root)))];
      if (roots[0] === undefined) return undefined;
      this.roots[index] = roots[0];
      if (roots.length > 1) doubtful.push({ index, roots });
    }
    const last = await this.lastCandidates(target);
    if (last.length === 0) return undefined;
    const limit = Math.min(MAX_TRIES, Math.ceil(MAX_WORK / (full - this.open + 1)));
    let tries = 0;
    for (const choice of combinations([...doubtful.map(({ roots }) => roots.length), last.length])) {
      if (++tries > limit) return undefined;
      const roots = [...this.roots];
      for (const [list, rank] of choice) if (list < doubtful.length) roots[doubtful[list]!.index] = doubtful[list]!.roots[rank];
      const leaves = last[choice.get(doubtful.length) ?? 0] as Buffer;
      const edge = this.edgeWith(roots, target);
      if (edge === undefined || !isTree(edge, leaves, target)) continue;
      for (const { index } of doubtful) this.roots[index] = roots[index];
      return leaves;
    }
    return undefined;
  }

  /** The right edge of the full bundles of `target`. */
  private edgeWith(roots: readonly (Buffer | undefined)[], target: Checkpoint): readonly Buffer[] | undefined {
    const stretch = roots.slice(this.open, fullBundles(target));
    return stretch.some((each) => each === undefined) ? undefined : appendLeaves(this.base, Buffer.concat(stretch as Buffer[])).edge;
  }

  /** What may stand behind the last full bundle of a tree. */
  private async lastCandidates({ size }: Checkpoint): Promise<readonly Buffer[]> {
    return size % TILE_WIDTH === 0 ? [Buffer.alloc(0)] : (await this.evidence.all(Math.floor(size / TILE_WIDTH), size)).candidates;
  }

  /** The leaf hashes of bundle `index` that have this root. */
  private async leavesOf(index: number, root: Buffer): Promise<Buffer | undefined> {
    if (this.remembered?.index === index && this.remembered.root.equals(root)) return this.remembered.leaves;
    const standing = await this.evidence.standing(index, this.headSize);
    const leaves = standing?.root.equals(root) === true ? standing.leaves : (await this.evidence.all(index, this.headSize)).candidates.find((each) => rootOfLeaves(each).equals(root));
    if (leaves !== undefined) this.remembered = { index, root, leaves };
    return leaves;
  }

  /** The signed root came out: what was chosen up to `target` is the log. */
  async settle(target: Checkpoint, last: LastLeaves): Promise<void> {
    // What was passed over for want of a way comes out now, or its signature contradicts that of a larger tree.
    for (const earlier of this.passed) if (await this.contradicts(earlier, target, last)) throw new MendError('forked', `${checkpointCopyName(earlier.size)} is signed, and states another tree than the entries have that ${checkpointCopyName(target.size)}, signed too, commits to`);
    this.passed = [];
    const full = fullBundles(target);
    this.base = appendLeaves(this.base, Buffer.concat(this.roots.slice(this.open, full) as Buffer[]));
    this.open = full;
    this.settled = { size: target.size, last };
    // What is chosen for the rest of the bundle has to begin like that.
    const chosen = this.roots[full] === undefined || last.length === 0 ? undefined : await this.leavesOf(full, this.roots[full]);
    if (chosen === undefined || chosen.subarray(0, last.length).equals(last)) return;
    const { candidates } = await this.evidence.all(full, this.headSize);
    const better = candidates.find((each) => each.subarray(0, last.length).equals(last));
    this.roots[full] = better && rootOfLeaves(better);
  }

  private async contradicts(earlier: Checkpoint, target: Checkpoint, last: LastLeaves): Promise<boolean> {
    const [index, bytes] = [fullBundles(earlier), (earlier.size % TILE_WIDTH) * HASH_SIZE];
    const root = this.roots[index];
    const leaves = index === fullBundles(target) ? last : bytes === 0 ? last : root && (await this.leavesOf(index, root));
    const edge = this.edgeWith(this.roots, earlier);
    // Of a bundle of which nothing is left but its root, nobody can tell.
    return leaves !== undefined && edge !== undefined && !isTree(edge, leaves.subarray(0, bytes), earlier);
  }

  passOver(target: Checkpoint): void {
    this.passed.push(target);
  }

  proven(): ProvenLog {
    const { size, last } = this.settled;
    return { size, roots: this.roots.slice(0, this.open) as Buffer[], edge: last };
  }
}

const fullBundles = ({ size }: Checkpoint): number => Math.floor(size / TILE_WIDTH);

const isTree = (edge: readonly Buffer[], last: LastLeaves, { root }: Checkpoint): boolean => rootOfEdge([...edge, ...appendLeaves(EMPTY_EDGE, last).edge]).equals(root);

/** Bundles of a log of `size`. */
export const bundleCount = (size: number): number => Math.ceil(size / TILE_WIDTH);
/** Whether `leaves` are those of bundle `index` as proven. */
export function isProven({ roots, edge, size }: ProvenLog, index: number, leaves: Buffer): boolean {
  if (hashCount(leaves) !== widthOf(index, size)) return false;
  const root = roots[index];
  return root === undefined ? edge.equals(leaves) : root.equals(rootOfLeaves(leaves));
}
