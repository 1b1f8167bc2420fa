/** Everything recorded about one message id, and what the message is now. */
import { currentState, type CurrentState } from '../core/current-state';
import { hashed } from '../core/dedupe-key';
import { stringOf, type Image } from '../core/image';
import { actIn, numberOfRecord, statusIn } from '../core/message-facts';
import { recordKeys, viewKeys } from '../core/table-keys';
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
  /** Under its own key: the message (or edit, revoke, reaction), what a sending system recorded of it, and its statuses, variants and conflicts. In key order. */
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
  const numbers = [...new Set([...own, ...about].map(({ image }) => numberOfRecord(image)))].sort();
  return numbers.map((phoneNumberId) => {
    const mine = own.filter(({ image }) => numberOfRecord(image) === phoneNumberId);
    const acts = about.filter(({ image }) => numberOfRecord(image) === phoneNumberId);
    return { phoneNumberId, records: mine, about: acts, state: currentState(genuine(mine).flatMap(statusIn), genuine(acts).flatMap(actIn)) };
  });
}

const genuine = (records: readonly ReadRecord[]): readonly Image[] => records.flatMap(({ image, isGenuine }) => (isGenuine ? [image] : []));
