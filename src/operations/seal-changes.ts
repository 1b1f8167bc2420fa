/**
 * Step 3 of sealing, for one change at a time: judge it, record what is wrong with it, encrypt it. Whatever the table held, the change becomes an
 * entry: content can neither stop the sealer nor be dropped by it. Only the world (PortError) can make this fail, and then a retry begins anew.
 */
import { canonicalImage } from '../core/canonical-image';
import { isOfRecord, isOfStep, judgeChange, type Change, type Judgement, type NamedContent, type Violation } from '../core/change-judgement';
import { permitsRemoval, subjectsIn } from '../core/erasure';
import { integerOf, stringOf, type Image } from '../core/image';
import { isKind } from '../core/kinds';
import { sha256Hex } from '../core/log/sha256';
import { findingImage } from '../core/own-records';
import { checkMac, withMac, type MacKey } from '../core/record-mac';
import { permissionFor } from '../core/repair-record';
import { sealPut, sealRemove, type Blob, type ChangeFacts, type SealedChange } from '../core/sealed-change';
import type { SubjectKey } from '../core/subject-key';
import { recordKeys } from '../core/table-keys';
import { erasureNamedBy, isTombstone } from '../core/tombstone';
import { PortError, type Inbox, type LogIdentity, type Meter, type Random, type RecordStore, type Vault } from '../ports';
import type { RepairRequests } from '../ports/repair-requests';
import type { SubjectKeys } from './subject-keys';

export interface SealChangeDeps {
  readonly records: Pick<RecordStore, 'create' | 'partition'>;
  /** Whom to ask when a record is not as it should be. Absent where a person wants to be asked first. */
  readonly repairRequests?: RepairRequests | undefined;
  readonly inbox: Pick<Inbox, 'get'>;
  readonly vault: Pick<Vault, 'createLocked'>;
  readonly subjectKeys: SubjectKeys;
  readonly macKeys: () => Promise<readonly [MacKey, ...MacKey[]]>;
  readonly identity: () => Promise<LogIdentity>;
  readonly meter: Meter;
  readonly random: Random;
}

/** A change with where it came from. */
export interface SourcedChange extends Change {
  /** What the entry says about its source: a stream event id, or `late:…`. */
  readonly src: string;
  /** RFC 3339 UTC with milliseconds. */
  readonly at: string;
  /** Sealed instead where the change cannot be. */
  readonly raw: Buffer;
}

/**
 * The entries of `change`, canonical bytes: one, or two of one erasure's step. When this resolves its findings are records and its blobs are in the vault, so whatever dies
 * afterwards, the entries can be written as they are and nothing they name is missing.
 */
export async function sealChange(deps: SealChangeDeps, change: SourcedChange): Promise<readonly Buffer[]> {
  const macKeys = await deps.macKeys();
  const left = await leftBy(deps, macKeys, change);
  if (left?.isGenuineStep === true) return sealErased(deps, change, left);
  const judgement = await explained(deps, macKeys, change, judged(change, macKeys));
  const isForged = left === undefined && change.op !== 'REMOVE' && isTombstone(change.newImage);
  const found: Violation[] = isForged ? [...judgement.violations, 'tombstone-unpermitted'] : [...judgement.violations];
  // Under the very subject it names a forged tombstone would count.
  const isRaw = left !== undefined || judgement.subject === undefined || (isForged && judgement.subject === stringOf(change.newImage, 'subject'));
  const key = isRaw ? 'none' : await deps.subjectKeys.of(judgement.subject as string);
  if (key === 'erased') found.push('subject-erased');
  if (key === 'corrupt') found.push('subject-key-corrupt');
  const body = judgement.body === undefined || typeof key === 'string' ? undefined : await readBody(deps.inbox, judgement.body);
  if (typeof body === 'string') found.push(body);
  // Put before the entry: were it the other way round, a death in between would seal a violation that nobody ever hears of.
  await recordFindings(deps, change, found);
  // Behind the findings, and again when they were there already: an earlier attempt may have died in between.
  if (found.some(isOfRecord)) await askForRepair(deps, change);
  if (left !== undefined) return sealErased(deps, change, left);
  const sealed = typeof key === 'string' ? sealRaw(change, await deps.subjectKeys.fresh(), deps.random) : sealJudged(change, judgement, key, body instanceof Buffer ? body : undefined, deps.random);
  await putBlobs(deps.vault, sealed.blobs);
  return [sealed.entry];
}

