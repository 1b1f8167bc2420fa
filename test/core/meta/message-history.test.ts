/** Meta's history as Meta documents it, what of it is read, and when a message of it must be here. */
import fc from 'fast-check';
import { META_TRIES_MS, parseGraphError, parseHistoryPage, standingOf, type HistoryEvent } from '../../../src/core/meta/message-history';

const numRuns = process.env['INTACT_FULL'] ? 10_000 : 500;

/** The example of Meta's reference page of the endpoint, v23.0, its ids shortened. */
const EXAMPLE = {
  data: [
    {
      id: '1234567890123456',
      message_id: 'wamid.HBgLMTY0NzM3Nzc3NzUVAgARGBI5QTNEQTA2RjdGMEY4RTRGAA==',
      events: {
        data: [
          { id: '2345678901234567', delivery_status: 'SENT', timestamp: 1640995200, webhook_update_state: 'DELIVERED', application: { id: '9876543210987654' }, webhook_uri: 'https://example.com/webhook' },
          { id: '3456789012345678', delivery_status: 'DELIVERED', timestamp: 1640995260, webhook_update_state: 'RETRYING', application: { id: '9876543210987654' }, webhook_uri: 'https://example.com/webhook' },
        ],
      },
    },
  ],
  paging: { cursors: { after: 'MTAxNTExOTQ1MjAwNzI5NDE=', before: 'MAZDZD' }, next: 'https://graph.facebook.com/v23.0/1234567890123456/message_history?after=MTAxNTExOTQ1MjAwNzI5NDE=' },
};
const page = (more: object): string => JSON.stringify({ ...EXAMPLE, ...more });
const of = (message: object): string => page({ data: [{ ...EXAMPLE.data[0], ...message }] });

test("Meta's own example is read", () => {
  expect(parseHistoryPage(JSON.stringify(EXAMPLE))).toEqual({
    messages: [{ messageId: EXAMPLE.data[0]?.message_id, events: [{ atMs: 1640995200_000, webhook: 'DELIVERED' }, { atMs: 1640995260_000, webhook: 'RETRYING' }] }],
    after: 'MTAxNTExOTQ1MjAwNzI5NDE=',
  });
});

describe('a page', () => {
  test.each<[string, string, string | undefined]>([
    ['with a next one', page({}), 'MTAxNTExOTQ1MjAwNzI5NDE='],
    ['that only has a cursor may have a next one', page({ paging: { cursors: { after: 'c' } } }), 'c'],
    ['that holds nothing and only has a cursor is the last', page({ data: [], paging: { cursors: { after: 'c' } } }), undefined],
    ['that holds nothing and says there is more has a next one', page({ data: [], paging: { cursors: { after: 'c' }, next: 'https://x' } }), 'c'],
    ['without paging is the last', page({ paging: undefined }), undefined],
    ['with empty paging is the last', page({ paging: null }), undefined],
  ])('%s', (_what, text, after) => {
    const read = parseHistoryPage(text);
    expect(read === 'malformed' ? read : read.after).toBe(after);
  });

  test.each<[string, string]>([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['an error', '{"error":{"code":190}}'],
    ['no list', page({ data: {} })],
    ['no data', page({ data: undefined })],
    ['a message without an id', of({ message_id: undefined })],
    ['a message with an empty id', of({ message_id: '' })],
    ['a message whose id is a number', of({ message_id: 1 })],
    ['an event without a time', of({ events: { data: [{ webhook_update_state: 'DELIVERED' }] } })],
    ['an event at no time', of({ events: { data: [{ timestamp: -1 }] } })],
    ['an event in milliseconds', of({ events: { data: [{ timestamp: 1640995200000 }] } })],
    ['events without a list', of({ events: {} })],
    ['more, and no cursor', page({ paging: { next: 'https://x' } })],
    ['far more than was asked for', page({ data: Array.from({ length: 1_001 }, () => EXAMPLE.data[0]) })],
  ])('that is none: %s', (_what, text) => {
    expect(parseHistoryPage(text)).toBe('malformed');
  });

  test('may have more in it than is known, times as text, and events without a state', () => {
    expect(parseHistoryPage(of({ events: { data: [{ timestamp: '1640995200', later: 1 }, { timestamp: 1, webhook_update_state: 'SOMETHING_NEW' }] }, more: [] }))).toMatchObject({ messages: [{ events: [{ atMs: 1640995200_000, webhook: '' }, { atMs: 1_000, webhook: 'SOMETHING_NEW' }] }] });
    expect(parseHistoryPage(of({ events: undefined }))).toMatchObject({ messages: [{ events: [] }] });
    expect(parseHistoryPage(of({ events: null }))).toMatchObject({ messages: [{ events: [] }] });
  });

  test('may be anything: nothing is thrown, and what is read is bounded', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(undefined, '', 'c', 0, [], {}));
    const event = fc.record({ timestamp: odd, webhook_update_state: odd }, { requiredKeys: [] });
    const message = fc.record({ message_id: fc.oneof(fc.string(), odd), events: fc.oneof(odd, fc.record({ data: fc.oneof(odd, fc.array(event)) })) }, { requiredKeys: [] });
    const whole = fc.record({ data: fc.oneof(odd, fc.array(message)), paging: fc.oneof(odd, fc.record({ cursors: fc.oneof(odd, fc.record({ after: odd })), next: odd })) }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), whole.map((value) => JSON.stringify(value))), (text) => {
        const read = parseHistoryPage(text);
        parseGraphError(text);
        if (read === 'malformed') return;
        for (const { messageId, events } of read.messages) expect([messageId.length > 0, events.every(({ atMs }) => Number.isSafeInteger(atMs) && atMs >= 0)]).toEqual([true, true]);
        if (read.after !== undefined) expect(read.after).not.toBe('');
      }),
      { numRuns },
    );
  });
});

