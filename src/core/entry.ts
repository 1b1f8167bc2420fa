/**
 * One sealed change of one record: the leaf data of the log. Its bytes are the canonical JSON of its members, so an entry has exactly one
 * spelling and a verifier can refuse every other. Everything here is read from a vault an adversary may have written: parse defensively.
 */
import { canonicalize } from './canonical-json';
import { SALT_SIZE } from './commitment';
import { hasJweForm } from './jwe';

/** C2SP tlog-tiles bundles give an entry a 16-bit length. */
export const MAX_ENTRY_BYTES = 65_535;

/** A vault object an entry vouches for: its name and the SHA-256 of its bytes, hex. */
export interface NamedObject {
  readonly name: string;
  readonly sha256: string;
}

interface Common {
  readonly v: 1;
  /** A record kind, or `unknown` (an image of a kind outside our list), or `raw` (the stream's own bytes: what could not be read as an image). */
  readonly kind: string;
  /** HMAC of the record's table key under a key of its subject, base64url: pseudonymous, the same for every entry of one record. */
  readonly id: string;
  /** The record's revision; 0 where it has none. */
  readonly rev: number;
  /** When the stream saw the change, RFC 3339 UTC with milliseconds. */
  readonly at: string;
  readonly subject: string;
  /** The stream event sealed; where it has no id, or one that does not fit, `none:…` or `sha256:…`; where the stream lost it, `late:<SHA-256 of the canonical image, hex>`. */
  readonly src: string;
  readonly objects?: readonly NamedObject[];
}
/** The record was put: exactly one of `image` (JWE compact) and `blob` (hex name of the vault object that holds the JWE). */
export interface PutEntry extends Common {
  readonly op: 'put';
  /** SHA-256("intact/v1" ‖ JWE plaintext), base64url. */
  readonly commit: string;
  readonly image?: string;
  readonly blob?: string;
}
/** The record was removed: there is no new image to carry. */
export interface RemoveEntry extends Common {
  readonly op: 'remove';
}
export type Entry = PutEntry | RemoveEntry;

/** `size`: empty or over 65,535 bytes. `version`: a `v` this program does not know. `member`: one missing, superfluous or malformed. */
export type EntryErrorCode = 'size' | 'utf8' | 'json' | 'canonical' | 'version' | 'member';

export class EntryError extends Error {
  constructor(
    readonly code: EntryErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'EntryError';
  }
}

type Check = (value: unknown) => boolean;
const matches =
  (form: RegExp): Check =>
  (value) =>
    typeof value === 'string' && form.test(value);

/** Random names; 16 characters are at least 64 bits in any usual spelling (ULID, UUID, base64url). */
export const SUBJECT_FORM = /^[A-Za-z0-9_-]{16,64}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** What begins like one of our own forms is of that form: readers take what follows `late:` for a hash. */
const SOURCE_FORM = /^(?!(?:late|none|sha256):(?![0-9a-f]{64}$))[\x21-\x7e]{1,128}$/;
/** Whether an entry may name this as its source. */
export const isSource = (text: string): boolean => SOURCE_FORM.test(text);
const CHECKS: Readonly<Record<string, Check>> = {
  v: (value) => value === 1,
  op: (value) => value === 'put' || value === 'remove',
  kind: matches(/^[a-z][a-z0-9-]{0,39}$/),
  id: isSha256Base64url,
  rev: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  at: isTimestamp,
  subject: matches(SUBJECT_FORM),
  src: matches(SOURCE_FORM),
  commit: isSha256Base64url,
  image: (value) => typeof value === 'string' && hasJweForm(value, SALT_SIZE),
  blob: matches(SHA256_HEX),
  objects: areObjects,
};
const REQUIRED = ['op', 'kind', 'id', 'rev', 'at', 'subject', 'src'] as const;
const OPTIONAL: Readonly<Record<Entry['op'], readonly string[]>> = { put: ['objects', 'image', 'blob'], remove: ['objects'] };

/** Canonical bytes of `entry`. Throws `EntryError`: a malformed entry must not reach a log that cannot forget it. */
export function encodeEntry(entry: Entry): Buffer {
  check(entry as unknown as Readonly<Record<string, unknown>>);
  const bytes = Buffer.from(spell(entry), 'utf8');
  if (bytes.length > MAX_ENTRY_BYTES) throw new EntryError('size', `an entry has at most ${MAX_ENTRY_BYTES} bytes, this one ${bytes.length}`);
  return bytes;
}

