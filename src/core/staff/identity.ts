/**
 * Who is who, as staff decide it: names (aliases) that are given to a customer or taken away, customers that are merged into another and taken back. No record of a message is touched and no key: a merged
 * customer keeps its own id, subject and history; what changes is to whom later messages come, and who is read together. Pure, and without MACs.
 */
import { aliasImage, aliasList, holderAttributes, keyAttributes, unlinkedAlias, type Alias, type CustomerRef, type GivenAlias } from '../customer-aliases';
import type { PlannedWrite } from '../customer-plan';
import { stringOf, type Image } from '../image';
import { recordKeys } from '../table-keys';
import { operatorAttributes, type AccessActor } from './access-record';
import { profileOf, revOf } from './profile';
import { nextStep } from './version';

/** Customers that can be merged into one, the one included: so many are read, and erased, together. */
export const MAX_TOGETHER = 20;
/** Names that one merge can move: two writes each, in one transaction with everything else. */
export const MAX_MOVED = 30;

/** Into whom the customer was merged; undefined: into nobody, or taken back. */
export const mergedInto = (customer: Image): string | undefined => stringOf(customer, 'mergedInto');
/** Which merge it was: the id of the link records that tell of it. */
export const mergeIdOf = (customer: Image): string | undefined => stringOf(customer, 'mergeId');
/** Who was merged into the customer directly, the latest last. */
export function mergedOf(customer: Image): readonly string[] {
  const attribute = customer['merged'];
  return attribute !== undefined && 'L' in attribute ? attribute.L.flatMap((each) => ('S' in each ? [each.S] : [])) : [];
}

/** `absorbed` as merged into `survivor`. */
export const asMerged = (absorbed: Image, survivor: string, mergeId: string): Image => ({ ...absorbed, mergedInto: { S: survivor }, mergeId: { S: mergeId } });
export function asUnmerged({ mergedInto: _into, mergeId: _id, ...customer }: Image): Image {
  return customer;
}
/** `survivor` with those who are merged into them. */
export function withMerged({ merged: _, ...survivor }: Image, merged: readonly string[]): Image {
  return { ...survivor, ...(merged.length > 0 && { merged: { L: merged.map((id) => ({ S: id })) } }) };
}

/** One decision of a member of staff. */
export interface Decided {
  /** A ULID: of the link records it makes, one for each customer. */
  readonly id: string;
  readonly actor: AccessActor;
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string;
  readonly reason: string;
}

/** The next state of a customer's record, in which something else than the profile is other than before, and the version that says who did it. `customer`: the record as it is to become, but for its revision. */
export function decidedFor(customer: Image, action: 'linked' | 'unlinked' | 'merged' | 'unmerged', { actor, at, reason }: Decided): readonly PlannedWrite[] {
  const step = nextStep(customer, profileOf(customer), { actor, at, action, reason });
  return [
    { op: 'replace', image: step.customer, ifRev: revOf(customer) },
    { op: 'create', image: step.version },
  ];
}

/** `merged`, `unmerged`: another customer came to this one, or left it. `merged-into`, `unmerged-from`: the other side of it. */
export type DecidedLink = 'linked' | 'unlinked' | 'merged' | 'merged-into' | 'unmerged' | 'unmerged-from';

/** A name that an undone merge could not give back, or that came since. Of the name a hash. */
export interface Stayed {
  readonly type: Alias['type'];
  readonly hash: string;
  readonly why: StayedWhy;
}
/**
 * `given-away`: somebody else has it by now. `held-by-nobody`: it was taken away. `kept`: the survivor has it, by a later decision or message than the merge. `came-since`: new with the survivor since the
 * merge, and seen together with a name that went back.
 */
export const STAYED_WHYS = ['given-away', 'held-by-nobody', 'kept', 'came-since'] as const;
export type StayedWhy = (typeof STAYED_WHYS)[number];

