/** The receiving functions' log in memory. `written` is what is there, for a test to add to, lose or forge. */
import type { LineSource } from '../../core/reconciliation-lines';
import type { DeliveryLog, LoggedLine } from '../../ports/delivery-log';

export interface MemoryDeliveryLog extends DeliveryLog {
  readonly written: Record<LineSource, LoggedLine[]>;
}

export function memoryDeliveryLog(): MemoryDeliveryLog {
  const written: MemoryDeliveryLog['written'] = { receive: [], process: [] };
  return {
    written,
    lines: async function* (source, since, until) {
      yield* written[source].filter(({ at }) => at >= since && at < until);
    },
  };
}
