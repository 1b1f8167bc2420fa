/** What comes one by one, in groups that are worth one call. */

/** `items` in their order, `size` at a time and the rest at the end; no group is empty, and none is read before the one before it was taken. */
export async function* inBatches<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
