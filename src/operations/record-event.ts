/**
 * Records one event once, for ever, and says what it was: new, seen before, seen before with less, or a contradiction. Durable when it resolves.
 * The condition of the write decides, never a read before it: two deliveries of one event at the same moment end as one record and one duplicate.
 */
import { createHash } from 'node:crypto';
import { canonicalize } from '../core/canonical-json';
import type { Stamp } from '../core/customer-aliases';
import { bytesOf, integerOf, stringOf, type Image, type TableKey } from '../core/image';
import type { MetaEvent, QuarantineEvent } from '../core/meta/events';
import { parseSlices } from '../core/meta/json-slices';
import { checkMac } from '../core/record-mac';
import { contentOf, contentOfQuarantine, evidenceImage, eventImage, keyOfEvent, quarantineImage, quarantineStateImage, type Content, type Owner, type RecordableEvent } from '../core/records';
import { recordKeys } from '../core/table-keys';
import { changeIn, accountOwner, introduce, ownerIfKnown, recordWithChange } from './resolve-customer';
import { hash, holds, newStamp, newSubject, sealed, type Run } from './recording-run';

/**
 * `duplicate`: recorded before, with nothing new in this one. `variant`: the same event with a body that differs where Meta's bodies do; both are kept.
 * `conflict`: another event under a used identity, kept as evidence; the first is unchanged. `quarantined`: not understood, kept with the reason.
 */
export type EventOutcome = 'recorded' | 'duplicate' | 'variant' | 'conflict' | 'quarantined';

/** Throws `PortError`: then the event may or may not be recorded, and recording it again converges. */
export async function recordEvent(run: Run, event: MetaEvent): Promise<EventOutcome> {
  if (event.eventKind === 'quarantine') return quarantine(run, event);
  const newcomer: Newcomer = { event, key: keyOfEvent(run.keys.dedupe, event), stamp: newStamp(run) };
  const outcome = await record(run, newcomer);
  run.deps.meter.count(METRIC_OF[outcome]);
  if (event.unknownType && outcome === 'recorded') run.deps.meter.count('EventsUnknownType');
  return outcome;
}

const METRIC_OF = { recorded: 'EventsRecorded', duplicate: 'EventsDuplicate', variant: 'EventsVariant', conflict: 'EventsConflict', quarantined: 'EventsQuarantined' } as const;

interface Newcomer {
  readonly event: RecordableEvent;
  readonly key: TableKey;
  readonly stamp: Stamp;
}

async function record(run: Run, newcomer: Newcomer): Promise<EventOutcome> {
  const { event, key } = newcomer;
  const { records } = run.deps;
  const content = sumOf(contentOf(run.keys.dedupe, key, event));
  const change = changeIn(run, event);
  let owner = change === undefined ? await ownerIfKnown(run, event) : 'unknown';
  if (owner === 'unknown' || content !== undefined) {
    // Rare, and about to leave something behind (a customer, moved names, an object): not for an event that is recorded or erased already.
    const there = await records.get(key, { consistent: true });
    if (there !== 'absent') return meet(run, newcomer, there, content);
  }
  // Before the record that names it. Dying in between leaves an object that the retry finds; nobody else looks for its name.
  if (content !== undefined) await run.deps.inbox.put(content.name, content.bytes);
  if (change !== undefined) {
    const outcome = await recordWithChange(run, event, change, (to) => imageOf(run, newcomer, to, content));
    if (outcome === 'recorded') return 'recorded';
    if (outcome !== 'nobody') return meet(run, newcomer, outcome.refusedBy, content);
    owner = { ...(await accountOwner(run, event.wabaId)), unresolved: 'alias-unreadable' };
  }
  const known = owner === 'unknown' ? await introduce(run, event) : owner;
  const outcome = await records.create(imageOf(run, newcomer, known, content));
  return outcome === 'created' ? 'recorded' : meet(run, newcomer, outcome.exists, content);
}

type Summed = Content & { readonly sha256: Buffer };
const sumOf = (content: Content | undefined): Summed | undefined => content && { ...content, sha256: createHash('sha256').update(content.bytes).digest() };

const imageOf = (run: Run, { event, key, stamp }: Newcomer, owner: Owner, content: Summed | undefined): Image =>
  sealed(run, eventImage(event, key, owner, stamp, (tag, parts) => hash(run, tag, parts), content));

