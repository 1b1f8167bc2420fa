/** Groups hold everything once, in its order, and are as large as they may be. */
import { inBatches } from '../../src/operations/in-batches';

const gathered = async (items: Iterable<number> | AsyncIterable<number>, size: number): Promise<readonly (readonly number[])[]> => {
  const batches: (readonly number[])[] = [];
  for await (const batch of inBatches(items, size)) batches.push(batch);
  return batches;
};

test.each([
  [0, []],
  [2, [[0, 1]]],
  [3, [[0, 1, 2]]],
  [7, [[0, 1, 2], [3, 4, 5], [6]]],
])('%i items come three at a time, and the rest at the end', async (count, batches) => {
  const items = Array.from({ length: count }, (_, i) => i);
  expect(await gathered(items, 3)).toEqual(batches);
  const streamed = async function* (): AsyncGenerator<number> {
    yield* items;
  };
  expect(await gathered(streamed(), 3)).toEqual(batches);
});
