/** What src/ports/message-history.ts promises, for every implementation. */
import type { HistoryMessage } from '../../src/core/meta/message-history';
import type { MessageHistory } from '../../src/ports/message-history';

export interface MessageHistorySubject {
  readonly history: MessageHistory;
  /** Lets Meta have these, in pages of 2. */
  list(number: string, messages: readonly HistoryMessage[]): void;
  unset(): void;
}

export function messageHistoryContract(name: string, make: () => Promise<MessageHistorySubject>): void {
  describe(`message history (${name})`, () => {
    const message = (n: number): HistoryMessage => ({ messageId: `wamid.${n}`, events: n === 0 ? [] : [{ atMs: n * 1_000, webhook: 'DELIVERED' }, { atMs: 5_000, webhook: '' }] });
    const all = async (history: MessageHistory, number: string): Promise<readonly HistoryMessage[]> => {
      const found: HistoryMessage[] = [];
      let after: string | undefined;
      do {
        const page = await history.page(number, after);
        found.push(...page.messages);
        after = page.after;
      } while (after !== undefined);
      return found;
    };

    it.each([0, 1, 2, 5])('gives all of %d messages of a number, page by page', async (n) => {
      const { history, list } = await make();
      list('1', Array.from({ length: n }, (_, i) => message(i)));
      list('2', [message(9)]);
      expect(await history.numbers()).toEqual(['1', '2']);
      expect(await all(history, '1')).toEqual(Array.from({ length: n }, (_, i) => message(i)));
      expect(await all(history, '2')).toEqual([message(9)]);
    });

    it('says that there is no token, which is an answer', async () => {
      const { history, unset } = await make();
      unset();
      expect(await history.numbers()).toBe('unset');
    });
  });
}
