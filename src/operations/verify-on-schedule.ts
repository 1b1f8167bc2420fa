/**
 * Verifies the vault with the signing key itself pinned, holds it against what earlier verifications proved, and makes records of what it found: so that trust
 * does not wait for somebody to ask. A run that could not read the vault leaves no record; its absence is what raises the alarm.
 */
import { checkMac, withMac } from '../core/record-mac';
import { verifierKey } from '../core/log/vkey';
import type { Image } from '../core/image';
import { recordKeys } from '../core/table-keys';
import { provenCheckpoint, provenIn, vaultFindingImage, verificationImage } from '../core/verification-record';
import type { Clock, KeyService, KeyTable, LogIdentity, LogStore, Meter, RecordStore, Signer } from '../ports';
import type { VaultReader } from '../ports/vault-reader';
import { loadSecrets, type Secrets } from './load-secrets';
import { rememberIdentity } from './read-log';
import type { RememberedCheckpoint } from './verify-checkpoints';
import type { LockPolicy } from './verify-locks';
import { verifyVault, type VerifyOptions, type VerifyReport } from './verify-vault';

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
  const { keys, remembered } = await held(watch, at);
  const report = await verifyVault(watch.vault, { profile: 'intact', keys, lockPolicy: watch.lockPolicy, ...(remembered && { remembered }) });
  return recordVerification(watch, at, report, remembered);
}

/** What a verification that began at `at` holds the vault against. */
export async function held(watch: Watch, at: string): Promise<Pick<VerifyOptions, 'keys' | 'remembered'>> {
  const { origin } = await watch.identity();
  const remembered = await provenBefore(watch, origin, at);
  return { keys: [verifierKey(origin, await watch.signer.publicKey())], ...(remembered && { remembered }) };
}

/** Makes records of what a verification came to. Done twice with the same `at` it is done once. */
export async function recordVerification(watch: Watch, at: string, report: VerifyReport, remembered: RememberedCheckpoint | undefined): Promise<ScheduledVerification> {
  const { systemSubject } = await watch.identity();
  // Findings first: died in between, the next run finds them again and adds nothing.
  for (const found of report.findings.slice(0, MAX_FINDING_RECORDS)) await create(watch, vaultFindingImage(found, systemSubject, at));
  const checkpoint = report.origin === null || report.root === null ? null : { origin: report.origin, size: report.size, root: report.root };
  const proven = larger(remembered, provenCheckpoint(report));
  await create(watch, verificationImage(at, systemSubject, { ok: report.ok, findings: report.findings.length, entries: report.entries, checkpoint, proven }));
  watch.meter.count('VerificationCompleted');
  if (report.findings.length > 0) watch.meter.count('VerificationFindings', report.findings.length);
  // 0 is told too: an alarm on a metric that is only there when something is wrong cannot tell clean from not looked.
  if (report.locks !== null) watch.meter.count('LocksWrong', report.locks.wrong);
  return { verification: at, ok: report.ok, findings: report.findings.length, entries: report.entries };
}

/** 'exists' is as good: found before, or a lost reply. */
async function create({ records, macKeys }: Watch, image: Image): Promise<void> {
  await records.create(withMac((await macKeys())[0], image));
}

/**
 * The largest checkpoint any verification proved: one that was sound and is gone is a rollback, whoever made a newer, smaller one. Each record repeats it, so those
 * of today and yesterday tell; all of them are read only where these hold none of ours.
 */
async function provenBefore(watch: Watch, origin: string, at: string): Promise<RememberedCheckpoint | undefined> {
  for (const began of [dayOf(at), dayOf(new Date(Date.parse(at) - DAY_MS).toISOString()), undefined]) {
    const found = await largestProven(watch, origin, began);
    if (found !== undefined) return found;
  }
  return undefined;
}
const DAY_MS = 86_400_000;
const dayOf = (iso: string): string => iso.slice(0, 'YYYY-MM-DD'.length);

/** Among the verifications whose time begins with `began`. */
async function largestProven({ records, macKeys, meter }: Watch, origin: string, began: string | undefined): Promise<RememberedCheckpoint | undefined> {
  let largest: RememberedCheckpoint | undefined;
  for await (const image of records.partition(recordKeys.verification('').pk, began)) {
    if (checkMac(await macKeys(), image) !== 'valid') {
      meter.count('RecordMacInvalid');
      continue;
    }
    const proven = provenIn(image);
    if (proven?.origin === origin) largest = larger(largest, proven);
  }
  return largest;
}

function larger(a: RememberedCheckpoint | undefined, b: RememberedCheckpoint | undefined): RememberedCheckpoint | undefined {
  return a === undefined || (b !== undefined && b.size > a.size) ? b : a;
}
