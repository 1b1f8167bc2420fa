/**
 * Finds whose an event is: no read for a person this container has just seen, one for a person we know, one transaction for a person we meet.
 * Concurrent first contacts end with one customer, because whoever loses the condition reads again and follows the winner.
 */
import { aliasesOf, aliasKey, aliasState, type Alias, type AliasState, type CustomerRef, type Stamp } from '../core/customer-aliases';
import { isSettled, planAliases, proposalsOf, writesOf, type Plan, type PlanInput, type PlannedWrite, type Seen } from '../core/customer-plan';
import { keyOf, stringOf, type Image } from '../core/image';
import type { CustomerAliases } from '../core/meta/customers';
import { accountImage, secondsOf, type Owner, type RecordableEvent } from '../core/records';
import { recordKeys } from '../core/table-keys';
import { PortError, type RecordStore, type RecordWrite } from '../ports';
import { hash, holds, MAX_CACHED_ACCOUNTS, newId, newStamp, newSubject, sealed, type Run } from './recording-run';

/** Each lost race means that somebody else got ahead, so a handful is ample; more would mean that something is wrong. */
const MAX_ROUNDS = 10;
/** A commit is visible everywhere within milliseconds; what is still half there after as many reads was taken apart by hand. */
const MAX_READS = 5;

/**
 * The owner, where one eventually consistent read (or none) tells; else 'unknown': then `introduce`. A read that misses a change of the last
 * second is noticed by the conditions of `introduce`; one that sees the holder a number had a second ago is right for a message of that second.
 * Only what is found by a user id is remembered beyond this run: Meta makes those for one person, while a number is handed on to the next one.
 */
export function ownerIfKnown(run: Run, event: RecordableEvent): Promise<Owner | 'unknown'> {
  const people = aliasesOf(run.keys.dedupe, event.customer ?? {});
  const [first, ...others] = people;
  if (first === undefined) return accountOwner(run, event.wabaId);
  const cache = first.type === 'bsuid' ? run.deps.ownerCache : undefined;
  return oncePerRun(run, people, async () => {
    const remembered = cache?.get(namesOf(people));
    if (remembered !== undefined) return { owner: remembered, keep: true };
    const readAtMs = run.deps.now().getTime();
    const state = await readFirst(run, first);
    // Never remembered: that somebody is unknown, or what a record with a wrong MAC says.
    if (!isSettled(state, others, first, timeOf(run, event))) return { owner: 'unknown', keep: false };
    const owner = { customerId: state.customerId, subject: state.subject };
    // Of a number that was given up, it depends on the time of each event whose it is.
    const keep = state.releasedAt === undefined;
    if (keep) cache?.remember(namesOf(people), owner, readAtMs);
    return { owner, keep };
  });
}

/**
 * The owner of an event that `ownerIfKnown` could not settle: links its aliases, creates the customer on first contact. If the process dies here, a
 * customer without a message is left, which the retry finds and uses.
 */
export function introduce(run: Run, event: RecordableEvent): Promise<Owner> {
  const people = aliasesOf(run.keys.dedupe, event.customer ?? {});
  if (people.length === 0) return accountOwner(run, event.wabaId);
  const made = oncePerRun(run, people, async () => ({ owner: (await settle(run, event, people, [])).owner, keep: true }), 'introduced+');
  return made.then((owner) => (owner === 'unknown' ? introduce(run, event) : owner));
}

/** The aliases that `event` says have changed, or undefined where it says nothing of the kind. */
export function changeIn(run: Run, event: RecordableEvent): { readonly before: readonly Alias[]; readonly after: readonly Alias[] } | undefined {
  const change = event.eventKind === 'status' ? undefined : event.identityChange;
  if (change === undefined) return undefined;
  const after = aliasesOf(run.keys.dedupe, { bsuid: change.newBsuid, waId: change.newWaId });
  const named: CustomerAliases = event.customer ?? {};
  const old = [...aliasesOf(run.keys.dedupe, { bsuid: change.oldBsuid, waId: change.oldWaId }), ...aliasesOf(run.keys.dedupe, named)];
  const isNew = new Set(after.map((alias) => alias.hash));
  const before = [...new Map(old.filter((alias) => !isNew.has(alias.hash)).map((alias) => [alias.hash, alias])).values()];
  // Nothing is old, or nothing is new: no name changed hands (customer_identity_changed: a new device).
  return before.length === 0 || after.length === 0 ? undefined : { before, after };
}

