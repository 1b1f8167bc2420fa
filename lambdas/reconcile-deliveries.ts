/** On a schedule: holds what was answered 200 against what is recorded, and Meta's own history, where the stage asks for it, against what is here. */
import { reconcileDeliveries } from '../src/operations/reconcile-deliveries';
import { scheduled } from '../src/runtime/stacks/scheduled';
import { reconcileDeps } from '../src/runtime/wiring/reconciling';

const deps = reconcileDeps();

export const handler = scheduled('reconcile-deliveries', async () => {
  const { reconciliation, ok, findings, deliveries, waiting, unlogged, undecided, size, seconds, history } = await reconcileDeliveries(deps);
  const meta = history === 'not asked' ? { meta: history } : { messages: history.compared, pending: history.pending };
  return { reconciliation, ok, findings, deliveries, waiting, unlogged, undecided, size, seconds, ...meta };
});
