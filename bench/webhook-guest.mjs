/**
 * Runs one bundled webhook handler in a process of its own, with the network replaced by an in-process answer to every HTTP request (DynamoDB as a map; KMS and
 * Secrets Manager with fixed answers). Prints one JSON line: CPU per webhook, SDK calls per webhook, milliseconds of initialisation.
 * Usage: node webhook-guest.mjs <bundle> <webhooks>; 0 webhooks measures only the initialisation.
 */
import { createHmac } from 'node:crypto';
import { EventEmitter } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const SECRET = 'bench-app-secret';
const items = new Map();
let calls = 0;
const keyOf = (table, { pk, sk, id }) => `${table} ${pk?.S ?? id?.S} ${sk?.S ?? ''}`;
const wrappedSecret = { generation: { N: '1' }, wrapped: { M: { 'us-east-1': { B: Buffer.alloc(184, 7).toString('base64') } } } };

function answer(target, body) {
  const input = JSON.parse(body || '{}');
  switch (target.split('.').pop()) {
    case 'GetItem': {
      const item = input.Key.pk?.S?.startsWith('secret#') ? { ...input.Key, ...wrappedSecret } : items.get(keyOf(input.TableName, input.Key));
      return item === undefined ? {} : { Item: item };
    }
    case 'PutItem':
      // What is never read again is not kept: the measurement is of the handler, not of a growing map.
      if (input.Item.pk?.S?.startsWith('m#') !== true) items.set(keyOf(input.TableName, input.Item), input.Item);
      return {};
    case 'TransactWriteItems':
      for (const { Put } of input.TransactItems) if (Put) items.set(keyOf(Put.TableName, Put.Item), Put.Item);
      return {};
    case 'Query':
      return { Items: [...items.values()].filter((item) => item.pk?.S === Object.values(input.ExpressionAttributeValues)[0]?.S), Count: 0 };
    case 'Decrypt':
      return { Plaintext: Buffer.alloc(32, 9).toString('base64'), KeyId: input.KeyId ?? 'key' };
    case 'GetSecretValue':
      return { SecretString: JSON.stringify({ appSecrets: [SECRET], verifyToken: 'x' }) };
    default:
      return {};
  }
}

/** Just enough of http.request for the SDK's HTTP handler. */
function fakeRequest(options, onResponse) {
  calls += 1;
  const chunks = [];
  const request = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
    final(done) {
      done();
      const bytes = Buffer.from(JSON.stringify(answer(String(options.headers['x-amz-target'] ?? options.headers['X-Amz-Target'] ?? ''), Buffer.concat(chunks).toString('utf8'))));
      const response = Readable.from([bytes]);
      Object.assign(response, { statusCode: 200, statusMessage: 'OK', headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'bench' } });
      setImmediate(() => onResponse(response));
    },
  });
  return Object.assign(request, { setTimeout: () => request, setSocketKeepAlive() {}, setNoDelay() {}, abort() {}, socket: new EventEmitter(), reusedSocket: true, getHeader() {}, setHeader() {}, removeHeader() {} });
}
http.request = fakeRequest;
https.request = fakeRequest;
syncBuiltinESMExports();

function event(index, sender) {
  const id = `wamid.HBgL${Buffer.from(`15550001111|bench|${index}`).toString('base64')}`;
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '102290129340398', changes: [{ field: 'messages', value: {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' },
      contacts: [{ profile: { name: 'Bench Person' }, wa_id: sender, user_id: 'US.1349120865530274' }],
      messages: [{ from: sender, from_user_id: 'US.1349120865530274', id, timestamp: '1749416383', type: 'text', text: { body: `Message ${index}: does it come in another colour, and when could it be here?` } }],
    } }] }],
  });
  return {
    version: '2.0', routeKey: 'POST /webhook', rawPath: '/webhook', rawQueryString: '', isBase64Encoded: false, body,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}` },
    requestContext: { http: { method: 'POST', path: '/webhook', sourceIp: '192.0.2.1', userAgent: 'bench' }, requestId: `r${index}`, stage: '$default' },
  };
}
const context = (index) => ({ awsRequestId: `r${index}`, functionName: 'bench', functionVersion: '1', memoryLimitInMB: '512', invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:bench', getRemainingTimeInMillis: () => 10_000, callbackWaitsForEmptyEventLoop: false });

const [bundle, count] = [process.argv[2], Number(process.argv[3])];
const say = process.stdout.write.bind(process.stdout);
// Log lines cost what they cost to make, not what a terminal takes to show them.
process.stdout.write = (_text, encoding, done) => { (typeof encoding === 'function' ? encoding : done)?.(); return true; };
console.log = console.info = console.debug = () => {};

const cpuBefore = process.cpuUsage();
const started = performance.now();
const { handler } = await import(pathToFileURL(bundle).href);
const initMs = performance.now() - started;
const initCpu = process.cpuUsage(cpuBefore);

let cpuUs = 0;
let callsEach = 0;
if (count > 0) {
  const events = Array.from({ length: count + 400 }, (_, index) => event(index, '15550001111'));
  const run = async (some, from) => {
    for (const [index, each] of some.entries()) {
      const result = await handler(each, context(from + index), () => {});
      if (result?.statusCode !== 200) throw new Error(`webhook answered ${JSON.stringify(result)}`);
    }
  };
  await run(events.slice(0, 400), 0); // caches filled, code compiled
  calls = 0;
  const before = process.cpuUsage();
  await run(events.slice(400), 400);
  const used = process.cpuUsage(before);
  cpuUs = (used.user + used.system) / count;
  callsEach = calls / count;
}
say(`${JSON.stringify({ cpuUs, callsEach, initMs, initCpuMs: (initCpu.user + initCpu.system) / 1000 })}\n`);
process.exit(0);
