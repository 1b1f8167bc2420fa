/** The in-memory ports of a reconciliation keep the promises of the real ones. */
import { memoryDeliveryLog } from '../../../src/adapters/memory/delivery-log';
import { memoryMessageHistory } from '../../../src/adapters/memory/message-history';
import { deliveryLogContract } from '../../contracts/delivery-log-contract';
import { messageHistoryContract } from '../../contracts/message-history-contract';

deliveryLogContract('memory', async () => {
  const deliveries = memoryDeliveryLog();
  return { deliveries, write: async (source, lines) => void deliveries.written[source].push(...lines) };
});
messageHistoryContract('memory', async () => {
  const history = memoryMessageHistory({ perPage: 2 });
  return { history, list: (number, messages) => void history.listed.set(number, [...messages]), unset: () => void (history.isSet = false) };
});
