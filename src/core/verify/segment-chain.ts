/**
 * The chain of segments that makes up the log, picked out of all segment objects. Sealers race: a loser leaves a segment that starts where the
 * winner's does and is no part of the log. Such orphans are listed, never blamed; a hole in the chain is.
 */

/** A segment that begins at entry `from` and ends before entry `to`. */
export interface SegmentSpan {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

interface Link {
  readonly name: string;
  readonly at: number;
  previous: Link | undefined;
  /** Accepted segments that begin where this one ends. */
  followers: number;
}

/** A stretch of entries that no segment holds; `damaged` when a segment known to be altered explains it. */
export interface ChainGap {
  readonly from: number;
  readonly to: number;
  readonly damaged: boolean;
}

/** An interrupted chain, as plain JSON. */
export interface ChainState {
  readonly ends: readonly number[];
  readonly damaged: readonly number[];
  readonly length: number;
}

/**
 * Feed it what the log's entries say about each segment, in order of where segments end. Holds only the open ends of the chain, however long
 * the log.
 */
export class SegmentChain {
  private ends = new Map<number, Link>();
  private readonly damaged: Set<number>;
  private accepted = 0;
  private readonly strays: string[] = [];
  private readonly holes: ChainGap[] = [];

  constructor(state: ChainState = { ends: [0], damaged: [], length: 0 }) {
    for (const at of state.ends) this.ends.set(at, { name: '', at, previous: undefined, followers: 0 });
    this.damaged = new Set(state.damaged);
    this.accepted = state.length;
  }

  /** What is needed to go on elsewhere; the open ends lose their past, so a dead one then counts as part of the chain. */
  state(): ChainState {
    return { ends: [...this.ends.keys()], damaged: [...this.damaged], length: this.accepted };
  }

  /** Segments on the chain so far. */
  get length(): number {
    return this.accepted;
  }
  /** Where the chain ends now (the farthest of its open ends). */
  get end(): number {
    return Math.max(...this.ends.keys());
  }
  /** Whether a segment could go on from entry `at`. */
  endsAt(at: number): boolean {
    return this.ends.has(at);
  }

  /** The altered segment that begins at `from` explains a hole there. */
  noteDamaged(from: number): void {
    this.damaged.add(from);
  }

  isDamaged(from: number): boolean {
    return this.damaged.has(from);
  }

  /** A segment whose entries are not the log's. */
  reject(span: SegmentSpan): void {
    this.strays.push(span.name);
  }

  /** A segment whose entries are the log's. `pending`: segments read but not yet decided. */
  accept(span: SegmentSpan, pending: readonly SegmentSpan[]): void {
    const previous = this.ends.get(span.from);
    const covered = pending.some((other) => other.name !== span.name && this.ends.has(other.from) && other.to > span.from);
    if (this.ends.has(span.to) || span.to === span.from || (previous === undefined && (span.from < this.end || covered))) return this.reject(span);
    if (previous === undefined) this.breakOff(span.from);
    else previous.followers++;
    this.accepted++;
    this.ends.set(span.to, { name: span.name, at: span.to, previous, followers: 0 });
  }

  /** The log reaches entry `to` although no segment does: notes the hole and goes on from there. */
  breakOff(to: number): void {
    const from = this.end;
    if (to <= from) return;
    this.holes.push({ from, to, damaged: this.damaged.has(from) });
    this.damaged.delete(from);
    for (const [at, link] of [...this.ends]) if (at < from) this.drop(link);
    this.ends = new Map([[to, { name: '', at: to, previous: undefined, followers: 0 }]]);
  }

  /** No segment that begins before entry `floor` will come any more: open ends before it are dead. */
  prune(floor: number): void {
    const end = this.end;
    for (const [at, link] of [...this.ends]) {
      if (at >= floor || at === end) continue;
      this.ends.delete(at);
      this.drop(link);
    }
    // One open end: all that leads to it is settled, and need not be remembered.
    if (this.ends.size === 1) for (const link of this.ends.values()) link.previous = undefined;
  }

  /** Takes `link` and what leads only to it off the chain. */
  private drop(link: Link | undefined): void {
    for (let stray = link; stray !== undefined && stray.followers === 0 && stray.name !== ''; stray = stray.previous) {
      this.strays.push(stray.name);
      this.accepted--;
      if (stray.previous !== undefined) stray.previous.followers--;
    }
  }

  /** Orphans found since the last call. */
  takeOrphans(): string[] {
    return this.strays.splice(0);
  }
  /** Holes found since the last call. */
  takeGaps(): ChainGap[] {
    return this.holes.splice(0);
  }
}
