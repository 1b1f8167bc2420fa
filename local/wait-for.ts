/** Waiting for what happens on its own: sealing, schedules, metrics. Never a sleep of a guessed length, and never without an end. */

export interface Waiting {
  readonly withinMs?: number;
  readonly everyMs?: number;
}

/**
 * Asks `probe` until it gives something other than undefined or false, and resolves that. An error of the probe is no answer yet, and is told if time runs out.
 * @throws Error naming `what` and the last answer
 */
export async function waitFor<T>(what: string, probe: () => Promise<T | undefined | false>, { withinMs = 30_000, everyMs = 150 }: Waiting = {}): Promise<T> {
  const giveUpAt = Date.now() + withinMs;
  let last: unknown;
  do {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  } while (Date.now() < giveUpAt);
  throw new Error(`waited ${withinMs / 1000} s in vain for ${what}; last answer: ${last instanceof Error ? last.message : String(last)}`, last instanceof Error ? { cause: last } : {});
}
