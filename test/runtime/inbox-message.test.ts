import { inboxMessage, namesIn } from '../../src/runtime/inbox-message';

const notification = (...keys: unknown[]) => JSON.stringify({ Records: keys.map((key) => ({ eventSource: 'aws:s3', s3: { bucket: { name: 'inbox' }, object: { key, size: 3 } } })) });

test('names are found in the notifications of the bucket and in the messages of the sweeper', () => {
  expect(namesIn(notification('delivery/a.b', 'delivery/c'))).toEqual(['delivery/a.b', 'delivery/c']);
  expect(namesIn(notification('delivery%2Fa.b'))).toEqual(['delivery/a.b']);
  expect(namesIn(inboxMessage('delivery/a.b'))).toEqual(['delivery/a.b']);
});

test('what is no delivery is nobody’s message', () => {
  expect(namesIn(notification('content/a', 'delivery/b'))).toEqual(['delivery/b']);
  expect(namesIn('{"Service":"Amazon S3","Event":"s3:TestEvent"}')).toEqual([]);
});

test.each(['', 'x', 'null', '[]', '7', '{}', '{"Records":{}}', notification(1), notification(null), '{"Records":[null]}'])('%s is no message we know', (body) => {
  expect(namesIn(body)).toBe('unknown');
});

test.each(['delivery/%zz', 'delivery/a+b', 'delivery/', 'delivery/../content/a', 'delivery/hello%20there'])('%s is no name of a delivery', (key) => {
  expect(namesIn(notification(key, 'delivery/b'))).toEqual(['delivery/b']);
});
