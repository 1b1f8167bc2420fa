/**
 * Reads the segments of a vault in the order of the log, a few at a time, and decides for each whether it is part of the chain once the log's
 * own entries are known.
 */
import { entryAt, entryLeafHashes, entryStarts } from '../core/log/bundle';
import { LogFormatError } from '../core/log/log-format-error';
import { hashAt, hashCount } from '../core/log/merkle';
import { HASH_SIZE, sha256Hex } from '../core/log/sha256';
import { finding, type Finding } from '../core/verify/finding-codes';
import { SegmentChain, type ChainState, type SegmentSpan } from '../core/verify/segment-chain';
import { classifyName, segmentName } from '../core/verify/vault-name';
import type { VaultReader } from '../ports/vault-reader';

/** A segment as it is stored. */
export interface Segment extends SegmentSpan {
  readonly bytes: Buffer;
  readonly starts: readonly number[];
  /** Leaf hashes; made when first needed, because a segment equal to its bundle is compared as bytes. */
  hashes?: Buffer;
  /** Some entry of it is not the log's. */
  foreign: boolean;
  /** It lacks the hash in its name: no part of the chain, but an entry that agrees with another copy still speaks for that copy. */
  readonly altered: boolean;
}

/** Between two bundles, as plain JSON: the names read and not yet decided, and the last name read. */
export interface SegmentsState {
  readonly chain: ChainState;
  readonly after: string;
  readonly pending: readonly { readonly name: string; readonly foreign: boolean }[];
}

/** Names read ahead in one go; a segment is the entries of one round, a few MB at most. */
const READ_AHEAD = 16;

export class SegmentReader {
  readonly chain: SegmentChain;
  private window: Segment[] = [];
  private readonly names: AsyncIterator<string>;
  private queue: { readonly from: number; readonly sha256: string; readonly bytes: Promise<Buffer | 'absent'> }[] = [];
  private exhausted = false;
  /** The last name taken from the queue. */
  private after: string;
  /** Names to read again after an interruption, with what was known of them. */
  private readonly resumed: { readonly name: string; readonly foreign: boolean }[];

  constructor(
    private readonly reader: Required<Pick<VaultReader, 'get' | 'list'>>,
    private readonly report: (finding: Finding) => void,
    state?: SegmentsState,
  ) {
    this.chain = new SegmentChain(state?.chain);
    this.after = state?.after ?? '';
    this.resumed = [...(state?.pending ?? [])];
    this.names = reader.list('segment/')[Symbol.asyncIterator]();
  }

  state(): SegmentsState {
    return { chain: this.chain.state(), after: this.after, pending: this.window.map(({ name, foreign }) => ({ name, foreign })) };
  }

  /** Segments read and not yet decided. */
  get pending(): readonly Segment[] {
    return this.window;
  }

  /** Reads every segment that begins before entry `end`. */
  async readUntil(end: number): Promise<void> {
    for (const { name, foreign } of this.resumed.splice(0)) {
      const known = classifyName(name);
      const segment = known.kind === 'segment' ? this.parse(known.from, known.sha256, await this.reader.get(name)) : undefined;
      if (segment !== undefined) this.window.push({ ...segment, foreign });
    }
    for (;;) {
      await this.fill();
      const next = this.queue[0];
      if (next === undefined || next.from >= end) return;
      this.queue.shift();
      this.after = segmentName(next.from, next.sha256);
      const segment = this.parse(next.from, next.sha256, await next.bytes);
      if (segment !== undefined) this.window.push(segment);
    }
  }

  private async fill(): Promise<void> {
    while (!this.exhausted && this.queue.length < READ_AHEAD) {
      const { done, value } = await this.names.next();
      if (done === true) {
        this.exhausted = true;
        return;
      }
      const known = classifyName(value);
      // Another name under segment/ was reported by the sweep over all names.
      if (known.kind !== 'segment' || value <= this.after) continue;
      const bytes = this.reader.get(value);
      bytes.catch(() => undefined); // awaited in order, by readUntil, which throws it
      this.queue.push({ from: known.from, sha256: known.sha256, bytes });
    }
  }

  private parse(from: number, sha256: string, bytes: Buffer | 'absent'): Segment | undefined {
    const name = segmentName(from, sha256);
    if (bytes === 'absent') {
      this.report(finding('segment-missing', name, 'it was listed, and is gone now', from));
      return undefined;
    }
    const actual = sha256Hex(bytes);
    const altered = actual !== sha256;
    if (altered) {
      this.chain.noteDamaged(from);
      this.report(finding('segment-altered', name, `its bytes have the hash ${actual}`, from));
    }
    try {
      const starts = entryStarts(bytes);
      return { name, from, to: from + starts.length - 1, bytes, starts, foreign: false, altered };
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      if (!altered) this.chain.reject({ name, from, to: from }); // somebody wrote this under its true hash; no round of ours did
      return undefined;
    }
  }

