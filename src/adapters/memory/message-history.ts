/** Meta's history in memory, in pages as small as a test wants them. `listed` is what Meta has; `token` what it is asked with. */
import type { HistoryMessage } from '../../core/meta/message-history';
import type { MessageHistory } from '../../ports/message-history';

export interface MemoryMessageHistory extends MessageHistory {
  /** By business phone number. */
  readonly listed: Map<string, HistoryMessage[]>;
  isSet: boolean;
}

export function memoryMessageHistory({ perPage = 100 }: { readonly perPage?: number } = {}): MemoryMessageHistory {
  const listed: MemoryMessageHistory['listed'] = new Map();
  const history: MemoryMessageHistory = {
    listed,
    isSet: true,
    numbers: async () => (history.isSet ? [...listed.keys()] : 'unset'),
    page: async (number, after) => {
      const all = listed.get(number) ?? [];
      const from = Number(after ?? 0);
      return { messages: all.slice(from, from + perPage), ...(from + perPage < all.length && { after: String(from + perPage) }) };
    },
  };
  return history;
}
