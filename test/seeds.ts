/** Searches drawn from seeds: each run takes other ones and prints them; INTACT_SEED runs one again, INTACT_FULL many. */

const FULL_FACTOR = 20;
if (process.env['INTACT_FULL']) jest.setTimeout(1_800_000);

/** Seeds for one search, `count` of them (twenty times as many when full). */
export function seeds(count: number): readonly number[] {
  const given = process.env['INTACT_SEED'];
  if (given !== undefined) return [Number(given)];
  const first = (Date.now() % 1_000_000) * 1_000;
  return Array.from({ length: process.env['INTACT_FULL'] ? count * FULL_FACTOR : count }, (_, i) => first + i);
}

/** Runs `search` for every seed; a failure names its seed. */
export async function forEachSeed(what: string, count: number, search: (seed: number) => Promise<void>): Promise<void> {
  const drawn = seeds(count);
  process.stdout.write(`    ${what}: seeds ${drawn[0]} to ${drawn.at(-1)}\n`);
  for (const seed of drawn) {
    try {
      await search(seed);
    } catch (error) {
      throw new Error(`${what} fails with INTACT_SEED=${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}
