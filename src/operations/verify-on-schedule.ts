/**
 * Verifies the vault with the signing key itself pinned, holds it against what the last verification saw, and makes records of what it found: so that trust
 * does not wait for somebody to ask. A run that could not read the vault leaves no record; its absence is what raises the alarm.
 */
import { checkMac, withMac } from '../core/record-mac';
import { verifierKey } from '../core/log/vkey';
import type { Image } from '../core/image';
import { checkpointIn, vaultFindingImage, verificationImage } from '../core/verification-record';
import type { Clock, KeyService, KeyTable, LogIdentity, LogStore, Meter, RecordStore, Signer } from '../ports';
import type { VaultReader } from '../ports/vault-reader';
import { loadSecrets, type Secrets } from './load-secrets';
import { rememberIdentity } from './read-log';
import type { RememberedCheckpoint } from './verify-checkpoints';
import type { LockPolicy } from './verify-locks';
import { verifyVault } from './verify-vault';

export interface ScheduledVerificationDeps {
  readonly vault: VaultReader;
  readonly records: Pick<RecordStore, 'create' | 'partition'>;
  readonly log: Pick<LogStore, 'identity'>;
  readonly signer: Pick<Signer, 'publicKey'>;
  readonly keys: Pick<KeyTable, 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  readonly lockPolicy: LockPolicy;
  readonly meter: Meter;
  readonly now: Clock;
}

/** The world and what this container remembers of it: make one per container. */
export interface Watch extends ScheduledVerificationDeps {
  readonly identity: () => Promise<LogIdentity>;
  readonly macKeys: Secrets['macKeys'];
}

export const makeWatch = (deps: ScheduledVerificationDeps): Watch => ({ ...deps, identity: rememberIdentity(deps.log), macKeys: loadSecrets(deps).macKeys });

/** Findings that become records of their own; a vault that is wrong all over is told by the number, and by `intact verify`. */
export const MAX_FINDING_RECORDS = 200;

export interface ScheduledVerification {
  /** Name of its record. */
  readonly verification: string;
  readonly ok: boolean;
  readonly findings: number;
  readonly entries: number;
}

/** One run. Throws `VaultReadError`, `PortError`, `LogStopped`: nothing is known then. */
export async function verifyOnSchedule(watch: Watch): Promise<ScheduledVerification> {
  const at = watch.now().toISOString();
  const { origin, systemSubject } = await watch.identity();
  const remembered = await lastSeen(watch, origin);
  const report = await verifyVault(watch.vault, {
    profile: 'intact',
    keys: [verifierKey(origin, await watch.signer.publicKey())],
    lockPolicy: watch.lockPolicy,
    ...(remembered && { remembered }),
  });
  // Findings first: died in between, the next run finds them again and adds nothing.
  for (const found of report.findings.slice(0, MAX_FINDING_RECORDS)) await create(watch, vaultFindingImage(found, systemSubject, at));
  const checkpoint = report.origin === null || report.root === null ? null : { origin: report.origin, size: report.size, root: report.root };
  await create(watch, verificationImage(at, systemSubject, { ok: report.ok, findings: report.findings.length, entries: report.entries, checkpoint }));
  watch.meter.count('VerificationCompleted');
  if (report.findings.length > 0) watch.meter.count('VerificationFindings', report.findings.length);
  return { verification: at, ok: report.ok, findings: report.findings.length, entries: report.entries };
}

/** 'exists' is as good: found before, or a lost reply. */
async function create({ records, macKeys }: Watch, image: Image): Promise<void> {
  await records.create(withMac((await macKeys())[0], image));
}

/** The largest checkpoint any verification saw: one that was sound and is gone is a rollback, whoever made a newer, smaller one. */
async function lastSeen({ records, macKeys, meter }: Watch, origin: string): Promise<RememberedCheckpoint | undefined> {
  let largest: RememberedCheckpoint | undefined;
  for await (const image of records.partition('verification')) {
    if (checkMac(await macKeys(), image) !== 'valid') {
      meter.count('RecordMacInvalid');
      continue;
    }
    const seen = checkpointIn(image);
    if (seen?.origin === origin && seen.size >= (largest?.size ?? 0)) largest = seen;
  }
  return largest;
}
