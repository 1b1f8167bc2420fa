/**
 * The access log, asked: who saw a customer, what an operator did, what happened on a day. Newest first. Only what its MAC shows to be ours is answered with; what is not is named, never
 * passed over, and one forged record keeps nobody from seeing the others. That a record was removed, the log and the table audit find.
 */
import type { Image, TableKey } from '../../core/image';
import { accessEventOf, type AccessAction, type AccessEvent } from '../../core/staff/access-record';
import type { Actor } from '../../core/staff/actor';
import { invalidCursor, openCursor, sealCursor, type CursorScope } from '../../core/staff/cursor';
import { fieldError } from '../../core/staff/messages/catalogue';
import { ocsfOf, type OcsfApiActivity } from '../../core/staff/ocsf';
import { done, refused, type StaffResult } from '../../core/staff/refusal';
import { recordKeys } from '../../core/table-keys';
import { PortError, type IndexedKey, type RecordStore } from '../../ports';
import { inParallel } from '../in-parallel';
import { guardedRead, type GuardDeps, type Room } from './guarded';

export type QueryAccessDeps = GuardDeps & { readonly records: Pick<RecordStore, 'partition' | 'ofCustomer' | 'ofOperator'> };

export interface AccessQuery {
  readonly operatorId?: string | undefined;
  readonly customerId?: string | undefined;
  readonly action?: AccessAction | undefined;
  readonly sourceIp?: string | undefined;
  readonly decision?: 'allow' | 'deny' | undefined;
  /** ISO 8601 UTC: from ≤ time < to. */
  readonly from: string;
  readonly to: string;
  readonly cursor?: string | undefined;
  /** From 1. */
  readonly limit: number;
}
export interface AccessPage {
  readonly items: readonly OcsfApiActivity[];
  /** There may be more: this page is full, or as much was looked at as one request may. A page can be empty and still have one. */
  readonly cursor?: string;
  /** How many records were looked at and found to be ours, whether or not they are among those asked for. */
  readonly verified: number;
  /** Records that were found and are not ours, or not there any more: by time and id, or `foreign` for one with another name than ours. */
  readonly notGenuine: readonly string[];
}

const ROUTE = 'GET /v1/access';
/** Records one request reads, and days it looks into: each is a read that is paid for. */
const MAX_LOOKED = 500;
const MAX_DAYS = 92;
/** Keys one request looks at in an index, most of which may lead to messages: of somebody who wrote for years there are more than a request has time for. */
const MAX_KEYS = 20_000;
const READS_AT_ONCE = 16;
const DAY_MS = 86_400_000;

export function queryAccess(deps: QueryAccessDeps, actor: Actor, query: AccessQuery): Promise<StaffResult<AccessPage>> {
  const { operatorId, customerId, action, sourceIp, decision, cursor, limit } = query;
  const [from, to] = [new Date(query.from).toISOString(), new Date(query.to).toISOString()];
  const scope: CursorScope = { operatorId: actor.operatorId, route: ROUTE, filter: [operatorId, customerId, action, sourceIp, decision, from, to].map((each) => each ?? '') };
  const about = operatorId !== undefined ? `operator:${operatorId}` : customerId === undefined ? undefined : `customer:${customerId}`;
  return guardedRead(
    deps,
    actor,
    { action: 'QueryAccess', ...(about !== undefined && { resourceId: about.slice(0, 100) }) },
    async (room) => {
      if (from >= to) return refused({ code: 'invalid', errors: [fieldError('en', 'to', 'time-order', {})] });
      // No clock of ours is a day ahead: what is dated later was written by hand, which the table audit finds, and a time without an end is not a thousand empty pages.
      const end = [to, new Date(deps.now().getTime() + DAY_MS).toISOString()].sort()[0] as string;
      const position = cursor === undefined ? end : openCursor(room.secret, scope, cursor);
      if (position === 'invalid') return refused({ code: 'invalid', errors: [invalidCursor()] });
      const page = { items: [] as OcsfApiActivity[], verified: 0, notGenuine: [] as string[] };
      const isWanted = (event: AccessEvent): boolean =>
        (operatorId === undefined || event.actor.operatorId === operatorId) &&
        (customerId === undefined || event.customerId === customerId) &&
        (action === undefined || event.action === action) &&
        (sourceIp === undefined || event.actor.sourceIp === sourceIp) &&
        (decision === undefined || event.decision.allowed === (decision === 'allow'));
      const found = operatorId !== undefined || customerId !== undefined ? byIndex(deps, query, from, position) : byDay(deps, from, position);
      let looked = 0;
      for await (const { place, image } of found) {
        const goOn = (): StaffResult<AccessPage> => done({ ...page, cursor: sealCursor(room.secret, scope, place) });
        if (image === 'day') return goOn();
        if (image === 'foreign') {
          // Said once: whoever plants many of them shall neither fill the answer nor use up what one request may look at.
          if (!page.notGenuine.includes(image)) page.notGenuine.push(image);
          continue;
        }
        looked += 1;
        const event = eventIn(room, image);
        if (event === undefined) page.notGenuine.push(place);
        else {
          page.verified += 1;
          if (isWanted(event)) page.items.push(ocsfOf(event));
        }
        if (page.items.length >= limit || looked >= MAX_LOOKED) return goOn();
      }
      return done(page);
    },
    ({ items }) => ({ count: items.length }),
  );
}

