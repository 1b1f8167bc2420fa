/** The lines a reconciliation reads are the ones the functions write: real handlers, real operations, and what came out on stdout. Whoever changes one side meets the other here. */
import type { Context } from 'aws-lambda';
import { deliveryLineIn, LINE_TEXT, type LineSource } from '../../src/core/reconciliation-lines';
import { deliveryIdOf } from '../../src/operations/record-delivery';
import { processInbox } from '../../src/operations/process-inbox';
import { receiveDelivery } from '../../src/operations/receive-delivery';
import { Env } from '../../src/runtime/env';
import { queueBatch } from '../../src/runtime/stacks/queue';
import { webhook } from '../../src/runtime/stacks/webhook';
import { bigTexts, texts } from '../operations/reconciling-world';
import { receivingWorld, signed, type ReceivingWorld } from '../operations/receiving-world';
import { capturedAsync } from './captured';

const before = { ...process.env };
beforeAll(() => {
  process.env[Env.STAGE] = 'test';
});
afterAll(() => {
  process.env = before;
});
const context = { awsRequestId: '11111111-2222-4333-8444-555555555555', getRemainingTimeInMillis: () => 25_000 } as Context;

async function received({ process: container }: ReceivingWorld, body: string): Promise<readonly string[]> {
  const { deps } = container();
  const handler = webhook({ handshake: async () => 'refused', deliver: (delivery) => receiveDelivery(deps, delivery) });
  const { rawBody, signature } = signed(body);
  const event = { rawPath: '/webhook', rawQueryString: '', headers: { 'x-hub-signature-256': signature }, requestContext: { http: { method: 'POST', path: '/webhook' } }, body: rawBody.toString(), isBase64Encoded: false };
  return capturedAsync(() => handler(event as never, context) as Promise<unknown>);
}

async function processed({ process: container, inbox }: ReceivingWorld, names = [...inbox.objects.keys()]): Promise<readonly string[]> {
  const { deps } = container();
  const handler = queueBatch('process-inbox', { read: (body) => [body], about: (name) => ({ object: name }) }, (name: string) => processInbox(deps, name));
  return capturedAsync(() => handler({ Records: names.map((body, i) => ({ messageId: `m${i}`, body })) } as never, context) as Promise<unknown>);
}

const tellingOf = (source: LineSource, lines: readonly string[]) => lines.map((line) => deliveryLineIn(source, line)).filter((line) => line !== 'other');

test('of a delivery that was recorded at once', async () => {
  const world = receivingWorld(1);
  const body = texts('a', 3);
  const deliveryId = deliveryIdOf(Buffer.from(body));
  const none = { variant: 0, conflict: 0, quarantined: 0 };
  expect(tellingOf('receive', await received(world, body))).toEqual([{ deliveryId, queued: false, duplicate: 0, claims: { recorded: 3, ...none } }]);
  expect(tellingOf('receive', await received(world, body))).toEqual([{ deliveryId, queued: false, duplicate: 3, claims: { recorded: 0, ...none } }]);
});

test('of one that was put aside, and of who recorded it; who finds it gone tells nothing of it', async () => {
  const world = receivingWorld(2);
  const deliveryId = deliveryIdOf(Buffer.from(bigTexts('big')));
  expect(tellingOf('receive', await received(world, bigTexts('big')))).toMatchObject([{ deliveryId, queued: true, claims: { recorded: 0 } }]);
  const names = [...world.inbox.objects.keys()];
  expect(tellingOf('process', await processed(world))).toMatchObject([{ deliveryId, queued: false, claims: { recorded: 70 } }]);
  expect(tellingOf('process', await processed(world, names))).toEqual([]);
});

test('of what was refused there is none', async () => {
  const world = receivingWorld(3);
  world.appSecrets.known = world.appSecrets.refreshed = ['another secret'];
  expect(tellingOf('receive', await received(world, texts('a')))).toEqual([]);
});

test('each holds the words it is searched for', async () => {
  const world = receivingWorld(4);
  const lines = { receive: await received(world, bigTexts('big')), process: await processed(world) };
  for (const source of ['receive', 'process'] as const) expect(lines[source].filter((line) => deliveryLineIn(source, line) !== 'other' && line.includes(LINE_TEXT[source]))).toHaveLength(1);
});
