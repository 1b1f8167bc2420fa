/**
 * Every object a healthy vault would hold, one after the other, each from its best source and held against what is proven: tiles and bundles against the signed root, segments against their names and
 * the proven entries, named objects against the entries that name them. Reads only; who asked decides what is written. Bundles come first, `log.vkeys` and `checkpoint` last.
 */
import { CHECKPOINT, checkpointCopyName, LOG_VKEYS } from '../core/verify/vault-name';
import { compared, type HealedObject, type Healing } from './healed-object';
import type { Trusted } from './mend-anchor';
import { earlierForms, upperTiles } from './mend-bundles';
import { entriesAndSegments } from './mend-entries';
import { NamedObjects, otherObjects } from './mend-named';

/** Throws `VaultReadError`. */
export async function* healedObjects(healing: Healing): AsyncGenerator<HealedObject> {
  const named = new NamedObjects(healing.log.size);
  yield* entriesAndSegments(healing, named);
  yield* upperTiles(healing);
  yield* earlierForms(healing);
  yield* checkpointCopies(healing);
  yield* otherObjects(healing, named);
  yield ofTwo(healing, LOG_VKEYS, healing.anchor.keys);
  // Where it stands `checkpoint` never goes back, whatever became of the entries.
  const stated = healing.inPlace && healing.log.size < healing.anchor.head.checkpoint.size ? undefined : statedHead(healing);
  if (stated !== undefined) yield ofTwo(healing, CHECKPOINT, stated);
}

/** The `checkpoint` of the healed vault: of the head, or of what is proven, where more is lost; undefined where not even a first signed root is. */
export function statedHead({ anchor, log }: Pick<Healing, 'anchor' | 'log'>): Trusted | undefined {
  if (log.size === anchor.head.checkpoint.size) return anchor.checkpoint;
  const tree = anchor.signed.get(log.size);
  return tree && { bytes: tree.bytes, from: 'other-form' };
}

/** One of the two objects that may change: held against what stood there when the rest was read. */
function ofTwo({ copies, anchor }: Healing, object: typeof CHECKPOINT | typeof LOG_VKEYS, { bytes, from }: Trusted): HealedObject {
  const own = anchor.seen[object];
  if (typeof own !== 'string' && own.equals(bytes)) return { state: 'sound', object, bytes };
  return { state: 'repaired', object, bytes, fault: copies.faultOf(object, own), from: [from === 'own' ? 'other-form' : from] };
}

async function* checkpointCopies(healing: Healing): AsyncGenerator<HealedObject> {
  const { anchor } = healing;
  const head = anchor.head.checkpoint.size;
  for (const [size, tree] of anchor.signed) {
    // A copy that was made of `checkpoint` alone: only the last one has to be there.
    if (tree.from === 'other-form' && size !== head && !anchor.listed.has(size)) continue;
    yield await compared(healing, checkpointCopyName(size), tree.bytes, [tree.from === 'own' ? 'other-form' : tree.from]);
  }
  for (const size of anchor.unsigned) {
    yield { state: 'left-out', object: checkpointCopyName(size), why: size > head ? 'unsigned-ahead' : 'signature-lost' };
  }
}
