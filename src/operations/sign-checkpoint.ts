/**
 * The signature under a tree: made once per size, kept for ever in checkpoints/<size>, and only by a key that log.vkeys lists. Everything here can be
 * repeated: the note that is there already is used again, so no two different notes are ever signed for one size.
 */
import { formatCheckpoint, parseOwnCheckpoint, signCheckpoint, type Checkpoint } from '../core/log/checkpoint';
import { LogFormatError } from '../core/log/log-format-error';
import { parseKeyHistory } from '../core/log/log-vkeys';
import { verifyNote, type SignedNote } from '../core/log/signed-note';
import { sameKey, verifierKey, type VerifierKey } from '../core/log/vkey';
import { checkpointCopyName } from '../core/verify/vault-name';
import { PortError, type Signer, type Vault } from '../ports';
import { mostBytes } from './read-at-most';
import { LogStopped } from './read-log';

/** The log's keys, oldest first. Throws `LogStopped`. */
export async function readKeys(vault: Pick<Vault, 'getMutable'>, origin: string): Promise<readonly VerifierKey[]> {
  const file = await vault.getMutable('log.vkeys');
  if (file === 'absent') throw new LogStopped('not-initialized', 'the vault has no log.vkeys: run initialize-log');
  try {
    const keys = parseKeyHistory(file.bytes);
    if (keys.some(({ name }) => name !== origin)) throw new LogStopped('keys-unreadable', `log.vkeys is about another log than ${origin}`);
    return keys;
  } catch (cause) {
    if (cause instanceof LogFormatError) throw new LogStopped('keys-unreadable', `log.vkeys is not a chain of keys: ${cause.message}`, { cause });
    throw cause;
  }
}

/** The newest of `keys` that signed `note`. Throws `LogStopped`. */
export function signerOf(note: SignedNote, keys: readonly VerifierKey[], what: string): VerifierKey {
  const { signedBy, forged } = verifyNote(note, keys);
  const newest = keys.findLast((key) => signedBy.includes(key));
  if (newest === undefined || forged.length > 0) throw new LogStopped('checkpoint-unsigned', `${what} is not signed by a key of log.vkeys`);
  return newest;
}

export interface Signing {
  readonly vault: Pick<Vault, 'get' | 'createLocked'>;
  readonly signer: Signer;
  /** Of the log, oldest first. */
  readonly keys: readonly VerifierKey[];
  /** The newest key that signed before, if any did: no older one may sign after it. */
  readonly notBefore?: VerifierKey;
}

/** The signed note over `checkpoint`, which is in checkpoints/<size> when this resolves. Throws `LogStopped`. */
export async function signedOnce(signing: Signing, checkpoint: Checkpoint): Promise<Buffer> {
  const name = checkpointCopyName(checkpoint.size);
  const there = await signing.vault.get(name, mostBytes(name));
  if (there !== 'absent') return reusable(there, signing.keys, checkpoint, name);
  const key = await signingKey(signing, checkpoint.origin);
  const note = await signCheckpoint(checkpoint, key, (message) => signing.signer.sign(message));
  try {
    await signing.vault.createLocked(name, note);
    return note;
  } catch (error) {
    // Somebody signed this size since we looked, with another key: theirs stands.
    const now = error instanceof PortError && error.code === 'different-bytes' ? await signing.vault.get(name, mostBytes(name)) : 'absent';
    if (now === 'absent') throw error;
    return reusable(now, signing.keys, checkpoint, name);
  }
}

/** The note there, if it states exactly `checkpoint` and a key of the log signed it. */
function reusable(bytes: Buffer, keys: readonly VerifierKey[], checkpoint: Checkpoint, name: string): Buffer {
  const note = readNote(bytes, name);
  signerOf(note, keys, name);
  if (note.text !== formatCheckpoint(checkpoint)) throw new LogStopped('fork', `${name} is signed, and over another tree than the head has`);
  return bytes;
}

function readNote(bytes: Buffer, name: string): SignedNote {
  try {
    return parseOwnCheckpoint(bytes).note;
  } catch (cause) {
    if (cause instanceof LogFormatError) throw new LogStopped('checkpoint-unreadable', `${name} is not a checkpoint: ${cause.message}`, { cause });
    throw cause;
  }
}

async function signingKey({ signer, keys, notBefore }: Signing, origin: string): Promise<VerifierKey> {
  const ours = verifierKey(origin, await signer.publicKey());
  const at = keys.findIndex((key) => sameKey(key, ours));
  if (at < 0) throw new LogStopped('signer-unlisted', 'the signing key is not in log.vkeys: run rotate-key');
  if (notBefore !== undefined && at < keys.findIndex((key) => sameKey(key, notBefore))) throw new LogStopped('signer-unlisted', 'a newer key has signed already: this publisher still has the old one');
  return ours;
}
