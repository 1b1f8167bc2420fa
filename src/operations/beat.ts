/**
 * The heartbeat: a record every 15 minutes, so that sealing and publishing have something to do on a quiet day. It bounds how old the newest
 * checkpoint can be, finishes what a crash left, and makes silence a sign that something is broken.
 */
import { heartbeatImage } from '../core/own-records';
import { withMac } from '../core/record-mac';
import type { Clock, KeyService, KeyTable, LogStore, RecordStore } from '../ports';
import { loadSecrets, type Secrets } from './load-secrets';
import { rememberIdentity } from './read-log';

export const HEARTBEAT_MINUTES = 15;

export interface BeatDeps {
  readonly records: Pick<RecordStore, 'create'>;
  readonly log: Pick<LogStore, 'identity'>;
  readonly keys: Pick<KeyTable, 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  readonly now: Clock;
}

export interface Heart extends Pick<BeatDeps, 'records' | 'now'> {
  readonly identity: ReturnType<typeof rememberIdentity>;
  readonly macKeys: Secrets['macKeys'];
}

/** Make one per container. */
export const makeHeart = (deps: BeatDeps): Heart => ({ ...deps, identity: rememberIdentity(deps.log), macKeys: loadSecrets(deps).macKeys });

/** Records the heartbeat of this quarter of an hour. `exists`: done already, by a retry or a second schedule. */
export async function beat({ records, identity, macKeys, now }: Heart): Promise<'created' | 'exists'> {
  const spanMs = HEARTBEAT_MINUTES * 60_000;
  const start = new Date(Math.floor(now().getTime() / spanMs) * spanMs).toISOString();
  const minute = `${start.slice(0, 16)}Z`;
  const image = heartbeatImage(minute, (await identity()).systemSubject, start);
  const outcome = await records.create(withMac((await macKeys())[0], image));
  return outcome === 'created' ? 'created' : 'exists';
}
