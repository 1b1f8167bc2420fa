/** What entries name, and what lies beside the log in a mended vault: blobs and reports by the hash an entry states, snapshots whole or not at all, and nothing that nobody named. */
import { entryIn } from '../core/entry';
import { sha256Hex } from '../core/log/sha256';
import { parseManifest, SnapshotError } from '../core/snapshot';
import { blobName, classifyName } from '../core/verify/vault-name';
import { fromCopies, lost, type HealedObject, type Healing } from './healed-object';

/** `hashes`: any of them is right. More than one only where nothing signed says which. */
interface Named {
  readonly hashes: ReadonlySet<string>;
  /** Of the entry. */
  readonly index: number;
}

/** What entries name. Those behind `proven` nobody signed: they may be anybody's who can put a segment, so they never take the place of what a signed entry says. */
export class NamedObjects {
  readonly byName = new Map<string, Named>();

  constructor(private readonly proven: number) {}

  isProven({ index }: Named): boolean {
    return index < this.proven;
  }

  note(bytes: Buffer | undefined, index: number): void {
    // Parsing every entry takes longer than everything else: these names occur in no other place of an entry.
    if (bytes === undefined || !(bytes.includes('"blob":') || bytes.includes('"objects":'))) return;
    const entry = entryIn(bytes);
    if (entry === undefined) return;
    if (entry.op === 'put' && entry.blob !== undefined) this.set(blobName(entry.blob), entry.blob, index);
    for (const { name, sha256 } of entry.objects ?? []) this.set(name, sha256, index);
  }

  private set(name: string, sha256: string, index: number): void {
    const before = this.byName.get(name);
    const named = { hashes: new Set([sha256]), index };
    if (this.isProven(named)) this.byName.set(name, named);
    else if (before === undefined) {
      // No name of ours has such a part, and a directory has none either: asking it would end everything.
      if (name.split('/').every((part) => part !== '' && part !== '.')) this.byName.set(name, named);
    } else if (!this.isProven(before)) this.byName.set(name, { hashes: new Set([...before.hashes, sha256]), index });
  }
}

export async function* otherObjects(healing: Healing, named: NamedObjects): AsyncGenerator<HealedObject> {
  const { copies } = healing;
  const taken = new Set<string>();
  for (const [object, each] of named.byName) {
    taken.add(object);
    if (classifyName(object).kind === 'snapshot-manifest') yield* snapshot(healing, object, hasHash(each.hashes), taken);
    else {
      const healed = await fromCopies(healing, object, hasHash(each.hashes));
      if (healed !== undefined) yield healed;
      else if (named.isProven(each)) yield await lost(healing, object, `entry ${each.index} names it`);
      // Nobody signed that it was ever there: it is no loss of the log's.
      else if ((await copies.own(object)) !== 'absent') yield { state: 'left-out', object, why: 'unnamed' };
    }
  }
  for await (const object of copies.names('')) {
    const known = classifyName(object);
    if (known.kind === 'other' || (known.kind === 'document' && !taken.has(object))) {
      if ((await copies.own(object)) !== 'absent') yield { state: 'left-out', object, why: known.kind === 'other' ? 'stranger' : 'unnamed' };
    } else if ((known.kind === 'blob' || known.kind === 'snapshot-part' || known.kind === 'snapshot-manifest') && !taken.has(object)) {
      const healed = await fromCopies(healing, object, hasHash(new Set([known.sha256])));
      // Nothing needs it; where it is gone or hidden it may have gone by right.
      if (healed?.state === 'sound' || (await copies.own(object)) !== 'absent') yield healed ?? { state: 'left-out', object, why: 'orphan-damaged' };
    }
  }
}

const hasHash =
  (hashes: ReadonlySet<string>) =>
  (bytes: Buffer): boolean =>
    hashes.has(sha256Hex(bytes));

/**
 * A snapshot repeats the log, and goes when its retention ends: it is kept whole or not at all. In place nothing of one is put back whose manifest is not there, since it may have expired.
 */
async function* snapshot(healing: Healing, object: string, isRight: (bytes: Buffer) => boolean, taken: Set<string>): AsyncGenerator<HealedObject> {
  const own = await healing.copies.own(object);
  if (own === 'absent' && healing.inPlace) return;
  const manifest = await fromCopies(healing, object, isRight);
  if (manifest === undefined || !('bytes' in manifest)) {
    if (own !== 'absent') yield { state: 'left-out', object, why: 'snapshot-incomplete' };
    return;
  }
  const parts: HealedObject[] = [];
  for (const { name, sha256: hash } of partsIn(object, manifest.bytes)) {
    taken.add(name);
    const part = await fromCopies(healing, name, hasHash(new Set([hash])));
    if (part === undefined) return yield { state: 'left-out', object, why: 'snapshot-incomplete' };
    parts.push(part);
  }
  yield* parts;
  yield manifest;
}

/** None of a manifest that this program cannot read: its parts are known by their own names. */
function partsIn(object: string, bytes: Buffer): readonly { readonly name: string; readonly sha256: string }[] {
  try {
    return parseManifest(object, bytes).parts;
  } catch (error) {
    if (error instanceof SnapshotError) return [];
    throw error;
  }
}
