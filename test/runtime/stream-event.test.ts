import * as fc from 'fast-check';
import { parseCanonicalImage, canonicalImage } from '../../src/core/canonical-image';
import { streamEvent } from '../../src/runtime/stream-event';

const record = {
  eventID: 'c4ca4238a0b923820dcc509a6f75849b',
  eventName: 'MODIFY',
  eventVersion: '1.1',
  eventSource: 'aws:dynamodb',
  awsRegion: 'us-east-1',
  dynamodb: {
    ApproximateCreationDateTime: 1_760_000_000,
    Keys: { pk: { S: 'm#a' }, sk: { S: '1#message' } },
    NewImage: { pk: { S: 'm#a' }, sk: { S: '1#message' }, raw: { B: 'AQID' }, n: { N: '12' }, l: { L: [{ B: 'AQ==' }, { M: { b: { B: 'Ag==' }, ok: { BOOL: true } } }] }, set: { BS: ['AQ==', 'Ag=='] }, nothing: { NULL: true } },
    OldImage: { pk: { S: 'm#a' }, sk: { S: '1#message' } },
    SequenceNumber: '1',
    SizeBytes: 59,
    StreamViewType: 'NEW_AND_OLD_IMAGES',
  },
};

test('a record becomes an event whose binary values are bytes, at every depth', () => {
  const event = streamEvent(record);
  expect(event).toMatchObject({ eventId: record.eventID, op: 'MODIFY', createdAtMs: 1_760_000_000_000, key: { pk: 'm#a', sk: '1#message' }, oldImage: record.dynamodb.OldImage });
  expect(event.newImage).toEqual({
    pk: { S: 'm#a' },
    sk: { S: '1#message' },
    raw: { B: Buffer.from([1, 2, 3]) },
    n: { N: '12' },
    l: { L: [{ B: Buffer.from([1]) }, { M: { b: { B: Buffer.from([2]) }, ok: { BOOL: true } } }] },
    set: { BS: [Buffer.from([1]), Buffer.from([2])] },
    nothing: { NULL: true },
  });
  expect(JSON.parse(event.raw.toString())).toEqual(record);
});

test('its image is the one that canonical bytes are made of', () => {
  const { newImage } = streamEvent(record);
  if (newImage === undefined) throw new Error('the record has one');
  expect(parseCanonicalImage(canonicalImage(newImage))).toEqual(newImage);
});

test('an insert has no old image, a removal no new one', () => {
  const { OldImage: _old, ...inserted } = record.dynamodb;
  const { NewImage: _new, ...removed } = record.dynamodb;
  expect(streamEvent({ ...record, eventName: 'INSERT', dynamodb: inserted })).not.toHaveProperty('oldImage');
  expect(streamEvent({ ...record, eventName: 'REMOVE', dynamodb: removed })).not.toHaveProperty('newImage');
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a string', 'x'],
  ['no change', { eventID: 'a' }],
  ['an unknown operation', { ...record, eventName: 'RENAME' }],
  ['keys of another type', { ...record, dynamodb: { Keys: { pk: { N: '1' }, sk: 7 } } }],
  ['images that are none', { ...record, dynamodb: { ...record.dynamodb, NewImage: 'x', OldImage: [1] } }],
  ['attributes that are none', { ...record, dynamodb: { ...record.dynamodb, NewImage: { a: null, b: { B: 5 }, c: { L: 'x' }, d: { M: [] }, e: { BS: [1] }, f: 3 } } }],
])('%s does not throw and stays readable in raw', (_name, odd) => {
  const event = streamEvent(odd);
  expect(['INSERT', 'MODIFY', 'REMOVE']).toContain(event.op);
  expect(event.raw.toString()).toBe(JSON.stringify(odd) ?? 'null');
});

test('records without an id do not count as one', () => {
  const { eventID: _id, ...nameless } = record;
  const other = { ...nameless, dynamodb: { ...nameless.dynamodb, SequenceNumber: '2' } };
  expect(streamEvent(nameless).eventId).not.toBe(streamEvent(other).eventId);
  expect(streamEvent(nameless).eventId).toBe(streamEvent(structuredClone(nameless)).eventId);
});

test('no JSON whatsoever makes it throw', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const inside = { eventName: value, dynamodb: { Keys: value, NewImage: { a: value }, OldImage: value, ApproximateCreationDateTime: value } };
      for (const odd of [value, { dynamodb: value }, inside]) expect(streamEvent(odd).raw.toString()).toBe(JSON.stringify(odd));
    }),
    { numRuns: process.env['INTACT_FULL'] === '1' ? 10_000 : 500 },
  );
});
