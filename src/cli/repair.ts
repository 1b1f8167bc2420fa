/**
 * `intact repair`: what a stage that asks first leaves to a person, and what repairs itself where it cannot wait. Shows what each record is and what would be made of it; does it
 * after the log's origin was typed, by the operation the repair queue uses.
 */
import { hashed } from '../core/dedupe-key';
import type { TableKey } from '../core/image';
import { recordKeys } from '../core/table-keys';
import { loadSecrets } from '../operations/load-secrets';
import { recordsFound } from '../operations/records-found';
import type { Diagnosis, Loss, RepairOutcome, Unsettled } from '../operations/repair-record';
import type { Call, Run } from './command';
import { confirmed } from './confirmation';
import { Failure } from './failure';
import { printJson, printLine, say } from './io';
import { silentMeter } from './reading';
import { aligned, amount, counted, printable } from './text';
import type { Deployment } from './world';

export const run: Run = async (call) => {
  const { flag, io, world } = call;
  const deployment = await world.deployment();
  const { records, repairs, log, vault, keys, kms, signer } = deployment;
  const wanted = await chosen(call, deployment);
  const { planRepairs, repairRecords } = await import('../operations/repair-record');
  const deps = { records, repairs, log, vault, keys, keyService: kms, signer, meter: silentMeter, now: world.now, sleep: io.sleep };
  if (wanted.length > 0) say(io, `holding ${amount(wanted.length, 'record')} against the log`);
  const plan = wanted.length === 0 ? [] : await planRepairs(deps, wanted.map((key) => ({ key })));
  const rows = wanted.map((key, i) => ({ key, diagnosis: plan[i] as Diagnosis }));
  const wrong = rows.filter(({ diagnosis }) => diagnosis.standing === 'differs');
  if (!flag('json')) planned(rows).forEach((line) => printLine(io, line));

  const isPlan = flag('plan') || wrong.length === 0;
  if (!isPlan) await confirmed(call, await originOf(deployment), `This changes ${amount(wrong.length, 'record')} of the live table of ${await originOf(deployment)}`);
  const done = isPlan ? [] : (await repairRecords(deps, wrong.map(({ key }) => ({ key })))).map(outcomeOf);
  if (flag('json')) printJson(io, { plan: rows.map(({ key, diagnosis }) => ({ record: key, ...planFacts(diagnosis) })), done: isPlan ? null : done.map((outcome, i) => ({ record: wrong[i]!.key, ...outcome })) });
  else if (isPlan) say(io, flag('plan') && wrong.length > 0 ? 'nothing was changed: this was only the plan' : 'nothing to do');
  else aligned(done.map((outcome, i) => [named(wrong[i]!.key), OUTCOMES[outcome.outcome](outcome)])).forEach((line) => printLine(io, line));
  return exitCode(rows.map(({ diagnosis }) => diagnosis.standing), isPlan ? undefined : done.map(({ outcome }) => outcome));
};

async function chosen({ operands: [messageId], text }: Call, { records, keys, kms }: Deployment): Promise<readonly TableKey[]> {
  const record = text('record');
  if (record !== undefined && messageId !== undefined) throw new Failure('usage', 'a message id and --record exclude each other');
  if (record !== undefined) return [keyIn(record)];
  if (messageId === undefined) return recordsFound(records);
  const { pk } = recordKeys.message(hashed(await loadSecrets({ keys, keyService: kms }).dedupeKey(), 'wamid', [messageId]), '');
  const found = await recordsFound(records, pk);
  if (found.length === 0) throw new Failure('not-found', `nothing is recorded under ${printable(messageId)}, and no finding is about it`, 'npx intact repair without an id looks at every finding');
  return found;
}

/** `<pk> <sk>`, or as JSON `["<pk>","<sk>"]` where somebody has made a key with blanks in it. */
function keyIn(text: string): TableKey {
  const words = text.split(' ');
  let [pk, sk] = words.length === 2 ? words : [];
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.length === 2 && list.every((part) => typeof part === 'string')) [pk, sk] = list as string[];
  } catch {
    // a key as it stands
  }
  if (!pk || !sk) throw new Failure('usage', `--record is a key, not "${printable(text)}"`, 'e.g. --record "m#… 1#message", as findings name it; with blanks in it: --record \'["pk","sk"]\'');
  return { pk, sk };
}

