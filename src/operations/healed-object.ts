/** One object of a mended vault: sound, repaired and from what, lost, or with no place in it; and how what stands there is compared with what has to be. */
import type { Anchor } from './mend-anchor';
import type { Copy, Fault, VaultCopies } from './mend-copies';
import type { EntryEvidence, MendSource } from './mend-evidence';
import type { ProvenLog } from './mend-leaves';

/**
 * Why an object has no place in the healed vault: nothing of the log is in it, or the log does without it. `unsigned-ahead`: by its name it is a round or a signature behind the signed log, and no copy of it is whole. It
 * may have been one, and may be anybody's who can put an object: it ends nothing, and somebody has to look.
 */
export type LeftOut = 'stranger' | 'unnamed' | 'orphan-damaged' | 'entries-lost' | 'signature-lost' | 'unsigned-ahead' | 'snapshot-incomplete';

/** Entries [from, to). */
export interface EntryRun {
  readonly from: number;
  readonly to: number;
}

export type HealedObject =
  /** `bytes` stand there as they should. */
  | { readonly state: 'sound'; readonly object: string; readonly bytes: Buffer }
  | { readonly state: 'repaired'; readonly object: string; readonly bytes: Buffer; readonly fault: Fault; readonly from: readonly MendSource[] }
  /** Every copy is damaged. `entries`: what is lost with it; empty where the log lost nothing by it but a proof or what an entry names. */
  | { readonly state: 'lost'; readonly object: string; readonly fault: Fault; readonly entries: readonly EntryRun[]; readonly detail: string }
  | { readonly state: 'left-out'; readonly object: string; readonly why: LeftOut };

export interface Healing {
  readonly copies: VaultCopies;
  readonly evidence: EntryEvidence;
  readonly anchor: Anchor;
  readonly log: ProvenLog;
  /** What stands there is mended where it stands: what may have gone by right is not put back. */
  readonly inPlace: boolean;
}

/** `object` has to be `right`: sound if it is. */
export async function compared({ copies }: Pick<Healing, 'copies'>, object: string, right: Buffer, from: readonly MendSource[]): Promise<HealedObject> {
  const own = await copies.own(object);
  if (typeof own !== 'string' && own.equals(right)) return { state: 'sound', object, bytes: right };
  return { state: 'repaired', object, bytes: right, fault: copies.faultOf(object, own), from };
}

/** `object` from the first copy that `isRight`; undefined where there is none. */
export async function fromCopies({ copies }: Pick<Healing, 'copies'>, object: string, isRight: (bytes: Buffer) => boolean): Promise<HealedObject | undefined> {
  const copy = await copies.first(object, isRight);
  return copy === undefined ? undefined : ofCopy(copies, object, copy);
}

export async function ofCopy(copies: VaultCopies, object: string, { bytes, from }: Copy): Promise<HealedObject> {
  if (from === 'own') return { state: 'sound', object, bytes };
  return { state: 'repaired', object, bytes, fault: copies.faultOf(object, await copies.own(object)), from: [from] };
}

export const lost = async ({ copies }: Pick<Healing, 'copies'>, object: string, detail: string, entries: readonly EntryRun[] = []): Promise<HealedObject> => ({
  state: 'lost',
  object,
  fault: copies.faultOf(object, await copies.own(object)),
  entries,
  detail,
});
