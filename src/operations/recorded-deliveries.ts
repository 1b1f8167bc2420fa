/**
 * Which records deliveries left: from the entries sealed since, which costs as much as the time looked at and not as much as the log; and, only for deliveries that lack something there, from the table.
 * What is counted bears a MAC of ours and its delivery's id, so it does not matter who could have edited the rows that lead to it: nobody can add a record here, and one that is hidden is a finding.
 */
import { createHash } from 'node:crypto';
import { entryIn } from '../core/entry';
import type { Image } from '../core/image';
import { stringOf } from '../core/image';
import { decodeEntries } from '../core/log/bundle';
import { placeOf } from '../core/record-history';
import { checkMac, type MacKey } from '../core/record-mac';
import { claimOf, EVENT_KINDS, type Tally } from '../core/reconciliation';
import type { LogStore, RecordStore, Round, Vault } from '../ports';
import { inParallel } from './in-parallel';
import { openSealed } from './open-sealed';
import { readSegment } from './read-segments';
import type { SubjectKeys } from './subject-keys';

export interface RecordedDeps {
  readonly log: Pick<LogStore, 'roundsByTime'>;
  readonly vault: Pick<Vault, 'get'>;
  readonly records: Pick<RecordStore, 'scan'>;
}

/** A record of a delivery, as it was sealed or lies in the table. */
export interface Found {
  readonly deliveryId: string;
  readonly claim: keyof Tally;
  readonly receivedAt: string;
  readonly messageId?: string | undefined;
  readonly phoneNumberId?: string | undefined;
}

export interface FoundRecords {
  /** Entries whose subject was erased: what they were, nobody can say any more. */
  readonly erased: number;
  readonly entries: number;
}

const SEGMENTS_AT_ONCE = 16;
const ENTRIES_AT_ONCE = 32;
const SEALED_AS: ReadonlySet<string> = new Set([...EVENT_KINDS, 'raw']);

/** Gives each recording once, whether it is met in the log, in the log again, or in the table. Make one per run. */
export function recordedDeliveries({ log, vault, records }: RecordedDeps, subjectKeys: Pick<SubjectKeys, 'existing'>, macKeys: readonly [MacKey, ...MacKey[]]) {
  const met = new Set<string>();
  const meet = (image: Image, give: (found: Found) => void): void => {
    const claim = claimOf(stringOf(image, 'kind') ?? '');
    const deliveryId = stringOf(image, 'deliveryId');
    if (claim === undefined || deliveryId === undefined || checkMac(macKeys, image) !== 'valid') return;
    // One that was removed by hand and came again with a resend was recorded twice. 16 bytes stand for all that: a day has millions of them.
    const recording = createHash('sha256').update(JSON.stringify([placeOf(image), stringOf(image, 'attempt')])).digest('base64url').slice(0, 22);
    if (met.has(recording)) return;
    met.add(recording);
    give({ deliveryId, claim, receivedAt: stringOf(image, 'receivedAt') ?? '', messageId: stringOf(image, 'messageId'), phoneNumberId: stringOf(image, 'phoneNumberId') });
  };

  return {
    /** What was sealed in rounds committed since. Throws `PortError`, `LogStopped`. */
    async sealedSince(since: string, give: (found: Found) => void, onProgress: (entries: number) => void): Promise<FoundRecords> {
      let [erased, entries] = [0, 0];
      const read = async (rounds: readonly Round[]): Promise<void> => {
        const segments = await inParallel(rounds, SEGMENTS_AT_ONCE, (round) => readSegment(vault, round));
        const sealed = segments.flatMap(decodeEntries);
        await inParallel(sealed, ENTRIES_AT_ONCE, async (bytes) => {
          const entry = entryIn(bytes);
          if (entry === undefined || !SEALED_AS.has(entry.kind)) return;
          const opened = await openSealed({ subjectKeys, vault }, entry);
          if (opened.state === 'image') meet(opened.image, give);
          if (opened.state === 'closed' && opened.why === 'erased') erased += 1;
        });
        onProgress((entries += sealed.length));
      };
      const batch: Round[] = [];
      for await (const round of log.roundsByTime(since)) {
        batch.push(round);
        if (batch.length === SEGMENTS_AT_ONCE) await read(batch.splice(0));
      }
      await read(batch);
      return { erased, entries };
    },

    /** What the table holds of these deliveries: every item is looked at, so only where something is missing. Throws `PortError`. */
    async inTable(deliveryIds: ReadonlySet<string>, give: (found: Found) => void): Promise<void> {
      for await (const image of records.scan({ kinds: EVENT_KINDS })) if (deliveryIds.has(stringOf(image, 'deliveryId') ?? '')) meet(image, give);
    },
  };
}
