/** Bounded concurrency, once: enough requests in flight to hide their latency, few enough not to be throttled or to fill the memory. */

/**
 * `run` of every item, at most `limit` at a time; results in the order of the items. After the first error no further item is begun, and the
 * error is thrown once everything in flight has settled, so that nothing runs on behind the caller's back.
 */
export async function inParallel<T, R>(items: readonly T[], limit: number, run: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await run(items[index] as T, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
