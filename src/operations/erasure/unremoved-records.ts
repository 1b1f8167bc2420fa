/**
 * Whether everything that was ever sealed under the subjects of an erasure was removed. The table alone cannot tell: a record that somebody changed by hand names another customer, and no index leads to it any more. The
 * log can, in clear: the last entry under each id of an erased subject is a removal. Whoever takes keys away can open nothing, so which record an id stands for is told by the finding that the sealer left with the change.
 */
import { decodeTime } from 'ulid';
import { entryIn } from '../../core/entry';
import type { ErasureRequest } from '../../core/erasure';
import { stringOf } from '../../core/image';
import { TILE_WIDTH } from '../../core/log/bundle';
import { checkMac, type MacKey } from '../../core/record-mac';
import { runResultIn } from '../../core/run-records';
import { isOfShare, shareNamed } from '../../core/shares';
import { recordKeys } from '../../core/table-keys';
import type { RecordStore } from '../../ports';
import type { RepairRequests } from '../../ports/repair-requests';
import { provenEntries, type ProvenLog } from './proven-entries';
import { firstRoundSince, type SealedErasure, type SealedRemovalsDeps } from './sealed-removals';

/** How far the log was searched: entries before `to`, in which these ids were sealed and not removed; each with the `src` of its last entry. */
export interface Searched {
  readonly to: number;
  readonly open: ReadonlyMap<string, string>;
}

export interface Unremoved {
  /** To go on from, if it is not the whole. */
  readonly searched: Searched;
  readonly isWhole: boolean;
  /** `src` of the last entry of each id that was not removed, as far as it was searched. */
  readonly left: readonly string[];
}

/** Bundles one run reads: two and a half million entries, some minutes. The next run goes on. */
const MAX_BUNDLES = 10_000;
/** Ids kept from run to run. With more of them there is nothing to go on for: they have to be repaired first. */
const MAX_OPEN = 500;

/**
 * `sealed`: what the log holds since the erasure was recorded, which has the removals; searched here is what is before that, from when the first of the customers was met. An id that was removed since then is done with, whatever
 * became of it before, so what is kept from run to run is as good as nothing. Throws `PortError`, `ReplayError`, `LogStopped`.
 */
export async function unremovedRecords(rounds: SealedRemovalsDeps['log'], { customers, inputs, searched }: Pick<ErasureRequest, 'customers' | 'inputs' | 'searched'>, sealed: SealedErasure, subjects: ReadonlySet<string>, limit = MAX_BUNDLES): Promise<Unremoved> {
  const open = new Map(openIn(searched).filter(([id]) => !sealed.removed.has(id)));
  const pass = { subjects: [...subjects].map((subject) => Buffer.from(subject)), known: subjects, removed: sealed.removed, open };
  const begun = searched?.to ?? (await beginning(rounds, sealed.log, { customers, inputs }, sealed.from));
  let to = begun;
  for await (const { from, entries } of provenEntries(sealed.log, begun, sealed.from, limit)) {
    for (const bytes of entries) note(pass, bytes);
    to = from + entries.length;
    if (open.size > MAX_OPEN) break;
  }
  // Of too many none is left out: the next run meets them again where this one began.
  const kept = open.size > MAX_OPEN ? { to: begun, open: new Map(openIn(searched)) } : { to, open };
  return { searched: kept, isWhole: to >= sealed.from, left: [...new Map([...open, ...sealed.standing]).values()] };
}

const openIn = (searched: ErasureRequest['searched']): readonly (readonly [string, string])[] => (searched?.open ?? []).map((each) => each.split(' ') as [string, string]);

/**
 * Nothing was sealed under a subject before its customer was met, whose id says when. When quarantined input came nothing says that is still there. Where in the log that was a row of the log table says, which anybody who
 * may write there could have made: what is proven to lie before it has to be older.
 */
async function beginning(rounds: SealedRemovalsDeps['log'], log: ProvenLog, { customers, inputs }: Pick<ErasureRequest, 'customers' | 'inputs'>, end: number): Promise<number> {
  if (inputs.length > 0) return 0;
  const since = new Date(Math.min(...customers.map(({ customerId }) => timeIn(customerId))) - MET_MARGIN_MS).toISOString();
  const from = Math.min(end, (await firstRoundSince(rounds, since))?.from ?? end);
  for await (const { entries } of provenEntries(log, Math.max(0, from - TILE_WIDTH), from)) if (entries.some((bytes) => (entryIn(bytes)?.at ?? '') >= since)) return 0;
  return from;
}
function timeIn(customerId: string): number {
  try {
    return decodeTime(customerId);
  } catch {
    return MET_MARGIN_MS; // of another form than those we make: from the beginning
  }
}
/** Ids are made by the clock of whoever receives, rounds have the sealer's. */
const MET_MARGIN_MS = 3_600_000;

interface Pass {
  readonly subjects: readonly Buffer[];
  readonly known: ReadonlySet<string>;
  readonly removed: ReadonlySet<string>;
  readonly open: Map<string, string>;
}

function note({ subjects, known, removed, open }: Pass, bytes: Buffer): void {
  // Most entries are somebody else's, and parsing is what costs.
  if (!subjects.some((subject) => bytes.includes(subject))) return;
  const entry = entryIn(bytes);
  if (entry === undefined || !known.has(entry.subject) || removed.has(entry.id)) return;
  if (entry.op === 'put') open.set(entry.id, entry.src);
  else open.delete(entry.id);
}

export interface LookDeps {
  readonly records: Pick<RecordStore, 'partition'>;
  /** Absent where a person wants to be asked first. */
  readonly repairRequests?: RepairRequests | undefined;
}

/**
 * Asks for repairs of the records behind `left`, as far as findings tell which they are: put right they name the customer again, and are removed like the others. What no finding tells the next audit finds. Throws `PortError`.
 */
export async function askForRepairs({ records, repairRequests }: LookDeps, left: readonly string[], macKeys: readonly MacKey[]): Promise<void> {
  for (const source of left.slice(0, MAX_ASKED)) {
    for await (const finding of records.partition(recordKeys.finding(source, '').pk)) {
      const [pk, sk] = [stringOf(finding, 'recordPk'), stringOf(finding, 'recordSk')];
      if (pk === undefined || sk === undefined || checkMac(macKeys, finding) !== 'valid') continue;
      await repairRequests?.ask({ key: { pk, sk }, source });
      break;
    }
  }
}
/** A run asks for no more; what was repaired is not left when the next one asks. */
const MAX_ASKED = 100;

/**
 * Whether audits begun since then found nothing wrong with anything of these subjects. Whoever audits opens every entry: where table and log are the same, what the log holds and was never removed is no record that is anywhere,
 * such as what somebody invented in another's place, or a tombstone that was sealed late. Throws `PortError`.
 */
export async function auditedSince({ records }: Pick<LookDeps, 'records'>, since: string, subjects: readonly string[], macKeys: readonly MacKey[]): Promise<boolean> {
  let rest = subjects;
  for await (const image of records.partition(recordKeys.audit('').pk, '', { newestFirst: true, limit: MAX_AUDITS })) {
    const result = checkMac(macKeys, image) === 'valid' ? runResultIn(image) : undefined;
    if (result === undefined || result.at <= since || !result.ok) continue;
    const share = shareNamed(result.target ?? '');
    if (share !== undefined) rest = rest.filter((subject) => !isOfShare(subject, share));
    if (rest.length === 0) return true;
  }
  return false;
}
/** A round of the most shares there can be; older ones are asked by the next run. */
const MAX_AUDITS = 200;
