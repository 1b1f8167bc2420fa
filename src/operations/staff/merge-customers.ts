/**
 * Two customers who are one person, and the way back. Merged, all names of the other lead to the one that stays; both keep their records, their subjects and keys, and are read together. Undone, the names go
 * back to whom they belonged, except what changed since, which is named; what was recorded meanwhile stays with the one it was recorded for.
 */
import type { Alias } from '../../core/customer-aliases';
import { stringOf } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { aliasesIn, asMerged, asUnmerged, cameBy, decidedFor, decidedLink, MAX_MOVED, MAX_TOGETHER, mergedInto, mergedOf, mergeIdOf, movedBack, movedByMerge, stayedIn, withMerged, type Decided, type Held, type Stayed } from '../../core/staff/identity';
import { revOf } from '../../core/staff/profile';
import type { StaffResult } from '../../core/staff/refusal';
import { recordKeys } from '../../core/table-keys';
import { PortError } from '../../ports';
import { inParallel } from '../in-parallel';
import { guardedChange, type CustomerRoom, type Plan } from './guarded';
import { aliasesHeldBy, hasTooManyLinks, holderOf, linksOf, MAX_LINKS } from './held-aliases';
import { cannot } from './cannot';
import { doneBefore, ERASING, idToTell, mergedAway, newId, notErased, NOT_FOUND, refOf, type Decision, type IdentityDeps } from './identity-step';
import { wholeOf } from './merged-customers';

export interface MergeCustomers extends Decision {
  /** The one that stays. */
  readonly customerId: string;
  /** The one whose names come to it. */
  readonly other: string;
}
export interface MergedCustomers {
  readonly customerId: string;
  readonly rev: number;
  readonly other: { readonly customerId: string; readonly rev: number };
  /** Names that came over. */
  readonly moved: number;
}

const AT_ONCE = 8;

/**
 * `conflict`: one of the two is merged into somebody already, who is named; there would be too many together, or too many names to move; an erasure is under way. Whoever was merged into the other comes
 * with them.
 */
export function mergeCustomers(deps: IdentityDeps, actor: Actor, { customerId, other, reason, id }: MergeCustomers): Promise<StaffResult<MergedCustomers>> {
  const mergeId = id ?? newId(deps);
  return guardedChange<MergedCustomers>(deps, actor, { action: 'MergeCustomers', customerId, resourceId: mergeId }, async (room): Promise<Plan<MergedCustomers>> => {
    if (other === customerId) return cannot('merged-with-themselves', {});
    const survivor = room.customer;
    const absorbed = await room.also(other);
    if (absorbed === undefined) return NOT_FOUND;
    const there = await doneBefore(deps, actor, room, absorbed, id, 'merged-into');
    if (there !== undefined) return { outcome: 'change', writes: [], value: { customerId, rev: revOf(survivor), other: { customerId: other, rev: revOf(absorbed) }, moved: aliasesIn(there).length }, count: 0 };
    const away = (await mergedAway(deps, actor, 'MergeCustomers', room, survivor)) ?? (await mergedAway(deps, actor, 'MergeCustomers', room, absorbed));
    if (away !== undefined) return away;
    const wholes = [await wholeOf(deps, room, customerId), await wholeOf(deps, room, other)];
    if (wholes.flat().length > MAX_TOGETHER) return cannot('too-many-merged', { max: MAX_TOGETHER, count: wholes.flat().length });
    const checks = await notErased(deps, room, wholes);
    if (checks === 'erasing') return ERASING;
    for (const customer of [customerId, other]) if (await hasTooManyLinks(deps, room, customer)) return cannot('too-many-links', { customer, max: MAX_LINKS });
    const held = await aliasesHeldBy(deps, room, other);
    if (held.length > MAX_MOVED) return cannot('too-many-names', { customer: other, count: held.length, max: MAX_MOVED, into: customerId });
    const by: Decided = { id: mergeId, actor, at: room.at, reason };
    const aliases = held.map(({ alias }) => alias);
    return {
      outcome: 'change',
      writes: [
        ...held.flatMap((each) => movedByMerge(each, refOf(survivor), mergeId, room.at)),
        ...decidedFor(withMerged(survivor, [...mergedOf(survivor), other]), 'merged', by),
        ...decidedFor(asMerged(absorbed, customerId, mergeId), 'merged', by),
        decidedLink(refOf(survivor), { action: 'merged', aliases, other }, by),
        decidedLink(refOf(absorbed), { action: 'merged-into', aliases, other: customerId }, by),
        ...checks,
      ],
      value: { customerId, rev: revOf(survivor) + 1, other: { customerId: other, rev: revOf(absorbed) + 1 }, moved: held.length },
      count: 1,
    };
  });
}

export interface UnmergedCustomers {
  readonly customerId: string;
  readonly rev: number;
  readonly other: { readonly customerId: string; readonly rev: number };
  /** Names that went back. */
  readonly returned: number;
  /** Names that did not, and those that came since: what to do with them is for a person to decide. */
  readonly stayed: readonly { readonly aliasId: string; readonly type: Stayed['type']; readonly why: Stayed['why'] }[];
}

