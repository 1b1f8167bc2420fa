/**
 * The names a person goes by (business-scoped user id, wa_id) and the records that say whose they are. Values are Meta's, verbatim: numbers are
 * never normalised, because no rule is right for every country and a wrong one merges two people.
 * The record of an alias says enough to resolve an event with several identifiers by reading one of them.
 */
import { hashed } from './dedupe-key';
import { integerOf, stringOf, type Attribute, type Image, type TableKey } from './image';
import { recordKeys } from './table-keys';

/**
 * `bsuid`: one person within one business portfolio. `wa-id`: digits, from `wa_id`, `from`, `to` or `recipient_id`; a number can get a new holder.
 * `parent-bsuid`, `phone` (an address book's): used only where there is neither of the first two. Usernames are no aliases: people trade them.
 */
export const ALIAS_TYPES = ['bsuid', 'wa-id', 'parent-bsuid', 'phone'] as const;
export type AliasType = (typeof ALIAS_TYPES)[number];

export interface Alias {
  readonly type: AliasType;
  readonly value: string;
  /** HMAC over type and value: 43 characters. */
  readonly hash: string;
}

export function aliasOf(dedupeKey: Uint8Array, type: AliasType, value: string): Alias {
  return { type, value, hash: hashed(dedupeKey, 'alias', [type, value]) };
}

/** Longer than any identifier Meta documents; a longer one is content that stands in the wrong place and names nobody. */
export const MAX_ALIAS_LENGTH = 256;

/** The aliases that say whose an event is, the firmest first: at most a business-scoped user id and a number. */
export function aliasesOf(
  dedupeKey: Uint8Array,
  names: { readonly bsuid?: string | undefined; readonly parentBsuid?: string | undefined; readonly waId?: string | undefined; readonly phone?: string | undefined },
): readonly Alias[] {
  const usable = (type: AliasType, value: string | undefined): readonly Alias[] =>
    value === undefined || value === '' || value.length > MAX_ALIAS_LENGTH || LONE_SURROGATE.test(value) ? [] : [aliasOf(dedupeKey, type, value)];
  const usual = [...usable('bsuid', names.bsuid), ...usable('wa-id', names.waId)];
  if (usual.length > 0) return usual;
  const parent = usable('parent-bsuid', names.parentBsuid);
  return parent.length > 0 ? parent : usable('phone', names.phone);
}
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A customer as other records name it: the id for people, the random subject for the log. */
export interface CustomerRef {
  readonly customerId: string;
  readonly subject: string;
}

/**
 * What the table says about an alias now. `free`: nobody holds it; `n` is the number of its next holder. `unreadable`: its newest record has a wrong MAC
 * or form, so it decides nothing. `moved`: seen only when the first holder's record alone was read: another one follows.
 */
export type AliasState = { readonly state: 'free'; readonly n: number } | { readonly state: 'unreadable' | 'moved' } | ({ readonly state: 'given' } & GivenAlias);

export interface GivenAlias extends CustomerRef {
  /** Which holder this is, from 0. Each has a record of its own, so that a record never changes its subject and an erasure takes exactly its person's. */
  readonly n: number;
  readonly rev: number;
  /** Aliases that came in one event with this one and were dealt with: hash → `<type>@<WABA id>`. Knowing them spares reading them. */
  readonly linked: Readonly<Record<string, string>>;
  /** Time of the event that gave it to its holder, unix seconds. */
  readonly assignedAt: number;
  /** The holder gave the number up at this time, unix seconds: what is later is not theirs. */
  readonly releasedAt?: number;
  /** Ids of the merges that brought it here, the latest last: whoever undoes that one gives it back. None where it came by a message or was linked by staff. */
  readonly merges?: readonly string[];
}

/** When a write of ours was caused; part of every record. */
export interface Caused {
  /** ISO 8601 UTC with milliseconds: when the delivery, or what staff asked, reached us. */
  readonly receivedAt: string;
}

/** Where a write comes from that a delivery caused. */
export interface Stamp extends Caused {
  /** base64url of the first 16 bytes of SHA-256(body). */
  readonly deliveryId: string;
  /** Random, 12 characters, one per event and run: a writer that lost the reply knows its own write by it. */
  readonly attempt: string;
}

/** A bound on `linked`, so that an alias seen with ever new others stays a small item; the oldest go, and cost one read when seen again. */
export const MAX_LINKED = 20;

