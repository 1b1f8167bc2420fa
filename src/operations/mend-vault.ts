/**
 * Heals a damaged vault out of everything that is left of it: its own objects, older versions of them, the other form of the same entries, what follows from these, and a replica. What is written was
 * held against a signed root before. Where a lock forbids replacing, the healed vault is a new one, which becomes a vault with its last two objects; in place only what is absent is put back.
 * Where every copy of something is damaged nothing is written unless it is asked for, and what is lost is told.
 */
import { entryStarts } from '../core/log/bundle';
import { EMPTY_ROOT } from '../core/log/merkle';
import type { VerifierKey } from '../core/log/vkey';
import { CHECKPOINT, classifyName, LOG_VKEYS } from '../core/verify/vault-name';
import type { VaultReader } from '../ports/vault-reader';
import { inParallel } from './in-parallel';
import { findAnchor, MendError } from './mend-anchor';
import { VaultCopies, type Fault, type ListedVault } from './mend-copies';
import { EntryEvidence, type MendSource } from './mend-evidence';
import { proveLog } from './mend-leaves';
import type { EntryRun, HealedObject, Healing, LeftOut } from './healed-object';
import { healedObjects, statedHead } from './mend-objects';
import type { PullTarget } from './pull-vault';
import { verifyVault, type VerifyReport } from './verify-vault';
import type { LockPolicy } from './verify-locks';

/** Where healed objects go. */
export type MendTarget =
  /** A new vault. `reader`: the same place, to be verified afterwards. */
  | { readonly kind: 'copy'; readonly to: PullTarget; readonly reader: VaultReader; readonly lockPolicy?: LockPolicy }
  /** Where it stands. `replace` puts `bytes` in the place of exactly `seen`; for `checkpoint` and `log.vkeys` only. */
  | { readonly kind: 'in-place'; readonly to: PullTarget; readonly replace: (name: typeof CHECKPOINT | typeof LOG_VKEYS, bytes: Buffer, seen: Buffer | 'absent') => Promise<'replaced' | 'stale'> }
  /** Nowhere: what would be done. */
  | { readonly kind: 'plan' };

export interface MendOptions {
  /** Keys of the log that are known from elsewhere; without any, the vault's own. */
  readonly pinned: readonly VerifierKey[];
  readonly replicas: readonly VaultReader[];
  readonly target: MendTarget;
  /** Write what is sound although something is lost. */
  readonly partial: boolean;
  readonly onProgress?: (progress: { readonly step: 'proving' | 'examining' | 'writing'; readonly done: number }) => void;
}

export interface Repair {
  readonly object: string;
  readonly fault: Fault;
  readonly from: readonly MendSource[];
}

/** `locked`: something stands there that may not be replaced. `moved`: it was changed while this ran; run it again. */
export interface Refusal {
  readonly object: string;
  readonly fault: Fault;
  readonly why: 'locked' | 'moved';
}

export interface Loss {
  readonly object: string;
  readonly fault: Fault;
  readonly entries: readonly EntryRun[];
  readonly detail: string;
}

export interface Mended {
  readonly origin: string;
  /** Entries that the log's newest signature commits to, and how many of these, from the first on, are proven by what is left. */
  readonly signed: number;
  readonly size: number;
  /** Base64, as in checkpoints, of the tree of `size`. */
  readonly root: string;
  readonly keySource: 'given' | 'vault';
  /** The farthest entry, plus one, that segments reach to. What lies behind the signed log was sealed, and no signature that is left vouches for it. */
  readonly sealed: number;
  /** Objects that stand there as they should. */
  readonly sound: number;
  readonly repaired: readonly Repair[];
  /** In place: what could not be. */
  readonly refused: readonly Refusal[];
  readonly lost: readonly Loss[];
  readonly leftOut: readonly { readonly object: string; readonly why: LeftOut }[];
  /** Objects written now. */
  readonly written: number;
  /** `nothing`: something is lost, and --partial was not given; or it was the plan. `partial`: what is lost is missing in it. */
  readonly outcome: 'whole' | 'partial' | 'nothing' | 'in-place';
  /** Of the new vault. */
  readonly verified: VerifyReport | null;
}

const WRITES_AT_ONCE = 16;

/** Throws `MendError`, `VaultReadError`, and what writing throws. Died on the way, the same call completes it. */
export async function mendVault(vault: VaultReader, { pinned, replicas, target, partial, onProgress = () => undefined }: MendOptions): Promise<Mended> {
  const copies = await VaultCopies.open(listed(vault), replicas.map(listed));
  const anchor = await findAnchor(copies, pinned);
  const evidence = new EntryEvidence(copies, anchor);
  const log = await proveLog(evidence, anchor, (done) => onProgress({ step: 'proving', done }));
  const healing: Healing = { copies, evidence, anchor, log, inPlace: target.kind === 'in-place' };
  if (target.kind === 'copy') await demandOurs(target.to, healing);

  const found = await examined(healing, (done) => onProgress({ step: 'examining', done }));
  const isEnough = found.lost.length === 0 || (partial && statedHead(healing) !== undefined);
  const writes = target.kind === 'in-place' || (target.kind === 'copy' && isEnough);
  const wrote = writes ? await writeTo(target, healing, (done) => onProgress({ step: 'writing', done })) : { written: 0, refused: [] };
  const whole = found.lost.length === 0 ? 'whole' : 'partial';
  return {
    origin: anchor.head.checkpoint.origin,
    signed: anchor.head.checkpoint.size,
    size: log.size,
    root: (anchor.signed.get(log.size)?.checkpoint.root ?? EMPTY_ROOT).toString('base64'),
    keySource: anchor.trust.source,
    ...found,
    repaired: found.repaired.filter(({ object }) => !wrote.refused.some((each) => each.object === object)),
    ...wrote,
    outcome: !writes ? 'nothing' : target.kind === 'in-place' ? 'in-place' : whole,
    verified: writes && target.kind === 'copy' ? await verifyVault(target.reader, { profile: 'intact', keys: pinned, ...(target.lockPolicy && { lockPolicy: target.lockPolicy }) }) : null,
  };
}