/** Undoes a merge. `conflict`: the other is not merged into this customer, or this one was merged into somebody since, which has to be undone first; an erasure is under way. */
export function unmergeCustomers(deps: IdentityDeps, actor: Actor, { customerId, other, reason, id }: MergeCustomers): Promise<StaffResult<UnmergedCustomers>> {
  const stepId = id ?? newId(deps);
  return guardedChange<UnmergedCustomers>(deps, actor, { action: 'UnmergeCustomers', customerId, resourceId: stepId }, async (room): Promise<Plan<UnmergedCustomers>> => {
    if (other === customerId) return cannot('merged-with-themselves', {});
    const survivor = room.customer;
    const absorbed = await room.also(other);
    if (absorbed === undefined) return NOT_FOUND;
    const there = await doneBefore(deps, actor, room, absorbed, id, 'unmerged-from');
    const unmerged = { customerId, other: { customerId: other } };
    if (there !== undefined) {
      const value = { ...unmerged, rev: revOf(survivor), other: { customerId: other, rev: revOf(absorbed) }, returned: aliasesIn(there).length, stayed: shown(stayedIn(there)) };
      return { outcome: 'change', writes: [], value, count: 0 };
    }
    const mergeId = mergeIdOf(absorbed);
    if (mergedInto(absorbed) !== customerId || mergeId === undefined) return cannot('not-merged', { customer: other, into: customerId });
    const whole = await wholeOf(deps, room, customerId);
    const [top = survivor] = whole;
    if (mergedInto(survivor) !== undefined) return cannot('merged-since', { customer: customerId, into: idToTell(deps, actor, 'UnmergeCustomers', top) });
    const checks = await notErased(deps, room, [whole]);
    if (checks === 'erasing') return ERASING;
    const { back, stayed } = await sorted(deps, room, { customerId, other, mergeId });
    const by: Decided = { id: stepId, actor, at: room.at, reason };
    const aliases = back.map(({ alias }) => alias);
    return {
      outcome: 'change',
      writes: [
        ...back.flatMap((each) => movedBack(each, refOf(absorbed), room.at)),
        ...decidedFor(withMerged(survivor, mergedOf(survivor).filter((each) => each !== other)), 'unmerged', by),
        ...decidedFor(asUnmerged(absorbed), 'unmerged', by),
        decidedLink(refOf(survivor), { action: 'unmerged', aliases, other, stayed }, by),
        decidedLink(refOf(absorbed), { action: 'unmerged-from', aliases, other: customerId, stayed }, by),
        ...checks,
      ],
      value: { ...unmerged, rev: revOf(survivor) + 1, other: { customerId: other, rev: revOf(absorbed) + 1 }, returned: back.length, stayed: shown(stayed) },
      count: 1,
    };
  });
}

const shown = (stayed: readonly Stayed[]): UnmergedCustomers['stayed'] => stayed.map(({ hash, type, why }) => ({ aliasId: hash, type, why }));

/** The names that the merge moved: those that are where it brought them go back. */
async function sorted(deps: IdentityDeps, room: CustomerRoom, { customerId, other, mergeId }: { readonly customerId: string; readonly other: string; readonly mergeId: string }): Promise<{ readonly back: readonly Held[]; readonly stayed: readonly Stayed[] }> {
  const found = await deps.records.get(recordKeys.link(other, mergeId), { consistent: true });
  if (found === 'absent') throw new PortError('corrupt', `the record of the merge of customer ${other} is gone; the table audit finds and repairs it`);
  const moved = aliasesIn(room.genuine(found));
  const now = await inParallel(moved, AT_ONCE, ({ hash }) => holderOf(deps, room, hash));
  const back = now.flatMap((held) => ('state' in held && held.state.customerId === customerId && cameBy(mergeId, held.state) ? [held] : []));
  const gone = moved.flatMap(({ type, hash }, i): readonly Stayed[] => {
    const held = now[i] as Held | { readonly n: number };
    if (!('state' in held)) return [{ type, hash, why: 'held-by-nobody' }];
    if (held.state.customerId !== customerId) return [{ type, hash, why: 'given-away' }];
    return cameBy(mergeId, held.state) ? [] : [{ type, hash, why: 'kept' }];
  });
  return { back, stayed: [...gone, ...(await cameSince(deps, room, customerId, mergeId, moved, back))] };
}

/** Names that the survivor got since the merge and that came together with one that goes back: perhaps they are the other's, too. */
async function cameSince(deps: IdentityDeps, room: CustomerRoom, customerId: string, mergeId: string, moved: readonly Omit<Alias, 'value'>[], back: readonly Held[]): Promise<readonly Stayed[]> {
  // Of more than are read at once the newest are missing: what they gave stays with the survivor, as all that came since does, and is not named here.
  const { links } = await linksOf(deps, room, customerId);
  const merge = links.find((link) => stringOf(link, 'sk') === recordKeys.link(customerId, mergeId).sk);
  const since = stringOf(merge, 'receivedAt') ?? '';
  const known = new Set(moved.map(({ hash }) => hash));
  const got = links.filter((link) => stringOf(link, 'action') === 'linked' && (stringOf(link, 'receivedAt') ?? '') >= since).flatMap(aliasesIn);
  const fresh = [...new Map(got.filter(({ hash }) => !known.has(hash)).map((alias) => [alias.hash, alias])).values()];
  const now = await inParallel(fresh, AT_ONCE, ({ hash }) => holderOf(deps, room, hash));
  return fresh.flatMap(({ type, hash }, i): readonly Stayed[] => {
    const held = now[i] as Held | { readonly n: number };
    const isTogether = 'state' in held && held.state.customerId === customerId && back.some(({ alias, state }) => held.state.linked[alias.hash] !== undefined || state.linked[hash] !== undefined);
    return isTogether ? [{ type, hash, why: 'came-since' }] : [];
  });
}
