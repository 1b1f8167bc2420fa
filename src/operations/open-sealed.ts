/**
 * Opens what an entry sealed. Nobody but the holder of the subject's key can; what cannot be opened says why, because "its key was erased" is how it should be
 * and "its blob is gone" is a loss.
 */
import { imageOfJson, ImageError, parseCanonicalImage } from '../core/canonical-image';
import { CanonicalJsonError } from '../core/canonical-json';
import { commitmentOf, splitPlaintext } from '../core/commitment';
import type { Entry } from '../core/entry';
import type { Image } from '../core/image';
import { decryptJwe, JweError } from '../core/jwe';
import { sha256Hex } from '../core/log/sha256';
import type { SubjectKey } from '../core/subject-key';
import { blobName } from '../core/verify/vault-name';
import type { SubjectKeys } from './subject-keys';

export interface SealedReader {
  readonly subjectKeys: Pick<SubjectKeys, 'existing'>;
  /** The vault's objects. */
  readonly vault: { get(name: string): Promise<Buffer | 'absent'> };
}

/** `erased`: as it should be. `key-absent`, `key-corrupt`: the keys table lost it. `blob-absent`, `damaged`: the vault does not hold what was committed to. */
export type Closed = 'erased' | 'key-absent' | 'key-corrupt' | 'blob-absent' | 'damaged';

export type Opened =
  /** `key`: of the subject it was sealed under. `raw`: what the stream said the item became, sealed as the stream's own record. */
  | { readonly state: 'image'; readonly image: Image; readonly key: SubjectKey; readonly raw: boolean }
  /** The stream's own record, which holds no image that could be read. */
  | { readonly state: 'raw'; readonly content: Buffer }
  | { readonly state: 'removed' }
  | { readonly state: 'closed'; readonly why: Closed };

const closed = (why: Closed): Opened => ({ state: 'closed', why });

/** What `entry` says its record became. Throws `PortError`, `VaultReadError`. */
export async function openSealed({ subjectKeys, vault }: SealedReader, entry: Entry): Promise<Opened> {
  if (entry.op === 'remove') return { state: 'removed' };
  const key = await subjectKeys.existing(entry.subject);
  if (typeof key === 'string') return closed(key === 'erased' ? 'erased' : key === 'absent' ? 'key-absent' : 'key-corrupt');
  const jwe = entry.image ?? (await blobOf(vault, entry.blob as string));
  if (jwe === undefined) return closed('blob-absent');
  const content = contentOf(jwe, key, entry.commit);
  if (content === undefined) return closed('damaged');
  const image = imageIn(content, entry.kind === 'raw');
  if (image !== undefined) return { state: 'image', image, key, raw: entry.kind === 'raw' };
  return entry.kind === 'raw' ? { state: 'raw', content } : closed('damaged');
}

/** Opens a body kept outside its record (`objects` of an entry), or says why it cannot be had. */
export async function openBody({ vault }: Pick<SealedReader, 'vault'>, sha256: string, key: SubjectKey): Promise<Buffer | 'blob-absent' | 'damaged'> {
  const jwe = await blobOf(vault, sha256);
  return jwe === undefined ? 'blob-absent' : (decrypted(jwe, key) ?? 'damaged');
}

async function blobOf(vault: SealedReader['vault'], sha256: string): Promise<string | undefined> {
  const bytes = await vault.get(blobName(sha256));
  return bytes === 'absent' || sha256Hex(bytes) !== sha256 ? undefined : bytes.toString('latin1');
}

function contentOf(jwe: string, key: SubjectKey, commit: string): Buffer | undefined {
  const plaintext = decrypted(jwe, key);
  return plaintext === undefined || commitmentOf(plaintext) !== commit ? undefined : splitPlaintext(plaintext)?.content;
}

function decrypted(jwe: string, { generation, key }: SubjectKey): Buffer | undefined {
  try {
    return decryptJwe(jwe, (wanted) => (wanted === generation ? key : undefined));
  } catch (error) {
    if (error instanceof JweError) return undefined;
    throw error;
  }
}

/** What an item became: a canonical image, or within the stream's own record its new image. */
function imageIn(content: Buffer, isRaw: boolean): Image | undefined {
  try {
    return isRaw ? imageOfJson((JSON.parse(content.toString()) as { readonly dynamodb?: { readonly NewImage?: unknown } } | null)?.dynamodb?.NewImage) : parseCanonicalImage(content);
  } catch (error) {
    if (error instanceof ImageError || error instanceof CanonicalJsonError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