/** `place`: the sort key, by which all are ordered and a later request goes on. `day`: nothing, but as much was looked at as may be. */
interface Looked {
  readonly place: string;
  readonly image: Image | 'absent' | 'foreign' | 'day';
}

function eventIn(room: Room, image: Image | 'absent'): AccessEvent | undefined {
  if (image === 'absent') return undefined;
  try {
    return accessEventOf(room.genuine(image));
  } catch (error) {
    // Not ours: it has been counted, and is named in the answer.
    if (error instanceof PortError && error.code === 'corrupt') return undefined;
    throw error;
  }
}

/** Everything below `before`, day by day. */
async function* byDay({ records }: QueryAccessDeps, from: string, before: string): AsyncGenerator<Looked> {
  // The instant before the end belongs to the last day.
  let day = Math.floor((Date.parse(before.slice(0, 24)) - (before.length > 24 ? 0 : 1)) / DAY_MS) * DAY_MS;
  const first = Math.floor(Date.parse(from) / DAY_MS) * DAY_MS;
  for (let days = 0; day >= first; day -= DAY_MS, days += 1) {
    const start = new Date(day).toISOString();
    if (days === MAX_DAYS) return void (yield { place: new Date(day + DAY_MS).toISOString(), image: 'day' });
    for await (const image of records.partition(recordKeys.access(start, '').pk, undefined, { newestFirst: true, before })) {
      const place = placeOf(keyIn(image));
      if (place !== undefined && place < from) break;
      yield place === undefined ? { place: start, image: 'foreign' } : { place, image };
    }
  }
}

/** The keys come from an index, those of one millisecond in any order; the records are read, a few at once. */
async function* byIndex({ records }: QueryAccessDeps, { operatorId, customerId }: AccessQuery, from: string, before: string): AsyncGenerator<Looked> {
  const until = before.length > 24 ? new Date(Date.parse(before.slice(0, 24)) + 1).toISOString() : before;
  const range = { since: from, until, newestFirst: true };
  const keys = operatorId !== undefined ? records.ofOperator(operatorId, range) : records.ofCustomer(customerId ?? '', range);
  for await (const batch of batched(placed(keys, before))) {
    yield* await inParallel(batch, READS_AT_ONCE, async (looked): Promise<Looked> => {
      if (typeof looked === 'object') return { place: looked.seenTo, image: 'day' };
      if (looked === 'foreign') return { place: before, image: looked };
      return { place: looked, image: await records.get({ pk: recordKeys.access(looked, '').pk, sk: looked }, { consistent: true }) };
    });
  }
}

/** Places of access records, in order, those of one millisecond sorted. `seenTo`: so far back everything was looked at, and no further. */
async function* placed(keys: AsyncIterable<IndexedKey>, before: string): AsyncGenerator<string | 'foreign' | { readonly seenTo: string }> {
  const moment: string[] = [];
  let seen = 0;
  let last = '';
  for await (const key of keys) {
    // Between two milliseconds, so that the next request meets all of one or none.
    if ((seen += 1) > MAX_KEYS && key.receivedAt !== last && TIME.test(last)) {
      yield* moment.sort().reverse();
      yield { seenTo: last };
      return;
    }
    last = key.receivedAt;
    if (!key.pk.startsWith('access#')) continue; // messages, versions, notes
    const place = placeOf(key);
    if (place === undefined) yield 'foreign';
    else if (place < before) {
      if (moment[0]?.slice(0, 24) !== place.slice(0, 24)) yield* moment.splice(0).sort().reverse();
      moment.push(place);
    }
  }
  yield* moment.sort().reverse();
}

async function* batched<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  const batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === READS_AT_ONCE) yield batch.splice(0);
  }
  if (batch.length > 0) yield batch;
}

const keyIn = (image: Image): TableKey => ({ pk: textIn(image['pk']), sk: textIn(image['sk']) });
const textIn = (attribute: Image[string] | undefined): string => (attribute !== undefined && 'S' in attribute ? attribute.S : '');

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The sort key of an access record in its own place; undefined: a key that is none of ours. */
const placeOf = ({ pk, sk }: TableKey): string | undefined => (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[\w-]{12}$/.test(sk) && pk === recordKeys.access(sk, '').pk ? sk : undefined);