/** The record of an alias's `n`-th holder. The first has the plain key, so that one GetItem answers for all but numbers that changed hands. */
export function aliasKey(alias: Alias, n: number): TableKey {
  const first = recordKeys.alias(alias.hash);
  return n === 0 ? first : { pk: first.pk, sk: `${first.sk}#${n}` };
}

/**
 * The state of an alias from the records of its holders: all of them, or the first alone. `macHolds` judges a record's MAC. An adversary who deletes the
 * newest holder's record leaves one that says it was moved: the alias does not fall back to whom it belonged before.
 */
export function aliasState(records: readonly Image[], macHolds: (image: Image) => boolean, options: { readonly firstOnly: boolean }): AliasState {
  const newest = records.map((image) => ({ image, n: holderNumber(stringOf(image, 'sk') ?? '') })).sort((a, b) => b.n - a.n)[0];
  if (newest === undefined) return { state: 'free', n: 0 };
  const { image, n } = newest;
  const rev = integerOf(image, 'rev');
  if (!macHolds(image) || rev === undefined) return { state: 'unreadable' };
  const kind = stringOf(image, 'kind');
  // Erased: the tombstone stays what it is, and whoever has the alias now gets the record after it.
  if (kind === 'tombstone') return options.firstOnly ? { state: 'moved' } : { state: 'free', n: n + 1 };
  const customerId = stringOf(image, 'customerId');
  const subject = stringOf(image, 'subject');
  if (kind !== 'alias' || customerId === undefined || subject === undefined) return { state: 'unreadable' };
  // Its holder is being erased, or staff took it away: what comes now is a new customer's, under a subject that stays.
  if (stringOf(image, 'frozenAt') !== undefined || stringOf(image, 'unlinkedAt') !== undefined) return options.firstOnly ? { state: 'moved' } : { state: 'free', n: n + 1 };
  if (integerOf(image, 'movedTo') !== undefined) return { state: 'moved' };
  const [releasedAt, merges] = [integerOf(image, 'releasedAt'), mergesIn(image)];
  return {
    state: 'given',
    customerId,
    subject,
    n,
    rev,
    linked: linkedIn(image),
    assignedAt: integerOf(image, 'assignedAt') ?? 0,
    ...(releasedAt === undefined ? {} : { releasedAt }),
    ...(merges.length > 0 && { merges }),
  };
}

/** The name that a record of an alias is about; undefined where it is none. */
export function aliasIn(image: Image): Alias | undefined {
  const [type, value, pk] = [stringOf(image, 'aliasType'), stringOf(image, 'aliasValue'), stringOf(image, 'pk')];
  const known = ALIAS_TYPES.find((each) => each === type);
  return stringOf(image, 'kind') !== 'alias' || known === undefined || value === undefined || pk === undefined ? undefined : { type: known, value, hash: pk.slice(recordKeys.alias('').pk.length) };
}

/** `image`, a genuine alias record that is held, as taken from its holder by staff at `at` (ISO 8601 UTC), and given to nobody; without its MAC. */
export const unlinkedAlias = (image: Image, at: string): Image => ({ ...image, rev: { N: String((integerOf(image, 'rev') ?? 0) + 1) }, receivedAt: { S: at }, unlinkedAt: { S: at } });

/** `image`, a genuine alias record that is held, as frozen at `at` (ISO 8601 UTC); without its MAC. */
export const frozenAlias = (image: Image, at: string): Image => ({ ...image, rev: { N: String((integerOf(image, 'rev') ?? 0) + 1) }, receivedAt: { S: at }, frozenAt: { S: at } });

/** Whether later events can still come to the holder of this alias record through it. */
export const leadsToHolder = (image: Image): boolean => stringOf(image, 'kind') === 'alias' && !isTakenAway(image) && stringOf(image, 'frozenAt') === undefined;

/** Whether somebody else has this record's alias by now, or nobody. */
export const isTakenAway = (image: Image): boolean => integerOf(image, 'movedTo') !== undefined || stringOf(image, 'unlinkedAt') !== undefined;

function mergesIn(image: Image): readonly string[] {
  const attribute = image['merges'];
  return attribute !== undefined && 'L' in attribute ? attribute.L.flatMap((each) => ('S' in each ? [each.S] : [])) : [];
}

