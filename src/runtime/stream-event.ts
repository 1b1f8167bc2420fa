/**
 * A DynamoDB stream record, as Lambda hands it over, as a `StreamEvent`. Never throws: what it cannot read stays readable in `raw`, and the sealer seals
 * that. In Lambda's JSON binary values are base64 strings; an image keeps whatever attribute is not as it should be, for the sealer to judge.
 */
import { createHash } from 'node:crypto';
import type { Attribute, Image, TableKey } from '../core/image';
import type { StreamEvent } from '../ports';

type Json = Readonly<Record<string, unknown>>;

const OPS: ReadonlySet<unknown> = new Set(['INSERT', 'MODIFY', 'REMOVE']);

export function streamEvent(record: unknown): StreamEvent {
  const json = objectOf(record) ?? {};
  const change = objectOf(json['dynamodb']) ?? {};
  const newImage = imageOf(change['NewImage']);
  const oldImage = imageOf(change['OldImage']);
  const raw = Buffer.from(JSON.stringify(record) ?? 'null', 'utf8');
  return {
    // Without an id of its own two records would count as one, and the second would never be sealed.
    eventId: typeof json['eventID'] === 'string' && json['eventID'] !== '' ? json['eventID'] : `none:${createHash('sha256').update(raw).digest('hex')}`,
    op: OPS.has(json['eventName']) ? (json['eventName'] as StreamEvent['op']) : opOf(newImage, oldImage),
    createdAtMs: millisecondsOf(change['ApproximateCreationDateTime']),
    key: keyOf(objectOf(change['Keys']) ?? {}),
    ...(newImage && { newImage }),
    ...(oldImage && { oldImage }),
    raw,
  };
}

function opOf(newImage: Image | undefined, oldImage: Image | undefined): StreamEvent['op'] {
  if (newImage === undefined) return 'REMOVE';
  return oldImage === undefined ? 'INSERT' : 'MODIFY';
}

/** Seconds, on AWS whole ones; the tests' and other stores' may have fractions. 0 where there is none. */
function millisecondsOf(seconds: unknown): number {
  return typeof seconds === 'number' && Number.isFinite(seconds) ? Math.floor(seconds * 1000) : 0;
}

function keyOf(keys: Json): TableKey {
  const part = (name: string): string => {
    const value = objectOf(keys[name])?.['S'];
    return typeof value === 'string' ? value : '';
  };
  return { pk: part('pk'), sk: part('sk') };
}

const objectOf = (value: unknown): Json | undefined => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined);

function imageOf(value: unknown): Image | undefined {
  const json = objectOf(value);
  return json && mapOf(json);
}

// fromEntries defines own properties, so an attribute called __proto__ is one like any other.
const mapOf = (json: Json): Image => Object.fromEntries(Object.entries(json).map(([name, attribute]) => [name, attributeOf(attribute)]));

/** Binary becomes bytes; everything else, odd shapes included, stays as it came. DynamoDB nests 32 levels at most, so recursion is bounded by the store. */
function attributeOf(attribute: unknown): Attribute {
  const json = objectOf(attribute) ?? {};
  if (typeof json['B'] === 'string') return { B: Buffer.from(json['B'], 'base64') };
  if (Array.isArray(json['BS']) && json['BS'].every((member) => typeof member === 'string')) return { BS: json['BS'].map((member: string) => Buffer.from(member, 'base64')) };
  if (Array.isArray(json['L'])) return { L: json['L'].map(attributeOf) };
  const map = objectOf(json['M']);
  if (map !== undefined) return { M: mapOf(map) };
  return attribute as Attribute;
}