async function originOf({ log }: Deployment): Promise<string> {
  const identity = await log.identity();
  if (identity === 'absent') throw new Failure('not-yet', 'this deployment has no log yet: there is nothing to repair from');
  return identity.origin;
}

interface Row {
  readonly key: TableKey;
  readonly diagnosis: Diagnosis;
}

const named = ({ pk, sk }: TableKey): string => `${printable(pk)} ${printable(sk)}`;

function planned(rows: readonly Row[]): string[] {
  const open = rows.filter(({ diagnosis }) => diagnosis.standing !== 'sound');
  return [`records looked at: ${counted(rows.length)}, sound: ${counted(rows.length - open.length)}`, ...aligned(open.map(({ key, diagnosis }) => [named(key), worded(diagnosis)]))];
}

function worded(diagnosis: Diagnosis): string {
  if (diagnosis.standing === 'lost') return `CANNOT BE REPAIRED: ${told(diagnosis.lost)}`;
  if (diagnosis.standing === 'unsettled') return `not yet: ${WAITING[diagnosis.why]}`;
  if (diagnosis.standing === 'sound') return 'as it should be';
  const { from, to, entry } = diagnosis.plan;
  const since = diagnosis.since === undefined ? '' : `, so since ${diagnosis.since}`;
  if (to === undefined) return `REMOVE: the log has nothing genuine in its place${since}`;
  return `PUT BACK as entry ${counted(entry ?? 0)} sealed it: it is ${from === undefined ? 'missing' : 'not what was sealed'}${since}`;
}

const WAITING: Readonly<Record<Unsettled, string>> = {
  unpublished: 'the log is not published as far as it is sealed; docs/runbook.md#publish-delayed if that lasts',
  unsealed: 'what it is now is not in the log, and nothing is overwritten that is not; again in a minute, docs/runbook.md#seal-lag if that lasts',
  changing: 'it was changed meanwhile; run this again',
};

const told = (lost: readonly Loss[]): string => lost.map(({ detail }) => detail).join('; ');

const OUTCOMES: { readonly [O in RepairOutcome['outcome']]: (outcome: RepairOutcome) => string } = {
  sound: () => 'as it should be: somebody was faster',
  'put-back': () => 'put back',
  removed: () => 'removed',
  'too-often': (outcome) => `REFUSED: it was repaired ${outcome.outcome === 'too-often' ? counted(outcome.repairs) : ''} times within an hour; find out who changes it, docs/runbook.md#repairs-refused`,
  'nothing-to-restore-from': (outcome) => `REFUSED: ${outcome.outcome === 'nothing-to-restore-from' ? told(outcome.lost) : ''}`,
  later: (outcome) => `not yet: ${outcome.outcome === 'later' ? WAITING[outcome.why] : ''}`,
};

function planFacts(diagnosis: Diagnosis): object {
  if (diagnosis.standing !== 'differs') return diagnosis;
  const { plan, since } = diagnosis;
  return { standing: diagnosis.standing, action: plan.to === undefined ? 'remove' : 'put-back', entry: plan.entry ?? null, since: since ?? null };
}

function outcomeOf(attempt: PromiseSettledResult<RepairOutcome>): RepairOutcome {
  if (attempt.status === 'rejected') throw attempt.reason;
  return attempt.value;
}

/** A plan that would change something is 1, as findings are; what was done is 0. */
function exitCode(plan: readonly Diagnosis['standing'][], done: readonly RepairOutcome['outcome'][] | undefined): 0 | 1 | 2 {
  const isRefused = plan.includes('lost') || done?.some((outcome) => outcome === 'too-often' || outcome === 'nothing-to-restore-from') === true;
  if (isRefused || (done === undefined && plan.includes('differs'))) return 1;
  return plan.includes('unsettled') || done?.includes('later') === true ? 2 : 0;
}
