/** The snapshot of a log that is too big for one function: the parts of each share by a function of its own, the manifest and its record when all of them are there. */
import type { Checkpoint } from '../core/log/checkpoint';
import type { Done, PartedWork } from './run-in-parts';
import { settledLog } from './settled-log';
import { sealSnapshot, takeParts, takeSnapshot, type SnapshotDeps, type SnapshotParts, type SnapshotReport } from './take-snapshot';
import { partsOf, type WholeUpTo } from './whole-up-to';

/** The checkpoint all shares are of; what was sealed since is in the next snapshot. */
interface SnapshotPlan {
  readonly origin: string;
  readonly size: number;
  /** base64. */
  readonly root: string;
  readonly into: number;
}

export type SnapshotFields = Partial<Pick<SnapshotReport, 'size' | 'records' | 'rows' | 'closed' | 'parts' | 'bytes' | 'seconds'>> & { readonly object?: string };

export function snapshotInParts(deps: SnapshotDeps, { wholeUpTo }: WholeUpTo): PartedWork<SnapshotPlan, SnapshotParts, SnapshotFields> {
  return {
    task: 'take-snapshot',
    async begin() {
      const head = await deps.log.readHead();
      const names = partsOf(head === 'absent' ? 0 : head.size, wholeUpTo);
      if (names.length === 1) return done(await takeSnapshot(deps));
      const { origin, size, root } = await settledLog(deps).settled();
      return { done: false, plan: { origin, size, root: root.toString('base64'), into: names.length }, parts: names, todo: names };
    },
    async part(plan, part) {
      const result = await takeParts(deps, { checkpoint: checkpointOf(plan), share: { number: Number(part), of: plan.into } });
      const { size, records, rows, closed, parts } = result;
      return { result, fields: { size, records, rows, closed, parts: parts.length } };
    },
    merge: async (plan, results, run) => done(await sealSnapshot(deps, checkpointOf(plan), [...results.values()], { at: run })),
  };
}

const checkpointOf = ({ origin, size, root }: SnapshotPlan): Checkpoint => ({ origin, size, root: Buffer.from(root, 'base64'), extensions: [] });

export const snapshotFields = ({ snapshot, size, records, rows, closed, parts, bytes, seconds }: SnapshotReport): SnapshotFields => ({ object: snapshot, size, records, rows, closed, parts, bytes, seconds });

const done = (report: SnapshotReport): Done<SnapshotFields> => ({ done: true, fields: snapshotFields(report) });
