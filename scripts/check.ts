/** `npm run check`: the quick half of `npm test` and what it leaves out, a synth. No cloud, no Python: seconds, for before each commit. */
import { join } from 'node:path';
import { check, conclude, lint, steps, types, unitTests } from './checks';
import { addTallies, type Tally } from './tally';

const synth = (): Promise<Tally> => check('Synth', [join('node_modules', 'aws-cdk', 'bin', 'cdk'), 'synth', '--quiet', '--no-notices', '-c', 'stage=local']);

async function main(): Promise<void> {
  const begin = Date.now();
  steps.say('Checks');
  const tallies = [await types(), await lint(), await synth(), await unitTests()];
  process.exitCode = conclude(addTallies(tallies), (Date.now() - begin) / 1000);
}

void main();
