/** Every few minutes: announces again the deliveries that were left in the inbox, and says how old the oldest is. */
import { sweepInbox } from '../src/operations/sweep-inbox';
import { scheduled } from '../src/runtime/stacks/scheduled';
import { sweepDeps } from '../src/runtime/wiring/sweeping';

const deps = sweepDeps();

export const handler = scheduled('sweep-inbox', () => sweepInbox(deps));
