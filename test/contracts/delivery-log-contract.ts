/** What src/ports/delivery-log.ts promises, for every implementation. */
import type { LineSource } from '../../src/core/reconciliation-lines';
import type { DeliveryLog } from '../../src/ports/delivery-log';

export interface DeliveryLogSubject {
  readonly deliveries: DeliveryLog;
  /** Adds lines to a log, in order of their times. */
  write(source: LineSource, lines: readonly { readonly at: Date; readonly text: string }[]): Promise<void>;
  /** A log whose groups are not there. */
  readonly nowhere?: DeliveryLog;
}

const line = (source: LineSource, n: number): string => JSON.stringify({ message: source === 'receive' ? 'delivery accepted' : 'process-inbox', n });

export function deliveryLogContract(name: string, make: () => Promise<DeliveryLogSubject>): void {
  describe(`delivery log (${name})`, () => {
    let subject: DeliveryLogSubject;
    // Within what a log takes, and a little in the past.
    const start = Math.floor(Date.now() / 1000) * 1000 - 600_000;
    const at = (ms: number): Date => new Date(start + ms);
    const read = async (source: LineSource, since: Date, until: Date): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const { at: time, text } of subject.deliveries.lines(source, since, until)) {
        expect(time.getTime() >= since.getTime() && time.getTime() < until.getTime()).toBe(true);
        if (text.startsWith('{"message"')) found.push(text);
      }
      return found.sort();
    };
    beforeAll(async () => {
      subject = await make();
      await subject.write('receive', [0, 1, 2, 2, 3].map((ms, n) => ({ at: at(ms * 1000), text: line('receive', n) })));
      await subject.write('process', [{ at: at(1000), text: line('process', 9) }]);
    });

    it('gives every line of a time, its beginning included and its end not, those of one millisecond each', async () => {
      expect(await read('receive', at(1000), at(3000))).toEqual([1, 2, 3].map((n) => line('receive', n)));
      expect(await read('receive', at(1001), at(3001))).toEqual([2, 3, 4].map((n) => line('receive', n)));
    });

    it('keeps the functions apart', async () => {
      expect(await read('process', at(0), at(10_000))).toEqual([line('process', 9)]);
    });

    it('gives nothing of a time in which nothing was written, or of no time at all', async () => {
      expect([await read('receive', at(-5000), at(0)), await read('receive', at(1000), at(1000))]).toEqual([[], []]);
    });

    it('throws where there is no log: that is not the same as nothing', async () => {
      if (subject.nowhere === undefined) return;
      await expect((async () => { for await (const _ of subject.nowhere!.lines('receive', at(0), at(1))); })()).rejects.toMatchObject({ code: 'corrupt' });
    });
  });
}
