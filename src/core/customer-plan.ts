/**
 * Decides whose an event is and which aliases change hands, from what the table says about each alias. Pure, so that every constellation can be
 * tried. The rule above all others: two people are never merged silently. A wrong split is a nuisance that a person can join; a wrong merge
 * shows one customer's messages to another.
 */
import { aliasImage, customerImage, linkImage, type Alias, type AliasState, type CustomerRef, type GivenAlias, type Holding, type LinkReason, type Stamp } from './customer-aliases';
import type { Image } from './image';

/** A write of a plan, as `RecordStore.transact` takes it: `ifRev` is the revision the plan was made from. */
export type PlannedWrite = { readonly op: 'create'; readonly image: Image } | { readonly op: 'replace'; readonly image: Image; readonly ifRev: number };

/** An alias of an event and its state. */
export interface Seen {
  readonly alias: Alias;
  readonly state: AliasState;
}

export interface PlanInput {
  /** The person's aliases, business-scoped user ids before numbers. */
  readonly seen: readonly Seen[];
  /** Of a system message "user changed": the aliases that hold from now on; `seen` are those that held before. Otherwise empty. */
  readonly becomes: readonly Seen[];
  /** The business account that saw them: two bsuids of one person can only meet across accounts. */
  readonly wabaId: string;
  /** Time of the event, unix seconds. */
  readonly at: number;
}

export interface Plan {
  readonly customer: CustomerRef | 'new';
  readonly reason: LinkReason;
  /** To be given to the customer, `from` whoever holds it now. */
  readonly give: readonly { readonly seen: Seen; readonly from?: CustomerRef }[];
  /** Held by the customer, to be written again: seen with others for the first time, given up, or taken back. */
  readonly touch: readonly Seen[];
  /** Numbers the customer gave up at `at`. */
  readonly release: ReadonlySet<string>;
  /** Customers who may be the same person. */
  readonly suspects: readonly { readonly customer: CustomerRef; readonly alias: Alias }[];
}

/** Whether `state`, read for the first of an event's aliases, settles the event: then nothing else is read and nothing written. */
export function isSettled(state: AliasState, others: readonly Alias[], alias: Alias, at: number): state is { readonly state: 'given' } & GivenAlias {
  return state.state === 'given' && !isGivenUp(alias, state, at) && others.every((other) => state.linked[other.hash] !== undefined);
}

/** 'nobody': none of the aliases can be read, or there are none. */
export function planAliases(input: PlanInput): Plan | 'nobody' {
  const before = input.seen.filter(isReadable);
  const after = input.becomes.filter(isReadable);
  const all = [...before, ...after];
  if (all.length === 0) return 'nobody';
  const changed = after.length > 0;
  const holder = holderOf(before, input) ?? holderOf(after, input) ?? lastResort(all, input);

  const give: { seen: Seen; from?: CustomerRef }[] = [];
  const suspects: { customer: CustomerRef; alias: Alias }[] = [];
  const held: Seen[] = [];
  let newHolder = false;
  for (const seen of all) {
    const { state, alias } = seen;
    if (state.state !== 'given') give.push({ seen });
    else if (holder !== undefined && state.customerId === holder.customerId) held.push(seen);
    else if (mayMove(seen, input, after.includes(seen))) {
      give.push({ seen, from: { customerId: state.customerId, subject: state.subject } });
      newHolder = true;
    } else if (!suspects.some(({ customer }) => customer.customerId === state.customerId)) suspects.push({ customer: { customerId: state.customerId, subject: state.subject }, alias });
  }

  // A number that was changed is no longer this customer's: the next one who writes from it is somebody else.
  // Not by a message older than the one that gave them the number: they may have come back to it since.
  const numbers = before.filter(({ alias, state }) => isNumber(alias) && !(state.state === 'given' && input.at < state.assignedAt));
  const release = new Set(changed && after.some((seen) => isNumber(seen.alias)) ? numbers.map((seen) => seen.alias.hash) : []);
  for (const seen of after) release.delete(seen.alias.hash);
  // Where the customer is given a name, those by which they were found are written again: whoever takes one away at the same moment, to merge the customer into another, refuses the whole.
  const touch = held.filter((seen) => seen.state.state === 'given' && (give.length > 0 || needsWrite(seen.alias, seen.state, all, release, input.at)));
  const reason = changed ? 'user-changed' : holder === undefined && !newHolder ? 'first-contact' : newHolder ? 'new-holder' : 'seen-together';
  return { customer: holder ?? 'new', reason, give, touch, release, suspects };
}

/**
 * The writes of `plan`, each without MAC, for one transaction. `newId`: makes the ids of link records, which sort by time.
 * `customer`: the plan's, or a fresh one where it says 'new'.
 */
