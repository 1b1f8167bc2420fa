/** The state machine in small: steps through a run in parts as lib/constructs/whole-vault.ts has it, what is handed on as JSON. */
import { inParts, type InPartsDeps, type PartedWork, type Step, type StepOutput } from '../../src/operations/run-in-parts';

export interface MachineRun<Fields> {
  /** In order; parts of one round by their names. */
  readonly steps: readonly string[];
  readonly fields: Fields | undefined;
}

/** `times`: how often each step is done, as if its reply had been lost. `after`: called when a step was done. */
export async function runMachine<Plan, Result, Fields>(
  deps: InPartsDeps,
  work: PartedWork<Plan, Result, Fields>,
  { times = 1, after = async () => undefined }: { readonly times?: number; readonly after?: (step: string) => Promise<void> | void } = {},
): Promise<MachineRun<Fields>> {
  const steps: string[] = [];
  const call = async (step: Step, name: string) => {
    let done: { readonly output: StepOutput; readonly fields: Fields | undefined } | undefined;
    for (let i = 0; i < (step.step === 'begin' ? 1 : times); i++) done = await inParts(deps, work, JSON.parse(JSON.stringify(step)) as Step);
    steps.push(name);
    await after(name);
    return JSON.parse(JSON.stringify(done)) as NonNullable<typeof done>;
  };
  let { output, fields } = await call({ step: 'begin' }, 'begin');
  while (!output.done) {
    const { run, round, parts } = output;
    for (const part of parts) await call({ step: 'part', run, round, part }, part);
    ({ output, fields } = await call({ step: 'merge', run, round }, 'merge'));
  }
  return { steps, fields };
}
