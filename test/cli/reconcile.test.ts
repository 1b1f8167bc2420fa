/** `reconcile` as a person types it. */
import { memoryMessageHistory } from '../../src/adapters/memory/message-history';
import type { MemoryDeliveryLog } from '../../src/adapters/memory/delivery-log';
import type { Deployment } from '../../src/cli/world';
import { delivery, memoryDeployment, type MemoryDeployment } from './command-run';

const json = (stdout: string): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;
const NOTHING = { queued: 0, recorded: 0, duplicate: 0, variant: 0, conflict: 0, quarantined: 0 };

function say(all: MemoryDeployment, deliveryId: string, counts: object): void {
  (all.deployment.deliveryLog as MemoryDeliveryLog).written.receive.push({ at: all.world.now(), text: JSON.stringify({ message: 'delivery accepted', deliveryId, ...NOTHING, ...counts }) });
}
/** One delivery that was received, with its line. */
async function deployed(seed: number): Promise<MemoryDeployment> {
  const all = await memoryDeployment(seed);
  await all.run(['send', '-'], { stdin: delivery('wamid.one', 'as it was said') });
  for await (const image of all.world.records.scan({ kinds: ['message'] })) say(all, (image['deliveryId'] as { S: string }).S, { recorded: 1 });
  await all.settle();
  all.world.advance(60_000);
  return all;
}

test('of sound deliveries it ends in "clean" and 0, and says that Meta was not asked', async () => {
  const all = await deployed(1);
  const ran = await all.run(['reconcile', '--until', '0m']);
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/1 delivery answered 200, with 1 event,[^]*not asked[^]*clean: everything that was answered 200 is recorded/) as string]);
  all.world.advance(1_000);
  expect(json((await all.run(['reconcile', '--json'])).stdout)).toMatchObject({ ok: true, deliveries: 0, findings: 0, history: 'not asked' });
});

test('of a lost one it names the delivery, what it means and the article, and is 1', async () => {
  const all = await deployed(2);
  say(all, 'lost-lost-lost-lost-lo', { recorded: 3 });
  all.world.advance(60_000);
  const ran = await all.run(['reconcile', '--since', '1h', '--until', '0m']);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain('delivery-missing  lost-lost-lost-lost-lo  3 missing');
  expect(ran.stdout).toContain('open docs/runbook.md#reconciliation-findings');
  all.world.advance(1_000);
  expect(json((await all.run(['reconcile', '--since', '1h', '--until', '0m', '--json'])).stdout)).toMatchObject({ ok: false, found: [{ code: 'delivery-missing', about: 'lost-lost-lost-lost-lo', missing: 3 }] });
});

test('with a token it says what Meta lists, and shows nothing of a message id', async () => {
  const all = await deployed(3);
  const history = memoryMessageHistory();
  (all.deployment as { messageHistory?: Deployment['messageHistory'] }).messageHistory = history;
  history.listed.set('106540352242922', [{ messageId: 'wamid.lost', events: [{ atMs: all.world.now().getTime(), webhook: 'DELIVERED' }] }]);
  all.world.advance(60_000);
  const ran = await all.run(['reconcile', '--until', '0m']);
  expect([ran.code, ran.stdout]).toEqual([1, expect.stringMatching(/1 message of 1 listed for 1 number[^]*message-missing {2}\S{43} 106540352242922 {2}webhook DELIVERED/) as string]);
  expect(ran.stdout).not.toContain('wamid');
});

test.each([
  [['--since', 'soon'], 'is no time'],
  [['--until', 'soon'], 'is no time'],
  [['--since', '4d'], 'kept for 3 days'],
  [['--since', '1h', '--until', '2h'], 'there is no time between'],
])('%j is refused, and leaves no result', async (options, words) => {
  const all = await deployed(4);
  const ran = await all.run(['reconcile', ...options]);
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(words) as string]);
  for await (const image of all.world.records.scan({ kinds: ['reconciliation'] })) expect(image).toBeUndefined();
});
