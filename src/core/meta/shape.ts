/**
 * A schema that is built when it is first asked for. One webhook needs two of some forty shapes; building all of them would be most of what a
 * cold start of the receiver spends on our own code (measured: 10 of 14 ms).
 */
import type * as z from 'zod/mini';
import { firstProblem, type ShapeProblem } from './quarantine';

/** Says what is wrong with a value, or undefined where it fits. Checks only: the value itself is used as it was parsed. */
export type Shape = (value: unknown) => ShapeProblem | undefined;

export function shape(build: () => z.ZodMiniType): Shape {
  let schema: z.ZodMiniType | undefined;
  return (value) => {
    schema ??= build();
    const result = schema.safeParse(value);
    return result.success ? undefined : firstProblem(result.error.issues);
  };
}