/** There is a record under the newcomer's key. */
async function meet(run: Run, newcomer: Newcomer, there: Image, content: Summed | undefined): Promise<EventOutcome> {
  if (stringOf(there, 'attempt') === newcomer.stamp.attempt && holds(run, there)) return 'recorded';
  const verdict = await compare(run, newcomer, there, content);
  return verdict === 'duplicate' ? 'duplicate' : keepEvidence(run, newcomer, verdict, there, content);
}

async function compare(run: Run, { event }: Newcomer, there: Image, content: Summed | undefined): Promise<'duplicate' | 'variant' | 'conflict'> {
  // A record somebody else wrote says nothing about what Meta sent before: keep what Meta sends now.
  if (!holds(run, there)) return 'conflict';
  // Erased: its key still recognises a late resend, which must not bring back what was forgotten.
  if (stringOf(there, 'kind') === 'tombstone') return 'duplicate';
  const digest = bytesOf(there, 'digest');
  if (digest === undefined || !Buffer.from(event.digest, 'hex').equals(digest)) return 'conflict';
  const old = await bytesOfRecord(run, there, content);
  const contact = event.contactRaw ?? Buffer.alloc(0);
  const isSame = old !== undefined && isSameJson(old.raw, event.raw) && isSameJson(old.contact, contact);
  return isSame ? 'duplicate' : 'variant';
}

/** The bytes a record keeps, or undefined where its object is gone. `mine`: an object whose bytes we hold already. */
async function bytesOfRecord(run: Run, record: Image, mine: Summed | undefined): Promise<{ readonly raw: Buffer; readonly contact: Buffer } | undefined> {
  const name = stringOf(record, 'contentName');
  if (name === undefined) return { raw: Buffer.from(bytesOf(record, 'raw') ?? []), contact: Buffer.from(bytesOf(record, 'contact') ?? []) };
  const bytes = name === mine?.name ? mine.bytes : await run.deps.inbox.get(name);
  if (bytes === 'absent') return undefined;
  const length = integerOf(record, 'contentRawBytes') ?? bytes.length;
  return { raw: bytes.subarray(0, length), contact: bytes.subarray(length) };
}

/** The same bytes, or the same value where JSON keeps all of it: a resend with other escapes or key order adds nothing. */
function isSameJson(a: Buffer, b: Buffer): boolean {
  return a.equals(b) || canonicalOf(a) === canonicalOf(b);
}

/** Canonical text of a slice, or its bytes in hex where its value is not the whole truth. */
function canonicalOf(slice: Buffer): string {
  const parsed = parseSlices(slice);
  return parsed.ok && parsed.anomalies.length === 0 ? canonicalize(parsed.root.value) : slice.toString('hex');
}

/**
 * The same event is the same person's, and so is another one under its identity that names them: whoever has their names by now, what is kept of it twice belongs together and is erased together.
 * Otherwise what comes while a person is being erased would be kept with whoever comes after them.
 */
async function isOfOnePerson(run: Run, kind: 'variant' | 'conflict', { customer = {} }: RecordableEvent, there: Image, content: Summed | undefined): Promise<boolean> {
  if (kind === 'variant') return true;
  if (checkMac(run.keys.mac, there) !== 'valid') return false;
  const old = await bytesOfRecord(run, there, content);
  const names = [customer.bsuid, customer.waId, customer.parentBsuid, customer.phone].filter((name) => name !== undefined && name !== '');
  return old !== undefined && names.some((name) => [old.raw, old.contact].some((bytes) => bytes.includes(JSON.stringify(name))));
}

function ownerOfRecord(there: Image): Owner | undefined {
  const [subject, customerId] = [stringOf(there, 'subject'), stringOf(there, 'customerId')];
  return subject === undefined ? undefined : { subject, ...(customerId !== undefined && { customerId }) };
}

async function ownerOfEvent(run: Run, event: RecordableEvent): Promise<Owner> {
  const found = await ownerIfKnown(run, event);
  return found === 'unknown' ? introduce(run, event) : found;
}