/** What a decision means for one customer: which names, who is on the other side, who decided and why. */
export function decidedLink(
  customer: CustomerRef,
  { action, aliases, other, stayed = [] }: { readonly action: DecidedLink; readonly aliases: readonly Omit<Alias, 'value'>[]; readonly other?: string; readonly stayed?: readonly Stayed[] },
  { id, actor, at, reason }: Decided,
): PlannedWrite {
  const image: Image = {
    ...keyAttributes(recordKeys.link(customer.customerId, id)),
    kind: { S: 'link' },
    ...holderAttributes(customer),
    rev: { N: '1' },
    action: { S: action },
    reason: { S: 'decided' },
    by: { S: 'operator' },
    ...operatorAttributes(actor),
    why: { S: reason },
    aliases: aliasList(aliases),
    ...(other !== undefined && { other: { S: other } }),
    ...(stayed.length > 0 && { stayed: { L: stayed.map(({ type, hash, why }) => ({ M: { type: { S: type }, hash: { S: hash }, why: { S: why } } })) } }),
    receivedAt: { S: at },
  };
  return { op: 'create', image };
}

/** What `image`, a genuine link record, says of names. */
export function aliasesIn(link: Image): readonly Omit<Alias, 'value'>[] {
  return membersOf(link, 'aliases').flatMap((each) => {
    const [type, hash] = [stringOf(each, 'type'), stringOf(each, 'hash')];
    return type === undefined || hash === undefined ? [] : [{ type: type as Alias['type'], hash }];
  });
}
export function stayedIn(link: Image): readonly Stayed[] {
  return membersOf(link, 'stayed').flatMap((each) => {
    const [type, hash, why] = [stringOf(each, 'type'), stringOf(each, 'hash'), STAYED_WHYS.find((known) => known === stringOf(each, 'why'))];
    return type === undefined || hash === undefined || why === undefined ? [] : [{ type: type as Alias['type'], hash, why }];
  });
}
const membersOf = (image: Image, name: string): readonly Image[] => {
  const attribute = image[name];
  return attribute !== undefined && 'L' in attribute ? attribute.L.flatMap((each) => ('M' in each ? [each.M] : [])) : [];
};

/** An alias somebody holds, and the record that says so. */
export interface Held {
  readonly alias: Alias;
  readonly image: Image;
  readonly state: GivenAlias;
}

/** Gives an alias that is held to `to`, as the next holder: on condition that nothing was written of it since. */
function handedOn({ alias, state }: Held, to: CustomerRef, holding: Pick<GivenAlias, 'linked' | 'assignedAt' | 'releasedAt' | 'merges'>, at: string): readonly PlannedWrite[] {
  const [n, caused] = [state.n + 1, { receivedAt: at }];
  return [
    { op: 'replace', image: aliasImage(alias, state, { ...state, rev: state.rev + 1, movedTo: n }, caused), ifRev: state.rev },
    { op: 'create', image: aliasImage(alias, to, { ...holding, n, rev: 1 }, caused) },
  ];
}

/** By a merge: what is known of the alias stays true, since it is the same person's; only the holder is another, until that merge is undone. */
export function movedByMerge(held: Held, to: CustomerRef, mergeId: string, at: string): readonly PlannedWrite[] {
  const { linked, assignedAt, releasedAt, merges = [] } = held.state;
  return handedOn(held, to, { linked, assignedAt, ...(releasedAt !== undefined && { releasedAt }), merges: [...merges, mergeId] }, at);
}

/** Whether undoing `mergeId` gives the alias back: it is where that merge has brought it. */
export const cameBy = (mergeId: string, state: GivenAlias): boolean => state.merges?.at(-1) === mergeId;

/** Back to whom the merge took it from. */
export function movedBack(held: Held, to: CustomerRef, at: string): readonly PlannedWrite[] {
  const { linked, assignedAt, releasedAt, merges = [] } = held.state;
  return handedOn(held, to, { linked, assignedAt, ...(releasedAt !== undefined && { releasedAt }), merges: merges.slice(0, -1) }, at);
}

/**
 * By a person's decision, who knows better than what the webhook has seen: that the name came with others before says nothing about its holder from now on, and no event older than the decision takes it
 * away. `held` undefined: nobody has it, `n` is the number of its next holder.
 */
export function linkedByDecision(alias: Alias, from: Held | { readonly n: number }, to: CustomerRef, at: string): readonly PlannedWrite[] {
  const holding = { linked: {}, assignedAt: Math.floor(Date.parse(at) / 1000) };
  return 'state' in from ? handedOn(from, to, holding, at) : [{ op: 'create', image: aliasImage(alias, to, { ...holding, n: from.n, rev: 1 }, { receivedAt: at }) }];
}

export function unlinkedByDecision({ image, state }: Held, at: string): PlannedWrite {
  const { mac: _, ...record } = image;
  return { op: 'replace', image: unlinkedAlias(record, at), ifRev: state.rev };
}
