/**
 * Proof files: one sealed record, disclosed to whoever holds the file, provable with no network and no key but the log's public one. A file holds
 * the entry as the log has it, the C2SP tlog-proof that leads from it to a signed checkpoint, and the salt and image the entry commits to: never
 * a decryption key. It shows that the record has not changed since it was sealed; not that Meta sent it (Meta's HMAC is symmetric, whoever
 * could check it could have made it). docs/format.md holds the file's form. Every byte of a file may be an adversary's.
 */
import { z } from 'zod';
import { ImageError, parseCanonicalImage } from './canonical-image';
import { CanonicalJsonError } from './canonical-json';
import { commitmentOf, joinPlaintext, SALT_SIZE } from './commitment';
import { EntryError, parseEntry, type Entry, type PutEntry } from './entry';
import type { Attribute, Image } from './image';
import { parseOwnCheckpoint } from './log/checkpoint';
import { LogFormatError } from './log/log-format-error';
import { parseKeyHistory } from './log/log-vkeys';
import { leafHash } from './log/merkle';
import { parseTlogProof, verifyTlogProof } from './log/tlog-proof';
import { formatVkey, sameKey, type VerifierKey } from './log/vkey';
import { parseSlices, type JsonAnomalyCode } from './meta/json-slices';

export const PROOF_FORMAT = 'intact/proof/v1';

/** Above any file we make: an entry of 64 KB, an image of 400 KB, escaped. */
export const MAX_PROOF_BYTES = 4_000_000;

const fileShape = z.strictObject({
  format: z.string(),
  /** `log.vkeys` of the log, verbatim: whoever pinned an older key follows it to the one that signed. */
  vkeys: z.string(),
  /** Canonical JSON: its UTF-8 is the leaf data. */
  entry: z.string(),
  /** C2SP tlog-proof text. */
  proof: z.string(),
  /** The JWE's plaintext: 32 bytes of salt, base64, and the image as canonical DynamoDB-JSON. */
  disclosed: z.strictObject({ salt: z.string(), image: z.string() }),
});

export interface Disclosure {
  /** Bytes of the sealed entry. */
  readonly entry: Uint8Array;
  /** C2SP tlog-proof. */
  readonly proof: Uint8Array;
  /** Salt ‖ canonical image, as decrypted. */
  readonly plaintext: Uint8Array;
  /** `log.vkeys`. */
  readonly vkeys: Uint8Array;
}

/** The text of a proof file, readable by a person. */
export function formatDisclosure({ entry, proof, plaintext, vkeys }: Disclosure): string {
  const bytes = Buffer.from(plaintext);
  const file: z.infer<typeof fileShape> = {
    format: PROOF_FORMAT,
    vkeys: Buffer.from(vkeys).toString('utf8'),
    entry: Buffer.from(entry).toString('utf8'),
    proof: Buffer.from(proof).toString('utf8'),
    disclosed: { salt: bytes.subarray(0, SALT_SIZE).toString('base64'), image: bytes.subarray(SALT_SIZE).toString('utf8') },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/**
 * What may be wrong with a proof file, in the order it is checked. `file`: no JSON, or not these members. `format`: a version this program does not
 * know. `keys`: its key history. `unpinned-key`: the given key is not in it. `entry`, `image`, `proof`: unreadable. `commitment`: the entry
 * is not about this image. `untrusted-key`, `bad-signature`, `wrong-origin`: the checkpoint. `not-included`: the entry is not in the log.
 */
export type DisclosureFindingCode =
  | 'file'
  | 'format'
  | 'keys'
  | 'unpinned-key'
  | 'entry'
  | 'image'
  | 'commitment'
  | 'proof'
  | 'untrusted-key'
  | 'bad-signature'
  | 'wrong-origin'
  | 'not-included';

export interface DisclosureFinding {
  readonly code: DisclosureFindingCode;
  readonly detail: string;
}

export interface DisclosureReport {
  readonly findings: readonly DisclosureFinding[];
  /** `own`: only the file's own keys were used, so it proves consistency, not authorship. */
  readonly keySource: 'given' | 'own';
  /** What could be read; proven only while `findings` is empty. */
  readonly entry?: PutEntry;
  readonly image?: Image;
  readonly index?: number;
  readonly checkpoint?: { readonly origin: string; readonly size: number; readonly root: Buffer };
  /** The newest key of the history, one line. */
  readonly vkey?: string;
}

/** Checks the bytes of a proof file. `pinned`: the key its user trusts. Never throws on content; lists everything that is wrong. */
export function checkDisclosure(bytes: Uint8Array, pinned?: VerifierKey): DisclosureReport {
  const keySource = pinned === undefined ? 'own' : 'given';
  const file = readFile(bytes);
  if ('code' in file) return { findings: [file], keySource };
  const findings: DisclosureFinding[] = [];
  const attempt = <T>(code: DisclosureFindingCode, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof LogFormatError || error instanceof EntryError || error instanceof ImageError || error instanceof CanonicalJsonError)) throw error;
      findings.push({ code, detail: error.message });
      return undefined;
    }
  };

  const history = attempt('keys', () => parseKeyHistory(utf8(file.vkeys)));
  const keys = history === undefined ? [] : trusted(history, pinned, findings);
  const entry = attempt('entry', () => putEntry(parseEntry(utf8(file.entry))));
  const image = attempt('image', () => tableImage(utf8(file.disclosed.image)));
  checkCommitment(file.disclosed, entry, findings);
  const proof = attempt('proof', () => parseTlogProof(utf8(file.proof)));
  const checkpoint =
    proof === undefined || keys.length === 0
      ? undefined
      : attempt('proof', () => {
          parseOwnCheckpoint(proof.checkpoint);
          const verdict = verifyTlogProof(proof, leafHash(utf8(file.entry)), keys);
          if (verdict.valid) return verdict.checkpoint;
          findings.push({ code: verdict.reason, detail: REASONS[verdict.reason] });
          return undefined;
        });
  const newest = history?.at(-1);
  return {
    findings,
    keySource,
    ...(entry !== undefined && { entry }),
    ...(image !== undefined && { image }),
    ...(proof !== undefined && { index: proof.index }),
    ...(checkpoint !== undefined && { checkpoint }),
    ...(newest !== undefined && { vkey: formatVkey(newest) }),
  };
}