export function writesOf(plan: Plan, input: PlanInput, customer: CustomerRef, stamp: Stamp, newId: () => string): readonly PlannedWrite[] {
  const writes: PlannedWrite[] = [];
  const isNew = plan.customer === 'new';
  if (isNew) writes.push({ op: 'create', image: customerImage(customer, stamp) });
  const all = [...input.seen, ...input.becomes].filter(isReadable);
  const companyOf = (alias: Alias): Readonly<Record<string, string>> =>
    Object.fromEntries(all.filter((other) => other.alias.hash !== alias.hash).map((other) => [other.alias.hash, `${other.alias.type}@${input.wabaId}`]));

  for (const { seen } of plan.give) {
    const { alias, state } = seen;
    const n = state.state === 'given' ? state.n + 1 : state.state === 'free' ? state.n : 0;
    if (state.state === 'given') writes.push(replacing(alias, state, { ...state, movedTo: n }, stamp));
    const released = plan.release.has(alias.hash) ? { releasedAt: input.at } : {};
    writes.push({ op: 'create', image: aliasImage(alias, customer, { n, rev: 1, linked: companyOf(alias), assignedAt: input.at, ...released }, stamp) });
  }
  for (const { alias, state } of plan.touch) {
    if (state.state !== 'given') continue;
    const { releasedAt, ...held } = state;
    const until = plan.release.has(alias.hash) ? input.at : isGivenUp(alias, state, input.at) ? undefined : releasedAt;
    writes.push(replacing(alias, state, { ...held, linked: { ...state.linked, ...companyOf(alias) }, ...(until === undefined ? {} : { releasedAt: until }) }, stamp));
  }
  const given = plan.give.map(({ seen }) => seen.alias);
  if (given.length > 0) writes.push({ op: 'create', image: linkImage(customer, { id: newId(), action: isNew ? 'created' : 'linked', reason: plan.reason, aliases: given }, stamp) });
  for (const { seen, from } of plan.give) {
    if (from !== undefined) writes.push({ op: 'create', image: linkImage(from, { id: newId(), action: 'unlinked', reason: plan.reason, aliases: [seen.alias], other: customer.customerId }, stamp) });
  }
  return writes;
}

/** The next state of the same holder's record: same subject, rev + 1. */
function replacing(alias: Alias, state: GivenAlias, holding: Holding, stamp: Stamp): PlannedWrite {
  return { op: 'replace', image: aliasImage(alias, state, { ...holding, rev: state.rev + 1 }, stamp), ifRev: state.rev };
}

/** The proposals of `plan`, without MAC; `idOf` makes the same id for the same pair, so that each is made once. They belong into the same transaction. */
export function proposalsOf(plan: Plan, customer: CustomerRef, stamp: Stamp, idOf: (customerId: string, otherId: string) => string): readonly Image[] {
  return plan.suspects.map((suspect) =>
    linkImage(
      customer,
      { id: idOf(customer.customerId, suspect.customer.customerId), action: 'suspected-same', reason: plan.reason, aliases: [suspect.alias], other: suspect.customer.customerId },
      stamp,
    ),
  );
}

const isReadable = (seen: Seen): boolean => seen.state.state === 'given' || seen.state.state === 'free';

/** Numbers are handed on to other people by their operators; ids made by Meta are not. */
const isNumber = (alias: Alias): boolean => alias.type === 'wa-id' || alias.type === 'phone';

/** Given up before the event: the number may be somebody else's by now. In the same second it still was theirs. */
const isGivenUp = (alias: Alias, state: GivenAlias, at: number): boolean => isNumber(alias) && state.releasedAt !== undefined && state.releasedAt < at;

/** The first alias that is surely this person's says who it is; a business-scoped user id before any number. */
function holderOf(seen: readonly Seen[], input: PlanInput): CustomerRef | undefined {
  for (const numeric of [false, true]) {
    for (const { alias, state } of seen) {
      if (isNumber(alias) !== numeric || state.state !== 'given' || isGivenUp(alias, state, input.at)) continue;
      if (numeric && input.becomes.length === 0 && hasRival(state, input)) continue;
      return { customerId: state.customerId, subject: state.subject };
    }
  }
  return undefined;
}

/** Where no alias could be given to a new customer, the first one's holder it is: without an alias, each of their events would make another customer. */
function lastResort(seen: readonly Seen[], input: PlanInput): CustomerRef | undefined {
  const isGivable = (each: Seen): boolean => each.state.state === 'free' || mayMove(each, input, input.becomes.includes(each));
  const first = seen[0]?.state;
  return first?.state !== 'given' || seen.some(isGivable) ? undefined : { customerId: first.customerId, subject: first.subject };
}

/**
 * The number came here before with another business-scoped user id of the same account. One person has one such id per portfolio, and gets a
 * new one only together with a new number, so the number has a new holder.
 */
function hasRival(state: GivenAlias, input: PlanInput): boolean {
  const here = `bsuid@${input.wabaId}`;
  const ours = new Set(input.seen.filter(({ alias }) => alias.type === 'bsuid').map(({ alias }) => alias.hash));
  return ours.size > 0 && Object.entries(state.linked).some(([hash, where]) => where === here && !ours.has(hash)) && ![...ours].some((hash) => state.linked[hash] !== undefined);
}

/** An alias of someone else goes to this person only where that is certain, and never because of an event older than the one that gave it away. */
function mayMove({ alias, state }: Seen, input: PlanInput, becomesTheirs: boolean): boolean {
  if (state.state !== 'given' || input.at < state.assignedAt) return false;
  if (becomesTheirs) return true;
  return isNumber(alias) && input.becomes.length === 0 && (isGivenUp(alias, state, input.at) || hasRival(state, input));
}

function needsWrite(alias: Alias, state: GivenAlias, all: readonly Seen[], release: ReadonlySet<string>, at: number): boolean {
  const isNewCompany = all.some((other) => other.alias.hash !== alias.hash && state.linked[other.alias.hash] === undefined);
  const isReleased = release.has(alias.hash);
  return isNewCompany || (isReleased ? state.releasedAt === undefined || state.releasedAt < at : isGivenUp(alias, state, at));
}
