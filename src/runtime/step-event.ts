/** The event a state machine calls a function with: a step of a run in parts. Anything else, a schedule's or a person's event, asks for the whole. */
import { z } from 'zod';
import type { Step } from '../operations/run-in-parts';

const run = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const round = z.int().min(0);

const stepEvent = z.discriminatedUnion('step', [
  // Who begins it looks at what is asked for.
  z.strictObject({ step: z.literal('begin'), asked: z.unknown().optional() }),
  // The name becomes part of an object's name.
  z.strictObject({ step: z.literal('part'), run, round, part: z.string().regex(/^[0-9a-z-]{1,60}$/) }),
  z.strictObject({ step: z.literal('merge'), run, round }),
]);

/** An event that asks for a step and does not say which. */
export class StepEventError extends Error {
  readonly code = 'malformed';
  constructor() {
    super('the event asks for a step that there is not');
    this.name = 'StepEventError';
  }
}

/** 'whole': no step was asked for. Throws `StepEventError`. */
export function stepIn(event: unknown): Step | 'whole' {
  if (typeof event !== 'object' || event === null || !('step' in event)) return 'whole';
  const parsed = stepEvent.safeParse(event);
  if (!parsed.success) throw new StepEventError();
  return parsed.data;
}
