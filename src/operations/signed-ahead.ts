/**
 * What was signed beyond `checkpoint`. Who can write the log table and `checkpoint`, the two things that may change, could put both back to an older genuine
 * state and have a second history signed from there. The copies under checkpoints/ are locked: they say how far the log had come. They are found through the
 * segments, whose padded names a listing can begin at and which begin and end where signed sizes can lie.
 */
import { parseOwnCheckpoint, type Checkpoint } from '../core/log/checkpoint';
import { unlessMalformed } from '../core/log/log-format-error';
import { startsOf } from '../core/log/bundle';
import { verifyNote } from '../core/log/signed-note';
import type { VerifierKey } from '../core/log/vkey';
import { checkpointCopyName, classifyName, segmentsFrom } from '../core/verify/vault-name';
import type { Vault } from '../ports';
import { inParallel } from './in-parallel';
import type { PublishedLog } from './published-entries';
import { readAtMost } from './read-at-most';

/** Each as large as any segment of ours at most. */
const OBJECTS_AT_ONCE = 8;

/** Size → root of every tree larger than `size` that a key of the log signed. Costs one listing where nothing waits to be published. */
export async function signedBeyond(vault: Pick<Vault, 'get' | 'list'>, keys: readonly VerifierKey[], size: number): Promise<ReadonlyMap<number, Buffer>> {
  const segments: { readonly name: string; readonly from: number }[] = [];
  for await (const name of vault.list('segment/', { after: segmentsFrom(size) })) {
    const segment = classifyName(name);
    if (segment.kind === 'segment') segments.push({ name, from: segment.from });
  }
  const ends = await inParallel(segments, OBJECTS_AT_ONCE, async ({ name, from }) => [from, from + (await entriesIn(vault, name))]);
  const sizes = [...new Set(ends.flat())].filter((each) => each > size);
  const roots = await inParallel(sizes, OBJECTS_AT_ONCE, async (each) => [each, await signedRoot(vault, keys, each)] as const);
  return new Map(roots.flatMap(([each, root]) => (root === undefined ? [] : [[each, root]])));
}

/** 0 for what is no segment: anybody who may write segments can have put it there. */
async function entriesIn(vault: Pick<Vault, 'get'>, name: string): Promise<number> {
  const bytes = await readAtMost(vault, name);
  return typeof bytes === 'string' ? 0 : (startsOf(bytes)?.length ?? 1) - 1;
}

async function signedRoot(vault: Pick<Vault, 'get'>, keys: readonly VerifierKey[], size: number): Promise<Buffer | undefined> {
  const copy = await signedCopy(vault, keys, size);
  // What is no checkpoint, or signed by nobody, says nothing about the log; it is refused when this size is to be signed.
  return typeof copy === 'string' ? undefined : copy.checkpoint.root;
}

/** What `checkpoints/<size>` states, as a key of the log signed it. `unsigned`: there is something else. */
export async function signedCopy(vault: Pick<PublishedLog, 'get'>, keys: readonly VerifierKey[], size: number): Promise<{ readonly checkpoint: Checkpoint; readonly bytes: Buffer } | 'absent' | 'unsigned'> {
  const bytes = await readAtMost(vault, checkpointCopyName(size));
  if (bytes === 'absent') return 'absent';
  if (bytes === 'too-large') return 'unsigned';
  const signed = unlessMalformed(() => parseOwnCheckpoint(bytes));
  if (signed?.checkpoint.size !== size || verifyNote(signed.note, keys).signedBy.length === 0) return 'unsigned';
  return { checkpoint: signed.checkpoint, bytes };
}
