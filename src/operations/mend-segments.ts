/**
 * Where segments lie, those too that are damaged: an entry in them is worth its leaf hash, whatever became of its neighbours. Read once, when the first bundle needs them.
 */
import { LONGEST_SEGMENT, startsOf } from '../core/log/bundle';
import { readableEntries } from '../core/log/leaf-candidates';
import { sha256Hex } from '../core/log/sha256';
import type { Checkpoint } from '../core/log/checkpoint';
import type { RightEdge } from '../core/log/merkle';
import { classifyName } from '../core/verify/vault-name';
import { inParallel } from './in-parallel';
import { segmentReader, wayTo } from './log-from-facts';
import type { CopySource, VaultCopies } from './mend-copies';

/** One copy of a segment. */
export interface SegmentCopy {
  readonly name: string;
  /** It begins at entry `from`, and as far as it can be read ends before entry `to`. */
  readonly from: number;
  readonly to: number;
  readonly source: CopySource;
  /** It has the hash in its name. */
  readonly whole: boolean;
  readonly read: () => Promise<Buffer>;
}

const AT_ONCE = 16;

/** The first copy of a segment that has the hash in its name. */
export async function wholeSegment(copies: VaultCopies, name: string): Promise<{ readonly bytes: Buffer; readonly from: CopySource } | undefined> {
  const known = classifyName(name);
  if (known.kind !== 'segment') return undefined;
  return copies.first(name, (bytes) => sha256Hex(bytes) === known.sha256 && startsOf(bytes) !== undefined);
}

export class SegmentPlaces {
  private constructor(
    /** By where they begin. */
    private readonly segments: readonly SegmentCopy[],
    private readonly longest: number,
  ) {}

  /** Reads every segment once. Throws VaultReadError. */
  static async read(copies: VaultCopies): Promise<SegmentPlaces> {
    const names: { readonly name: string; readonly from: number }[] = [];
    for await (const name of copies.names('segment/')) {
      const known = classifyName(name);
      if (known.kind === 'segment') names.push({ name, from: known.from });
    }
    const found = (await inParallel(names, AT_ONCE, ({ name, from }) => copiesOf(copies, name, from))).flat();
    return new SegmentPlaces(
      found.sort((a, b) => a.from - b.from),
      found.reduce((longest, { from, to }) => Math.max(longest, to - from), 0),
    );
  }

  /** Names of the whole ones that lead from `edge` to the tree that was signed; undefined where none do. Of segments that lie beside each other this tells which are the log. */
  async wayTo(copies: VaultCopies, edge: RightEdge, signed: Checkpoint): Promise<readonly string[] | undefined> {
    const byBegin = new Map<number, string[]>();
    for (const { name, from, whole } of this.segments) if (whole && from >= edge.size && from < signed.size) byBegin.set(from, [...(byBegin.get(from) ?? []), name]);
    const source = { get: async (name: string): Promise<Buffer | 'absent'> => (await wholeSegment(copies, name))?.bytes ?? 'absent' };
    return (await wayTo(segmentReader(source, []), byBegin, edge, signed))?.segments.map(({ name }) => name);
  }

  /** Those that hold some entry of [from, to). */
  overlapping(from: number, to: number): readonly SegmentCopy[] {
    let low = 0;
    for (let high = this.segments.length; low < high; ) {
      const middle = Math.floor((low + high) / 2);
      if ((this.segments[middle] as SegmentCopy).from < from - this.longest) low = middle + 1;
      else high = middle;
    }
    const found: SegmentCopy[] = [];
    for (let i = low; i < this.segments.length && (this.segments[i] as SegmentCopy).from < to; i++) {
      const segment = this.segments[i] as SegmentCopy;
      if (segment.to > from) found.push(segment);
    }
    return found;
  }
}

/** The first whole copy, or all there are. */
async function copiesOf(copies: VaultCopies, name: string, from: number): Promise<readonly SegmentCopy[]> {
  const found: SegmentCopy[] = [];
  let place = 0;
  for await (const { bytes, from: source } of copies.of(name)) {
    const at = place++;
    const whole = name.endsWith(`/${sha256Hex(bytes)}`);
    const segment = { name, from, to: from + readableEntries(bytes, LONGEST_SEGMENT).starts.length - 1, source, whole, read: () => nth(copies, name, at) };
    if (whole) return [segment];
    found.push(segment);
  }
  return found;
}

async function nth(copies: VaultCopies, name: string, at: number): Promise<Buffer> {
  let place = 0;
  for await (const { bytes } of copies.of(name)) if (place++ === at) return bytes;
  return Buffer.alloc(0); // gone meanwhile: it tells nothing
}

