/**
 * Shows what Intact is for: changes a message by hand, past everything, as somebody with write access to the table could, and watches until the change is
 * sealed, found, undone, counted and alarmed. It undoes nothing itself and hides nothing: the log holds the message as it was, as it was made, and the repair.
 */
import { hashed } from '../core/dedupe-key';
import { integerOf, keyOf, stringOf, type Attribute, type Image, type TableKey } from '../core/image';
import { verifierKey } from '../core/log/vkey';
import { isSameImage } from '../core/record-history';
import { repairsOf } from '../core/repair-record';
import { recordKeys } from '../core/table-keys';
import type { Clock, Head, KeyService, KeyTable, LogStore, RecordStore, Round, Signer, Sleep } from '../ports';
import type { ByHand } from '../ports/by-hand';
import type { AlarmState, Monitoring } from '../ports/monitoring';
import type { VaultReader } from '../ports/vault-reader';
import { loadSecrets } from './load-secrets';
import type { LockPolicy } from './verify-locks';
import { verifyVault } from './verify-vault';

export interface TamperPorts {
  readonly records: Pick<RecordStore, 'get' | 'scan' | 'partition'>;
  readonly byHand: ByHand;
  readonly log: Pick<LogStore, 'readHead' | 'rounds' | 'identity'>;
  readonly keys: Pick<KeyTable, 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  readonly monitoring: Monitoring;
  readonly vault: VaultReader;
  readonly lockPolicy: LockPolicy;
  readonly signer: Pick<Signer, 'publicKey'>;
  readonly now: Clock;
  readonly sleep: Sleep;
}

