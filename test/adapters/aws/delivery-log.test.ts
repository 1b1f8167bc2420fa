/** What is asked of CloudWatch Logs, and that no answer is taken for the whole unless it is. */
import { cloudWatchDeliveryLog, cloudWatchLogsClient } from '../../../src/adapters/aws/delivery-log';
import { metaToken, parseHistoryToken } from '../../../src/adapters/aws/meta-token';
import { secretsManagerClient } from '../../../src/adapters/aws/app-secrets';
import { deliveryLogContract } from '../../contracts/delivery-log-contract';
import { fakeAws, jsonError, jsonReply, type Reply, type Sent } from './fake-http';

const GROUPS = { receive: '/intact/test/receive-webhook', process: '/intact/test/process-inbox' };
interface Line { readonly timestamp: number; readonly message: string; readonly eventId?: string }

/** A CloudWatch of `lines`: pages of `perPage` with tokens, or at most `perPage` without a token, which is how an answer can be cut. */
function logs(lines: readonly Line[], { perPage = 2, tokens = true, repeats = false }: { readonly perPage?: number; readonly tokens?: boolean; readonly repeats?: boolean } = {}) {
  const answer = ({ json }: Sent): Reply => {
    const { logGroupName, startTime, endTime, limit, nextToken } = json as { logGroupName: string; startTime: number; endTime: number; limit: number; nextToken?: string };
    if (!Object.values(GROUPS).includes(logGroupName)) return jsonError('ResourceNotFoundException');
    const all = logGroupName === GROUPS.receive ? lines.filter(({ timestamp }) => timestamp >= startTime && timestamp <= endTime) : [];
    const from = Number(nextToken ?? 0);
    const most = tokens ? perPage : limit;
    // A page may be empty and not the last.
    const events = nextToken === undefined && tokens ? [] : all.slice(from, from + most);
    const next = nextToken === undefined && tokens ? 0 : from + most;
    return jsonReply({ events: repeats ? [...events, ...events] : events, ...(tokens && (nextToken === undefined || next < all.length) && { nextToken: String(next) }) });
  };
  const { overrides, sent } = fakeAws(answer);
  return { log: cloudWatchDeliveryLog(cloudWatchLogsClient(overrides), GROUPS), sent };
}
const read = async (log: ReturnType<typeof cloudWatchDeliveryLog>, since = 0, until = 100_000): Promise<string[]> => {
  const found: string[] = [];
  for await (const { text } of log.lines('receive', new Date(since), new Date(until))) found.push(text);
  return found;
};
const some = (n: number, from = 1): Line[] => Array.from({ length: n }, (_, i) => ({ timestamp: from + i, message: `line ${i}`, eventId: `id ${i}` }));

deliveryLogContract('CloudWatch', async () => {
  const written: Line[] = [];
  const processed: Line[] = [];
  const { overrides } = fakeAws(({ json }) => {
    const { logGroupName, startTime, endTime } = json as { logGroupName: string; startTime: number; endTime: number };
    if (!Object.values(GROUPS).includes(logGroupName)) return jsonError('ResourceNotFoundException');
    return jsonReply({ events: (logGroupName === GROUPS.receive ? written : processed).filter(({ timestamp }) => timestamp >= startTime && timestamp <= endTime) });
  });
  return {
    deliveries: cloudWatchDeliveryLog(cloudWatchLogsClient(overrides), GROUPS),
    nowhere: cloudWatchDeliveryLog(cloudWatchLogsClient(overrides), { receive: 'a', process: 'b' }),
    write: async (source, lines) => void (source === 'receive' ? written : processed).push(...lines.map(({ at, text }, i) => ({ timestamp: at.getTime(), message: text, eventId: `${source} ${i}` }))),
  };
});

test('every page is read, empty ones included, and each line given once', async () => {
  const { log, sent } = logs(some(5));
  expect(await read(log)).toEqual(some(5).map(({ message }) => message));
  expect(sent).toHaveLength(4);
  expect(sent[0]?.json).toMatchObject({ logGroupName: GROUPS.receive, filterPattern: '"delivery accepted"', startTime: 0, endTime: 99_999 });
  expect(await read(logs(some(5), { repeats: true }).log)).toHaveLength(5);
});

test('an answer that is as long as one can be, with no way to go on, is asked for in halves', async () => {
  const { log, sent } = logs(some(25_000), { tokens: false });
  const lines = await read(log);
  expect([lines.length, new Set(lines).size]).toEqual([25_000, 25_000]);
  expect(sent.length).toBeGreaterThan(3);
});

test('and where a millisecond holds more, nothing is known', async () => {
  const many = some(10_000).map((line) => ({ ...line, timestamp: 7 }));
  await expect(read(logs(many, { tokens: false }).log)).rejects.toMatchObject({ code: 'corrupt' });
});

test.each<[string, string]>([
  ['AccessDeniedException', 'denied'],
  ['ResourceNotFoundException', 'corrupt'],
])('%s is %s, and the message repeats nothing of the service', async (name, code) => {
  const log = cloudWatchDeliveryLog(cloudWatchLogsClient(fakeAws(() => jsonError(name)).overrides), GROUPS);
  const failed: unknown = await read(log).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code });
  expect(String(failed)).not.toContain('SECRET');
});

describe("the token for Meta's history", () => {
  const secret = (reply: Reply) => metaToken(secretsManagerClient(fakeAws(() => reply).overrides), 'arn:secret');
  const stored = (value: string) => secret(jsonReply({ SecretString: value }))();

  test('is read with its numbers, each once', async () => {
    expect(await stored('{"token":"EAAB","phoneNumberIds":["1","2","1"],"note":"x"}')).toEqual({ token: 'EAAB', phoneNumberIds: ['1', '2'] });
  });

  test.each(['', ' ', '{}', '{"token":"","phoneNumberIds":["1"]}', '{"token":"EAAB","phoneNumberIds":[]}'])('that nobody has set is unset: %j', async (value) => {
    expect(await stored(value)).toBe('unset');
  });

  test('that has no value yet is unset; that may not be read is denied', async () => {
    expect(await secret(jsonError('ResourceNotFoundException'))()).toBe('unset');
    await expect(secret(jsonError('AccessDeniedException'))()).rejects.toMatchObject({ code: 'denied' });
  });

  test.each(['EAABsecret', '"EAABsecret"', '["EAABsecret"]', '{"token":1,"phoneNumberIds":["EAABsecret"]}', '{"token":"EAAB secret","phoneNumberIds":["1"]}', '{"token":"EAABsecret\\r\\nx: y","phoneNumberIds":["1"]}', '{"token":"EAABsecret","phoneNumberIds":["../me"]}'])('that is something else is corrupt, and not repeated: %j', (value) => {
    let failed: unknown;
    try {
      parseHistoryToken(value);
    } catch (error) {
      failed = error;
    }
    expect(failed).toMatchObject({ code: 'corrupt' });
    expect(`${String(failed)} ${String((failed as Error).cause)}`).not.toContain('secret\\"');
    expect(`${String(failed)} ${String((failed as Error).cause)}`).not.toContain('EAAB');
  });
});
