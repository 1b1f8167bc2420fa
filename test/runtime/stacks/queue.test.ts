/** What a queue is told about its messages: which are done, which come back, and that the failure of one is not the failure of all. */
import { PortError } from '../../../src/ports';
import { Env } from '../../../src/runtime/env';
import { queueBatch, queueTogether, type Tried } from '../../../src/runtime/stacks/queue';
import { capturedAsync } from '../captured';

const before = { ...process.env };
beforeAll(() => {
  process.env[Env.STAGE] = 'test';
});
afterAll(() => {
  process.env = before;
});

const form = { read: (body: string) => (body.startsWith('do ') ? body.slice(3).split('+') : ('unknown' as const)), about: (item: string) => ({ source: item }) };
const batch = (...bodies: readonly string[]) => ({ Records: bodies.map((body, i) => ({ messageId: `m${i}`, body })) });
const context = { awsRequestId: '1', getRemainingTimeInMillis: () => 25_000 };

async function run(handler: unknown, event: object): Promise<{ readonly answer: unknown; readonly thrown: string; readonly said: readonly Record<string, unknown>[] }> {
  let [answer, thrown] = [undefined as unknown, ''];
  const lines = await capturedAsync(async () => {
    answer = await (handler as (event: object, context: object) => Promise<unknown>)(event, context).catch((error: Error) => void (thrown = error.message));
  });
  return { answer, thrown, said: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('messages that are answered for together', () => {
  const came: (readonly string[])[] = [];
  const outcomes: Record<string, PromiseSettledResult<Tried>> = {
    good: { status: 'fulfilled', value: { again: false, fields: { outcome: 'done' } } },
    early: { status: 'fulfilled', value: { again: true, fields: { outcome: 'later' } } },
    bad: { status: 'rejected', reason: new PortError('denied', 'not allowed') },
  };
  const handler = queueTogether('try', form, async (items) => {
    came.push(items);
    return items.map((item) => outcomes[item]!);
  });

  it('come back where they failed or are to be tried again, and nowhere else', async () => {
    const { answer, thrown, said } = await run(handler, batch('do good', 'do early', 'nonsense', 'do bad', 'do good', 'do good+early'));
    expect([answer, thrown]).toEqual([{ batchItemFailures: ['m1', 'm3', 'm5'].map((itemIdentifier) => ({ itemIdentifier })) }, '']);
    expect(came).toEqual([['good', 'early', 'bad', 'good', 'good', 'early']]);
    expect(said.map(({ level, source, outcome, code }) => [level, source, outcome ?? code])).toEqual([
      ['WARN', undefined, undefined], ['INFO', 'good', 'done'], ['INFO', 'early', 'later'], ['ERROR', 'bad', 'denied'], ['INFO', 'good', 'done'], ['INFO', 'good', 'done'], ['INFO', 'early', 'later'],
    ]);
  });

  it('are all done where none is ours', async () => {
    came.length = 0;
    expect(await run(handler, batch('nonsense'))).toMatchObject({ answer: { batchItemFailures: [] } });
    expect(came).toEqual([]);
  });

  it('come back all of them where the whole failed', async () => {
    const failing = queueTogether('try', form, () => Promise.reject(new PortError('unavailable', 'nobody there')));
    expect((await run(failing, batch('do good'))).thrown).toContain('try failed');
  });
});

it('messages that are done one by one fail the invocation if one fails, after all were tried', async () => {
  const done: string[] = [];
  const handler = queueBatch('try', form, async (item) => {
    done.push(item);
    if (item === 'bad') throw new PortError('denied', 'not allowed');
    return { outcome: 'done' };
  });
  expect((await run(handler, batch('do bad', 'nonsense', 'do good'))).thrown).toContain('try failed');
  expect(done).toEqual(['bad', 'good']);
  expect((await run(handler, batch('do good'))).thrown).toBe('');
});
