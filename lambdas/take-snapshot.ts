/**
 * On a schedule: puts a full backup into the vault, a compaction of the log at its newest checkpoint, and a record that the log commits to. In shares where the log is too big for one
 * function.
 */
import { snapshotFields, snapshotInParts } from '../src/operations/snapshot-in-parts';
import { takeSnapshot } from '../src/operations/take-snapshot';
import { wholeUpTo } from '../src/runtime/settings';
import { stepped } from '../src/runtime/stacks/stepped';
import { inPartsDeps } from '../src/runtime/wiring/in-parts';
import { snapshotDeps } from '../src/runtime/wiring/snapshotting';

const deps = snapshotDeps();

export const handler = stepped('take-snapshot', {
  whole: async () => snapshotFields(await takeSnapshot(deps)),
  parts: snapshotInParts(deps, { wholeUpTo: wholeUpTo() }),
  deps: inPartsDeps(),
});
