/**
 * The entries of a mended vault in both their forms, bundle by bundle in the order of the log: segments are read beside them, so that a hole in the chain of segments is seen and closed out of the
 * bundles.
 */
import { createHash } from 'node:crypto';
import { decodeEntries, encodeEntries, entryStarts, LONGEST_SEGMENT, TILE_WIDTH } from '../core/log/bundle';
import { sha256Hex } from '../core/log/sha256';
import { checkpointCopyName, classifyName, segmentName } from '../core/verify/vault-name';
import { compared, lost, ofCopy, type EntryRun, type HealedObject, type Healing } from './healed-object';
import { inParallel } from './in-parallel';
import { bundleAndTile, entriesBetween, provenBundle } from './mend-bundles';
import { bundleCount } from './mend-leaves';
import type { NamedObjects } from './mend-named';
import { wholeSegment } from './mend-segments';
import { SegmentReader } from './verify-segments';

const BUNDLES_AT_ONCE = 16;

/** Also notes what entries name, those too that are sealed and not signed yet. */
export async function* entriesAndSegments(healing: Healing, named: NamedObjects): AsyncGenerator<HealedObject> {
  const { anchor, log } = healing;
  const healed = new HealedSegments(healing, named);
  const segments = new SegmentReader(healed, () => undefined);
  const gaps: EntryRun[] = [];
  const count = bundleCount(log.size);
  for (let first = 0; first < count; first += BUNDLES_AT_ONCE) {
    const indexes = Array.from({ length: Math.min(BUNDLES_AT_ONCE, count - first) }, (_, i) => first + i);
    for (const bundle of await inParallel(indexes, BUNDLES_AT_ONCE, (index) => provenBundle(healing, index))) {
      yield* bundleAndTile(healing, bundle);
      const from = bundle.index * TILE_WIDTH;
      bundle.entries.forEach((entry, i) => named.note(entry, from + i));
      await segments.readUntil(from + bundle.entries.length);
      if (bundle.leaves === undefined) segments.decide(from + bundle.entries.length);
      else segments.compare(from, bundle.leaves, bundle.bytes && { bytes: bundle.bytes, starts: entryStarts(bundle.bytes) });
      gaps.push(...segments.chain.takeGaps());
      yield* healed.taken();
    }
  }
  const head = anchor.head.checkpoint.size;
  if (log.size < head) yield await lost(healing, checkpointCopyName(head), `what is left of the entries from ${log.size} on does not lead to its root`, [{ from: log.size, to: head }]);
  segments.finishAt(log.size);
  gaps.push(...segments.chain.takeGaps());
  await segments.drain();
  yield* healed.taken();
  const cuts = [...anchor.signed.keys()].sort((a, b) => a - b);
  for (const gap of gaps) yield* missingSegments(healing, gap, cuts);
}

/** The vault's segments as they should be, for who reads them in order. */
class HealedSegments {
  private readonly outcomes: HealedObject[] = [];

  constructor(
    private readonly healing: Healing,
    private readonly named: NamedObjects,
  ) {}

  list = (prefix: string): AsyncGenerator<string> => this.healing.copies.names(prefix);

  /** Healed objects since the last call. */
  taken(): HealedObject[] {
    return this.outcomes.splice(0);
  }

  get = async (name: string): Promise<Buffer | 'absent'> => {
    const healed = await this.heal(name);
    this.outcomes.push(healed);
    return 'bytes' in healed ? healed.bytes : 'absent';
  };

  private async heal(name: string): Promise<HealedObject> {
    const { copies, log, anchor } = this.healing;
    const known = classifyName(name);
    if (known.kind !== 'segment') return { state: 'left-out', object: name, why: 'stranger' };
    const copy = await wholeSegment(copies, name);
    if (known.from >= log.size && copy !== undefined) for (const [i, entry] of decodeEntries(copy.bytes).entries()) this.named.note(entry, known.from + i);
    if (copy !== undefined) return ofCopy(copies, name, copy);
    // Bytes with the hash in its name are not damaged: they are what was put there, and no segment.
    if ((await copies.first(name, (bytes) => sha256Hex(bytes) === known.sha256)) !== undefined) return { state: 'left-out', object: name, why: 'orphan-damaged' };
    if (known.from >= anchor.head.checkpoint.size) return { state: 'left-out', object: name, why: 'unsigned-ahead' };
    if (known.from >= log.size) return lost(this.healing, name, `it was sealed behind entry ${log.size}, where the signed log ends, and no copy is whole`);
    const bytes = await this.fromEntries(known.from, known.sha256);
    if (typeof bytes !== 'string') return compared(this.healing, name, bytes, ['other-form']);
    return { state: 'left-out', object: name, why: bytes };
  }

  /** The entries from `from` on that together have the hash `sha256`. None have: were its entries the log's, they would. */
  private async fromEntries(from: number, sha256: string): Promise<Buffer | 'orphan-damaged' | 'entries-lost'> {
    const hash = createHash('sha256');
    const parts: Buffer[] = [];
    for await (const entry of entriesBetween(this.healing, from, Math.min(this.healing.log.size, from + LONGEST_SEGMENT))) {
      if (entry === undefined) return 'entries-lost';
      const encoded = encodeEntries([entry]);
      hash.update(encoded);
      parts.push(encoded);
      if (hash.copy().digest('hex') === sha256) return Buffer.concat(parts);
    }
    return 'orphan-damaged';
  }
}

/** Entries that no segment holds, and of which no name is left either: a round ends wherever the log was signed, so they are cut there. */
async function* missingSegments(healing: Healing, gap: EntryRun, cuts: readonly number[]): AsyncGenerator<HealedObject> {
  const ends = [...cuts.filter((cut) => cut > gap.from && cut < gap.to), gap.to];
  let from = gap.from;
  for (const end of ends) {
    let run: Buffer[] = [];
    const whole = async function* (to: number): AsyncGenerator<HealedObject> {
      if (run.length === 0) return;
      const bytes = encodeEntries(run);
      yield await compared(healing, segmentName(to - run.length, sha256Hex(bytes)), bytes, ['other-form']);
      run = [];
    };
    let at = from;
    for await (const entry of entriesBetween(healing, from, end)) {
      // A lost one was told of with its bundle; what is sound around it is kept.
      if (entry === undefined) yield* whole(at);
      else run.push(entry);
      at++;
    }
    yield* whole(end);
    from = end;
  }
}
