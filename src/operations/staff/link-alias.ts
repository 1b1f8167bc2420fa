/**
 * Gives a customer one of the names people write under, or takes one away. The next message from it is recorded for its new holder (within a minute still for the one before, where a receiver remembers
 * them); what was recorded stays where it is.
 */
import { aliasOf, MAX_ALIAS_LENGTH, type Alias, type AliasType } from '../../core/customer-aliases';
import type { Image } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { decidedFor, decidedLink, linkedByDecision, unlinkedByDecision, type Decided } from '../../core/staff/identity';
import { fieldError } from '../../core/staff/messages/catalogue';
import { revOf } from '../../core/staff/profile';
import type { StaffResult } from '../../core/staff/refusal';
import { textFaults } from '../../core/staff/text-rules';
import { recordKeys } from '../../core/table-keys';
import { guardedChange, type CustomerRoom, type Plan } from './guarded';
import { hasTooManyLinks, holderOf, MAX_LINKS } from './held-aliases';
import { cannot } from './cannot';
import { doneBefore, ERASING, idToTell, mergedAway, newId, notErased, NOT_FOUND, refOf, type Decision, type IdentityDeps } from './identity-step';
import { wholeOf } from './merged-customers';

export interface NamedAlias {
  readonly type: AliasType;
  /** As Meta spells it: of a number (`wa-id`) the digits alone, with the country's and without a +. */
  readonly value: string;
}

export interface LinkAlias extends Decision {
  readonly customerId: string;
  readonly alias: NamedAlias;
  /** Who has it now. It is taken from nobody who is not named. */
  readonly from?: string | undefined;
}
export interface LinkedAlias {
  readonly customerId: string;
  readonly rev: number;
  /** HMAC of the name, 43 characters: its id among those of a customer. */
  readonly aliasId: string;
}

/** Whether `alias` can be a name of anybody. */
const isAlias = ({ type, value }: NamedAlias): boolean => (type === 'wa-id' ? /^\d{5,20}$/.test(value) : value.length > 0 && value.length <= MAX_ALIAS_LENGTH && !/[\p{Cc}\p{Surrogate}]/u.test(value));

/** `conflict`: somebody else has it, or not the one in `from`; the customer was merged into another; an erasure is under way. That the customer has it already is no error. */
export function linkAlias(deps: IdentityDeps, actor: Actor, { customerId, alias: named, from, reason, id }: LinkAlias): Promise<StaffResult<LinkedAlias>> {
  const stepId = id ?? newId(deps);
  return guardedChange<LinkedAlias>(deps, actor, { action: 'LinkAlias', customerId, resourceId: stepId }, async (room): Promise<Plan<LinkedAlias>> => {
    if (from === customerId) return cannot('taken-from-themselves', {});
    const before = from === undefined ? undefined : await room.also(from);
    if (from !== undefined && before === undefined) return NOT_FOUND;
    const alias = await aliasNamed(deps, named);
    // What nobody can see is taken away, as the webhook brought it, and never given.
    if (alias === undefined || textFaults(named.value, MAX_ALIAS_LENGTH, 'line').length > 0) return invalid();
    const away = await mergedAway(deps, actor, 'LinkAlias', room, room.customer);
    if (away !== undefined) return away;
    const holder = await holderOf(deps, room, alias.hash);
    const holderId = 'state' in holder ? holder.state.customerId : undefined;
    const value = { customerId, aliasId: alias.hash };
    if (holderId === customerId) return { outcome: 'change', writes: [], value: { ...value, rev: revOf(room.customer) }, count: 0 };
    if (holderId !== from) return holderId === undefined ? cannot('nobody-has-name', {}) : anothers(await whoHasIt(deps, actor, room, holderId));
    const wholes = [await wholeOf(deps, room, customerId), ...(from === undefined ? [] : [await wholeOf(deps, room, from)])];
    const checks = await notErased(deps, room, wholes);
    if (checks === 'erasing') return ERASING;
    if (await hasTooManyLinks(deps, room, customerId)) return cannot('too-many-links', { customer: customerId, max: MAX_LINKS });
    const by: Decided = { id: stepId, actor, at: room.at, reason };
    return {
      outcome: 'change',
      writes: [
        ...linkedByDecision(alias, holder, refOf(room.customer), room.at),
        ...decidedFor(room.customer, 'linked', by),
        decidedLink(refOf(room.customer), { action: 'linked', aliases: [alias], ...(from !== undefined && { other: from }) }, by),
        ...(before === undefined ? [] : [...decidedFor(before, 'unlinked', by), decidedLink(refOf(before), { action: 'unlinked', aliases: [alias], other: customerId }, by)]),
        ...checks,
      ],
      value: { ...value, rev: revOf(room.customer) + 1 },
      count: 1,
    };
  });
}

export interface UnlinkAlias extends Decision {
  readonly customerId: string;
  readonly alias: NamedAlias;
}

/** Afterwards nobody has the name: the next message from it alone begins a new customer. `conflict`: the customer has no such name; an erasure is under way. */
export function unlinkAlias(deps: IdentityDeps, actor: Actor, { customerId, alias: named, reason, id }: UnlinkAlias): Promise<StaffResult<LinkedAlias>> {
  const stepId = id ?? newId(deps);
  return guardedChange<LinkedAlias>(deps, actor, { action: 'UnlinkAlias', customerId, resourceId: stepId }, async (room): Promise<Plan<LinkedAlias>> => {
    const alias = await aliasNamed(deps, named);
    if (alias === undefined) return invalid();
    const value = { customerId, aliasId: alias.hash };
    if ((await doneBefore(deps, actor, room, room.customer, id, 'unlinked')) !== undefined) return { outcome: 'change', writes: [], value: { ...value, rev: revOf(room.customer) }, count: 0 };
    const holder = await holderOf(deps, room, alias.hash);
    if (!('state' in holder) || holder.state.customerId !== customerId) return cannot('not-their-name', {});
    const checks = await notErased(deps, room, [await wholeOf(deps, room, customerId)]);
    if (checks === 'erasing') return ERASING;
    const by: Decided = { id: stepId, actor, at: room.at, reason };
    return {
      outcome: 'change',
      writes: [unlinkedByDecision(holder, room.at), ...decidedFor(room.customer, 'unlinked', by), decidedLink(refOf(room.customer), { action: 'unlinked', aliases: [alias] }, by), ...checks],
      value: { ...value, rev: revOf(room.customer) + 1 },
      count: 1,
    };
  });
}

const aliasNamed = async ({ keys }: IdentityDeps, named: NamedAlias): Promise<Alias | undefined> => (isAlias(named) ? aliasOf(await keys.dedupeKey(), named.type, named.value) : undefined);

const invalid = (): Plan<never> => ({ outcome: 'refused', refusal: { code: 'invalid', errors: [fieldError('en', '/value', 'alias', {}, '4915123456789')] } });

/** Whose a number is, was told. */
const anothers = (customer: string | undefined): Plan<never> => ({ ...cannot('another-has-name', { customer }), ...(customer !== undefined && { shown: [customer] }) });

/** The holder is told only where the actor may act on them too. */
async function whoHasIt(deps: IdentityDeps, actor: Actor, room: CustomerRoom, holderId: string): Promise<string | undefined> {
  const found = await deps.records.get(recordKeys.customer(holderId), { consistent: true });
  const holder: Image | undefined = found === 'absent' ? undefined : room.genuine(found);
  return holder === undefined ? undefined : idToTell(deps, actor, 'LinkAlias', holder);
}