test('an error says whether it passes: by its own word, or by a code that means "later"', () => {
  expect(parseGraphError('{"error":{"message":"m","type":"OAuthException","code":190,"fbtrace_id":"x"}}')).toEqual({ code: 190, transient: false });
  expect(parseGraphError('{"error":{"message":"m","type":"t","code":80007}}')).toEqual({ code: 80007, transient: true });
  expect(parseGraphError('{"error":{"message":"m","type":"t","code":190,"is_transient":true}}')).toEqual({ code: 190, transient: true });
  expect(parseGraphError('<html>')).toEqual({ transient: false });
});

describe('a message must be here', () => {
  const span = { sinceMs: 100 + META_TRIES_MS, untilMs: 200 + META_TRIES_MS };
  const standing = (...events: readonly [number, string][]) => standingOf({ messageId: 'm', events: events.map(([atMs, webhook]): HistoryEvent => ({ atMs: atMs + META_TRIES_MS, webhook })) }, span, 150).is;

  test.each<[string, readonly [number, string][], string]>([
    ['when its webhook was delivered', [[100, 'DELIVERED']], 'due'],
    ['when Meta gave it up', [[199, 'FAILED']], 'due'],
    ['when Meta does not say', [[150, '']], 'due'],
    ['not yet while Meta tries', [[150, 'PENDING'], [160, 'RETRYING']], 'pending'],
    ['when one of its webhooks was delivered', [[150, 'PENDING'], [160, 'DELIVERED']], 'due'],
    ['not before the window', [[99, 'DELIVERED']], 'outside'],
    ['not behind it', [[200, 'DELIVERED']], 'outside'],
    ['when Meta has tried for seven days, whatever it says', [[150 - META_TRIES_MS, 'RETRYING']], 'due'],
    ['not when it was seven days ago, before there was a log', [[149 - META_TRIES_MS, 'RETRYING']], 'outside'],
    ['never, if nothing happened to it', [], 'outside'],
  ])('%s', (_what, events, is) => {
    expect(standing(...events)).toBe(is);
  });

  test('at two times whatever the windows are, if they join: when its event happened and seven days later', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: META_TRIES_MS }), { minLength: 12, maxLength: 40 }), fc.integer({ min: 0, max: 3 * META_TRIES_MS }), (lengths, atMs) => {
        let sinceMs = 0;
        let times = 0;
        for (const length of lengths) {
          if (standingOf({ messageId: 'm', events: [{ atMs, webhook: 'PENDING' }] }, { sinceMs, untilMs: sinceMs + length }, 0).is !== 'outside') times += 1;
          sinceMs += length;
        }
        const seen = [atMs, atMs + META_TRIES_MS].filter((ms) => ms < sinceMs).length;
        // One long window may hold both.
        expect(times <= seen && (seen === 0 || times >= 1)).toBe(true);
      }),
      { numRuns },
    );
  });
});
