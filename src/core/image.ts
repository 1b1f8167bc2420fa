/**
 * A record as DynamoDB holds it: the one in-memory form used by handlers, sealer, audit and adapters alike, so that what is MACed, sealed
 * and compared is exactly what is stored.
 */

/** One attribute in DynamoDB's own typed form. Numbers are decimal strings; we write integers only, so DynamoDB never rewrites them. */
export type Attribute =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: Uint8Array }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly Uint8Array[] }
  | { readonly L: readonly Attribute[] }
  | { readonly M: Image };

/** A whole item: attribute name → typed value. Always holds `pk` and `sk`. */
export interface Image {
  readonly [name: string]: Attribute;
}

/** Primary key of an item in any of our tables. */
export interface TableKey {
  readonly pk: string;
  readonly sk: string;
}

/** String attribute `name` of `image`, or undefined when absent or of another type. */
export function stringOf(image: Image | undefined, name: string): string | undefined {
  const attribute = image?.[name];
  return attribute !== undefined && 'S' in attribute && typeof attribute.S === 'string' ? attribute.S : undefined;
}

/** Integer attribute `name` of `image`, or undefined when absent, of another type or not a safe integer. */
export function integerOf(image: Image | undefined, name: string): number | undefined {
  const attribute = image?.[name];
  if (attribute === undefined || !('N' in attribute) || typeof attribute.N !== 'string') return undefined;
  const value = Number(attribute.N);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Binary attribute `name` of `image`, or undefined when absent or of another type. */
export function bytesOf(image: Image | undefined, name: string): Uint8Array | undefined {
  const attribute = image?.[name];
  return attribute !== undefined && 'B' in attribute && attribute.B instanceof Uint8Array ? attribute.B : undefined;
}

/** The key of an image. Throws on an image without one: nothing of ours makes such an image. */
export function keyOf(image: Image): TableKey {
  const pk = stringOf(image, 'pk');
  const sk = stringOf(image, 'sk');
  if (pk === undefined || sk === undefined) throw new Error('an image without a string pk and sk is not one of ours');
  return { pk, sk };
}
