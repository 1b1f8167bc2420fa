/**
 * The one parser for signed bodies: it yields values and, for every value, the bytes it was written in.
 * JSON.parse forgets what an archive must keep: the first of two equal keys, a lone surrogate's encoding, the last digit of 2^53 + 1. Here all of it
 * stays readable in the slice, and each such place is reported as an anomaly, so that nobody takes the value for the whole truth.
 *
 * Promises, held by test/core/meta/json-slices.test.ts: accepts exactly what JSON.parse accepts of the same bytes read as UTF-8; the values are the same;
 * every slice parses to its value; one pass, no recursion, time linear in the length; no error outside `JsonErrorCode`.
 */
import { isUtf8 } from 'node:buffer';
import { survivesAsDouble } from './exact-number';
import { wordTable } from './word-table';

/** Why bytes are not JSON (RFC 8259). Offsets count bytes from the start of the body. */
export const JSON_ERROR_CODES = [
  'empty', // nothing but white space
  'byte-order-mark', // starts with EF BB BF; the RFC forbids senders to add one
  'unexpected-byte', // something else than the grammar allows here
  'unexpected-end', // ends inside a value: cut off on the way
  'control-character', // a raw byte below 0x20 inside a string
  'bad-escape', // a backslash sequence that JSON does not know
  'trailing-data', // more bytes after the value
] as const;
export type JsonErrorCode = (typeof JSON_ERROR_CODES)[number];

/** What JSON.parse would have lost or changed. `offset`: of the key, number or string concerned. */
export type JsonAnomalyCode = 'duplicate-key' | 'lone-surrogate' | 'inexact-number' | 'invalid-utf8' | 'too-deep';
export interface JsonAnomaly {
  readonly code: JsonAnomalyCode;
  readonly offset: number;
}

export interface JsonError {
  readonly code: JsonErrorCode;
  readonly offset: number;
}

export type ParsedJson =
  | { readonly ok: true; readonly root: JsonNode; /** By offset, ascending. */ readonly anomalies: readonly JsonAnomaly[] }
  | { readonly ok: false; readonly error: JsonError };

/** A container inside this many others is reported as `too-deep`, so that no recursive reader walks into it; it is parsed all the same. */
export const MAX_DEPTH = 64;

/** One value and where it stands: bytes [start, end) of the body. */
export class JsonNode {
  /** The value JSON.parse gives (the last of equal keys; U+FFFD for invalid UTF-8). */
  readonly value: unknown;
  readonly start: number;
  readonly end: number;
  /** The member's name, for a value inside an object. */
  readonly key: string | undefined;
  /** Members or elements in the order written, shadowed members included; undefined for strings, numbers and literals. */
  readonly children: readonly JsonNode[] | undefined;
  /** A later member of the same object has the same key, so `value` of the object does not hold this one. */
  readonly shadowed: boolean = false;

  constructor(value: unknown, start: number, end: number, key: string | undefined, children: readonly JsonNode[] | undefined) {
    this.value = value;
    this.start = start;
    this.end = end;
    this.key = key;
    this.children = children;
  }
}

/** The member of an object that counts under `key` (the last one), or undefined. */
export function memberOf(node: JsonNode, key: string): JsonNode | undefined {
  if (node.children === undefined) return undefined;
  for (let i = node.children.length - 1; i >= 0; i -= 1) {
    const child = node.children[i];
    if (child !== undefined && child.key === key) return child;
  }
  return undefined;
}

export const isArrayNode = (node: JsonNode): boolean => Array.isArray(node.value);
export const isObjectNode = (node: JsonNode): boolean => node.children !== undefined && !Array.isArray(node.value);

class Failure extends Error {
  constructor(
    readonly code: JsonErrorCode,
    readonly offset: number,
  ) {
    super(code);
  }
}

/** A container whose end has not been read yet. */
interface Open {
  readonly value: Record<string, unknown> | unknown[];
  readonly isArray: boolean;
  readonly start: number;
  readonly key: string | undefined;
  readonly children: JsonNode[];
  hasDuplicates: boolean;
}

