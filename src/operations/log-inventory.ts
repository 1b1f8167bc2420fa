/**
 * One pass over the published log without opening anything: whose keys it needs, which states were sealed twice, and whether it holds certain states at all. Only the few entries that look
 * like twins are opened afterwards.
 */
import { canonicalImage } from '../core/canonical-image';
import { entryIn, type Entry } from '../core/entry';
import { keyOf, type Image, type TableKey } from '../core/image';
import type { Checkpoint } from '../core/log/checkpoint';
import { placeOf } from '../core/record-history';
import { isOfShare, type Share } from '../core/shares';
import { openSealed, type SealedReader } from './open-sealed';
import { publishedEntries, type PublishedLog } from './published-entries';

export interface LogInventory {
  /** Subjects of the share that have entries. */
  readonly subjects: ReadonlySet<string>;
  /** Of the traces asked for, those the log has entries of, whether or not these can be opened. */
  readonly seen: ReadonlySet<string>;
  readonly doubled: readonly Doubled[];
}

/** Two entries that seal one state. */
export interface Doubled {
  readonly key: TableKey;
  /** The state. */
  readonly image: Image;
  readonly indexes: readonly [number, number];
}

/** The trace of one state: how an entry names it without telling it. The trace of a subject is its name. */
export const sealedAs = (id: string, rev: number): string => `${id} ${rev}`;

/** More twins than this are no accident of one night; the verifier and the number tell of such a log. */
const MAX_TWINS = 1_000;

/** The last entry of a record. */
interface Last {
  readonly index: number;
  readonly entry: Pick<Entry, 'op' | 'kind' | 'rev' | 'src'>;
}

/** Of one share, except `traces`, which are looked for everywhere. Throws `ReplayError`, `PortError`, `VaultReadError`. */
export async function takeInventory(reader: SealedReader & { readonly vault: PublishedLog }, checkpoint: Checkpoint, share: Share, traces: ReadonlySet<string>): Promise<LogInventory> {
  const [subjects, seen, last, twins, elsewhere] = [new Set<string>(), new Set<string>(), new Map<string, Last>(), [] as [number, number][], [] as number[]];
  for await (const { index, entry } of parsedEntries(reader.vault, checkpoint)) {
    if (isOfShare(entry.subject, share)) subjects.add(entry.subject);
    if (traces.size > 0) for (const trace of [entry.subject, sealedAs(entry.id, entry.rev)]) if (traces.has(trace)) seen.add(trace);
    if (entry.kind === 'raw' || isLate(entry)) elsewhere.push(index);
    if (entry.kind !== 'raw' && isOfShare(entry.id, share)) {
      const before = last.get(entry.id);
      if (before !== undefined && twins.length < MAX_TWINS && lookAlike(before.entry, entry)) twins.push([before.index, index]);
      const { op, kind, rev, src } = entry;
      last.set(entry.id, { index, entry: { op, kind, rev, src } });
    }
  }
  return { subjects, seen, doubled: twins.length === 0 ? [] : await judgeTwins(reader, checkpoint, twins, elsewhere) };
}

/**
 * The stream tells of an item only when it changed, so between two equal states of a record another one is sealed, or its removal. What `seal-missing` sealed may come through the stream
 * after all; its source says so, and it is no twin. What somebody put over a tombstone lies under another name, so a tombstone that was put back looks like a twin and is none.
 */
function lookAlike(a: Last['entry'], b: Last['entry']): boolean {
  return a.op === 'put' && b.op === 'put' && a.kind === b.kind && a.kind !== 'tombstone' && a.rev === b.rev && (!(isLate(a) || isLate(b)) || a.src === b.src);
}

const isLate = ({ src }: Pick<Entry, 'src'>): boolean => src.startsWith('late:');

async function judgeTwins(reader: SealedReader & { readonly vault: PublishedLog }, checkpoint: Checkpoint, twins: readonly (readonly [number, number])[], elsewhere: readonly number[]): Promise<Doubled[]> {
  const between = ([a, b]: readonly [number, number]): number[] => elsewhere.filter((index) => index > a && index < b);
  const wanted = new Set(twins.flatMap((pair) => [...pair, ...between(pair)]));
  const entries = new Map<number, Entry>();
  for await (const { index, entry } of parsedEntries(reader.vault, checkpoint)) if (wanted.has(index)) entries.set(index, entry);
  const open = async (index: number): Promise<Image | undefined> => {
    const entry = entries.get(index);
    const opened = entry === undefined ? undefined : await openSealed(reader, entry);
    return opened?.state === 'image' ? opened.image : undefined;
  };
  const doubled: Doubled[] = [];
  for (const pair of twins) {
    const [first, second] = [await open(pair[0]), await open(pair[1])];
    if (first === undefined || second === undefined || !canonicalImage(first).equals(canonicalImage(second))) continue;
    // What was sealed raw lies under a name of its own, and what was sealed late under the subject it bore by then: the state in between may be one of these.
    const others = await Promise.all(between(pair).map(open));
    if (others.every((other) => other !== undefined && placeOf(other) !== placeOf(first))) doubled.push({ key: keyOf(first), image: first, indexes: pair });
  }
  return doubled;
}

async function* parsedEntries(vault: PublishedLog, checkpoint: Checkpoint): AsyncGenerator<{ readonly index: number; readonly entry: Entry }> {
  for await (const { from, entries } of publishedEntries(vault, checkpoint)) {
    for (const [i, bytes] of entries.entries()) {
      const entry = entryIn(bytes);
      if (entry !== undefined) yield { index: from + i, entry };
    }
  }
}

