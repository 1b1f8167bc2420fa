/** On a schedule: restores a share of the records into a scratch table, holds it against the live one, and drops it. In finer shares where one is too big. */
import { drillFields, drillInParts } from '../src/operations/drill-in-parts';
import { runDrill } from '../src/operations/run-drill';
import { wholeUpTo } from '../src/runtime/settings';
import { stepped } from '../src/runtime/stacks/stepped';
import { drillDeps, drillSource, shareNow } from '../src/runtime/wiring/comparing';
import { inPartsDeps } from '../src/runtime/wiring/in-parts';

const deps = drillDeps();
/** No function runs longer; a scratch table older than that belongs to none. */
const lastsAtMostMs = 15 * 60_000;
const share = () => shareNow('DRILL_ROTATION');

export const handler = stepped('run-drill', {
  whole: async () => drillFields(await runDrill(deps, { share: share(), from: drillSource(), lastsAtMostMs })),
  parts: drillInParts(deps, { share, from: drillSource, lastsAtMostMs, wholeUpTo: wholeUpTo() }),
  deps: inPartsDeps(),
});
