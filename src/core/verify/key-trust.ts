/**
 * Which keys may sign for a log, and what a checkpoint's signatures are worth. The adversary may have written log.vkeys and every checkpoint;
 * what they cannot do is sign with a key the user pinned, or with one that such a key vouched for.
 */
import { parseCheckpoint, parseOwnCheckpoint, type Checkpoint } from '../log/checkpoint';
import { LogFormatError } from '../log/log-format-error';
import { parseKeyHistory } from '../log/log-vkeys';
import { verifyNote } from '../log/signed-note';
import { formatKeyId, formatVkey, sameKey, type VerifierKey } from '../log/vkey';
import { finding, type Finding } from './finding-codes';
import { LOG_VKEYS } from './vault-name';

export interface KeyTrust {
  /** Every key whose signature is recognised, oldest first. */
  readonly keys: readonly VerifierKey[];
  /** From this place in `keys` on, keys answer for the log now: the earliest pinned one and those it vouches for. */
  readonly answerableFrom: number;
  /** `given`: pinned by the user. `vault`: the log's own word, which proves consistency, not authorship. */
  readonly source: 'given' | 'vault';
  /** A log of somebody else's, whose checkpoints may say more than ours do. */
  readonly foreign: boolean;
}

/**
 * Combines the pinned keys with the history in log.vkeys. `file` is 'none' for a foreign log, which has no such file.
 * A history that cannot be read leaves the pinned keys as the only ones trusted.
 */
export function trustKeys(file: Uint8Array | 'absent' | 'none', pinned: readonly VerifierKey[]): { readonly trust: KeyTrust; readonly findings: readonly Finding[] } {
  const source = pinned.length > 0 ? 'given' : 'vault';
  const pinnedOnly: KeyTrust = { keys: pinned, answerableFrom: 0, source, foreign: file === 'none' };
  if (file === 'none') return { trust: pinnedOnly, findings: [] };
  const { history, findings } = readHistory(file);
  if (history.length === 0) return { trust: pinnedOnly, findings };
  const unlisted = pinned.filter((key) => !history.some((listed) => sameKey(listed, key)));
  for (const key of unlisted) {
    findings.push(finding('key-not-listed', LOG_VKEYS, `the pinned key ${key.name}+${formatKeyId(key.keyId)} is not among the ${history.length} listed`));
  }
  // A history without any pinned key is a stranger's: none of its keys counts.
  if (source === 'given' && unlisted.length === pinned.length) return { trust: pinnedOnly, findings };
  const answerableFrom = source === 'vault' ? 0 : history.findIndex((listed) => pinned.some((key) => sameKey(listed, key)));
  return { trust: { keys: [...history, ...unlisted], answerableFrom, source, foreign: false }, findings };
}

function readHistory(file: Uint8Array | 'absent'): { readonly history: readonly VerifierKey[]; readonly findings: Finding[] } {
  if (file === 'absent') return { history: [], findings: [finding('keys-missing', LOG_VKEYS, 'log.vkeys is not there')] };
  try {
    return { history: parseKeyHistory(file), findings: [] };
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    return { history: [], findings: [finding('keys-unreadable', LOG_VKEYS, `${error.message} (${error.code})`)] };
  }
}

/** A checkpoint as far as it could be read. `trusted`: signed by a key that may, of the right origin, unforged. */
export interface OpenedCheckpoint {
  readonly checkpoint?: Checkpoint;
  readonly trusted: boolean;
  /** Place of the newest signing key in `KeyTrust.keys`. */
  readonly key?: number;
  readonly findings: readonly Finding[];
}

/** Reads and judges the checkpoint in object `name`. `current`: only keys that answer for the log now may have signed it. */
export function openCheckpoint(name: string, bytes: Uint8Array, trust: KeyTrust, current: boolean): OpenedCheckpoint {
  let signed;
  try {
    signed = trust.foreign ? parseCheckpoint(bytes) : parseOwnCheckpoint(bytes);
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    return { trusted: false, findings: [finding('checkpoint-unreadable', name, `${error.message} (${error.code})`)] };
  }
  const { checkpoint, note } = signed;
  const { signedBy, forged } = verifyNote(note, trust.keys);
  const findings = forged.map((key) => finding('checkpoint-bad-signature', name, `the signature under the name of ${formatVkey(key)} is not over this text`));
  const key = Math.max(-1, ...signedBy.map((signer) => trust.keys.indexOf(signer)));
  if (forged.length === 0 && key < (current ? trust.answerableFrom : 0)) {
    const signers = note.signatures.map((line) => `${line.name}+${formatKeyId(line.keyId)}`).join(', ');
    findings.push(finding('checkpoint-untrusted-key', name, `it is signed by ${signers}, which ${key < 0 ? 'is not a key of this log' : 'the pinned key has replaced'}`));
  }
  if (key >= 0 && trust.keys[key]!.name !== checkpoint.origin) {
    findings.push(finding('checkpoint-wrong-origin', name, `its origin is ${JSON.stringify(checkpoint.origin)}, its key is ${trust.keys[key]!.name}`));
  }
  return { checkpoint, trusted: findings.length === 0, ...(key < 0 ? {} : { key }), findings };
}
