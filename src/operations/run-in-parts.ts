/**
 * A run that is too much for one function: begun, done in parts by several of them at a time, put together by one more. What each step does is the work's own; here is how the steps find
 * each other. A step that is done twice is done once. What passes through the state machine is which run, which round and which parts; everything else lies in the workings, under a MAC.
 */
import { formatHandOver, handOverPath, readHandOver } from '../core/hand-over';
import type { MacKey } from '../core/record-mac';
import type { Clock } from '../ports';
import type { Workings } from '../ports/workings';

/** It is over. `fields`: what may be said of it. */
export interface Done<Fields> {
  readonly done: true;
  readonly fields: Fields;
  /** What whoever asked for the run is to be told (`reportOf`); plain JSON. */
  readonly report?: unknown;
}

/** What is to be done in parts. `parts`: those whose results the merge needs; `todo`: those of them that are not there yet. Names: letters, digits, hyphens. */
export interface Parted<Plan> {
  readonly done: false;
  /** An earlier run that goes on; without one a new one begins. */
  readonly run?: string;
  /** What the parts and the merge need to know; plain JSON. */
  readonly plan: Plan;
  readonly parts: readonly string[];
  readonly todo: readonly string[];
}

/** One task. `run` names one run of it: when it began, ISO 8601 UTC. */
export interface PartedWork<Plan, Result, Fields> {
  readonly task: string;
  /** The merge is given the results there are; without this it is not done while one is missing. */
  readonly mayLackParts?: true;
  /** All of it at once where that is not too much. */
  begin(run: string, asked: Asked): Promise<Done<Fields> | Parted<Plan>>;
  /** `Result`: plain JSON. */
  part(plan: Plan, part: string, run: string): Promise<{ readonly result: Result; readonly fields: Fields }>;
  /** Of all parts, by name. May ask for parts that are other ones; then it is asked again when these are done. */
  merge(plan: Plan, results: ReadonlyMap<string, Result>, run: string): Promise<Done<Fields> | Parted<Plan>>;
}

export interface Asked {
  /** What was asked for, as it came; nobody has looked at it. */
  readonly asked: unknown;
  /** Whether a part of an earlier run left its result. */
  hasResult(run: string, part: string): Promise<boolean>;
}

export interface InPartsDeps {
  readonly workings: Workings;
  readonly macKeys: () => Promise<readonly [MacKey, ...MacKey[]]>;
  readonly now: Clock;
}

/** A step, as the state machine asks for it. */
export type Step =
  | { readonly step: 'begin'; readonly asked?: unknown }
  | { readonly step: 'part'; readonly run: string; readonly round: number; readonly part: string }
  | { readonly step: 'merge'; readonly run: string; readonly round: number };

/** What the state machine goes on with: `parts` of round `round`, then the merge; or nothing. */
export type StepOutput = { readonly done: true } | { readonly done: false; readonly run: string; readonly round: number; readonly parts: readonly string[] };

/** `absent`: a plan or a result is not where it should be. `forged`: it is not ours. `unending`: a merge asked again and again. */
export class InPartsError extends Error {
  constructor(
    readonly code: 'absent' | 'forged' | 'unending',
    message: string,
  ) {
    super(message);
    this.name = 'InPartsError';
  }
}

/** More than any merge has reason to ask for. */
const MAX_ROUNDS = 100;

