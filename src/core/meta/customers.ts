/**
 * By which names an event knows the person on the other side, and which entry of `contacts[]` speaks of them. A BSUID is the firmest name; a phone
 * number may be absent, empty, or replaced by a BSUID in its own member, and every name is kept as it was written.
 * Joining two names joins two people's records, so names are joined only where Meta itself put them on one person.
 */
import { memberOf, type JsonNode } from './json-slices';
import { isObject, stringIn, type Json } from './json-members';

export interface CustomerAliases {
  /** Business-scoped user id, `US.1349…`. */
  readonly bsuid?: string;
  /** The same person across a parent company's portfolios, `US.ENT.1181…`. */
  readonly parentBsuid?: string;
  /** WhatsApp's number for the person, verbatim; not always the phone number. */
  readonly waId?: string;
  /** As written in the business's own address book. */
  readonly phone?: string;
  readonly username?: string;
  readonly profileName?: string;
}
type Draft = { -readonly [K in keyof CustomerAliases]: CustomerAliases[K] };

const BSUID = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/;
/** Whether an identifier is a BSUID, wherever it stands. */
export const isBsuid = (id: string): boolean => BSUID.test(id);


/** Puts an identifier where it belongs: reports show BSUIDs in `from` and `wa_id`. */
function place(draft: Draft, id: string | undefined): void {
  if (id === undefined) return;
  const bsuid = BSUID.exec(id);
  if (bsuid === null) draft.waId ??= id;
  else if (bsuid[1] === undefined) draft.bsuid ??= id;
  else draft.parentBsuid ??= id;
}

function named(waId: string | undefined, bsuid: string | undefined, parentBsuid: string | undefined): Draft {
  const draft: Draft = {};
  if (bsuid !== undefined) draft.bsuid = bsuid;
  if (parentBsuid !== undefined) draft.parentBsuid = parentBsuid;
  place(draft, waId);
  return draft;
}

/** Who sent an inbound message; in a group the member who wrote. */
export const senderOf = (message: Json): Draft => named(stringIn(message, 'from'), stringIn(message, 'from_user_id'), stringIn(message, 'from_parent_user_id'));

/** To whom the business's own message went. */
export const addresseeOf = (message: Json): Draft => named(stringIn(message, 'to'), stringIn(message, 'to_user_id'), stringIn(message, 'to_parent_user_id'));

/** Whom a status is about: the participant in a group, else the recipient. */
export function recipientOf(status: Json): Draft {
  const participant = named(
    stringIn(status, 'recipient_participant_id'),
    stringIn(status, 'recipient_participant_user_id'),
    stringIn(status, 'recipient_participant_parent_user_id'),
  );
  if (isNamed(participant) || status['recipient_type'] === 'group') return participant;
  return named(stringIn(status, 'recipient_id'), stringIn(status, 'recipient_user_id'), stringIn(status, 'recipient_parent_user_id') ?? stringIn(status, 'parent_recipient_user_id'));
}

/** Whom an item of another field is about, where it names one person: preferences, join requests, address book, calls. */
export function subjectOfItem(item: Json): Draft {
  const contact = isObject(item['contact']) ? item['contact'] : undefined;
  if (contact !== undefined) {
    const draft = named(stringIn(contact, 'wa_id'), stringIn(contact, 'user_id'), stringIn(contact, 'parent_user_id'));
    const phone = stringIn(contact, 'phone_number');
    const username = stringIn(contact, 'username');
    const profileName = stringIn(contact, 'full_name');
    if (phone !== undefined) draft.phone = phone;
    if (username !== undefined) draft.username = username;
    if (profileName !== undefined) draft.profileName = profileName;
    return draft;
  }
  const direction = stringIn(item, 'direction');
  if (direction === 'USER_INITIATED') return senderOf(item);
  if (direction === 'BUSINESS_INITIATED') return addresseeOf(item);
  if (stringIn(item, 'recipient_id') !== undefined || stringIn(item, 'recipient_user_id') !== undefined) return recipientOf(item);
  const draft = named(stringIn(item, 'wa_id'), stringIn(item, 'user_id'), stringIn(item, 'parent_user_id'));
  const username = stringIn(item, 'username');
  if (username !== undefined && isNamed(draft)) draft.username = username;
  return draft;
}

const isNamed = (aliases: CustomerAliases): boolean => aliases.bsuid !== undefined || aliases.parentBsuid !== undefined || aliases.waId !== undefined || aliases.phone !== undefined;

/** The aliases, or undefined where there is not one name among them. */
export const orNobody = (aliases: CustomerAliases): CustomerAliases | undefined => (isNamed(aliases) ? aliases : undefined);

/** One element of `contacts[]`; `profile` and every id may be missing. */
interface Contact {
  readonly node: JsonNode;
  readonly aliases: CustomerAliases;
  claimed: boolean;
}

/** The `contacts[]` of one value, each used by the events it speaks of. */
export class ContactBook {
  private readonly contacts: readonly Contact[];
  private readonly byId = new Map<string, Contact>();

  constructor(list: JsonNode | undefined) {
    this.contacts = (list?.children ?? []).map((node) => ({ node, aliases: aliasesOfContact(node), claimed: false }));
    for (const contact of this.contacts) {
      for (const id of [contact.aliases.bsuid, contact.aliases.waId]) if (id !== undefined && !this.byId.has(id)) this.byId.set(id, contact);
    }
  }

  /**
   * Adds to `own` what the contact of the same person says, and names its bytes. `alone`: the value has one event, so a single contact can only be
   * about it; its names are still not joined where they contradict the event's own.
   */
  complete(own: CustomerAliases, alone: boolean): { readonly aliases: CustomerAliases; readonly contact?: JsonNode } {
    const byName = (own.bsuid === undefined ? undefined : this.byId.get(own.bsuid)) ?? (own.waId === undefined ? undefined : this.byId.get(own.waId));
    const contact = byName ?? (alone && this.contacts.length === 1 ? this.contacts[0] : undefined);
    if (contact === undefined) return { aliases: own };
    contact.claimed = true;
    if (contradicts(own, contact.aliases)) return { aliases: own, contact: contact.node };
    return { aliases: { ...contact.aliases, ...own }, contact: contact.node };
  }

  get size(): number {
    return this.contacts.length;
  }

  /** Contacts that no event spoke of. */
  unclaimed(): readonly Contact[] {
    return this.contacts.filter(({ claimed }) => !claimed);
  }
}

const contradicts = (a: CustomerAliases, b: CustomerAliases): boolean =>
  (a.bsuid !== undefined && b.bsuid !== undefined && a.bsuid !== b.bsuid) || (a.waId !== undefined && b.waId !== undefined && a.waId !== b.waId);

function aliasesOfContact(node: JsonNode): CustomerAliases {
  const contact = isObject(node.value) ? node.value : {};
  const draft = named(stringIn(contact, 'wa_id'), stringIn(contact, 'user_id'), stringIn(contact, 'parent_user_id'));
  const profile = memberOf(node, 'profile')?.value;
  if (isObject(profile)) {
    const username = stringIn(profile, 'username');
    const profileName = stringIn(profile, 'name');
    if (username !== undefined) draft.username = username;
    if (profileName !== undefined) draft.profileName = profileName;
  }
  return draft;
}
