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
import { answersSearch, searchedByText, searchedFor } from '../../core/staff/searched-for';
import { recordKeys, viewKeys } from '../../core/table-keys';
import { PortError, type IndexedKey, type RecordStore, type ViewStore } from '../../ports';
import { inBatches } from '../in-batches';
import { inParallel } from '../in-parallel';
import type { Secrets } from '../load-secrets';
import { guardedRead, type GuardDeps, type Room } from './guarded';

export interface QueryAccessDeps extends GuardDeps {
  readonly records: GuardDeps['records'] & Pick<RecordStore, 'partition' | 'ofCustomer' | 'ofOperator'>;
  readonly views: Pick<ViewStore, 'partition'>;
  readonly keys: Pick<Secrets, 'macKeys' | 'dedupeKey'>;
}

export interface AccessQuery {
  readonly operatorId?: string | undefined;
  /** About them, or among those whom the answer showed. */
  readonly customerId?: string | undefined;
  /** A number, a name, a tag or an operator's id: searches that it answers. */
  readonly searched?: string | undefined;
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
const ROWS_AT_ONCE = 100;
const DAY_MS = 86_400_000;

export async function queryAccess(deps: QueryAccessDeps, actor: Actor, query: AccessQuery): Promise<StaffResult<AccessPage>> {
  const { operatorId, customerId, searched, action, sourceIp, decision, cursor, limit } = query;
  const [from, to] = [new Date(query.from).toISOString(), new Date(query.to).toISOString()];
  const scope: CursorScope = { operatorId: actor.operatorId, route: ROUTE, filter: [operatorId, customerId, action, sourceIp, decision, from, to, searched].map((each) => each ?? '') };
  const about = operatorId !== undefined ? `operator:${operatorId}` : customerId === undefined ? undefined : `customer:${customerId}`;
  const search = searched === undefined ? undefined : searchOf(await deps.keys.dedupeKey(), searched);
  return guardedRead(
    deps,
    actor,
    { action: 'QueryAccess', ...(about !== undefined && { resourceId: about.slice(0, 100) }), ...(search !== undefined && { searched: search.own }) },
    async (room) => {
      if (from >= to) return refused({ code: 'invalid', errors: [fieldError('en', 'to', 'time-order', {})] });
      // No clock of ours is a day ahead: what is dated later was written by hand, which the table audit finds, and a time without an end is not a thousand empty pages.
      const end = [to, new Date(deps.now().getTime() + DAY_MS).toISOString()].sort()[0] as string;
      const position = cursor === undefined ? end : openCursor(room.secret, scope, cursor);
      if (position === 'invalid') return refused({ code: 'invalid', errors: [invalidCursor()] });
      const page = { items: [] as OcsfApiActivity[], verified: 0, notGenuine: [] as string[] };
      const isWanted = (event: AccessEvent): boolean =>
        (operatorId === undefined || event.actor.operatorId === operatorId) &&
        (customerId === undefined || event.customerId === customerId || event.shown?.includes(customerId) === true) &&
        (search === undefined || search.isAnswered(event.searched ?? [])) &&
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

/** `own`: whoever asks the log for a number or a name has looked for it too. */
const searchOf = (dedupeKey: Uint8Array, text: string) => ({ own: searchedFor(dedupeKey, searchedByText(text)), isAnswered: answersSearch(dedupeKey, text) });

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
async function* byIndex({ records, views }: QueryAccessDeps, { operatorId, customerId = '' }: AccessQuery, from: string, before: string): AsyncGenerator<Looked> {
  const until = before.length > 24 ? new Date(Date.parse(before.slice(0, 24)) + 1).toISOString() : before;
  const range = { since: from, until, newestFirst: true };
  const found = operatorId !== undefined ? placed(records.ofOperator(operatorId, range), before) : together(placed(records.ofCustomer(customerId, range), before), showing(views, customerId, from, before));
  for await (const batch of inBatches(found, READS_AT_ONCE)) {
    yield* await inParallel(batch, READS_AT_ONCE, async (looked): Promise<Looked> => {
      if (typeof looked === 'object') return { place: looked.seenTo, image: 'day' };
      if (looked === 'foreign') return { place: before, image: looked };
      return { place: looked, image: await records.get({ pk: recordKeys.access(looked, '').pk, sk: looked }, { consistent: true }) };
    });
  }
}

/** The place of an access record. `seenTo`: so far back everything was looked at, and no further. */
type Found = string | 'foreign' | { readonly seenTo: string };

/** Of answers about several that showed the customer: as the views have them, which are a hint. What is none of a place of ours there is no record, and nothing. */
async function* showing(views: QueryAccessDeps['views'], customerId: string, from: string, before: string): AsyncGenerator<string> {
  for (let [rows, last] = [ROWS_AT_ONCE, before]; rows === ROWS_AT_ONCE; ) {
    rows = 0;
    for await (const { sk } of views.partition(viewKeys.shown(customerId, '').pk, { newestFirst: true, limit: ROWS_AT_ONCE, before: last })) {
      rows += 1;
      last = textIn(sk);
      if (last < from) return;
      if (placeOf({ pk: recordKeys.access(last, '').pk, sk: last }) !== undefined) yield last;
    }
  }
}

/** Both in one order, each place once. */
async function* together(found: AsyncIterable<Found>, others: AsyncGenerator<string>): AsyncGenerator<Found> {
  let other = await others.next();
  for await (const each of found) {
    const place = typeof each === 'object' ? each.seenTo : each;
    for (; each !== 'foreign' && other.done !== true && other.value >= place; other = await others.next()) if (other.value !== place) yield other.value;
    yield each;
    if (typeof each === 'object') return;
  }
  for (; other.done !== true; other = await others.next()) yield other.value;
}

/** In order, those of one millisecond sorted. */
async function* placed(keys: AsyncIterable<IndexedKey>, before: string): AsyncGenerator<Found> {
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

const keyIn = (image: Image): TableKey => ({ pk: textIn(image['pk']), sk: textIn(image['sk']) });
const textIn = (attribute: Image[string] | undefined): string => (attribute !== undefined && 'S' in attribute ? attribute.S : '');

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The sort key of an access record in its own place; undefined: a key that is none of ours. */
const placeOf = ({ pk, sk }: TableKey): string | undefined => (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[\w-]{12}$/.test(sk) && pk === recordKeys.access(sk, '').pk ? sk : undefined);
