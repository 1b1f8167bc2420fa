/**
 * The closed list of what verification can find wrong with a vault. Programs act on the codes, so none is ever renamed; the meanings are
 * what docs/format.md and the command line show.
 */
export const FINDING_CODES = {
  // The log's keys
  'keys-missing': 'log.vkeys is not there.',
  'keys-unreadable': 'log.vkeys is not a chain of keys, each vouched for by the one before it.',
  'key-not-listed': 'A key the user pinned is not in log.vkeys: this is not the log they know, or its key history was cut.',
  // Checkpoints
  'checkpoint-missing': 'There is no checkpoint, so nothing says how large the log is.',
  'checkpoint-unreadable': 'A checkpoint is not a signed note with origin, size and root.',
  'checkpoint-bad-signature': 'A checkpoint names a key of the log as its signer, but the signature is not that key\'s over this text.',
  'checkpoint-untrusted-key': 'A checkpoint is not signed by any key that is trusted for this log.',
  'checkpoint-retired-key': 'A checkpoint is signed by a key that an earlier, smaller checkpoint had already replaced.',
  'checkpoint-wrong-origin': 'A checkpoint is of another log.',
  'checkpoint-wrong-size': 'A checkpoint under checkpoints/<size> states another size than its name.',
  'checkpoint-copy-missing': 'The current checkpoint has no locked copy under checkpoints/<size>.',
  'checkpoint-behind': 'A signed checkpoint in checkpoints/ is larger than `checkpoint`: an old one was put back, or publishing stopped halfway.',
  'root-mismatch': 'The entries do not have the root that a checkpoint states: history was rewritten.',
  // Against what the user remembers
  'memory-rolled-back': 'The log is smaller than the checkpoint remembered from an earlier verification: its tail was cut off.',
  'memory-forked': 'The log does not contain the log remembered from an earlier verification: history was rewritten.',
  // Tiles and entries
  'tile-missing': 'A tile of hashes that the checkpoint needs is not there.',
  'tile-altered': 'A tile holds other hashes than the entries have.',
  'bundle-missing': 'An entry bundle that the checkpoint needs is not there.',
  'bundle-unreadable': 'An entry bundle is not a run of length-prefixed entries.',
  'entries-altered': 'All copies of some entries agree with each other, but not with the tree above them.',
  'entry-modified': 'An entry differs from the one that was logged.',
  'entry-deleted': 'An entry that was logged is missing from an object.',
  'entry-inserted': 'An object holds an entry that was not logged there.',
  'entry-duplicated': 'An object holds an entry more often than it was logged.',
  'entry-reordered': 'An object holds the logged entries in another order.',
  'entry-malformed': 'A logged entry is not a valid entry of this format.',
  // Segments
  'segment-missing': 'No segment holds these entries: the second copy of the log has a hole.',
  'segment-altered': 'A segment does not have the hash in its name.',
  // What entries name
  'object-missing': 'An object that an entry names is not there.',
  'object-altered': 'An object does not have the hash that an entry, or its own name, states.',
  'snapshot-malformed': 'The manifest of a snapshot is as the log names it, and is none: nothing can be restored from it.',
  'unexpected-object': 'An object is neither part of the log nor named by an entry.',
  // Locks (S3 only)
  'lock-missing': 'An object that must be locked has no retention.',
  'lock-shortened': 'An object is locked for less time than the vault promises.',
  'lock-wrong-mode': 'An object is locked in another mode than the vault promises.',
  'second-version': 'A write-once name was written again; the first version is still there.',
  'delete-marker': 'A write-once name was hidden by a delete marker; its version is still there.',
} as const;

export type FindingCode = keyof typeof FINDING_CODES;

/** One discrepancy. */
export interface Finding {
  readonly code: FindingCode;
  /** Vault name of the object at fault. */
  readonly object: string;
  /** Number of the (first) entry concerned, where entries are. */
  readonly index?: number;
  /** What was found there, and what should be. Never content. */
  readonly detail: string;
  /** What to do next. */
  readonly next: string;
}

const RESTORE = 'Restore the object from the replica or a pull made earlier; keep the damaged bytes as evidence.';
const EVIDENCE = 'Keep a full copy as evidence, compare it with the replica, and ask who held write access since the last clean verification.';
const NEXT: Partial<Record<FindingCode, string>> = {
  'key-not-listed': 'Do not trust this log. Compare the key on paper with the one given, then look for the vault this key belongs to.',
  'checkpoint-untrusted-key': 'Do not trust this log. Compare the key on paper with the one given.',
  'checkpoint-behind': 'Run the publisher once and verify again; if it stays, somebody replaced `checkpoint`: keep a copy as evidence.',
  'root-mismatch': EVIDENCE,
  'memory-rolled-back': EVIDENCE,
  'memory-forked': EVIDENCE,
  'entries-altered': EVIDENCE,
  'entry-malformed': 'The log itself is intact; find the program that sealed this entry.',
  'snapshot-malformed': 'Take another snapshot, and find the program that wrote this one. Everything it holds is in the entries.',
  'unexpected-object': 'Find out who wrote it. It is not part of any proof.',
  'lock-missing': 'Find out who wrote it, then put the retention on it.',
  'lock-shortened': 'Find out who changed it, then lengthen the retention again.',
  'lock-wrong-mode': 'Find out who wrote it; in GOVERNANCE mode a privileged user can still delete it.',
  'second-version': 'The first version is the logged one. Nobody may delete versions here: docs/runbook.md#vault-damaged says how the log is made whole.',
  'delete-marker': 'The object is still there: intact mend --in-place makes it readable again (docs/runbook.md#vault-damaged).',
};

/** A finding with its standing advice. */
export function finding(code: FindingCode, object: string, detail: string, index?: number): Finding {
  return { code, object, ...(index === undefined ? {} : { index }), detail, next: NEXT[code] ?? RESTORE };
}
