/**
 * What every recording operation works with: the ports, the two secrets a receiver may use, and what one delivery shares between its events.
 * All records pass through `sealed` on their way out and `holds` on their way in, so that none is written without a MAC and none believed without one.
 */
import { ulid } from 'ulid';
import type { Stamp } from '../core/customer-aliases';
import { hashed, type HashTag } from '../core/dedupe-key';
import type { Image } from '../core/image';
import { newSubject as randomSubject } from '../core/subject-key';
import { checkMac, withMac, type MacKey } from '../core/record-mac';
import type { Owner } from '../core/records';
import type { Clock, Inbox, Meter, Random, RecordStore } from '../ports';
import type { Secrets } from './load-secrets';
import type { OwnerCache } from './owner-cache';

/** The two secrets a receiver may use. The first MAC key makes new MACs; all are accepted. */
export interface RecordingKeys {
  readonly dedupe: Buffer;
  readonly mac: readonly [MacKey, ...MacKey[]];
}

export async function loadKeys({ keys }: Pick<RecordingDeps, 'keys'>): Promise<RecordingKeys> {
  const [mac, dedupe] = await Promise.all([keys.macKeys(), keys.dedupeKey()]);
  return { mac, dedupe };
}

export interface RecordingDeps {
  readonly records: RecordStore;
  /** For content that does not fit a record, and for deliveries that are recorded later. */
  readonly inbox: Inbox;
  readonly meter: Meter;
  readonly now: Clock;
  readonly random: Random;
  /** load-secrets' `macKeys` and `dedupeKey`; no other secret is needed here. */
  readonly keys: Pick<Secrets, 'macKeys' | 'dedupeKey'>;
  /** WABA id → subject, kept as long as the container lives: these never change. Start with an empty map. */
  readonly accounts: Map<string, string>;
  /** Owners this container has read in the last minute; without one, each delivery reads them again. */
  readonly ownerCache?: OwnerCache | undefined;
}

/** The recording of one delivery. */
export interface Run {
  readonly deps: RecordingDeps;
  readonly keys: RecordingKeys;
  readonly receivedAt: string;
  readonly deliveryId: string;
  /** Owners found or made in this run, by aliases: a batch about one person reads and creates them once. */
  readonly owners: Map<string, Promise<Owner | 'unknown'>>;
}

export async function startRun(deps: RecordingDeps, delivery: { readonly deliveryId: string; readonly receivedAt: Date }): Promise<Run> {
  return { deps, keys: await loadKeys(deps), receivedAt: delivery.receivedAt.toISOString(), deliveryId: delivery.deliveryId, owners: new Map() };
}

/** A bound on the container's memory, far above the number of accounts one app has. */
export const MAX_CACHED_ACCOUNTS = 1_000;

export const sealed = (run: Run, image: Image): Image => withMac(run.keys.mac[0], image);

/** Whether a record read back is as we wrote it; one that is not is counted, raises an alarm, and is not believed. */
export function holds(run: Pick<Run, 'deps' | 'keys'>, image: Image): boolean {
  const isOurs = checkMac(run.keys.mac, image) === 'valid';
  if (!isOurs) run.deps.meter.count('RecordMacInvalid');
  return isOurs;
}

export const hash = (run: Pick<Run, 'keys'>, tag: HashTag, parts: readonly (string | Uint8Array)[]): string => hashed(run.keys.dedupe, tag, parts);

/** For one event: its `attempt` tells its own write from that of a twin in the same delivery. */
export const newStamp = (run: Run): Stamp => ({ receivedAt: run.receivedAt, deliveryId: run.deliveryId, attempt: run.deps.random(9).toString('base64url') });

/** 128 random bits, 22 characters: too many to guess, and they say nothing. */
export const newSubject = (run: Run): string => randomSubject(run.deps.random);

/** Sorts by time. */
export const newId = (run: Run): string => ulid(run.deps.now().getTime(), () => (run.deps.random(1)[0] ?? 0) / 256);
