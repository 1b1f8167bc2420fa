/** What src/ports/record-repairs.ts promises, for every implementation. Keys are new in every test, so one table serves all. */
import { randomUUID } from 'node:crypto';
import { canonicalImage } from '../../src/core/canonical-image';
import { keyOf, type Image } from '../../src/core/image';
import type { RecordRepairs } from '../../src/ports/record-repairs';

export interface RecordRepairsSubject {
  readonly repairs: RecordRepairs;
  /** Puts an item as somebody would by hand. */
  readonly put: (image: Image) => Promise<void>;
  readonly get: (image: Image) => Promise<Image | 'absent'>;
}

const bytesOf = (image: Image | 'absent'): string => (image === 'absent' ? image : canonicalImage(image).toString());

export function recordRepairsContract(name: string, make: () => Promise<RecordRepairsSubject>): void {
  describe(`${name} repairs records`, () => {
    let subject: RecordRepairsSubject;
    let genuine: Image;
    beforeAll(async () => {
      subject = await make();
    });
    beforeEach(() => {
      genuine = {
        pk: { S: `m#${randomUUID()}` },
        sk: { S: '1#message' },
        kind: { S: 'message' },
        rev: { N: '1' },
        mac: { S: '1.abc' },
        raw: { B: Buffer.from([0, 1, 255]) },
        text: { S: 'as it was said' },
        removed: { L: [{ M: { codePoint: { S: 'U+0000' }, count: { N: '1' } } }] },
      };
    });
    const there = async (): Promise<string> => bytesOf(await subject.get(genuine));
    /** Ways to be wrong, each from the genuine state by one change. */
    const wrongs: readonly (readonly [string, (image: Image) => Image])[] = [
      ['another text under the same mac', (image) => ({ ...image, text: { S: 'forged' } })],
      ['an attribute less', ({ text: _text, ...rest }) => rest],
      ['an attribute more', (image) => ({ ...image, extra: { BOOL: true } })],
      ['no mac', ({ mac: _mac, ...rest }) => rest],
      ['other bytes', (image) => ({ ...image, raw: { B: Buffer.from([0, 1, 254]) } })],
      ['something else in a list', (image) => ({ ...image, removed: { L: [] } })],
      ['another type', (image) => ({ ...image, rev: { S: '1' } })],
      ['a hundred and fifty attributes', (image) => ({ ...image, ...Object.fromEntries(Array.from({ length: 150 }, (_x, i) => [`extra${i}`, { N: String(i) }])) })],
      ['nothing but its key', (image) => ({ pk: image['pk']!, sk: image['sk']! })],
    ];

    test('puts a record back where there is none, and only there', async () => {
      expect(await subject.repairs.putBack(genuine, undefined)).toBe('done');
      expect(await there()).toBe(bytesOf(genuine));
      await subject.put({ ...genuine, text: { S: 'forged' } });
      expect(await subject.repairs.putBack(genuine, undefined)).toBe('changed');
      expect(await there()).not.toBe(bytesOf(genuine));
    });

    test.each(wrongs)('puts a record back over %s, whole', async (_name, wrong) => {
      await subject.put(wrong(genuine));
      expect(await subject.repairs.putBack(genuine, wrong(genuine))).toBe('done');
      expect(await there()).toBe(bytesOf(genuine));
    });

    test.each(wrongs)('leaves alone what has become %s since it was looked at', async (_name, wrong) => {
      const seen = { ...genuine, text: { S: 'as the repair saw it' } };
      await subject.put(wrong(genuine));
      expect(await subject.repairs.putBack(genuine, seen)).toBe('changed');
      expect(await there()).toBe(bytesOf(wrong(genuine)));
      expect(await subject.repairs.remove(keyOf(genuine), seen)).toBe('changed');
      expect(await there()).toBe(bytesOf(wrong(genuine)));
    });

    test('does not put a record back over a place that was emptied since', async () => {
      expect(await subject.repairs.putBack(genuine, { ...genuine, text: { S: 'forged' } })).toBe('changed');
      expect(await there()).toBe('absent');
    });

    test('a repair that was done before is done', async () => {
      const wrong = { ...genuine, text: { S: 'forged' } };
      await subject.put(genuine);
      expect(await subject.repairs.putBack(genuine, wrong)).toBe('done');
      expect(await subject.repairs.putBack(genuine, undefined)).toBe('done');
      expect(await there()).toBe(bytesOf(genuine));
    });

    test.each(wrongs)('removes %s, and only that', async (_name, wrong) => {
      await subject.put(wrong(genuine));
      expect(await subject.repairs.remove(keyOf(genuine), wrong(genuine))).toBe('done');
      expect(await there()).toBe('absent');
      expect(await subject.repairs.remove(keyOf(genuine), wrong(genuine))).toBe('done');
      await subject.put(genuine);
      expect(await subject.repairs.remove(keyOf(genuine), { ...genuine, text: { S: 'forged' } })).toBe('changed');
      expect(await there()).toBe(bytesOf(genuine));
    });

    test('of many repairs at once one changes the record, and all say that it is as it should be', async () => {
      const wrong = { ...genuine, text: { S: 'forged' } };
      await subject.put(wrong);
      expect(await Promise.all(Array.from({ length: 8 }, () => subject.repairs.putBack(genuine, wrong)))).toEqual(Array(8).fill('done'));
      expect(await there()).toBe(bytesOf(genuine));
    });
  });
}
