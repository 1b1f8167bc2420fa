/** Everything recorded about one message id, and what the message is now. */
import { currentState, type ActFact, type CurrentState, type StatusFact } from '../core/current-state';
import { hashed } from '../core/dedupe-key';
import { stringOf, type Image } from '../core/image';
import { secondsOf } from '../core/records';
import { recordKeys } from '../core/table-keys';
import { viewKeys } from '../core/table-keys';
import type { Meter, RecordStore, ViewStore } from '../ports';
import { readRecord, type ReadRecord } from './read-records';
import type { Secrets } from './load-secrets';

export interface GetMessageDeps {
  readonly records: Pick<RecordStore, 'get' | 'partition'>;
  readonly views: Pick<ViewStore, 'partition'>;
  readonly keys: Pick<Secrets, 'macKeys' | 'dedupeKey'>;
  readonly meter: Meter;
}

/** A message as one business number has it; the same id under two numbers is two messages. */
export interface FoundMessage {
  readonly phoneNumberId: string;
  /** Under its own key: the message (or edit, revoke, reaction) and its statuses, variants and conflicts. In key order. */
  readonly records: readonly ReadRecord[];
  /** Edits, revokes and reactions about it; found through the views, so one of the last seconds may be missing. */
  readonly about: readonly ReadRecord[];
  readonly state: CurrentState;
}

/** Empty: nothing is recorded under this id. Consistent but for `about`. Throws `PortError`. */
export async function getMessage(deps: GetMessageDeps, messageId: string): Promise<readonly FoundMessage[]> {
  const macKeys = await deps.keys.macKeys();
  const wamid = hashed(await deps.keys.dedupeKey(), 'wamid', [messageId]);
  const own: ReadRecord[] = [];
  for await (const image of deps.records.partition(recordKeys.message(wamid, '').pk)) own.push(readRecord(macKeys, deps.meter, image));
  const about: ReadRecord[] = [];
  for await (const view of deps.views.partition(viewKeys.about(wamid, { pk: '', sk: '' }).pk)) {
    const image = await deps.records.get({ pk: stringOf(view, 'recordPk') ?? '', sk: stringOf(view, 'recordSk') ?? '' }, { consistent: true });
    // A view is a hint: what counts is what the record says.
    if (image !== 'absent' && stringOf(image, 'original') === wamid) about.push(readRecord(macKeys, deps.meter, image));
  }
  const numbers = [...new Set([...own, ...about].map(({ image }) => numberOf(image)))].sort();
  return numbers.map((phoneNumberId) => {
    const mine = own.filter(({ image }) => numberOf(image) === phoneNumberId);
    const acts = about.filter(({ image }) => numberOf(image) === phoneNumberId);
    return { phoneNumberId, records: mine, about: acts, state: currentState(genuine(mine).flatMap(statusIn), genuine(acts).flatMap(actIn)) };
  });
}

const genuine = (records: readonly ReadRecord[]): readonly Image[] => records.flatMap(({ image, isGenuine }) => (isGenuine ? [image] : []));

/** From the key: a tombstone has no attributes left. */
const numberOf = (image: Image): string => (stringOf(image, 'sk') ?? '').split(/#(?:message|status#)/)[0] ?? '';
const timeOf = (image: Image): number => secondsOf(stringOf(image, 'timestamp'), 0);

function statusIn(image: Image): readonly StatusFact[] {
  const status = stringOf(image, 'status');
  const participant = stringOf(image, 'participant');
  if (stringOf(image, 'kind') !== 'status' || status === undefined) return [];
  return [{ status, at: timeOf(image), ...(participant === undefined ? {} : { participant }) }];
}

function actIn(image: Image): readonly ActFact[] {
  const kind = stringOf(image, 'kind');
  if (kind !== 'edit' && kind !== 'revoke' && kind !== 'reaction') return [];
  const text = stringOf(image, 'textClean') ?? stringOf(image, 'text');
  const by = stringOf(image, 'direction') === 'outbound' ? 'business' : (stringOf(image, 'customerId') ?? '');
  return [{ kind, id: stringOf(image, 'messageId') ?? '', at: timeOf(image), by, ...(text === undefined ? {} : { text }) }];
}
