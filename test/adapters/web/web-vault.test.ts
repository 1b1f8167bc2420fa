import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { webVault } from '../../../src/adapters/web/web-vault';
import { verifyVault } from '../../../src/operations/verify-vault';
import { builtVault, keyPair } from '../../operations/built-vault';

let server: Server;
let prefix: string;
let answer: (path: string, attempt: number) => { readonly status: number; readonly body?: Buffer; readonly headers?: Record<string, string> };
let asked: string[];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url!);
    const { status, body, headers } = answer(request.url!, asked.length);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  prefix = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`;
});
beforeEach(() => (asked = []));
afterAll(() => new Promise((done) => server.close(done)));
const sleep = async (): Promise<void> => undefined;

test('a vault over the web is verified; what cannot be looked for there is stated', async () => {
  const vault = await builtVault(300);
  answer = (path) => {
    const body = vault.objects.get(path.slice('/log/'.length));
    return body === undefined ? { status: 404 } : { status: 200, body };
  };
  expect(await verifyVault(webVault(prefix), { profile: 'intact', keys: [keyPair(1).key] })).toMatchObject({
    ok: true, size: 300, segments: null, locks: null, orphans: [], unchecked: ['locks', 'segments', 'unexpected-objects'],
  });
  vault.objects.get('tile/entries/000')![99]! ^= 1;
  expect((await verifyVault(webVault(prefix), { profile: 'intact', keys: [] })).findings.map(({ object }) => object)).toEqual(['tile/entries/000']);
});

test('a body compressed on the way is read as it was', async () => {
  answer = () => ({ status: 200, body: gzipSync('text'), headers: { 'content-encoding': 'gzip' } });
  expect(await webVault(prefix).get('checkpoint')).toEqual(Buffer.from('text'));
});

test('an overloaded server is asked again, a limited number of times', async () => {
  answer = (_, attempt) => (attempt < 3 ? { status: 503 } : { status: 200, body: Buffer.from('late') });
  expect(await webVault(prefix, { sleep }).get('checkpoint')).toEqual(Buffer.from('late'));
  answer = () => ({ status: 503 });
  asked = [];
  await expect(webVault(prefix, { sleep, attempts: 3 }).get('checkpoint')).rejects.toMatchObject({ name: 'VaultReadError', code: 'unreachable' });
  expect(asked).toHaveLength(3);
});

test('only 404 and 410 mean absent: what was refused or redirected could not be read', async () => {
  for (const [status, verdict] of [[404, 'absent'], [410, 'absent']] as const) {
    answer = () => ({ status });
    expect(await webVault(prefix, { sleep }).get('x')).toBe(verdict);
  }
  for (const [status, code] of [[403, 'denied'], [401, 'denied'], [400, 'denied'], [302, 'unreachable'], [204, 'denied']] as const) {
    answer = () => ({ status, headers: { location: '/elsewhere' } });
    await expect(webVault(prefix, { sleep }).get('x')).rejects.toMatchObject({ code });
  }
});

test('a body without end is cut off', async () => {
  answer = () => ({ status: 200, body: Buffer.alloc(1000) });
  await expect(webVault(prefix, { sleep, maxObjectSize: 999 }).get('x')).rejects.toMatchObject({ code: 'too-large' });
});

test('names stay under the prefix, and a log is read over https', async () => {
  await expect(webVault(prefix).get('../x')).rejects.toMatchObject({ code: 'denied' });
  expect(() => webVault('http://example.org/log')).toThrow(RangeError);
  expect(() => webVault('file:///etc')).toThrow(RangeError);
});