/** Puts the newcomer beside the record, under a name made from all of it: the same evidence again is a duplicate. */
async function keepEvidence(run: Run, newcomer: Newcomer, kind: 'variant' | 'conflict', there: Image, content: Summed | undefined): Promise<EventOutcome> {
  const { event, key, stamp } = newcomer;
  const body = hash(run, 'whole', [canonicalOf(event.raw), event.contactRaw === undefined ? '' : canonicalOf(event.contactRaw)]);
  const evidenceKey = kind === 'variant' ? recordKeys.variant(key, body) : recordKeys.conflict(key, body);
  // Kept before, or erased with its person: then neither a body nor a customer may be left behind by it.
  const before = await run.deps.records.get(evidenceKey, { consistent: true });
  if (before !== 'absent') return stringOf(before, 'attempt') === stamp.attempt ? kind : 'duplicate';
  const owner = ((await isOfOnePerson(run, kind, event, there, content)) ? ownerOfRecord(there) : undefined) ?? (await ownerOfEvent(run, event));
  if (content !== undefined) await run.deps.inbox.put(content.name, content.bytes);
  const image = eventImage(event, key, owner, stamp, (tag, parts) => hash(run, tag, parts), content);
  const outcome = await run.deps.records.create(sealed(run, evidenceImage(kind, image, evidenceKey, stringOf(there, 'kind') ?? event.eventKind)));
  if (outcome === 'created' || stringOf(outcome.exists, 'attempt') === stamp.attempt) return kind;
  return 'duplicate';
}

/** Keeps input that is not understood, under a subject of its own, with its state `open`: both or neither. */
async function quarantine(run: Run, event: QuarantineEvent): Promise<EventOutcome> {
  const key = keyOfEvent(run.keys.dedupe, event);
  const stamp = newStamp(run);
  const subject = newSubject(run);
  const content = sumOf(contentOfQuarantine(run.keys.dedupe, key, event));
  const newcomer: QuarantinedNewcomer = { event, key, stamp, subject, content };
  if (content !== undefined) {
    const there = await run.deps.records.get(key, { consistent: true });
    if (there !== 'absent') return counted(run, await meetQuarantined(run, newcomer, there));
    await run.deps.inbox.put(content.name, content.bytes);
  }
  const outcome = await run.deps.records.transact([
    { op: 'create', image: sealed(run, quarantineImage(event, key, subject, stamp, content)) },
    { op: 'create', image: sealed(run, quarantineStateImage(key, 'open', 1, subject, stamp)) },
  ]);
  if (outcome === 'done') return counted(run, 'quarantined');
  const there = outcome.refused[0];
  if (there !== undefined && there !== 'absent') return counted(run, await meetQuarantined(run, newcomer, there));
  // Only the state is there: somebody removed the record by hand. Keep what Meta sends now; the state says enough.
  const again = await run.deps.records.create(sealed(run, quarantineImage(event, key, subject, stamp, content)));
  return counted(run, again === 'created' ? 'quarantined' : await meetQuarantined(run, newcomer, again.exists));
}

interface QuarantinedNewcomer {
  readonly event: QuarantineEvent;
  readonly key: TableKey;
  readonly stamp: Stamp;
  readonly subject: string;
  readonly content: Summed | undefined;
}

/** There is a record under the input's key. Believed only if it is ours and of these bytes; otherwise what Meta sends now is kept beside it. */
async function meetQuarantined(run: Run, { event, key, stamp, subject, content }: QuarantinedNewcomer, there: Image): Promise<EventOutcome> {
  const isOurs = holds(run, there);
  if (isOurs && stringOf(there, 'attempt') === stamp.attempt) return 'quarantined';
  // Erased: a resend must not bring it back.
  if (isOurs && stringOf(there, 'kind') === 'tombstone') return 'duplicate';
  // The record may have outlived its body; the same bytes again are no second object.
  if (content !== undefined) await run.deps.inbox.put(content.name, content.bytes);
  const digest = bytesOf(there, 'digest');
  if (isOurs && digest !== undefined && Buffer.from(event.digest, 'hex').equals(digest)) return 'duplicate';
  const evidenceKey = recordKeys.conflict(key, hash(run, 'whole', [event.raw]));
  const image = evidenceImage('conflict', quarantineImage(event, evidenceKey, subject, stamp, content), evidenceKey, 'quarantine');
  const outcome = await run.deps.records.create(sealed(run, image));
  return outcome === 'created' || stringOf(outcome.exists, 'attempt') === stamp.attempt ? 'conflict' : 'duplicate';
}

function counted(run: Run, outcome: EventOutcome): EventOutcome {
  run.deps.meter.count(METRIC_OF[outcome]);
  return outcome;
}