/** Parses a whole body. Never throws; `bytes` must not change while the result is in use. */
export function parseSlices(bytes: Buffer): ParsedJson {
  const reader = new Reader(bytes);
  try {
    const root = reader.read();
    reader.anomalies.sort((a, b) => a.offset - b.offset);
    return { ok: true, root, anomalies: reader.anomalies };
  } catch (error) {
    if (error instanceof Failure) return { ok: false, error: { code: error.code, offset: error.offset } };
    throw error;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

class Reader {
  readonly anomalies: JsonAnomaly[] = [];
  /** One character per byte: index and byte offset are the same, and slicing it copies nothing. Only ASCII is ever read from it. */
  private readonly text: string;
  private readonly length: number;
  private pos = 0;
  /** Undefined until the first byte above 0x7f was seen: Meta escapes everything, so most bodies never ask. */
  private allUtf8: boolean | undefined;

  constructor(private readonly bytes: Buffer) {
    this.text = bytes.toString('latin1');
    this.length = bytes.length;
  }

  read(): JsonNode {
    if (this.bytes[0] === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf) throw new Failure('byte-order-mark', 0);
    this.skipSpace();
    if (this.pos >= this.length) throw new Failure('empty', 0);
    const root = this.readValue();
    this.skipSpace();
    if (this.pos < this.length) throw new Failure('trailing-data', this.pos);
    return root;
  }

  /** An explicit stack in place of recursion: a body of a million brackets is an anomaly, not a crash. */
  private readValue(): JsonNode {
    const stack: Open[] = [];
    let top: Open | undefined;
    let key: string | undefined;
    for (;;) {
      this.skipSpace();
      const start = this.pos;
      const first = this.text.charCodeAt(start);
      let node: JsonNode;
      if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        const isArray = first === OPEN_BRACKET;
        this.pos += 1;
        this.skipSpace();
        const open: Open = { value: isArray ? [] : {}, isArray, start, key, children: [], hasDuplicates: false };
        if (stack.length === MAX_DEPTH) this.report('too-deep', start);
        if (this.text.charCodeAt(this.pos) !== (isArray ? CLOSE_BRACKET : CLOSE_BRACE)) {
          stack.push(open);
          top = open;
          key = isArray ? undefined : this.readKey(open);
          continue;
        }
        this.pos += 1;
        node = new JsonNode(open.value, start, this.pos, key, open.children);
      } else {
        node = new JsonNode(this.readScalar(first), start, this.pos, key, undefined);
      }

      // `node` is complete: hand it to its container, and close every container that ends right here.
      for (;;) {
        if (top === undefined) return node;
        attach(top, node);
        this.skipSpace();
        const next = this.text.charCodeAt(this.pos);
        if (next === COMMA) {
          this.pos += 1;
          key = top.isArray ? undefined : this.readKey(top);
          break;
        }
        if (next !== (top.isArray ? CLOSE_BRACKET : CLOSE_BRACE)) this.fail();
        this.pos += 1;
        if (top.hasDuplicates) markShadowed(top.children);
        node = new JsonNode(top.value, top.start, this.pos, top.key, top.children);
        stack.pop();
        top = stack[stack.length - 1];
      }
    }
  }

  /** Reads `"key" :` and leaves the position before the value. */
  private readKey(object: Open): string {
    this.skipSpace();
    const start = this.pos;
    if (this.text.charCodeAt(start) !== QUOTE) this.fail();
    const key = this.readString();
    this.skipSpace();
    if (this.text.charCodeAt(this.pos) !== COLON) this.fail();
    this.pos += 1;
    if (key in object.value && Object.hasOwn(object.value, key)) {
      object.hasDuplicates = true;
      this.report('duplicate-key', start);
    }
    return key;
  }

  private readScalar(first: number): unknown {
    if (first === QUOTE) return this.readString();
    if (first === 0x74) return this.readLiteral('true', true);
    if (first === 0x66) return this.readLiteral('false', false);
    if (first === 0x6e) return this.readLiteral('null', null);
    return this.readNumber();
  }

  private readLiteral<T>(word: string, value: T): T {
    for (let i = 0; i < word.length; i += 1, this.pos += 1) {
      if (this.text.charCodeAt(this.pos) !== word.charCodeAt(i)) this.fail();
    }
    return value;
  }

  private readNumber(): number {
    const start = this.pos;
    if (this.text.charCodeAt(this.pos) === 0x2d) this.pos += 1;
    if (this.text.charCodeAt(this.pos) === 0x30) this.pos += 1;
    else this.readDigits();
    if (this.text.charCodeAt(this.pos) === 0x2e) {
      this.pos += 1;
      this.readDigits();
    }
    const e = this.text.charCodeAt(this.pos);
    if (e === 0x65 || e === 0x45) {
      this.pos += 1;
      const sign = this.text.charCodeAt(this.pos);
      if (sign === 0x2b || sign === 0x2d) this.pos += 1;
      this.readDigits();
    }
    const literal = this.text.slice(start, this.pos);
    const value = Number(literal);
    if (!survivesAsDouble(literal, value)) this.report('inexact-number', start);
    return value;
  }

  private readDigits(): void {
    const start = this.pos;
    for (let c = this.text.charCodeAt(this.pos); c >= 0x30 && c <= 0x39; c = this.text.charCodeAt(this.pos)) this.pos += 1;
    if (this.pos === start) this.fail();
  }

  private readString(): string {
    const { text } = this;
    const start = this.pos;
    let pos = start + 1;
    let ascii = true;
    for (;;) {
      const c = text.charCodeAt(pos);
      if (c === QUOTE) {
        this.pos = pos + 1;
        return this.decode(start + 1, pos, ascii, start);
      }
      if (c === BACKSLASH) return this.readEscapedString(start, pos, ascii);
      if (c >= 0x80) ascii = false;
      else if (!(c >= 0x20)) this.failInString(pos);
      pos += 1;
    }
  }

  /** The rest of a string from its first backslash on. */
  private readEscapedString(start: number, firstEscape: number, asciiSoFar: boolean): string {
    const { text } = this;
    let out = this.decode(start + 1, firstEscape, asciiSoFar, start);
    let pos = firstEscape;
    let run = pos;
    let ascii = true;
    let surrogates = false;
    for (;;) {
      const c = text.charCodeAt(pos);
      if (c === QUOTE || c === BACKSLASH) {
        if (pos > run) out += this.decode(run, pos, ascii, start);
        if (c === QUOTE) break;
        const kind = text.charCodeAt(pos + 1);
        if (kind === 0x75) {
          const unit = this.readHex(pos + 2);
          if (unit >= 0xd800 && unit <= 0xdfff) surrogates = true;
          out += String.fromCharCode(unit);
          pos += 6;
        } else {
          const plain = ESCAPES[text.charAt(pos + 1)];
          if (plain === undefined) throw new Failure(pos + 1 >= this.length ? 'unexpected-end' : 'bad-escape', pos);
          out += plain;
          pos += 2;
        }
        run = pos;
        ascii = true;
      } else {
        if (c >= 0x80) ascii = false;
        else if (!(c >= 0x20)) this.failInString(pos);
        pos += 1;
      }
    }
    this.pos = pos + 1;
    if (surrogates && LONE_SURROGATE.test(out)) this.report('lone-surrogate', start);
    return out;
  }

  private readHex(at: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i += 1) {
      const c = this.text.charCodeAt(i) | 0x20;
      const digit = c >= 0x30 && c <= 0x39 && this.text.charCodeAt(i) >= 0x30 ? c - 0x30 : c >= 0x61 && c <= 0x66 ? c - 0x57 : -1;
      if (digit < 0) throw new Failure(i >= this.length ? 'unexpected-end' : 'bad-escape', at - 2);
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /** The bytes [from, to), which hold no escapes, as a string. `stringStart` names the string in reports. */
  private decode(from: number, to: number, ascii: boolean, stringStart: number): string {
    if (ascii) return this.text.slice(from, to);
    this.allUtf8 ??= isUtf8(this.bytes);
    if (!this.allUtf8 && !isUtf8(this.bytes.subarray(from, to)) && this.anomalies.at(-1)?.offset !== stringStart) this.report('invalid-utf8', stringStart);
    return this.bytes.toString('utf8', from, to);
  }

  private skipSpace(): void {
    for (let c = this.text.charCodeAt(this.pos); c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = this.text.charCodeAt(this.pos)) this.pos += 1;
  }

  private report(code: JsonAnomalyCode, offset: number): void {
    this.anomalies.push({ code, offset });
  }

  private fail(): never {
    throw new Failure(this.pos >= this.length ? 'unexpected-end' : 'unexpected-byte', this.pos);
  }

  private failInString(pos: number): never {
    throw new Failure(pos >= this.length ? 'unexpected-end' : 'control-character', pos);
  }
}

const ESCAPES: Readonly<Record<string, string>> = wordTable<string>({
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
});

const LONE_SURROGATE = /\p{Surrogate}/u;

function attach(container: Open, node: JsonNode): void {
  container.children.push(node);
  if (container.isArray) (container.value as unknown[]).push(node.value);
  else if (node.key === '__proto__') {
    // A plain assignment would set the prototype: the sender could then shadow any member we read.
    Object.defineProperty(container.value, '__proto__', { value: node.value, writable: true, enumerable: true, configurable: true });
  } else (container.value as Record<string, unknown>)[node.key ?? ''] = node.value;
}

/** From the end, so that the last of equal keys stays; one pass, because a body may hold 300,000 equal keys. */
function markShadowed(members: readonly JsonNode[]): void {
  const seen = new Set<string | undefined>();
  for (let i = members.length - 1; i >= 0; i -= 1) {
    const member = members[i];
    if (member === undefined) continue;
    if (seen.has(member.key)) (member as { shadowed: boolean }).shadowed = true;
    seen.add(member.key);
  }
}