/**
 * Records `imageOf(owner)` and the change of names it reports in one transaction: a resend finds the record and moves nothing a second time.
 * `refusedBy`: there is a record already under its key; no name was changed.
 */
export async function recordWithChange(
  run: Run,
  event: RecordableEvent,
  change: { readonly before: readonly Alias[]; readonly after: readonly Alias[] },
  imageOf: (owner: Owner) => Image,
): Promise<'recorded' | { readonly refusedBy: Image } | 'nobody'> {
  const outcome = await settle(run, event, change.before, change.after, imageOf);
  run.owners.clear();
  if (outcome.owner.customerId === undefined) return 'nobody';
  return outcome.refusedBy === undefined ? 'recorded' : { refusedBy: outcome.refusedBy };
}

/** Whose an event is, and the writes, without MACs, that make it so: none where it is so already. */
export interface Introduction {
  readonly owner: Owner;
  readonly names: readonly PlannedWrite[];
  /** A name goes from one customer to another: then nothing that a container remembers of owners can be relied on. */
  readonly moves: boolean;
}

/**
 * What `introduce` would do, for a caller who does it in a transaction of their own, all of it or nothing: where a condition fails somebody else got ahead, and it has to be planned anew. Writes nothing
 * but the account's own record, where an event is about nobody.
 */
export async function planIntroduction(run: Run, event: RecordableEvent): Promise<Introduction> {
  const people = aliasesOf(run.keys.dedupe, event.customer ?? {});
  if (people.length === 0) return { owner: await accountOwner(run, event.wabaId), names: [], moves: false };
  return introductionOf(run, event, people, [], newStamp(run), newCustomer(run));
}

const newCustomer = (run: Run): CustomerRef => ({ customerId: newId(run), subject: newSubject(run) });

async function introductionOf(run: Run, event: RecordableEvent, before: readonly Alias[], after: readonly Alias[], stamp: Stamp, fresh: CustomerRef): Promise<Introduction> {
  const input: PlanInput = { seen: await readAll(run, before), becomes: await readAll(run, after), wabaId: event.wabaId, at: timeOf(run, event) };
  const plan = planAliases(input);
  // Somebody has tampered with every alias we could go by. The event is kept all the same, with the account, and says why.
  if (plan === 'nobody') return { owner: { ...(await accountOwner(run, event.wabaId)), unresolved: 'alias-unreadable' }, names: [], moves: false };
  const customer = plan.customer === 'new' ? fresh : plan.customer;
  const names = [...writesOf(plan, input, customer, stamp, () => newId(run)), ...(await newProposals(run, plan, customer, stamp))];
  return { owner: customer, names, moves: plan.reason === 'user-changed' || plan.give.some(({ from }) => from !== undefined) };
}

async function settle(run: Run, event: RecordableEvent, before: readonly Alias[], after: readonly Alias[], imageOf?: (owner: Owner) => Image): Promise<{ readonly owner: Owner; readonly refusedBy?: Image }> {
  const stamp = newStamp(run);
  // Once, outside the rounds: after a lost reply the next round finds exactly this customer.
  const fresh = newCustomer(run);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { owner, names, moves } = await introductionOf(run, event, before, after, stamp, fresh);
    if (owner.customerId === undefined) return { owner };
    const sealedNames = names.map((write): RecordWrite => ({ ...write, image: sealed(run, write.image) }));
    const writes: RecordWrite[] = imageOf === undefined ? sealedNames : [{ op: 'create', image: imageOf(owner) }, ...sealedNames];
    if (writes.length === 0) return { owner };
    const outcome = await transact(run, moves, writes);
    if (outcome === 'done') return { owner };
    const there = imageOf === undefined ? undefined : outcome.refused[0];
    if (there !== undefined && there !== 'absent') return { owner, refusedBy: there };
  }
  throw new PortError('unavailable', `the aliases of one customer changed ${MAX_ROUNDS} times while they were being read; the delivery has to be sent again`);
}

