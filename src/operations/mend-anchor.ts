/**
 * What a mend believes, because a key of the log signed it: the keys, and which tree was signed at which size. Everything else in the vault is held against these before it is written anywhere.
 */
import { unlessMalformed } from '../core/log/log-format-error';
import { formatFirstKey, parseKeyHistory } from '../core/log/log-vkeys';
import type { Checkpoint } from '../core/log/checkpoint';
import { sameKey, type VerifierKey } from '../core/log/vkey';
import { openCheckpoint, trustKeys, type KeyTrust } from '../core/verify/key-trust';
import { CHECKPOINT, checkpointCopyName, classifyName, LOG_VKEYS } from '../core/verify/vault-name';
import { inParallel } from './in-parallel';
import type { CopySource, VaultCopies } from './mend-copies';

/**
 * `no-keys`, `no-checkpoint`: no copy of them is left that can be trusted. `ambiguous-keys`: several histories of keys, and nothing tells which is the log's. `forked`: the log's key signed two trees
 * that exclude each other. `cannot-list`: plain https. `target-taken`: something else stands where the healed vault was to go. Nothing was written.
 */
export type MendErrorCode = 'no-keys' | 'no-checkpoint' | 'ambiguous-keys' | 'forked' | 'cannot-list' | 'target-taken';

export class MendError extends Error {
  constructor(
    readonly code: MendErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'MendError';
  }
}

/** Bytes that can be trusted, and where they were found. */
export interface Trusted {
  readonly bytes: Buffer;
  readonly from: CopySource | 'other-form' | 'recomputed';
}

export interface SignedTree extends Trusted {
  readonly checkpoint: Checkpoint;
}

export interface Anchor {
  readonly keys: Trusted;
  readonly trust: KeyTrust;
  /** The largest tree that a key which answers for the log now has signed. */
  readonly head: SignedTree;
  /** The same as `checkpoint` has it, where some copy of that is of this size. */
  readonly checkpoint: Trusted;
  /** What stood under these names when they were read; whoever replaces them replaces that. */
  readonly seen: Readonly<Record<typeof CHECKPOINT | typeof LOG_VKEYS, Buffer | 'absent' | 'too-large'>>;
  /** Every signed tree up to it, by size. */
  readonly signed: ReadonlyMap<number, SignedTree>;
  /** Sizes under checkpoints/, in any copy. */
  readonly listed: ReadonlySet<number>;
  /** Sizes that are stated there or in `checkpoint`, and of which no copy is signed. */
  readonly unsigned: readonly number[];
}

const AT_ONCE = 16;

/** Reads keys and checkpoints from all copies. Throws `MendError`, `VaultReadError`. */
export async function findAnchor(copies: VaultCopies, pinned: readonly VerifierKey[]): Promise<Anchor> {
  const seen = { [CHECKPOINT]: await copies.own(CHECKPOINT), [LOG_VKEYS]: await copies.own(LOG_VKEYS) };
  const sizes: number[] = [];
  for await (const name of copies.names('checkpoints/')) {
    const known = classifyName(name);
    if (known.kind === 'checkpoint-copy') sizes.push(known.size);
  }
  const keys = (await keysFound(copies, pinned)) ?? (await keysFromPinned(copies, pinned, sizes));
  const { trust } = trustKeys(keys.bytes, pinned);

  const { notes, stated } = await notesOf(copies, trust);
  const signed = new Map<number, SignedTree>();
  const unsigned: number[] = [];
  const found = await inParallel(sizes, AT_ONCE, async (size) => [size, (await copyOf(copies, trust, size)) ?? notes.get(size)] as const);
  for (const [size, tree] of found) {
    if (tree === undefined) unsigned.push(size);
    else signed.set(size, notes.get(size) === tree ? { ...tree, from: 'other-form' } : tree);
  }
  for (const [size, tree] of notes) {
    const copy = signed.get(size);
    if (copy === undefined) signed.set(size, { ...tree, from: 'other-form' });
    else if (!copy.checkpoint.root.equals(tree.checkpoint.root)) throw new MendError('forked', `the log's key signed two trees of ${size} entries: ${CHECKPOINT} states one, ${checkpointCopyName(size)} the other`);
  }
  const head = [...signed.values()].filter(({ bytes }) => openCheckpoint(CHECKPOINT, bytes, trust, true).trusted).sort((a, b) => b.checkpoint.size - a.checkpoint.size)[0];
  if (head === undefined) throw new MendError('no-checkpoint', `no copy of ${CHECKPOINT} or under checkpoints/ is signed by a key of this log: nothing tells what the log was`);
  // A size that somebody stated and nobody signed may be a lie, or the last signature, damaged.
  unsigned.push(...stated.filter((size) => size > head.checkpoint.size && !sizes.includes(size)));
  // So may what a key signed that was replaced before.
  unsigned.push(...[...signed.keys()].filter((size) => size > head.checkpoint.size));
  const checkpoint = notes.get(head.checkpoint.size) ?? { bytes: head.bytes, from: 'other-form' as const };
  return { keys, trust, head, checkpoint, seen, signed: new Map([...signed].filter(([size]) => size <= head.checkpoint.size)), listed: new Set(sizes), unsigned };
}

