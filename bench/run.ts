/** `npm run bench`: lists the measurements; `npm run bench -- <name>…` runs them one after another, `npm run bench -- all` every one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const BENCHES: Readonly<Record<string, string>> = {
  append: 'entries a second into a local tlog-tiles directory, against Tessera POSIX',
  verify: "entries a second verified, against Tessera's fsck",
  restore: 'records a second restored from a vault, against restic',
  'restore-table': 'records a second restored into a table, against BatchWriteItem alone',
  webhook: 'CPU and cold start of receive-webhook, against middy + Powertools + zod',
  growth: 'what reading a whole log takes, from ten thousand to ten million entries',
  'recovery-point': 'seconds from the answer 200 until a record can be restored from the vault, and from its replica',
  costs: 'what a message costs at list price, and how that grows with the log',
  'split-delivery': 'cost of splitting one delivery, against JSON.parse',
};

const asked = process.argv.slice(2);
const names = asked.includes('all') ? Object.keys(BENCHES) : asked;
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`there is no bench ${unknown.join(', ')}`);
  console.log(['npm run bench -- <name>… | all', ...Object.entries(BENCHES).map(([name, what]) => `  ${name.padEnd(16)}${what}`)].join('\n'));
  process.exitCode = unknown.length > 0 ? 2 : 0;
}
for (const name of unknown.length > 0 ? [] : names) {
  console.log(`# ${name}: ${BENCHES[name]}`);
  // Each in a process of its own: one must not warm up the next.
  const { status } = spawnSync(process.execPath, [join(__dirname, '../node_modules/tsx/dist/cli.mjs'), join(__dirname, `${name}.ts`)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