/** Where an alias goes from one customer to another, nothing this container remembers is relied on any longer, whatever became of the transaction: its reply may be lost. */
async function transact(run: Run, moves: boolean, writes: readonly RecordWrite[]): ReturnType<RecordStore['transact']> {
  try {
    return await run.deps.records.transact(writes);
  } finally {
    if (moves) run.deps.ownerCache?.forget();
  }
}

/** A proposal is made once; whoever makes it at the same moment refuses our transaction, and the next round finds it here. */
async function newProposals(run: Run, plan: Plan, customer: CustomerRef, stamp: Stamp): Promise<readonly PlannedWrite[]> {
  const writes: PlannedWrite[] = [];
  for (const image of proposalsOf(plan, customer, stamp, (a, b) => hash(run, 'link', [a, b]))) {
    if ((await run.deps.records.get(keyOf(image), { consistent: true })) === 'absent') writes.push({ op: 'create', image });
  }
  return writes;
}

/** The account itself: what is about nobody, or about somebody it does not name. */
export async function accountOwner(run: Run, wabaId: string): Promise<Owner> {
  if (wabaId === '') throw new PortError('corrupt', 'none of the names of a person can be believed, and no account is named that the record could belong to; the table audit finds and repairs the names');
  const { accounts, records } = run.deps;
  const cached = accounts.get(wabaId);
  if (cached !== undefined) return { subject: cached };
  const found = await records.get(recordKeys.account(wabaId), { consistent: false });
  const image = found === 'absent' ? await createAccount(run, wabaId) : found;
  const subject = holds(run, image) ? stringOf(image, 'subject') : undefined;
  if (subject === undefined) return { subject: newSubject(run), unresolved: 'account-unreadable' };
  if (accounts.size < MAX_CACHED_ACCOUNTS) accounts.set(wabaId, subject);
  return { subject };
}

async function createAccount(run: Run, wabaId: string): Promise<Image> {
  const image = sealed(run, accountImage(wabaId, newSubject(run), newStamp(run)));
  const outcome = await run.deps.records.create(image);
  return outcome === 'created' ? image : outcome.exists;
}

const timeOf = (run: Run, event: RecordableEvent): number => secondsOf(event.timestamp, Math.floor(Date.parse(run.receivedAt) / 1000));

/** One read for all but aliases that changed hands. */
async function readFirst(run: Run, alias: Alias): Promise<AliasState> {
  const image = await run.deps.records.get(aliasKey(alias, 0), { consistent: false });
  const state = aliasState(image === 'absent' ? [] : [image], (each) => holds(run, each), { firstOnly: true });
  return state.state === 'moved' ? readHolders(run, alias) : state;
}

/** All holders it has had. A Query may see half of a transaction, the old holder's record without the new one's: then it is read again. */
async function readHolders(run: Run, alias: Alias): Promise<AliasState> {
  const { pk, sk } = aliasKey(alias, 0);
  let state: AliasState = { state: 'moved' };
  for (let attempt = 0; attempt < MAX_READS && state.state === 'moved'; attempt += 1) {
    const images: Image[] = [];
    for await (const image of run.deps.records.partition(pk, sk)) images.push(image);
    state = aliasState(images, (each) => holds(run, each), { firstOnly: false });
  }
  return state;
}

const readAll = (run: Run, aliases: readonly Alias[]): Promise<readonly Seen[]> => Promise.all(aliases.map(async (alias) => ({ alias, state: await readHolders(run, alias) })));

const namesOf = (people: readonly Alias[]): string => people.map((alias) => alias.hash).join('+');

/** Runs `find` once for all events of this run with these aliases; forgets failures and what is not to be kept. */
function oncePerRun(run: Run, people: readonly Alias[], find: () => Promise<{ readonly owner: Owner | 'unknown'; readonly keep: boolean }>, prefix = ''): Promise<Owner | 'unknown'> {
  const known = namesOf(people);
  const name = prefix + known;
  const there = run.owners.get(name);
  if (there !== undefined) return there;
  const found = find().then(
    ({ owner, keep }) => {
      if (!keep) run.owners.delete(name);
      else if (prefix !== '') run.owners.set(known, Promise.resolve(owner));
      return owner;
    },
    (error: unknown) => {
      run.owners.delete(name);
      throw error;
    },
  );
  run.owners.set(name, found);
  return found;
}
