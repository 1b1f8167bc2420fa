/**
 * `npm run fuzz`: schemathesis against the API of staff by its own OpenAPI document, signed in as each role in turn and as a sending system: requests as the document has them, and requests with something
 * wrong. No answer may be a server error or another one than the document says. In the local cloud that runs, or one of its own; `npm run fuzz -- memory` in this process alone. `--seed <n>`: the same
 * requests again; `--examples <n>`: so many more for each operation and role; `--role <role>`: as this one alone.
 */
import { inLocalCloud } from './in-local-cloud';
import { fuzz, fuzzSettings, prepareFuzzer } from './fuzz-run';
import { inMemory } from './fuzz-target';

async function main(): Promise<void> {
  const settings = fuzzSettings(process.argv.slice(2));
  await prepareFuzzer();
  if (process.argv.includes('memory')) process.exitCode = await fuzz(await inMemory(settings.seed), settings);
  else inLocalCloud('fuzz-cloud.ts');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 2;
});