/** A tombstone that may stand where it does. */
interface Left {
  readonly tombstone: Image;
  /** What an erasure took away, and whose it was; absent where a repair put the tombstone back, or nothing is known of what it stands for. */
  readonly removed?: { readonly image: Image; readonly subject: string };
  /** An erasure took what this system had written: nothing about it is to be found. */
  readonly isGenuineStep: boolean;
}

/**
 * A tombstone wins its place for ever, so none counts on its MAC alone. What permits one: the record of the erasure it names, which takes the subject of what it replaces and is read consistently, for it
 * was made before the first removal; or the record of a repair that takes exactly this step. An erasure never puts one where nothing was. Of a tombstone that is found long after its change nobody knows what it
 * replaced: there the erasure itself has to do. Undefined: no tombstone, or one that nothing permits, which is sealed where it does not count.
 */
async function leftBy(deps: SealChangeDeps, macKeys: readonly MacKey[], change: SourcedChange): Promise<Left | undefined> {
  const { op, oldImage: before, newImage: tombstone } = change;
  if (op === 'REMOVE' || tombstone === undefined || !isTombstone(tombstone) || checkMac(macKeys, tombstone) !== 'valid') return undefined;
  const { systemSubject } = await deps.identity();
  const erasureId = erasureNamedBy(tombstone, systemSubject);
  if (erasureId === undefined) return undefined;
  const removed = op === 'MODIFY' && before !== undefined && !isTombstone(before) ? before : undefined;
  const { pk, sk } = recordKeys.erasure(erasureId);
  if (removed !== undefined || op === 'STATE') {
    for await (const erasure of deps.records.partition(pk, sk)) {
      const subject = removed === undefined ? subjectsIn(erasure)[0] : stringOf(removed, 'subject');
      if (subject === undefined || !permitsRemoval(erasure, subject, systemSubject, macKeys)) continue;
      return removed === undefined ? { tombstone, isGenuineStep: false } : { tombstone, removed: { image: removed, subject }, isGenuineStep: checkMac(macKeys, removed) === 'valid' };
    }
  }
  return (await isRepair(deps, macKeys, change)) ? { tombstone, isGenuineStep: false } : undefined;
}

/**
 * The removal under the subject of the person, so that anybody sees from the vault alone that every record of that subject is gone; the tombstone under the log's own, so that it can be restored
 * when the person's key is gone and a late resend is still recognised. Where the key is gone already (somebody put an erased record back) there is no name left to remove.
 */
async function sealErased({ subjectKeys, identity, vault, random }: SealChangeDeps, { key, at, src }: SourcedChange, { removed, tombstone }: Left): Promise<readonly Buffer[]> {
  const own = await subjectKeys.of((await identity()).systemSubject);
  if (typeof own === 'string') throw new PortError('corrupt', `the key of the log's own subject is ${own}: restore the keys table's row from its backups`);
  const theirs = removed === undefined ? 'none' : await subjectKeys.of(removed.subject);
  const kind = stringOf(removed?.image, 'kind') ?? '';
  const gone = typeof theirs === 'string' ? [] : [sealRemove({ kind: isKind(kind) ? kind : 'unknown', key, rev: Math.max(0, integerOf(removed?.image, 'rev') ?? 0), at, src }, theirs)];
  const left = sealPut({ kind: 'tombstone', key, rev: integerOf(tombstone, 'rev') ?? 0, at, src }, own, canonicalImage(tombstone), random);
  await putBlobs(vault, left.blobs);
  return [...gone, left].map(({ entry }) => entry);
}

function judged(change: SourcedChange, macKeys: readonly MacKey[]): Judgement {
  try {
    return judgeChange(change, macKeys);
  } catch {
    // judgeChange is pure, so whatever it throws is the content's doing (no images, no canonical form, nesting): it is kept as it came.
    return { op: 'put', kind: 'raw', rev: 0, subject: undefined, content: undefined, body: undefined, vouched: undefined, violations: ['unprocessable'] };
  }
}

function sealJudged(change: SourcedChange, { op, kind, rev, content, vouched }: Judgement, key: SubjectKey, body: Buffer | undefined, random: Random): SealedChange {
  const facts: ChangeFacts = { kind, key: change.key, rev, at: change.at, src: change.src };
  return op === 'remove' || content === undefined ? sealRemove(facts, key) : sealPut(facts, key, content, random, body === undefined ? [] : [body], vouched === undefined ? [] : [vouched]);
}

