/**
 * The restore an operator would run, as a function runs it: under the deployment's own signing key, all of it or one share of it. What a drill tries in its scratch table and a restore in parts does
 * for good.
 */
import { stringOf, type Image } from '../core/image';
import { verifierKey, type VerifierKey } from '../core/log/vkey';
import { isOfShare, type Share } from '../core/shares';
import { wholeVault } from './facts-vault';
import type { PublishedLog } from './published-entries';
import { applyRestore, planRestore, type RestoreDeps, type RestoreOptions, type RestorePlan, type RestoreResult } from './restore-records';
import { settledLog, type SettledLogDeps } from './settled-log';

/** A vault to restore from, believed under these keys alone. */
export type RestoreSource = (pinned: readonly VerifierKey[]) => Promise<PublishedLog>;

export const wholeSource = (vault: PublishedLog): RestoreSource => async () => vault;
/** A copy that need not hold more than the facts. */
export const factsSource = (replica: PublishedLog): RestoreSource => (pinned) => wholeVault(replica, { pinned });

/** Shares go by subject, because an entry bears its subject in clear: what is of another share need not be opened. */
export const isOf = (share: Share, image: Image): boolean => isOfShare(stringOf(image, 'subject') ?? '', share);

/** Some of the records, as `RestoreOptions` names them. */
export interface SomeRecords {
  readonly only: (image: Image) => boolean;
  readonly subjects?: (subject: string) => boolean;
}

export const ofShare = (share: Share): Required<SomeRecords> => ({ only: (image) => isOf(share, image), subjects: (subject) => isOfShare(subject, share) });

/** Which log it has to be, and by which key it has to be signed. */
export async function pinnedLog(deps: SettledLogDeps, source: RestoreSource): Promise<{ readonly vault: PublishedLog; readonly pinned: readonly VerifierKey[]; readonly origin: string }> {
  const { origin } = await settledLog(deps).identity();
  const pinned = [verifierKey(origin, await deps.signer.publicKey())];
  return { vault: await source(pinned), pinned, origin };
}

/** Throws what `planRestore` and `applyRestore` throw. */
export async function restoreHere(deps: SettledLogDeps, source: RestoreSource, { target, inbox, ...options }: Omit<RestoreOptions, 'pinned' | 'origin'> & Pick<RestoreDeps, 'target' | 'inbox'>): Promise<{ readonly plan: RestorePlan; readonly result: RestoreResult }> {
  const log = settledLog(deps);
  const { vault, pinned, origin } = await pinnedLog(deps, source);
  const work = { target, inbox, vault, subjectKeys: log.subjectKeys, macKeys: await log.macKeys(), now: deps.now };
  const plan = await planRestore(work, { ...options, pinned, origin });
  return { plan, result: await applyRestore(work, plan) };
}
