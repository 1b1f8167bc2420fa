/**
 * Runs one bundled webhook handler in a process of its own, with the network replaced by an in-process answer to every HTTP request (DynamoDB as a map; KMS and
 * Secrets Manager with fixed answers). Prints one JSON line: milliseconds of initialisation and, for each window, CPU and SDK calls per webhook.
 * Usage: node webhook-guest.mjs <bundle> seen|unseen|introduce <windows> [<file of known customers>]
 *   seen: every webhook is of one customer. unseen: each is of another one, known from the file.
 *   introduce: measures nothing; every customer of an `unseen` run writes once, and what the handler stored of them goes to the file.
 *   windows: numbers of webhooks measured one after another, such as 2000,4000; empty measures only the initialisation.
 */
import { createHmac } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const SECRET = 'bench-app-secret';
/** Not measured: the container's caches fill, V8 compiles what it will run. */
const WARM_UP = 400;
const [bundle, mode, windowsText, file] = process.argv.slice(2);
const windows = windowsText === '' ? [] : windowsText.split(',').map(Number);

/** Table and partition key → sort key → item. */
const items = new Map(mode === 'unseen' && file ? JSON.parse(readFileSync(file, 'utf8')).map(([partition, rows]) => [partition, new Map(rows)]) : []);
let calls = 0;
const partitionOf = (table, { pk, id }) => `${table} ${pk?.S ?? id?.S}`;
const read = (table, key) => items.get(partitionOf(table, key))?.get(key.sk?.S ?? '');
function keep(table, item) {
  const partition = partitionOf(table, item);
  if (!items.has(partition)) items.set(partition, new Map());
  items.get(partition).set(item.sk?.S ?? '', item);
}
const wrappedSecret = { generation: { N: '1' }, wrapped: { M: { 'us-east-1': { B: Buffer.alloc(184, 7).toString('base64') } } } };

function answer(target, body) {
  const input = JSON.parse(body || '{}');
  switch (target.split('.').pop()) {
    case 'GetItem': {
      const item = input.Key.pk?.S?.startsWith('secret#') ? { ...input.Key, ...wrappedSecret } : read(input.TableName, input.Key);
      return item === undefined ? {} : { Item: item };
    }
    case 'PutItem':
      // What is never read again is not kept: the measurement is of the handler, not of a growing map.
      if (input.Item.pk?.S?.startsWith('m#') !== true) keep(input.TableName, input.Item);
      return {};
    case 'TransactWriteItems':
      for (const { Put } of input.TransactItems) if (Put) keep(Put.TableName, Put.Item);
      return {};
    case 'Query':
      return { Items: [...(items.get(partitionOf(input.TableName, { pk: input.ExpressionAttributeValues[':pk'] }))?.values() ?? [])] };
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

function event(index, customer) {
  const sender = String(15_550_001_111 + customer);
  const userId = `US.${1_349_120_865_530_274 + customer}`;
  const id = `wamid.HBgL${Buffer.from(`15550001111|bench|${index}`).toString('base64')}`;
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '102290129340398', changes: [{ field: 'messages', value: {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' },
      contacts: [{ profile: { name: 'Bench Person' }, wa_id: sender, user_id: userId }],
      messages: [{ from: sender, from_user_id: userId, id, timestamp: '1749416383', type: 'text', text: { body: `Message ${index}: does it come in another colour, and when could it be here?` } }],
    } }] }],
  });
  return {
    version: '2.0', routeKey: 'POST /webhook', rawPath: '/webhook', rawQueryString: '', isBase64Encoded: false, body,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}` },
    requestContext: { http: { method: 'POST', path: '/webhook', sourceIp: '192.0.2.1', userAgent: 'bench' }, requestId: `r${index}`, stage: '$default' },
  };
}
const context = (index) => ({ awsRequestId: `r${index}`, functionName: 'bench', functionVersion: '1', memoryLimitInMB: '512', invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:bench', getRemainingTimeInMillis: () => 10_000, callbackWaitsForEmptyEventLoop: false });

const say = process.stdout.write.bind(process.stdout);
// Log lines cost what they cost to make, not what a terminal takes to show them.
process.stdout.write = (_text, encoding, done) => { (typeof encoding === 'function' ? encoding : done)?.(); return true; };
console.log = console.info = console.debug = () => {};

const cpuBefore = process.cpuUsage();
const started = performance.now();
const { handler } = await import(pathToFileURL(bundle).href);
const initMs = performance.now() - started;
const initCpu = process.cpuUsage(cpuBefore);

async function run(some, from) {
  for (const [index, each] of some.entries()) {
    const result = await handler(each, context(from + index), () => {});
    if (result?.statusCode !== 200) throw new Error(`webhook answered ${JSON.stringify(result)}`);
  }
}
/** CPU of this process and SDK calls, of `n` webhooks from the `from`th on, each. */
async function measure(from, n) {
  // Made before, not counted.
  const events = Array.from({ length: n }, (_, index) => event(from + index, mode === 'seen' ? 0 : from + index));
  calls = 0;
  const before = process.cpuUsage();
  await run(events, from);
  const used = process.cpuUsage(before);
  return { cpuUs: (used.user + used.system) / n, calls: calls / n };
}

const measured = [];
if (windows.length > 0) {
  let from = 0;
  for (const n of [WARM_UP, ...windows]) {
    measured.push(await measure(from, n));
    from += n;
  }
  measured.shift();
}
if (mode === 'introduce') writeFileSync(file, JSON.stringify([...items].map(([partition, rows]) => [partition, [...rows]])));
say(`${JSON.stringify({ windows: measured, initMs, initCpuMs: (initCpu.user + initCpu.system) / 1000 })}\n`);
process.exit(0);
