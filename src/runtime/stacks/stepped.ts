/** What surrounds a run that a state machine may do in parts. Called with anything but a step it does the whole at once, as a schedule or a person asks. */
import middy from '@middy/core';
import { inParts, type InPartsDeps, type PartedWork, type StepOutput } from '../../operations/run-in-parts';
import { log, type LogFields } from '../log';
import { StepEventError, stepIn } from '../step-event';
import { traced } from '../trace';
import { failing, GIVE_UP_EARLY, metered } from './surroundings';

/** `whole`: where the task can do that. A failure is thrown: the state machine tries again, and the alarm on errors sees it. */
export function stepped<Plan, Result, Fields extends LogFields>(operation: string, { whole, parts, deps }: { readonly whole?: () => Promise<LogFields>; readonly parts: PartedWork<Plan, Result, Fields>; readonly deps: InPartsDeps }) {
  return middy<unknown, StepOutput | undefined>(async (event: unknown) => {
    const step = stepIn(event);
    if (step === 'whole') {
      if (whole === undefined) throw new StepEventError();
      log.info(operation, await traced(operation, whole));
      return undefined;
    }
    const { output, fields } = await traced(operation, () => inParts(deps, parts, step));
    log.info(operation, { ...fields, step: step.step, ...('part' in step && { part: step.part }), ...(!output.done && { todo: output.parts.length }) });
    return output;
  }, GIVE_UP_EARLY).use([metered, failing(operation)]);
}