const REASONS = {
  'untrusted-key': 'the checkpoint is signed by none of the trusted keys',
  'bad-signature': "the checkpoint's signature is not that of the key it names",
  'wrong-origin': 'the checkpoint is of another log than the key',
  'not-included': 'the path does not lead from this entry to the signed root',
} as const;

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');

function readFile(bytes: Uint8Array): z.infer<typeof fileShape> | DisclosureFinding {
  if (bytes.length > MAX_PROOF_BYTES) return { code: 'file', detail: `a proof file has at most ${MAX_PROOF_BYTES} bytes, this one ${bytes.length}` };
  const read = parseSlices(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (!read.ok) return { code: 'file', detail: `this is no JSON (${read.error.code} at byte ${read.error.offset})` };
  // Two readers of a file with a member twice may each take another one for the truth; the UTF-8 of half a surrogate pair is that of another text.
  const [anomaly] = read.anomalies;
  if (anomaly !== undefined) return { code: 'file', detail: `${ANOMALIES[anomaly.code]} (at byte ${anomaly.offset})` };
  const json = read.root.value;
  const { format } = (typeof json === 'object' && json !== null ? json : {}) as { readonly format?: unknown };
  if (typeof format === 'string' && format.startsWith('intact/proof/') && format !== PROOF_FORMAT) {
    return { code: 'format', detail: `this program reads ${PROOF_FORMAT}, the file is ${format.slice(0, 40)}` };
  }
  const parsed = fileShape.safeParse(json);
  if (!parsed.success || parsed.data.format !== PROOF_FORMAT) return { code: 'file', detail: 'this is no proof file: it has not exactly the members of one' };
  return parsed.data;
}

const ANOMALIES: Readonly<Record<JsonAnomalyCode, string>> = {
  'duplicate-key': 'it has a member twice',
  'lone-surrogate': 'its texts are not Unicode',
  'invalid-utf8': 'its texts are not Unicode',
  'inexact-number': 'it holds a number, which no proof file does',
  'too-deep': 'it is nested deeper than any proof file',
};

/** Keys to believe: all of the history, or from the pinned one on, which vouches for its successors. */
function trusted(history: readonly VerifierKey[], pinned: VerifierKey | undefined, findings: DisclosureFinding[]): readonly VerifierKey[] {
  if (pinned === undefined) return history;
  const at = history.findIndex((key) => sameKey(key, pinned));
  if (at >= 0) return history.slice(at);
  findings.push({ code: 'unpinned-key', detail: `the file is about the log ${history[0]?.name ?? ''}, whose keys do not include the one given` });
  return [];
}

function putEntry(entry: Entry): PutEntry {
  if (entry.op === 'remove') throw new EntryError('member', 'the entry is a removal: it commits to no image');
  // What such an entry holds is whatever the stream said, and never shown as a record, even where it looks like one.
  if (entry.kind === 'raw') throw new EntryError('member', 'the entry is of kind raw: it commits to bytes of the stream, not to an image');
  return entry;
}

/** The image of canonical bytes, if it is also one that a table can hold: what is written again and comes out the same may still have odd numbers and sets. */
function tableImage(bytes: Uint8Array): Image {
  const image = parseCanonicalImage(bytes);
  Object.values(image).forEach(checkAttribute);
  return image;
}

const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?(?:E[+-]?[0-9]+)?$/;

/** Throws `ImageError`. Recursion is bounded: `parseCanonicalImage` refuses deep nesting. */
function checkAttribute(attribute: Attribute): void {
  if ('M' in attribute) return Object.values(attribute.M).forEach(checkAttribute);
  if ('L' in attribute) return attribute.L.forEach(checkAttribute);
  const numbers = 'N' in attribute ? [attribute.N] : 'NS' in attribute ? attribute.NS : [];
  if (!numbers.every((number) => NUMBER.test(number))) throw new ImageError('type', 'an N, or a member of an NS, is no decimal number');
  const set: readonly unknown[] | undefined = 'SS' in attribute ? attribute.SS : 'NS' in attribute ? attribute.NS : 'BS' in attribute ? attribute.BS.map((member) => Buffer.from(member).toString('base64')) : undefined;
  if (set !== undefined && (set.length === 0 || new Set(set).size < set.length)) throw new ImageError('type', 'a set is empty, or has a member twice');
}

function checkCommitment(disclosed: z.infer<typeof fileShape>['disclosed'], entry: PutEntry | undefined, findings: DisclosureFinding[]): void {
  const salt = Buffer.from(disclosed.salt, 'base64');
  if (salt.length !== SALT_SIZE || salt.toString('base64') !== disclosed.salt) {
    findings.push({ code: 'commitment', detail: `the salt is not the base64 of ${SALT_SIZE} bytes` });
  } else if (entry !== undefined && commitmentOf(joinPlaintext(salt, utf8(disclosed.image))) !== entry.commit) {
    findings.push({ code: 'commitment', detail: 'the entry commits to another image or salt' });
  }
}
