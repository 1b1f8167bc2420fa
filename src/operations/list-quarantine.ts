/** What was signed and not understood: listed, and shown with its bytes, so that a schema can be corrected and the input replayed. */
import { stringOf, type Image } from '../core/image';
import { recordKeys } from '../core/table-keys';
import type { Inbox, Meter, RecordStore } from '../ports';
import type { Secrets } from './load-secrets';
import { rawOf, readRecord, receivedAtOf, type ReadRecord } from './read-records';

export interface ListQuarantineDeps {
  readonly records: Pick<RecordStore, 'scan' | 'get'>;
  readonly inbox: Pick<Inbox, 'get'>;
  readonly keys: Pick<Secrets, 'macKeys'>;
  readonly meter: Meter;
}

export type QuarantineState = 'open' | 'replayed' | 'unknown';
/** `id` names it on the command line. Nothing here is content but `raw`. */
export interface Quarantined extends ReadRecord {
  readonly id: string;
  readonly state: QuarantineState;
}

/** All quarantined input, oldest first. Throws `PortError`. */
export async function listQuarantine(deps: ListQuarantineDeps): Promise<readonly Quarantined[]> {
  const macKeys = await deps.keys.macKeys();
  const inputs: ReadRecord[] = [];
  const states = new Map<string, QuarantineState>();
  for await (const image of deps.records.scan({ kinds: ['quarantine', 'quarantine-state'] })) {
    const record = readRecord(macKeys, deps.meter, image);
    if (stringOf(image, 'kind') === 'quarantine') inputs.push(record);
    else states.set(idOf(image), stateIn(record));
  }
  return inputs
    .map((record) => ({ ...record, id: idOf(record.image), state: states.get(idOf(record.image)) ?? 'unknown' }))
    .sort((a, b) => (receivedAtOf(a.image) < receivedAtOf(b.image) ? -1 : receivedAtOf(a.image) > receivedAtOf(b.image) ? 1 : a.id < b.id ? -1 : 1));
}

/** One of them with its bytes, or 'absent'. Throws `PortError`. */
export async function showQuarantined(deps: ListQuarantineDeps, id: string): Promise<(Quarantined & { readonly raw: Buffer | 'gone' | 'changed' }) | 'absent'> {
  const image = await deps.records.get(recordKeys.quarantine(id), { consistent: true });
  if (image === 'absent') return 'absent';
  const macKeys = await deps.keys.macKeys();
  const state = await deps.records.get(recordKeys.quarantineState(id), { consistent: true });
  return {
    ...readRecord(macKeys, deps.meter, image),
    id,
    state: state === 'absent' ? 'unknown' : stateIn(readRecord(macKeys, deps.meter, state)),
    raw: await rawOf(deps.inbox, image),
  };
}

const idOf = (image: Image): string => (stringOf(image, 'pk') ?? '').slice('q#'.length);

function stateIn({ image, isGenuine }: ReadRecord): QuarantineState {
  const state = stringOf(image, 'state');
  return isGenuine && (state === 'open' || state === 'replayed') ? state : 'unknown';
}