/** One step. Throws `InPartsError`, `PortError` and what the work throws; then it may be done again. */
export async function inParts<Plan, Result, Fields>(deps: InPartsDeps, work: PartedWork<Plan, Result, Fields>, step: Step): Promise<{ readonly output: StepOutput; readonly fields: Fields | undefined }> {
  const store = await handing(deps, work.task);
  /** Died after the plan was put: a plan nobody follows, which the same step done again puts once more. */
  const goOn = async (outcome: Done<Fields> | Parted<Plan>, run: string, round: number): Promise<{ output: StepOutput; fields: Fields | undefined }> => {
    if (outcome.done) {
      if (outcome.report !== undefined) await store.put(run, REPORT, outcome.report);
      return { output: { done: true }, fields: outcome.fields };
    }
    const { plan, parts, todo } = outcome;
    await store.put(run, planOf(round), { plan, parts } satisfies HandedPlan<Plan>);
    return { output: { done: false, run, round, parts: todo }, fields: undefined };
  };
  if (step.step === 'begin') {
    const run = deps.now().toISOString();
    const outcome = await work.begin(run, { asked: step.asked, hasResult: async (of, part) => typeof (await store.find(of, partOf(part))) === 'object' });
    return goOn(outcome, (!outcome.done && outcome.run) || run, 0);
  }
  const { run, round } = step;
  const { plan, parts } = (await store.get(run, planOf(round))) as HandedPlan<Plan>;
  if (step.step === 'part') {
    const { result, fields } = await work.part(plan, step.part, run);
    await store.put(run, partOf(step.part), result);
    return { output: { done: true }, fields };
  }
  if (round >= MAX_ROUNDS) throw new InPartsError('unending', `${work.task} of ${run} was put together ${round} times and is not whole`);
  const results = new Map<string, Result>();
  for (const part of parts) {
    if (work.mayLackParts && (await store.find(run, partOf(part))) === 'absent') continue;
    results.set(part, (await store.get(run, partOf(part))) as Result);
  }
  return goOn(await work.merge(plan, results, run), run, round + 1);
}

interface HandedPlan<Plan> {
  readonly plan: Plan;
  readonly parts: readonly string[];
}

const planOf = (round: number): string => `plan-${round}`;
const PART = 'part-';
const partOf = (part: string): string => `${PART}${part}`;
const REPORT = 'report';

/** How many parts of the first round of a run have left their results. 'absent': it has not begun, or its workings have expired. Throws `InPartsError` (`forged`), `PortError`. */
export async function progressOf(deps: Pick<InPartsDeps, 'workings' | 'macKeys'>, task: string, run: string): Promise<{ readonly done: number; readonly of: number } | 'absent'> {
  const plan = await (await handing(deps, task)).find(run, planOf(0));
  if (plan === 'absent') return plan;
  if (plan === 'forged') throw forged(handOverPath({ task, run, name: planOf(0) }));
  const names = new Set((plan.value as HandedPlan<unknown>).parts.map((part) => handOverPath({ task, run, name: partOf(part) })));
  const there = await deps.workings.list(handOverPath({ task, run, name: PART }).replace(/\.json$/, ''));
  return { done: there.filter((name) => names.has(name)).length, of: names.size };
}

/** What a run that is done reports. Throws `InPartsError` (`absent`, `forged`), `PortError`. */
export const reportOf = async (deps: Pick<InPartsDeps, 'workings' | 'macKeys'>, task: string, run: string): Promise<unknown> => (await handing(deps, task)).get(run, REPORT);

interface Handing {
  put(run: string, name: string, value: unknown): Promise<void>;
  find(run: string, name: string): Promise<{ readonly value: unknown } | 'absent' | 'forged'>;
  /** What has to be there. */
  get(run: string, name: string): Promise<unknown>;
}

async function handing({ workings, macKeys }: Pick<InPartsDeps, 'workings' | 'macKeys'>, task: string): Promise<Handing> {
  const keys = await macKeys();
  const find: Handing['find'] = async (run, name) => {
    const bytes = await workings.get(handOverPath({ task, run, name }));
    return bytes === 'absent' ? bytes : readHandOver(keys, { task, run, name }, bytes);
  };
  return {
    put: (run, name, value) => workings.put(handOverPath({ task, run, name }), formatHandOver(keys[0], { task, run, name }, value)),
    find,
    async get(run, name) {
      const path = handOverPath({ task, run, name });
      const read = await find(run, name);
      if (read === 'absent') throw new InPartsError('absent', `${path} is not among the workings: the part that leaves it did not end, or it has expired`);
      if (read === 'forged') throw forged(path);
      return read.value;
    },
  };
}

const forged = (path: string): InPartsError => new InPartsError('forged', `${path} was not written by a part of this run`);
