/**
 * The one byte form of a record: canonical JSON (RFC 8785) of its DynamoDB-JSON. It is what is MACed, committed to, encrypted, disclosed and
 * compared, so two programs that hold the same item hold the same bytes.
 * Numbers stay the decimal strings DynamoDB keeps; binary is base64 with padding; the members of a set are sorted by UTF-16 code unit of their text.
 */
import { canonicalString, MAX_DEPTH } from './canonical-json';
import type { Attribute, Image } from './image';

/** `canonical`: well-formed, but not the one text this image has. */
export type ImageErrorCode = 'type' | 'depth' | 'json' | 'canonical';

export class ImageError extends Error {
  constructor(
    readonly code: ImageErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'ImageError';
  }
}

/**
 * Canonical bytes of `image`, UTF-8; `without: 'mac'` leaves the attribute `mac` out.
 * Throws `ImageError` on what is no DynamoDB-JSON, `CanonicalJsonError` on a lone surrogate.
 */
export function canonicalImage(image: Image, options?: { readonly without?: 'mac' }): Buffer {
  return Buffer.from(writeMap(image, 0, options?.without), 'utf8');
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The image whose canonical bytes these are. Throws `ImageError`; accepts no other spelling of the same image. */
export function parseCanonicalImage(bytes: Uint8Array): Image {
  let json: unknown;
  try {
    json = JSON.parse(UTF8.decode(bytes));
  } catch (cause) {
    throw new ImageError('json', 'these bytes are not JSON in UTF-8', { cause });
  }
  const image = readMap(json, 0);
  if (!canonicalImage(image).equals(bytes)) throw new ImageError('canonical', 'these bytes are not the canonical form of the image they hold');
  return image;
}

/** The image in DynamoDB-JSON as `JSON.parse` gives it, binary in base64, in any order. Throws `ImageError`; what it lets pass `canonicalImage` may still refuse. */
export const imageOfJson = (json: unknown): Image => readMap(json, 0);

function writeMap(map: Image, depth: number, without?: string): string {
  if (typeof map !== 'object' || map === null) throw new ImageError('type', 'an image is an object of typed attributes');
  if (depth > MAX_DEPTH) throw new ImageError('depth', `nested deeper than ${MAX_DEPTH} levels`);
  const names = Object.keys(map).sort();
  let text = '';
  for (const name of names) {
    if (name === without) continue;
    text += `${text === '' ? '' : ','}${canonicalString(name)}:${writeAttribute(map[name] as Attribute, depth)}`;
  }
  return `{${text}}`;
}

function writeAttribute(attribute: Attribute, depth: number): string {
  if (typeof attribute !== 'object' || attribute === null) throw new ImageError('type', 'an attribute is an object with one typed member');
  // The SDK marks types it does not know with $unknown, and leaves undefined members: both would be sealed as something they are not.
  const types = Object.keys(attribute);
  const type = types[0];
  if (types.length !== 1 || type === undefined) throw new ImageError('type', 'an attribute has exactly one type');
  const value: unknown = (attribute as unknown as Readonly<Record<string, unknown>>)[type];
  switch (type) {
    case 'S':
    case 'N':
      return `{"${type}":${canonicalString(stringIn(value))}}`;
    case 'B':
      return `{"B":"${base64In(value)}"}`;
    case 'BOOL':
      if (typeof value === 'boolean') return `{"BOOL":${value}}`;
      break;
    case 'NULL':
      if (value === true) return '{"NULL":true}';
      break;
    case 'SS':
    case 'NS':
      return writeSet(type, value, stringIn);
    case 'BS':
      return writeSet(type, value, base64In);
    case 'L':
      if (depth >= MAX_DEPTH) throw new ImageError('depth', `nested deeper than ${MAX_DEPTH} levels`);
      if (Array.isArray(value)) return `{"L":[${value.map((each: Attribute) => writeAttribute(each, depth + 1)).join(',')}]}`;
      break;
    case 'M':
      return `{"M":${writeMap(value as Image, depth + 1)}}`;
  }
  throw new ImageError('type', `an attribute of type ${JSON.stringify(type).slice(0, 20)} cannot hold this`);
}

function writeSet(type: string, value: unknown, text: (member: unknown) => string): string {
  if (!Array.isArray(value)) throw new ImageError('type', `a ${type} is a list`);
  return `{"${type}":[${value.map(text).sort().map(canonicalString).join(',')}]}`;
}

function stringIn(value: unknown): string {
  if (typeof value !== 'string') throw new ImageError('type', 'S, N and the members of SS and NS are strings');
  return value;
}

function base64In(value: unknown): string {
  if (!(ArrayBuffer.isView(value) && 'BYTES_PER_ELEMENT' in value && value.BYTES_PER_ELEMENT === 1)) throw new ImageError('type', 'B and the members of BS are bytes');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

function readMap(json: unknown, depth: number): Image {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new ImageError('type', 'an image is an object of typed attributes');
  if (depth > MAX_DEPTH) throw new ImageError('depth', `nested deeper than ${MAX_DEPTH} levels`);
  // fromEntries defines own properties, so an attribute called __proto__ is one like any other.
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, readAttribute(value, depth)]));
}

function readAttribute(json: unknown, depth: number): Attribute {
  if (typeof json !== 'object' || json === null) throw new ImageError('type', 'an attribute is an object with one typed member');
  const members = Object.entries(json);
  const [type, value] = members[0] ?? ['', undefined];
  if (members.length !== 1) throw new ImageError('type', 'an attribute has exactly one type');
  switch (type) {
    case 'B':
      return { B: Buffer.from(stringIn(value), 'base64') };
    case 'BS':
      if (Array.isArray(value)) return { BS: value.map((each) => Buffer.from(stringIn(each), 'base64')) };
      break;
    case 'L':
      if (depth >= MAX_DEPTH) throw new ImageError('depth', `nested deeper than ${MAX_DEPTH} levels`);
      if (Array.isArray(value)) return { L: value.map((each) => readAttribute(each, depth + 1)) };
      break;
    case 'M':
      return { M: readMap(value, depth + 1) };
    default:
      // Scalars and string sets are checked when the image is written again for comparison.
      return { [type]: value } as unknown as Attribute;
  }
  throw new ImageError('type', `an attribute of type ${type} cannot hold this`);
}