  /** Leaf hashes that the segments read give for entry `index`, those on the chain first. */
  hashesAt(index: number): Buffer[] {
    return this.holding(index).map((segment) => hashAt(leafHashesOf(segment), index - segment.from));
  }

  /** The bytes of entry `index` whose leaf hash is `hash`, if a segment holds them. */
  entryAt(index: number, hash: Buffer): Buffer | undefined {
    const segment = this.holding(index).find((s) => hashAt(leafHashesOf(s), index - s.from).equals(hash));
    return segment === undefined ? undefined : entryAt(segment.bytes, segment.starts, index - segment.from);
  }

  private holding(index: number): Segment[] {
    const held = this.window.filter(({ from, to, foreign }) => from <= index && index < to && !foreign);
    return held.sort((a, b) => Number(this.chain.endsAt(b.from)) - Number(this.chain.endsAt(a.from)));
  }

  /**
   * The log's entries [from, from + n) are known now: `bundle` holds exactly their bytes if that object is right, `leaves` their hashes.
   * Decides the segments that end here.
   */
  compare(from: number, leaves: Buffer, bundle: { readonly bytes: Buffer; readonly starts: readonly number[] } | undefined): void {
    const to = from + hashCount(leaves);
    for (const segment of this.window) {
      const [a, b] = [Math.max(from, segment.from), Math.min(to, segment.to)];
      if (segment.foreign || segment.altered || a >= b) continue;
      segment.foreign = !(bundle !== undefined
        ? segment.bytes.subarray(segment.starts[a - segment.from], segment.starts[b - segment.from]).equals(bundle.bytes.subarray(bundle.starts[a - from], bundle.starts[b - from]))
        : hashRange(leafHashesOf(segment), a - segment.from, b - segment.from).equals(hashRange(leaves, a - from, b - from)));
    }
    this.decide(to);
  }

  /** Decides the segments that end before entry `to`, by what is known of the log's entries. */
  decide(to: number): void {
    const due = this.window.filter((segment) => segment.to <= to).sort((x, y) => x.to - y.to);
    this.window = this.window.filter((segment) => segment.to > to);
    const intact = due.filter(({ altered }) => !altered);
    const undecided = this.window.filter(({ altered }) => !altered);
    intact.forEach((segment, i) => (segment.foreign ? this.chain.reject(segment) : this.chain.accept(segment, [...intact.slice(i + 1), ...undecided])));
    this.chain.prune(Math.min(to, ...this.window.map(({ from }) => from), this.queue[0]?.from ?? Infinity));
  }

  /** The checkpoint ends at entry `size`, and a checkpoint is signed where a round ended: what reaches across it is a loser's. */
  finishAt(size: number): void {
    for (const segment of this.window) if (segment.from < size && !segment.altered) this.chain.reject(segment);
    this.window = this.window.filter(({ from }) => from >= size);
    this.chain.breakOff(size);
    this.chain.prune(size);
  }

  /** Every segment at entry `at` that has the hash in its name, and names of those that begin before it and fit nowhere. */
  async takeAt(at: number): Promise<readonly Segment[]> {
    await this.readUntil(at + 1);
    const here = this.window.filter(({ from, altered }) => from === at && !altered);
    for (const { from, name, to, altered } of this.window) if (from < at && !altered) this.chain.reject({ name, from, to });
    this.window = [];
    return here;
  }

  /** Whether a segment at exactly `at` is the next one, or already read. */
  beginsAt(at: number): boolean {
    return this.queue.some(({ from }) => from === at) || this.window.some(({ from }) => from === at);
  }

  /** Where the next segment not yet looked at begins, if there is one. */
  async next(): Promise<number | undefined> {
    await this.fill();
    return this.window[0]?.from ?? this.queue[0]?.from;
  }

  /** Reads all that is left, checks it against its names, and takes it for no part of the log. */
  async drain(): Promise<void> {
    for (let next = await this.next(); next !== undefined; next = await this.next()) {
      for (const segment of await this.takeAt(next)) this.chain.reject(segment);
    }
  }
}

export function leafHashesOf(segment: Segment): Buffer {
  return (segment.hashes ??= entryLeafHashes(segment.bytes, segment.starts));
}

const hashRange = (hashes: Buffer, from: number, to: number): Buffer => hashes.subarray(from * HASH_SIZE, to * HASH_SIZE);
