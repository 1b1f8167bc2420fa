/**
 * A whole vault from its facts alone: segments, signed copies of checkpoints, keys, blobs, snapshots and reports, which is what a replica holds. Tiles, bundles and
 * `checkpoint` follow from them; which segments are the log, `log-from-facts` tells.
 */
import { EMPTY_TREE, extendTree, partialObjects, type LogObject, type TreeEdge } from '../core/log/tiles';
import type { VerifierKey } from '../core/log/vkey';
import { CHECKPOINT, checkpointCopyName, LOG_VKEYS } from '../core/verify/vault-name';
import { inParallel } from './in-parallel';
import { readFacts, signedRuns, type Signed } from './log-from-facts';
import { ReplayError, type PublishedLog } from './published-entries';
import type { PullTarget } from './pull-vault';

export interface Rebuilt {
  readonly origin: string;
  /** Entries of the rebuilt log, and the largest signed size that the source knows: less is lost where they differ. */
  readonly size: number;
  readonly signed: number;
  /** Base64 as in checkpoints. */
  readonly root: string;
  /** Facts copied, and objects made from them. */
  readonly copied: number;
  readonly derived: number;
  /** Segments and signed copies that are not what their names say. */
  readonly damaged: readonly string[];
}

const OBJECTS_AT_ONCE = 16;

/**
 * Rebuilds into `target`; `checkpoint` is written last, so what an interrupted run leaves is no vault yet and the next run completes it. `pinned`: keys of the log that are
 * known from elsewhere. Throws `ReplayError` (`no-log`, `untrusted`), and what reading and writing throw.
 */
export async function rebuildVault(source: PublishedLog, target: PullTarget, pinned: readonly VerifierKey[] = []): Promise<Rebuilt> {
  const facts = await readFacts(source, pinned);
  const { signed, damaged } = facts;

  await target.write(LOG_VKEYS, facts.keysFile);
  let tree: TreeEdge = EMPTY_TREE;
  let reached: Signed | undefined;
  let derived = 0;
  const put = (objects: readonly LogObject[]): Promise<void[]> => inParallel(objects, OBJECTS_AT_ONCE, ({ name, bytes }) => target.write(name, bytes));
  for await (const run of signedRuns(source, facts)) {
    for (const { bytes } of run.segments) {
      const extension = extendTree(tree, bytes);
      await put(extension.full);
      derived += extension.full.length;
      tree = extension.edge;
    }
    reached = run.signed;
  }
  if (reached === undefined) throw new ReplayError('damaged', `no segments lead to the tree of ${signed[0].checkpoint.size} entries, the first that was signed: nothing can be rebuilt`);
  const partials = partialObjects(tree);
  await put(partials);
  const others = [...facts.others, ...[...facts.segments.values()].flat(), ...facts.copies.map(checkpointCopyName)];
  await inParallel(others, OBJECTS_AT_ONCE, async (name) => {
    const bytes = await source.get(name);
    if (bytes !== 'absent') await target.write(name, bytes);
  });
  await target.write(CHECKPOINT, reached.bytes);
  const { origin, size, root } = reached.checkpoint;
  return { origin, size, signed: signed.at(-1)!.checkpoint.size, root: root.toString('base64'), copied: others.length + 1, derived: derived + partials.length + 1, damaged };
}