export interface LogPosition {
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

/** What happened, in order; each is told as soon as it is known. */
export type TamperStep =
  | { readonly step: 'before'; readonly record: TableKey; readonly messageId?: string; readonly log: LogPosition }
  | { readonly step: 'changed'; readonly attribute: string; readonly from: string; readonly to: string }
  | { readonly step: 'sealed'; readonly round: Round; readonly log: LogPosition }
  | { readonly step: 'found'; readonly findings: readonly TamperFinding[] }
  /** The record is again what it was, byte for byte. */
  | { readonly step: 'healed'; readonly repair: TamperRepair }
  | { readonly step: 'verified'; readonly ok: boolean; readonly entries: number; readonly findings: number }
  | { readonly step: 'counted'; readonly unauthorisedChanges: number }
  | { readonly step: 'alarmed'; readonly alarms: readonly AlarmState[] };

export interface TamperFinding {
  readonly code: string;
  readonly source: string;
  readonly receivedAt: string;
}

/** The record the repair left. */
export interface TamperRepair {
  readonly record: TableKey;
  readonly action: string;
  /** Index of the entry whose state was put back. */
  readonly entry: number | undefined;
}

/** `found`: and healed. `not-healed`: found, and not put back within the time, because the stage asks first or the repair was refused. `no-message`: there is none to change. `not-found`: changed, but not found within the time: that is the failure this command looks for. */
export type TamperOutcome = { readonly outcome: 'found' } | { readonly outcome: 'not-healed' | 'no-message' | 'not-found' };

/** Stream, sealer and emulator take some seconds; ten times that means that nobody looks. */
const FIND_WITHIN_MS = 90_000;
/** The repair waits for the log itself, two minutes at most. */
const HEAL_WITHIN_MS = 150_000;
/** Metrics are forwarded and alarms evaluated once a minute or so; they are shown when they come, and said to be late otherwise. */
const ALARM_WITHIN_MS = 150_000;
const POLL_MS = 500;
const ADDED = ' (changed by hand)';

export async function tamper(ports: TamperPorts, messageId: string | undefined, tell: (step: TamperStep) => void): Promise<TamperOutcome> {
  const image = await victim(ports, messageId);
  if (image === undefined) return { outcome: 'no-message' };
  const key = keyOf(image);
  const startedAt = ports.now();
  const headBefore = await ports.log.readHead();
  const id = stringOf(image, 'messageId');
  tell({ step: 'before', record: key, ...(id !== undefined && { messageId: id }), log: position(headBefore) });

  const before = new Set((await findingsAbout(ports.records, key)).map(({ source, code }) => `${source} ${code}`));
  const change = alteration(image);
  if ((await ports.byHand.setAttribute(key, change.attribute, change.value)) === 'absent') return { outcome: 'no-message' };
  tell({ step: 'changed', attribute: change.attribute, from: change.from, to: change.to });

  const findings = await until(ports, FIND_WITHIN_MS, async () => {
    const fresh = (await findingsAbout(ports.records, key)).filter(({ source, code }) => !before.has(`${source} ${code}`));
    return fresh.length > 0 ? fresh : undefined;
  });
  if (findings === undefined) return { outcome: 'not-found' };
  tell({ step: 'found', findings });

  const sealed = await until(ports, FIND_WITHIN_MS, () => roundAfter(ports.log, headBefore));
  if (sealed !== undefined) tell({ step: 'sealed', round: sealed, log: position(await ports.log.readHead()) });
  const repair = await until(ports, HEAL_WITHIN_MS, () => healed(ports.records, image, startedAt));
  if (repair !== undefined) {
    tell({ step: 'healed', repair });
    tell({ step: 'verified', ...(await verified(ports)) });
  }
  await watchAlarms(ports, startedAt, tell);
  return { outcome: repair === undefined ? 'not-healed' : 'found' };
}

/** What the repair left, once the record is again what `before` is. */
async function healed(records: TamperPorts['records'], before: Image, since: Date): Promise<TamperRepair | undefined> {
  const now = await records.get(keyOf(before), { consistent: true });
  if (now === 'absent' || !isSameImage(now, before)) return undefined;
  let newest: Image | undefined;
  // Dated as the change it undoes, whose time the stream gives in whole seconds.
  const earliest = new Date(since.getTime() - 1000).toISOString();
  for await (const image of records.partition(repairsOf(keyOf(before)))) if ((stringOf(image, 'receivedAt') ?? '') >= (stringOf(newest, 'receivedAt') ?? earliest)) newest = image;
  return newest === undefined ? undefined : { record: keyOf(newest), action: stringOf(newest, 'action') ?? '', entry: integerOf(newest, 'entry') };
}

/** The whole vault, as anybody would verify it, with the signing key pinned. */
async function verified({ vault, lockPolicy, log, signer }: TamperPorts): Promise<{ readonly ok: boolean; readonly entries: number; readonly findings: number }> {
  const identity = await log.identity();
  const keys = identity === 'absent' ? [] : [verifierKey(identity.origin, await signer.publicKey())];
  const { ok, entries, findings } = await verifyVault(vault, { profile: 'intact', keys, lockPolicy });
  return { ok, entries, findings: findings.length };
}

async function watchAlarms(ports: TamperPorts, startedAt: Date, tell: (step: TamperStep) => void): Promise<void> {
  const { monitoring, now } = ports;
  const counted = await until(ports, ALARM_WITHIN_MS, async () => {
    const n = (await monitoring.sums(['UnauthorisedChange'], startedAt, now())).get('UnauthorisedChange');
    return n !== undefined && n > 0 ? n : undefined;
  });
  if (counted === undefined) return;
  tell({ step: 'counted', unauthorisedChanges: counted });
  const alarms = await until(ports, ALARM_WITHIN_MS, async () => {
    const firing = (await monitoring.alarms()).filter(({ name, state }) => state === 'ALARM' && /unauthori[sz]ed-?change/i.test(name));
    return firing.length > 0 ? firing : undefined;
  });
  if (alarms !== undefined) tell({ step: 'alarmed', alarms });
}

/** The message of that id, or the newest one. */
async function victim({ records, ...ports }: TamperPorts, messageId: string | undefined): Promise<Image | undefined> {
  if (messageId !== undefined) {
    const { pk } = recordKeys.message(hashed(await loadSecrets(ports).dedupeKey(), 'wamid', [messageId]), '');
    for await (const image of records.partition(pk)) if (stringOf(image, 'kind') === 'message') return image;
    return undefined;
  }
  let newest: Image | undefined;
  const rank = (image: Image | undefined): string => `${stringOf(image, 'text') === undefined ? 0 : 1}${stringOf(image, 'receivedAt') ?? ''}`;
  // One whose text can be changed, if there is any: a person sees at once what was done to it.
  for await (const image of records.scan({ kinds: ['message'] })) if (newest === undefined || rank(image) > rank(newest)) newest = image;
  return newest;
}

interface Alteration {
  readonly attribute: string;
  readonly value: Attribute;
  readonly from: string;
  readonly to: string;
}

function alteration(image: Image): Alteration {
  const text = stringOf(image, 'text');
  if (text !== undefined) return { attribute: 'text', value: { S: `${text}${ADDED}` }, from: text, to: `${text}${ADDED}` };
  const timestamp = stringOf(image, 'timestamp') ?? '0';
  const later = String((Number.parseInt(timestamp, 10) || 0) + 3600);
  return { attribute: 'timestamp', value: { S: later }, from: timestamp, to: later };
}

async function findingsAbout(records: Pick<RecordStore, 'scan'>, { pk, sk }: TableKey): Promise<TamperFinding[]> {
  const found: TamperFinding[] = [];
  for await (const image of records.scan({ kinds: ['finding'] })) {
    if (stringOf(image, 'recordPk') !== pk || stringOf(image, 'recordSk') !== sk) continue;
    found.push({ code: stringOf(image, 'code') ?? '', source: stringOf(image, 'source') ?? '', receivedAt: stringOf(image, 'receivedAt') ?? '' });
  }
  return found.sort((a, b) => (a.code < b.code ? -1 : 1));
}

async function roundAfter(log: Pick<LogStore, 'rounds'>, before: Head | 'absent'): Promise<Round | undefined> {
  const size = before === 'absent' ? 0 : before.size;
  for await (const round of log.rounds(size)) if (round.from >= size) return round;
  return undefined;
}

const position = (head: Head | 'absent'): LogPosition => (head === 'absent' ? { size: 0, root: '' } : { size: head.size, root: head.root.toString('base64') });

async function until<T>({ now, sleep }: Pick<TamperPorts, 'now' | 'sleep'>, withinMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = now().getTime() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined || now().getTime() >= deadline) return seen;
    await sleep(POLL_MS);
  }
}

