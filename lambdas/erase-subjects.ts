/** Every few minutes: brings each erasure that two officers wanted as far as it may go now, unless a hold stops it. The one function that can take a key away. */
import { advanceErasures } from '../src/operations/erasure/advance-erasures';
import { scheduled } from '../src/runtime/stacks/scheduled';
import { erasingDeps } from '../src/runtime/wiring/erasing';

const deps = erasingDeps();

export const handler = scheduled('erase-subjects', async () => {
  const erasures = await advanceErasures(deps);
  const those = (waiting: string): number => erasures.filter((each) => each.waiting === waiting).length;
  return { erasures: erasures.length, removed: erasures.reduce((sum, { removed }) => sum + removed, 0), held: those('hold'), doubtful: those('doubtful'), waiting: those('delivery') + those('sealing') + those('region') };
});