const holderNumber = (sk: string): number => Number(sk.split('#')[1] ?? 0);

function linkedIn(image: Image): Readonly<Record<string, string>> {
  const attribute = image['linked'];
  if (attribute === undefined || !('M' in attribute)) return {};
  return Object.fromEntries(Object.keys(attribute.M).flatMap((hash) => [[hash, stringOf(attribute.M, hash) ?? '']]));
}

/** What the record of one holder says; `movedTo`: the number of the holder that followed. */
export type Holding = Omit<GivenAlias, keyof CustomerRef> & { readonly movedTo?: number };

/** The record of `alias` as held by `holder`, without its MAC. */
export function aliasImage(alias: Alias, holder: CustomerRef, holding: Holding, stamp: Caused | Stamp): Image {
  const newest = Object.entries(holding.linked).slice(-MAX_LINKED);
  return {
    ...keyAttributes(aliasKey(alias, holding.n)),
    kind: { S: 'alias' },
    ...holderAttributes(holder),
    rev: { N: String(holding.rev) },
    aliasType: { S: alias.type },
    aliasValue: { S: alias.value },
    linked: { M: Object.fromEntries(newest.map(([hash, where]): [string, Attribute] => [hash, { S: where }])) },
    assignedAt: { N: String(holding.assignedAt) },
    ...(holding.releasedAt === undefined ? {} : { releasedAt: { N: String(holding.releasedAt) } }),
    ...(holding.movedTo === undefined ? {} : { movedTo: { N: String(holding.movedTo) } }),
    ...(holding.merges !== undefined && holding.merges.length > 0 && { merges: { L: holding.merges.map((merge) => ({ S: merge })) } }),
    ...stampAttributes(stamp),
  };
}

/** The first state of a customer, without its MAC. Names and pictures are content of messages, not kept here. */
export function customerImage(customer: CustomerRef, stamp: Stamp): Image {
  return {
    ...keyAttributes(recordKeys.customer(customer.customerId)),
    kind: { S: 'customer' },
    ...holderAttributes(customer),
    rev: { N: '1' },
    createdAt: { S: stamp.receivedAt },
    ...stampAttributes(stamp),
  };
}

/** `created`: the customer began with these aliases. `linked`, `unlinked`: the customer got or lost them. `suspected-same`: a proposal for a person. */
export type LinkAction = 'created' | 'linked' | 'unlinked' | 'suspected-same';
/** `new-holder`: a number that is now someone else's. `user-changed`: Meta's system message said so. What staff decide has reasons in their own words (staff/identity). */
export type LinkReason = 'first-contact' | 'seen-together' | 'new-holder' | 'user-changed';

/** One change of who holds which alias, as seen by `customer`, without its MAC. `other`: the customer on the other side of a move or proposal. */
export function linkImage(
  customer: CustomerRef,
  link: { readonly id: string; readonly action: LinkAction; readonly reason: LinkReason; readonly aliases: readonly Alias[]; readonly other?: string },
  stamp: Stamp,
): Image {
  return {
    ...keyAttributes(recordKeys.link(customer.customerId, link.id)),
    kind: { S: 'link' },
    ...holderAttributes(customer),
    rev: { N: '1' },
    action: { S: link.action },
    reason: { S: link.reason },
    by: { S: 'webhook' },
    aliases: aliasList(link.aliases),
    ...(link.other === undefined ? {} : { other: { S: link.other } }),
    ...stampAttributes(stamp),
  };
}

/** Hashes: a link tells that a name changed hands, the alias record tells which name it is. */
export const aliasList = (aliases: readonly Omit<Alias, 'value'>[]): Attribute => ({ L: aliases.map(({ type, hash }) => ({ M: { type: { S: type }, hash: { S: hash } } })) });

export const keyAttributes = (key: { readonly pk: string; readonly sk: string }): Image => ({ pk: { S: key.pk }, sk: { S: key.sk } });
export const holderAttributes = (holder: CustomerRef): Image => ({ customerId: { S: holder.customerId }, subject: { S: holder.subject } });
export const stampAttributes = (stamp: Caused | Stamp): Image => ({
  receivedAt: { S: stamp.receivedAt },
  ...('deliveryId' in stamp && { deliveryId: { S: stamp.deliveryId }, attempt: { S: stamp.attempt } }),
});
