/**
 * Meta's own history against the records: whatever Meta says it delivered for our numbers, or gave up delivering, must be here. A message of ours that Meta does not list is counted only: nobody promises
 * that the list is complete or how far back it goes.
 */
import { hashed } from '../core/dedupe-key';
import { standingOf, type HistoryMessage, type Span } from '../core/meta/message-history';
import { checkMac, type MacKey } from '../core/record-mac';
import type { ReconciliationFinding } from '../core/reconciliation';
import { recordKeys } from '../core/table-keys';
import { PortError, type RecordStore } from '../ports';
import type { MessageHistory } from '../ports/message-history';
import { inParallel } from './in-parallel';

export interface MessageRun {
  readonly history: MessageHistory;
  readonly records: Pick<RecordStore, 'partition'>;
  readonly macKeys: readonly MacKey[];
  readonly dedupe: Uint8Array;
  readonly span: Span;
  /** Before that there was no log, and nobody to receive. */
  readonly fromMs: number;
  /** Messages that were recorded in the window: number → hashed wamids. Those Meta lists are struck out. */
  readonly ours: ReadonlyMap<string, Set<string>>;
  readonly report: (finding: ReconciliationFinding) => Promise<void>;
  readonly onProgress: (messages: number) => void;
}

export interface HistoryReport {
  readonly numbers: number;
  /** Listed by Meta. */
  readonly messages: number;
  /** Of these, looked up among the records. */
  readonly compared: number;
  /** Meta is still trying to deliver their webhooks; they are looked at again when it has given up. */
  readonly pending: number;
  /** Recorded in the window, and not listed by Meta. */
  readonly unlisted: number;
}

/** 500,000 messages of one number: an hour of pages. */
export const MAX_PAGES = 5_000;
const LOOKUPS_AT_ONCE = 16;

/** 'unset': there is no token to ask with. Throws `PortError`: nothing is known then but the findings reported so far. */
export async function reconcileMessages(run: MessageRun): Promise<HistoryReport | 'unset'> {
  const numbers = await run.history.numbers();
  if (numbers === 'unset') return 'unset';
  const total = { messages: 0, compared: 0, pending: 0 };
  for (const number of numbers) {
    for await (const messages of pagesOf(run, number)) {
      await inParallel(messages, LOOKUPS_AT_ONCE, (message) => compare(run, number, message, total));
      run.onProgress((total.messages += messages.length));
    }
  }
  const unlisted = numbers.reduce((sum, number) => sum + (run.ours.get(number)?.size ?? 0), 0);
  return { numbers: numbers.length, ...total, unlisted };
}

/** To the end of the list, or of what one run reads; the cursors are Meta's, so nothing says that they ever end. */
async function* pagesOf({ history, report }: MessageRun, number: string): AsyncGenerator<readonly HistoryMessage[]> {
  const cursors = new Set<string>();
  let after: string | undefined;
  do {
    const page = await history.page(number, after);
    yield page.messages;
    after = page.after;
    if (after === undefined) return;
    if (cursors.has(after)) throw new PortError('corrupt', `Meta's history of ${number} leads in a circle: it gave one cursor twice`);
    cursors.add(after);
  } while (cursors.size < MAX_PAGES);
  await report({ code: 'history-truncated', about: number });
}

async function compare(run: MessageRun, number: string, message: HistoryMessage, total: { compared: number; pending: number }): Promise<void> {
  const wamid = hashed(run.dedupe, 'wamid', [message.messageId]);
  run.ours.get(number)?.delete(wamid);
  const standing = standingOf(message, run.span, run.fromMs);
  if (standing.is === 'outside') return;
  if (standing.is === 'due') total.compared += 1;
  if (await isRecorded(run, wamid, number)) return;
  if (standing.is === 'pending') total.pending += 1;
  else await run.report({ code: 'message-missing', about: `${wamid} ${number}`, webhook: standing.webhook });
}

/** Any record of the message under this number: a status of it, or itself. One that was put there by hand is none. */
async function isRecorded({ records, macKeys }: MessageRun, wamid: string, number: string): Promise<boolean> {
  const { pk } = recordKeys.message(wamid, number);
  for await (const image of records.partition(pk, `${number}#`)) if (checkMac(macKeys, image) === 'valid') return true;
  return false;
}
