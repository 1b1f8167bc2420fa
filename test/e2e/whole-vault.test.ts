/**
 * Verification, audit, drill and snapshot by their state machines, as their schedules start them: at once while the log is small, and in parts, by the same functions with the same rights, once it is
 * said to be too big for one. Other tests fill the log meanwhile.
 */
import { newestRun } from '../../local/rehearsal/runs';
import type { PartedName } from '../../lib/constructs/alarm-registry';
import { Env } from '../../src/runtime/env';
import { withEnvironment } from './harness/as-function';
import { aws, outputs } from './harness/cloud';
import { messages, newMarker, newPerson, newPhoneNumberId, text } from './harness/deliveries';
import { intact } from './harness/intact';
import { post } from './harness/post';
import { allSealed, checkpoint } from './harness/published-log';
import { runMachine } from './harness/state-machines';
import { waitFor } from './harness/wait-for';
import { logLines } from './harness/watching';

const table = outputs.RecordsTableName;
/** Two full bundles and more: fewer entries have no two ranges. */
const ENTRIES = 3 * 256;
const began = new Date();

/** What the function said of its steps in this file's time. */
const steps = async (name: PartedName): Promise<readonly string[]> =>
  (await logLines(began)).filter(({ group, json }) => group.endsWith(`/${name}`) && json['message'] === name && json['step'] !== undefined).map(({ json }) => String(json['step']));
const inParts = <T>(name: PartedName, entries: number, run: () => Promise<T>): Promise<T> => withEnvironment(name, { [Env.WHOLE_UP_TO]: `${entries}` }, run);

beforeAll(async () => {
  const phone = newPhoneNumberId();
  while ((await checkpoint()).size < ENTRIES) {
    const body = messages(phone, ...Array.from({ length: 60 }, () => text({ from: newPerson(), body: newMarker() })));
    expect((await post(body)).json).toMatchObject({ quarantined: 0, conflict: 0 });
    await allSealed();
  }
}, 180_000);

it('do all of it at once while the log is small', async () => {
  for (const name of ['verify-vault', 'audit-table', 'run-drill', 'take-snapshot'] as const) {
    expect([name, await runMachine(name)]).toEqual([name, { status: 'SUCCEEDED', output: { done: true } }]);
    await waitFor(`the line of ${name}`, async () => (await steps(name)).length > 0);
    expect([name, await steps(name)]).toEqual([name, ['begin']]);
  }
}, 180_000);

it('verify in ranges, locks included, and leave one record of all of it', async () => {
  const before = (await steps('verify-vault')).length;
  expect(await inParts('verify-vault', 256, () => runMachine('verify-vault'))).toEqual({ status: 'SUCCEEDED', output: { done: true } });
  await waitFor('the lines of the parts', async () => (await steps('verify-vault')).at(-1) === 'merge');
  const told = (await steps('verify-vault')).slice(before);
  // As many ranges as shares of the locks.
  expect(told.filter((step) => step === 'part').length).toBeGreaterThanOrEqual(2 * Math.floor(ENTRIES / 256));
  const { stdout } = await intact(['status', '--json']);
  expect((JSON.parse(stdout) as { readonly lastVerification: object }).lastVerification).toMatchObject({ ok: expect.any(Boolean) as boolean });
}, 180_000);

it('audit in finer shares, and leave one record of all of them', async () => {
  const { size } = await checkpoint();
  expect(await inParts('audit-table', Math.ceil(size / 3), () => runMachine('audit-table'))).toMatchObject({ status: 'SUCCEEDED' });
  const run = await newestRun(aws.dynamodb, table, 'audit');
  expect(run?.records).toBeGreaterThan(ENTRIES / 2);
  await waitFor('the lines of the parts', async () => (await steps('audit-table')).at(-1) === 'merge');
  expect((await steps('audit-table')).filter((step) => step === 'part').length).toBeGreaterThanOrEqual(3);
}, 180_000);

it('drill in finer shares, one scratch table after the other, and leave one record of all of them', async () => {
  const { size } = await checkpoint();
  expect(await inParts('run-drill', Math.ceil(size / 2), () => runMachine('run-drill'))).toMatchObject({ status: 'SUCCEEDED' });
  const run = await newestRun(aws.dynamodb, table, 'drill');
  expect(run?.records).toBeGreaterThan(ENTRIES / 2);
  await waitFor('the lines of the parts', async () => (await steps('run-drill')).at(-1) === 'merge');
  expect((await steps('run-drill')).filter((step) => step === 'part').length).toBeGreaterThanOrEqual(2);
}, 180_000);

it('take a snapshot in shares, one that a restore begins with once the log vouches for it', async () => {
  const { size } = await checkpoint();
  expect(await inParts('take-snapshot', Math.ceil(size / 3), () => runMachine('take-snapshot'))).toMatchObject({ status: 'SUCCEEDED' });
  await allSealed();
  const [newest] = JSON.parse((await intact(['snapshot', '--list', '--json'])).stdout) as readonly { readonly name: string; readonly size: number; readonly parts: number }[];
  expect(newest?.size).toBeGreaterThanOrEqual(size);
  const { plan } = JSON.parse((await intact(['restore', '--to', `nowhere-${newMarker().slice(6, 18)}`, '--plan', '--json'])).stdout) as { readonly plan: { readonly snapshot?: { readonly size: number } } };
  expect(plan.snapshot?.size).toBe(newest?.size);
  await waitFor('the lines of the parts', async () => (await steps('take-snapshot')).at(-1) === 'merge');
  expect((await steps('take-snapshot')).filter((step) => step === 'part').length).toBeGreaterThanOrEqual(3);
}, 180_000);
