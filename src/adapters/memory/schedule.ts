/**
 * A seeded scheduler: several processes take turns at their port calls in an order drawn from the seed, so that an interleaving that breaks something
 * is found by search and found again by its seed.
 */

/** Mulberry32: small, fast, good enough to draw interleavings. 0 ≤ value < 1. */
export function seededDraw(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Bytes from a seed: repeatable, so not random at all; for tests only. */
export function seededRandom(seed: number): (n: number) => Buffer {
  const draw = seededDraw(seed);
  return (n) => Buffer.from(Array.from({ length: n }, () => Math.floor(draw() * 256)));
}

export interface Schedule {
  /** Resolves when it is the caller's turn. */
  turn(): Promise<void>;
  /** Runs `tasks` together until all have settled, one turn at a time. */
  run<T>(tasks: readonly (() => Promise<T>)[]): Promise<readonly PromiseSettledResult<T>[]>;
}

export function seededSchedule(seed: number): Schedule {
  const draw = seededDraw(seed);
  const waiting: (() => void)[] = [];
  return {
    turn: () => new Promise((resolve) => waiting.push(resolve)),
    run: async (tasks) => {
      let running = true;
      const all = Promise.allSettled(tasks.map((task) => task())).finally(() => {
        running = false;
      });
      while (running) {
        // Everything between two port calls is microtasks, which all run before an immediate does.
        await new Promise((resolve) => setImmediate(resolve));
        waiting.splice(Math.floor(draw() * waiting.length), 1)[0]?.();
      }
      return all;
    },
  };
}