function listed(vault: VaultReader): ListedVault {
  if (vault.list === undefined) throw new MendError('cannot-list', `${vault.source} cannot be listed, so nobody can tell what is missing there: use the bucket, or a copy of it`);
  return vault as ListedVault;
}

/** What stands at the target already has to be of an earlier, interrupted run: its last two objects are then absent, or ours. */
async function demandOurs(target: PullTarget, healing: Healing): Promise<void> {
  const [{ keys }, checkpoint] = [healing.anchor, statedHead(healing)];
  const [there, keysThere] = [await target.read(CHECKPOINT), await target.read(LOG_VKEYS)];
  if ((there !== 'absent' && checkpoint !== undefined && !there.equals(checkpoint.bytes)) || (keysThere !== 'absent' && !keysThere.equals(keys.bytes))) {
    throw new MendError('target-taken', 'the place to write to holds another vault, or another moment of this one: name an empty one');
  }
}

async function examined(healing: Healing, onProgress: (done: number) => void): Promise<Pick<Mended, 'sealed' | 'sound' | 'repaired' | 'lost' | 'leftOut'>> {
  let [sound, sealed] = [0, healing.anchor.head.checkpoint.size];
  const [repaired, lost, leftOut] = [[] as Repair[], [] as Loss[], [] as Mended['leftOut'][number][]];
  for await (const each of healedObjects(healing)) {
    if (each.state === 'sound') sound++;
    else if (each.state === 'repaired') repaired.push({ object: each.object, fault: each.fault, from: each.from });
    else if (each.state === 'lost') lost.push({ object: each.object, fault: each.fault, entries: each.entries, detail: each.detail });
    else leftOut.push({ object: each.object, why: each.why });
    const known = classifyName(each.object);
    if ('bytes' in each && known.kind === 'segment' && known.from >= healing.log.size) sealed = Math.max(sealed, known.from + entryStarts(each.bytes).length - 1);
    onProgress(sound + repaired.length + lost.length + leftOut.length);
  }
  return { sealed, sound, repaired, lost, leftOut };
}

type Writing = Pick<Mended, 'written' | 'refused'>;
type WithBytes = Extract<HealedObject, { readonly bytes: Buffer }>;

/** The very objects that were examined, read again and held against the same proof. */
async function writeTo(target: Exclude<MendTarget, { readonly kind: 'plan' }>, healing: Healing, onProgress: (done: number) => void): Promise<Writing> {
  const write = target.kind === 'copy' ? copyingTo(target.to) : mendingIn(target, healing);
  let batch: WithBytes[] = [];
  const flush = async (): Promise<void> => {
    await inParallel(batch.splice(0), WRITES_AT_ONCE, write.one);
    onProgress(write.result().written);
  };
  for await (const each of healedObjects(healing)) {
    if (!('bytes' in each)) continue;
    // Died before these two, it is no vault yet: no reader takes what has neither keys nor checkpoint for one.
    if (each.object === LOG_VKEYS || each.object === CHECKPOINT) await flush();
    batch.push(each);
    if (batch.length >= WRITES_AT_ONCE || each.object === LOG_VKEYS || each.object === CHECKPOINT) await flush();
  }
  batch = [];
  return write.result();
}

interface Writer {
  readonly one: (object: WithBytes) => Promise<void>;
  readonly result: () => Writing;
}

function copyingTo(to: PullTarget): Writer {
  let written = 0;
  return {
    one: async ({ object, bytes }) => {
      const there = await to.read(object);
      if (there !== 'absent' && there.equals(bytes)) return;
      await to.write(object, bytes);
      written++;
    },
    result: () => ({ written, refused: [] }),
  };
}

function mendingIn({ to, replace }: Extract<MendTarget, { readonly kind: 'in-place' }>, { anchor }: Healing): Writer {
  let written = 0;
  const refused: Refusal[] = [];
  return {
    one: async (healed) => {
      if (healed.state === 'sound') return;
      const { object, bytes, fault } = healed;
      if (object === CHECKPOINT || object === LOG_VKEYS) {
        const seen = anchor.seen[object];
        // The publisher goes on meanwhile: what it wrote since is not taken back.
        if (seen === 'too-large' || (await replace(object, bytes, seen)) === 'stale') refused.push({ object, fault, why: 'moved' });
        else written++;
      } else if (fault === 'absent' || fault === 'hidden') {
        await to.write(object, bytes);
        written++;
      } else refused.push({ object, fault, why: 'locked' });
    },
    result: () => ({ written, refused }),
  };
}