/** The longest history of keys that the pinned ones are part of. */
async function keysFound(copies: VaultCopies, pinned: readonly VerifierKey[]): Promise<Trusted | undefined> {
  const histories: (Trusted & { readonly keys: readonly VerifierKey[] })[] = [];
  for await (const { bytes, from } of copies.of(LOG_VKEYS)) {
    const keys = unlessMalformed(() => parseKeyHistory(bytes));
    if (keys !== undefined && trustKeys(bytes, pinned).findings.length === 0) histories.push({ bytes, from, keys });
  }
  const longest = histories.filter(({ keys }) => !histories.some((other) => other.keys.length > keys.length && beginsWith(other.keys, keys)));
  const agree = longest.filter(({ keys }) => beginsWith(keys, longest[0]?.keys ?? []));
  if (agree.length === longest.length) return longest[0];
  // What the pinned key begins is all vouched for by it; a stranger can put a key of their own before it, not after.
  const [begun, ...others] = longest.filter(({ keys }) => pinned.some((key) => keys[0] !== undefined && sameKey(key, keys[0])));
  if (begun !== undefined && others.every(({ keys }) => beginsWith(keys, begun.keys))) return begun;
  throw new MendError('ambiguous-keys', `there are ${longest.length} different histories of keys among the copies of ${LOG_VKEYS}: give the key you kept with --vkey`);
}

const beginsWith = (keys: readonly VerifierKey[], begin: readonly VerifierKey[]): boolean => begin.every((key, i) => keys[i] !== undefined && sameKey(keys[i], key));

/** A log that never changed its key has a history of that key alone: who pinned it can write it. */
async function keysFromPinned(copies: VaultCopies, pinned: readonly VerifierKey[], sizes: readonly number[]): Promise<Trusted> {
  const [key, another] = pinned;
  const lost = (why: string): MendError => new MendError('no-keys', `no copy of ${LOG_VKEYS} is what it was, ${why}`);
  if (key === undefined || another !== undefined) throw lost('and no key was given: give the key you kept with --vkey');
  const { trust } = trustKeys(formatFirstKey(key), pinned);
  const signed = await inParallel(sizes, AT_ONCE, async (size) => (await copyOf(copies, trust, size)) !== undefined);
  if (signed.length === 0 || !signed.every((each) => each)) throw lost('and the key given did not sign every checkpoint: there was another before it, which only the replica can tell');
  return { bytes: formatFirstKey(key), from: 'recomputed' };
}

/** What the copies of `checkpoints/<size>` state, of the first that is signed. */
async function copyOf(copies: VaultCopies, trust: KeyTrust, size: number): Promise<SignedTree | undefined> {
  for await (const { bytes, from } of copies.of(checkpointCopyName(size))) {
    const { checkpoint, trusted } = openCheckpoint(checkpointCopyName(size), bytes, trust, false);
    if (trusted && checkpoint?.size === size) return { bytes, from, checkpoint };
  }
  return undefined;
}

/** Every signed note that `checkpoint` is or was, by size, the newest of each; and the sizes that notes state which nobody signed. */
async function notesOf(copies: VaultCopies, trust: KeyTrust): Promise<{ readonly notes: ReadonlyMap<number, SignedTree>; readonly stated: readonly number[] }> {
  const notes = new Map<number, SignedTree>();
  const stated: number[] = [];
  for await (const { bytes, from } of copies.of(CHECKPOINT)) {
    const { checkpoint, trusted } = openCheckpoint(CHECKPOINT, bytes, trust, false);
    if (checkpoint === undefined) continue;
    const same = notes.get(checkpoint.size);
    if (!trusted) stated.push(checkpoint.size);
    else if (same === undefined) notes.set(checkpoint.size, { bytes, from, checkpoint });
    else if (!same.checkpoint.root.equals(checkpoint.root)) throw new MendError('forked', `the log's key signed two trees of ${checkpoint.size} entries, both as ${CHECKPOINT}`);
  }
  return { notes, stated };
}
