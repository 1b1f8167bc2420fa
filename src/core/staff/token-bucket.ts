/**
 * A token bucket told by one number: the time at which it is full again (the generic cell rate algorithm of ITU-T I.371). One number can be compared and swapped, which is what makes a limit exact for
 * any number of functions at once. Times are milliseconds since 1970, whole.
 */

/** `burst` at once, refilled with `ratePerSecond`. */
export interface Limit {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** `remaining`: requests that would pass now; `resetSeconds`: until the bucket is full; `retryAfterSeconds`: until one passes. Whole seconds, rounded up. */
export interface Taken {
  readonly allowed: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly retryAfterSeconds: number;
}

/** What one request costs, at least a millisecond: the clock has no finer one. */
export const intervalMs = ({ ratePerSecond }: Limit): number => Math.max(1, Math.round(1_000 / ratePerSecond));

/** How far in the future the bucket may be full before a request is taken out of it. */
export const latestFullMs = (limit: Limit, nowMs: number): number => nowMs + (limit.burst - 1) * intervalMs(limit);

/** Of a bucket that is full at `fullAtMs`, after a request was taken out of it or refused. */
export function taken(allowed: boolean, limit: Limit, fullAtMs: number, nowMs: number): Taken {
  const interval = intervalMs(limit);
  const owed = Math.max(0, fullAtMs - nowMs);
  return {
    allowed,
    remaining: Math.max(0, Math.floor((limit.burst * interval - owed) / interval)),
    resetSeconds: Math.ceil(owed / 1_000),
    retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((fullAtMs - latestFullMs(limit, nowMs)) / 1_000)),
  };
}