/** The entry whose canonical bytes these are. Throws `EntryError`, nothing else, whatever the bytes. */
export function parseEntry(bytes: Uint8Array): Entry {
  if (bytes.length === 0 || bytes.length > MAX_ENTRY_BYTES) throw new EntryError('size', `an entry has 1 to ${MAX_ENTRY_BYTES} bytes, this one ${bytes.length}`);
  const text = decodeUtf8(bytes);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new EntryError('json', 'an entry is JSON', { cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new EntryError('member', 'an entry is a JSON object');
  check(json as Readonly<Record<string, unknown>>);
  // Duplicate names, escapes and spaces are gone after parsing and show only here.
  if (spell(json as Entry) !== text) throw new EntryError('canonical', 'an entry is spelled as RFC 8785 prescribes');
  return json as Entry;
}

/** The entry, or undefined where these bytes are none: for readers to whom such a thing is no part of what they look for. Verification names it. */
export function entryIn(bytes: Uint8Array): Entry | undefined {
  try {
    return parseEntry(bytes);
  } catch (error) {
    if (error instanceof EntryError) return undefined;
    throw error;
  }
}

/** RFC 8785 of a checked entry: its strings hold nothing that needs an escape, its names are listed in order. Verification does this for every entry. */
function spell(entry: Entry): string {
  const blob = 'blob' in entry ? `"blob":"${entry.blob}",` : '';
  const commit = entry.op === 'put' ? `"commit":"${entry.commit}",` : '';
  const image = 'image' in entry ? `"image":"${entry.image}",` : '';
  const objects = entry.objects === undefined ? '' : `"objects":${canonicalize(entry.objects)},`;
  return `{"at":"${entry.at}",${blob}${commit}"id":"${entry.id}",${image}"kind":"${entry.kind}",${objects}"op":"${entry.op}","rev":${entry.rev},"src":${JSON.stringify(entry.src)},"subject":"${entry.subject}","v":1}`;
}

function check(members: Readonly<Record<string, unknown>>): void {
  if (members['v'] !== 1) throw new EntryError('version', 'this program reads entries of version 1');
  const op = members['op'];
  if (op !== 'put' && op !== 'remove') throw new EntryError('member', 'op is put or remove');
  const required: readonly string[] = op === 'put' ? [...REQUIRED, 'commit'] : REQUIRED;
  for (const name of required) if (!Object.hasOwn(members, name)) throw new EntryError('member', `a ${op} has ${name}`);
  for (const name of Object.keys(members)) {
    if (name !== 'v' && !required.includes(name) && !OPTIONAL[op].includes(name)) throw new EntryError('member', `a ${op} has no member ${JSON.stringify(name).slice(0, 40)}`);
    if (CHECKS[name]?.(members[name]) !== true) throw new EntryError('member', `${name} is malformed`);
  }
  if (op === 'put' && Object.hasOwn(members, 'image') === Object.hasOwn(members, 'blob')) throw new EntryError('member', 'a put has either image or blob');
  // What the stream's bytes say about op and revision could not be read, or must not be told: they are in the JWE.
  if (members['kind'] === 'raw' && (op !== 'put' || members['rev'] !== 0)) throw new EntryError('member', 'a raw entry is a put of revision 0');
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new EntryError('utf8', 'an entry is UTF-8', { cause });
  }
}

/** 32 bytes in base64url without padding, the two spare bits zero, so that there is one spelling. */
function isSha256Base64url(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(value);
}

const TIMESTAMP = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** RFC 3339 UTC with exactly three decimals, of a day there is. */
export function isTimestamp(value: unknown): boolean {
  if (typeof value !== 'string' || !TIMESTAMP.test(value)) return false;
  // Every month has 28 days; asking a Date costs more than the rest of an entry's checks.
  return value.slice(8, 10) <= '28' || new Date(value).toISOString() === value;
}

const OBJECT_NAME = /^(snapshot|report)\/[A-Za-z0-9_.\-/]{1,200}$/;
/** Bounded, since each costs a look-up in verification; one change names a handful at most. */
const MAX_OBJECTS = 100;

function areObjects(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= MAX_OBJECTS && value.every(isObject);
}

function isObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  const { name, sha256 } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof sha256 !== 'string' || !SHA256_HEX.test(sha256)) return false;
  if (name.startsWith('blob/')) return name === `blob/${sha256}`;
  return OBJECT_NAME.test(name) && !name.includes('//') && !name.includes('..');
}
