/** Meta, played by a server of our own over real HTTP: what is asked, what is tried again, what is given up, and that the token goes nowhere else. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metaMessageHistory, META_BASE_URL } from '../../../src/adapters/web/meta-history';
import type { HistoryMessage } from '../../../src/core/meta/message-history';
import type { HistoryToken, MessageHistory } from '../../../src/ports/message-history';
import { fakeCloud } from '../../cli/fake-cloud';
import { messageHistoryContract } from '../../contracts/message-history-contract';

const TOKEN = 'EAABsecret';
type Answer = (url: URL, request: IncomingMessage, response: ServerResponse) => void;

const servers: { close(): void; closeAllConnections(): void }[] = [];
afterAll(() => servers.forEach((server) => { server.closeAllConnections(); server.close(); }));

/** `answer` in turn for each request, the last one for all that follow. */
async function meta(...answers: readonly Answer[]) {
  const asked: { readonly url: URL; readonly authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://meta');
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push({ url, authorization: request.headers.authorization });
    answer?.(url, request, response);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const waits: number[] = [];
  const known: { token: HistoryToken | 'unset' } = { token: { token: TOKEN, phoneNumberIds: ['1', '2'] } };
  // The adapter speaks https only; this is where that ends in the test, as a proxy would.
  const overHttp: typeof fetch = (url, init) => fetch(String(url).replace('https://meta.test', `http://127.0.0.1:${port}`), init);
  const history: MessageHistory = metaMessageHistory(async () => known.token, { baseUrl: 'https://meta.test/v23.0', sleep: async (ms) => void waits.push(ms), fetch: overHttp, timeoutMs: 2_000 });
  return { history, asked, waits, known };
}
const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Answer => (_url, _request, response) => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
const graphError = (status: number, code: number, headers = {}): Answer => json({ error: { message: `quotes ${TOKEN}`, type: 'OAuthException', code } }, status, headers);
const EMPTY = json({ data: [] });

messageHistoryContract('Meta', async () => {
  const listed = new Map<string, readonly HistoryMessage[]>();
  const { history, known } = await meta((url, request, response) => {
    const all = listed.get(url.pathname.split('/')[2] ?? '') ?? [];
    const from = Number(url.searchParams.get('after') ?? 0);
    const data = all.slice(from, from + 2).map(({ messageId, events }, i) => ({ id: String(i), message_id: messageId, ...(events.length > 0 && { events: { data: events.map(({ atMs, webhook }) => ({ id: 'e', timestamp: atMs / 1000, ...(webhook !== '' && { webhook_update_state: webhook }) })) } }) }));
    json({ data, ...(data.length > 0 && { paging: { cursors: { before: 'b', after: String(from + data.length) } } }) })(url, request, response);
  });
  return { history, list: (number, messages) => void listed.set(number, messages), unset: () => void (known.token = 'unset') };
});

test('what is asked: one number, the fields that are needed, the longest page, the token in a header and nowhere else', async () => {
  const { history, asked } = await meta(EMPTY);
  await history.page('106540352242922', 'MTA=');
  const [{ url, authorization }] = asked as [(typeof asked)[0]];
  expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual(['/v23.0/106540352242922/message_history', { fields: 'id,message_id,events{delivery_status,webhook_update_state,timestamp}', limit: '100', after: 'MTA=' }]);
  expect(authorization).toBe(`Bearer ${TOKEN}`);
  expect(url.href).not.toContain(TOKEN);
});

test('the address of a next page is not followed: only its cursor is used, at the address that is configured', async () => {
  const elsewhere = await meta(EMPTY);
  const { history, asked } = await meta(json({ data: [], paging: { cursors: { after: 'c' }, next: 'https://meta.test.evil.example/?access_token=x' } }), EMPTY);
  expect(await history.page('1')).toEqual({ messages: [], after: 'c' });
  await history.page('1', 'c');
  expect([asked.map(({ url }) => url.searchParams.get('after')), elsewhere.asked]).toEqual([[null, 'c'], []]);
});

test('a redirect is not followed', async () => {
  const { history, asked } = await meta((_url, _request, response) => void response.writeHead(302, { location: '/elsewhere' }).end());
  await expect(history.page('1')).rejects.toMatchObject({ code: 'unavailable' });
  expect(new Set(asked.map(({ url }) => url.pathname))).toEqual(new Set(['/v23.0/1/message_history']));
});

describe('what passes is tried again, a few times, and longer apart each time', () => {
  test.each<[string, Answer]>([
    ['too many requests', json('slow down', 429)],
    ['a server that fails', json('oops', 500)],
    ['a gateway that fails', json('<html>', 502)],
    ["a rate limit in Meta's own words", graphError(400, 80007)],
    ['what Meta calls transient', json({ error: { code: 99, is_transient: true } }, 400)],
    ['a connection that breaks', (_url, request) => void request.socket.destroy()],
    ['an answer that breaks off', (_url, request, response) => { response.writeHead(200, { 'content-length': '100' }); response.write('{"data"'); setTimeout(() => request.socket.destroy(), 20); }],
  ])('%s', async (_what, answer) => {
    const { history, asked, waits } = await meta(answer, answer, EMPTY);
    expect(await history.page('1')).toEqual({ messages: [] });
    expect([asked.length, waits]).toEqual([3, [1_000, 2_000]]);
    const never = await meta(answer);
    await expect(never.history.page('1')).rejects.toMatchObject({ code: 'unavailable' });
    expect([never.asked.length, never.waits]).toEqual([5, [1_000, 2_000, 4_000, 8_000]]);
  });

  test('after as long as the server asks for, up to a minute', async () => {
    const { history, waits } = await meta(graphError(429, 4, { 'retry-after': '7' }), graphError(429, 4, { 'retry-after': '86400' }), graphError(429, 4, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), EMPTY);
    await history.page('1');
    expect(waits).toEqual([7_000, 60_000, 4_000]);
  });

  test('a server that never answers, too', async () => {
    const slow = metaMessageHistory(async () => ({ token: TOKEN, phoneNumberIds: ['1'] }), { sleep: async () => undefined, timeoutMs: 20, fetch: (_url, init) => new Promise((_done, fail) => init?.signal?.addEventListener('abort', () => fail(init.signal?.reason))) });
    await expect(slow.page('1')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('TimeoutError') as string });
  });
});