/** Under a subject of its own: nothing is known about whom it concerns, so it can be erased alone. */
function sealRaw(change: SourcedChange, key: SubjectKey, random: Random): SealedChange {
  const facts = { kind: 'raw', rev: 0, at: change.at, src: change.src };
  try {
    return sealPut({ ...facts, key: change.key }, key, change.raw, random);
  } catch {
    // The table key itself has no canonical form. The raw bytes hold it.
    return sealPut({ ...facts, key: { pk: '', sk: '' } }, key, change.raw, random);
  }
}

async function readBody(inbox: Pick<Inbox, 'get'>, { name, sha256 }: NamedContent): Promise<Buffer | 'content-absent' | 'content-unreadable' | 'content-mismatch'> {
  // The record may have been written by hand: it must not lead to the deliveries beside the contents.
  if (!CONTENT_NAME.test(name)) return 'content-absent';
  let bytes: Buffer | 'absent';
  try {
    bytes = await inbox.get(name);
  } catch (error) {
    // The object itself is the trouble and trying again will not help: sealing must not wait for it. A store that is away or says no is another matter: going on
    // would seal without its content whatever comes until the rights are given back. S3 says the same no for one object under a key that is not ours; the inbox
    // bucket's policy lets nobody put one.
    if (error instanceof PortError && error.code === 'corrupt') return 'content-unreadable';
    throw error;
  }
  if (bytes === 'absent') return 'content-absent';
  return sha256Hex(bytes) === sha256 ? bytes : 'content-mismatch';
}
const CONTENT_NAME = /^content\/[A-Za-z0-9_-]{1,100}$/;

async function recordFindings({ records, macKeys, identity, meter }: SealChangeDeps, change: SourcedChange, codes: readonly Violation[]): Promise<void> {
  for (const code of codes) {
    const image = findingImage({ src: change.src, code, op: change.op, key: change.key, at: change.at }, (await identity()).systemSubject);
    const outcome = await records.create(withMac((await macKeys())[0], image));
    // 'exists': an earlier attempt at this very event told already.
    if (outcome === 'created') meter.count('UnauthorisedChange');
  }
}

/**
 * `judgement` without the violations that a repair accounts for. A repair writes a record that permits exactly this step before it takes it, so whoever reads a change can read its
 * permission: asked for only where something is wrong, and worth nothing without our MAC. What a repair puts back has come to its own, whosever it was made to be, however genuine that looked: under another's key it would
 * outlive its own erasure.
 */
async function explained(deps: SealChangeDeps, macKeys: readonly MacKey[], change: SourcedChange, judgement: Judgement): Promise<Judgement> {
  const { op, newImage } = change;
  const { violations } = judgement;
  if (!violations.some((violation) => isOfStep(op, violation)) || !(await isRepair(deps, macKeys, change))) return judgement;
  const own = op === 'MODIFY' && newImage !== undefined && checkMac(macKeys, newImage) === 'valid' ? stringOf(newImage, 'subject') : undefined;
  return { ...judgement, subject: own ?? judgement.subject, violations: violations.filter((violation) => !isOfStep(op, violation)) };
}

/** Whether a repair says that it takes exactly this step. */
async function isRepair({ records }: SealChangeDeps, macKeys: readonly MacKey[], change: SourcedChange): Promise<boolean> {
  // Of a state found long after its change nobody knows which step led to it.
  const place = change.op === 'STATE' ? undefined : permissionPlace(change);
  if (place === undefined) return false;
  for await (const image of records.partition(place.pk, place.skPrefix)) if (checkMac(macKeys, image) === 'valid') return true;
  return false;
}

/** Undefined where one of the states has no canonical form: no repair of ours makes such a step. */
function permissionPlace({ op, key, oldImage, newImage }: SourcedChange): ReturnType<typeof permissionFor> | undefined {
  try {
    return permissionFor(key, op === 'INSERT' ? undefined : oldImage, op === 'REMOVE' ? undefined : newImage);
  } catch {
    return undefined; // stateHash is pure: it throws on images that have no canonical form, and for nothing else
  }
}

async function askForRepair({ repairRequests, meter }: SealChangeDeps, { key, src }: SourcedChange): Promise<void> {
  try {
    await repairRequests?.ask({ key, source: src });
  } catch (error) {
    if (!(error instanceof PortError) || error.code === 'unavailable') throw error;
    // Asking again will not help, and sealing must not wait until somebody mends the queue or its rights: that is louder, and the finding stands.
    meter.count('RepairsRefused');
  }
}

async function putBlobs(vault: Pick<Vault, 'createLocked'>, blobs: readonly Blob[]): Promise<void> {
  for (const { name, bytes } of blobs) await vault.createLocked(name, bytes);
}
