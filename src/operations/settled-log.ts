/**
 * The published log as whoever compares the table with it needs it: brought up to what is sealed now, under the signing key itself, and asked for the genuine states of all
 * records or of a few. Publishing is seconds behind sealing, and sealing seconds behind the table: a difference that goes away by itself is none.
 */
import type { Checkpoint } from '../core/log/checkpoint';
import { verifierKey } from '../core/log/vkey';
import { placeOf } from '../core/record-history';
import type { MacKey } from '../core/record-mac';
import type { Clock, KeyService, KeyTable, LogIdentity, LogStore, Signer, Sleep } from '../ports';
import { loadSecrets } from './load-secrets';
import { publishedCheckpoint, type PublishedLog } from './published-entries';
import { rememberIdentity } from './read-log';
import { replayLog, type ReplayedRecord, type ReplayOptions, type ReplaySummary } from './replay-log';
import { subjectKeys, type SubjectKeys } from './subject-keys';

export interface SettledLogDeps {
  readonly vault: PublishedLog;
  readonly log: Pick<LogStore, 'identity' | 'readHead'>;
  readonly keys: Pick<KeyTable, 'get' | 'getSecret'>;
  readonly keyService: Pick<KeyService, 'region' | 'unwrap'>;
  readonly signer: Pick<Signer, 'publicKey'>;
  readonly now: Clock;
  readonly sleep: Sleep;
}

export interface SettledLog {
  readonly identity: () => Promise<LogIdentity>;
  readonly macKeys: () => Promise<readonly [MacKey, ...MacKey[]]>;
  /** Keys of subjects, read and remembered; none is made. */
  readonly subjectKeys: Pick<SubjectKeys, 'existing'>;
  /** The same, each read anew: for who looks whether they are there. */
  readonly freshKeys: () => Pick<SubjectKeys, 'existing'>;
  /** The newest checkpoint, once it states at least what the head does at this call, or after `PUBLISHED_WITHIN_MS` what it states then. Throws `ReplayError`. */
  settled(): Promise<Checkpoint>;
  replay(options: ReplayOptions, give: (record: ReplayedRecord) => Promise<void>): Promise<ReplaySummary>;
  /** The genuine states of the records in these places (`placeOf`); those the log has none of are left out. Opens every entry, so ask for many at once. */
  genuine(checkpoint: Checkpoint, places: ReadonlySet<string>): Promise<ReadonlyMap<string, ReplayedRecord>>;
}

/** The publisher follows the head within seconds; a minute means that it stands still, which has an alarm of its own. */
export const PUBLISHED_WITHIN_MS = 60_000;
const POLL_MS = 1_000;

/** Make one per run: keys are remembered in it. */
export function settledLog(deps: SettledLogDeps): SettledLog {
  const { vault, log, signer, now, sleep } = deps;
  const secrets = loadSecrets(deps);
  const identity = rememberIdentity(log);
  const readingKeys = (): Pick<SubjectKeys, 'existing'> => subjectKeys({ keys: { get: (subject) => deps.keys.get(subject), create: neverMade }, kek: secrets.kek, now, random: neverMade });
  const keys = readingKeys();
  const replay: SettledLog['replay'] = async (options, give) => replayLog({ vault, subjectKeys: keys, macKeys: await secrets.macKeys() }, options, give);
  return {
    identity,
    macKeys: secrets.macKeys,
    subjectKeys: keys,
    freshKeys: readingKeys,
    replay,
    async settled() {
      const pinned = [verifierKey((await identity()).origin, await signer.publicKey())];
      const head = await log.readHead();
      const wanted = head === 'absent' ? 0 : head.size;
      const until = now().getTime() + PUBLISHED_WITHIN_MS;
      for (;;) {
        const checkpoint = await publishedCheckpoint(vault, pinned);
        if (checkpoint.size >= wanted || now().getTime() >= until) return checkpoint;
        await sleep(POLL_MS);
      }
    },
    async genuine(checkpoint, places) {
      const found = new Map<string, ReplayedRecord>();
      if (places.size === 0) return found;
      await replay({ checkpoint, only: (image) => places.has(placeOf(image)) }, async (record) => {
        found.set(placeOf(record.image), record);
      });
      return found;
    },
  };
}

/** Who only reads makes no key: an entry's key was there before the entry. */
const neverMade = (): never => {
  throw new Error('no key is made here');
};
