/** Meta's own history of what it delivered for our numbers. Reading only; somebody else's service, and slow: what could not be read is thrown and never empty. */
import type { HistoryPage } from '../core/meta/message-history';

export interface MessageHistory {
  /** Ids of the business phone numbers that may be asked for; 'unset': nobody has put a token there yet. Throws `PortError`. */
  numbers(): Promise<readonly string[] | 'unset'>;
  /** One page, the first without `after`. Throws `PortError`: `denied` where Meta refuses the token, `corrupt` where the answer is none, `unavailable` after trying again for a while. */
  page(phoneNumberId: string, after?: string): Promise<HistoryPage>;
}

/** Who asks Meta: a token and the numbers it is for. */
export interface HistoryToken {
  readonly token: string;
  readonly phoneNumberIds: readonly string[];
}
