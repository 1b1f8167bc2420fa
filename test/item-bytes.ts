/** What an item counts for, by the rules DynamoDB bills by (Developer Guide, "Item sizes and formats"). */
import type { Attribute, Image } from '../src/core/image';
import { KeySchema } from '../src/core/table-keys';

const utf8 = (text: string): number => Buffer.byteLength(text);

/** Attribute names and values in UTF-8 or raw bytes; numbers about one byte per two digits plus one; 3 bytes for a list or map, 1 for each element. */
function attributeBytes(attribute: Attribute): number {
  if ('S' in attribute) return utf8(attribute.S);
  if ('N' in attribute) return Math.ceil(attribute.N.replace('-', '').length / 2) + 2;
  if ('B' in attribute) return attribute.B.length;
  if ('BOOL' in attribute || 'NULL' in attribute) return 1;
  if ('L' in attribute) return 3 + attribute.L.reduce((sum, each) => sum + 1 + attributeBytes(each), 0);
  if ('M' in attribute) return 3 + Object.entries(attribute.M).reduce((sum, [name, each]) => sum + 1 + utf8(name) + attributeBytes(each), 0);
  throw new Error('not used');
}
export const itemBytes = (image: Image): number => Object.entries(image).reduce((sum, [name, attribute]) => sum + utf8(name) + attributeBytes(attribute), 0);
export const writeUnits = (bytes: number): number => Math.ceil(bytes / 1024);
/** Bytes of the item's entries in the indexes; both are sparse. A keys-only index holds the table's key and its own. */
export const indexBytes = (image: Image): number =>
  [KeySchema.byCustomer, KeySchema.byOperator]
    .filter((index) => image[index.pk] !== undefined)
    .reduce((sum, index) => sum + itemBytes(Object.fromEntries([KeySchema.pk, KeySchema.sk, index.pk, index.sk].flatMap((name) => (image[name] === undefined ? [] : [[name, image[name]]])))), 0);