describe('what does not is thrown at once, and repeats neither the token nor what Meta said', () => {
  test.each<[string, Answer, string, string]>([
    ['a token that is refused', graphError(401, 190), 'denied', 'HTTP 401, code 190'],
    ['a number that is not ours', graphError(400, 100), 'denied', 'HTTP 400, code 100'],
    ['a right that is missing', graphError(403, 10), 'denied', 'HTTP 403, code 10'],
    ['a number that is none', graphError(404, 803), 'denied', 'HTTP 404, code 803'],
    ['an answer that is none', json({ data: 'EAABsecret' }), 'corrupt', 'not what Meta documents'],
    ['an answer without an end', json(`{"data":[],"x":"${'x'.repeat(4 * 1024 * 1024)}"}`), 'corrupt', 'longer than'],
    ['success in another word', json({ data: [] }, 204), 'denied', 'HTTP 204'],
  ])('%s', async (_what, answer, code, words) => {
    const { history, asked, waits } = await meta(answer);
    const failed: unknown = await history.page('1').catch((error: unknown) => error);
    expect(failed).toMatchObject({ code, message: expect.stringContaining(words) as string });
    expect(`${String(failed)} ${String((failed as Error).cause)}`).not.toMatch(/EAABsecret|quotes/);
    expect([asked.length, waits]).toEqual([1, []]);
  });
});

test('only an address over TLS is taken, and by default it is Meta', () => {
  const at = (baseUrl: string) => () => metaMessageHistory(async () => 'unset', { baseUrl, sleep: async () => undefined });
  for (const wrong of ['http://graph.facebook.com/v23.0', 'file:///etc/passwd', 'https://user:pw@graph.facebook.com/v23.0', 'https://graph.facebook.com/v23.0?access_token=x', 'meta']) expect(at(wrong)).toThrow();
  expect(at('https://meta.test/v23.0/')).not.toThrow();
  expect(META_BASE_URL).toMatch(/^https:\/\/graph\.facebook\.com\/v\d+\.\d+$/);
});

test('a certificate nobody vouches for ends the conversation before the token is sent', async () => {
  const server = await fakeCloud(() => '{"data":[]}');
  try {
    const history = metaMessageHistory(async () => ({ token: TOKEN, phoneNumberIds: ['1'] }), { baseUrl: server.endpoint, sleep: async () => undefined });
    await expect(history.page('1')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/SELF_SIGNED|DEPTH_ZERO|CERT/) as string });
    expect(server.asked).toEqual([]);
  } finally {
    await server.close();
  }
});

test('without a token nothing is asked', async () => {
  const { history, asked, known } = await meta(EMPTY);
  known.token = 'unset';
  await expect(history.page('1')).rejects.toMatchObject({ code: 'denied' });
  expect(asked).toEqual([]);
});
