/** The half of `npm run fuzz` that runs in the environment of the local cloud: it alone may reach it. */
import { readFileSync } from 'node:fs';
import type { LocalOutputs } from '../local/outputs';
import { fuzz, fuzzSettings } from './fuzz-run';
import { inCloud } from './fuzz-target';

const [outputsFile = '', ...given] = process.argv.slice(2);
fuzz(inCloud(JSON.parse(readFileSync(outputsFile, 'utf8')) as LocalOutputs), fuzzSettings(given)).then((code) => { process.exitCode = code; }, (error: unknown) => {
  console.error(error);
  process.exitCode = 2;
});
