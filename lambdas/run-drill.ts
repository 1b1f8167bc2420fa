/** On a schedule: restores a share of the records into a scratch table, holds it against the live one, and drops it. */
import { runDrill } from '../src/operations/run-drill';
import { scheduled } from '../src/runtime/stacks/scheduled';
import { drillDeps, drillSource, shareNow } from '../src/runtime/wiring/comparing';

const deps = drillDeps();
/** No function runs longer; a scratch table older than that belongs to none. */
const LONGEST_MS = 15 * 60_000;

export const handler = scheduled('run-drill', async () => {
  const from = drillSource();
  const { drill, ok, differences, records, size, newer, restoreSeconds, seconds, share } = await runDrill(deps, { share: shareNow('DRILL_ROTATION'), from, lastsAtMostMs: LONGEST_MS });
  return { drill, from, ok, differences, records, size, newer, restoreSeconds, seconds, share: share.number };
});
