/** Any image DynamoDB could hold, as a fast-check arbitrary. */
import fc from 'fast-check';
import type { Attribute, Image } from '../../src/core/image';

const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each));
const text = fc.string({ unit: 'binary', maxLength: 20 });
const decimal = fc.integer().map(String);
export const anyImage: fc.Arbitrary<Image> = fc.letrec<{ image: Image; attribute: Attribute }>((tie) => ({
  image: fc.dictionary(text, tie('attribute'), { maxKeys: 6 }),
  attribute: fc.oneof(
    { maxDepth: 4 },
    text.map((S): Attribute => ({ S })),
    decimal.map((N): Attribute => ({ N })),
    bytes.map((B): Attribute => ({ B })),
    fc.boolean().map((BOOL): Attribute => ({ BOOL })),
    fc.constant<Attribute>({ NULL: true }),
    fc.uniqueArray(text, { minLength: 1, maxLength: 5 }).map((SS): Attribute => ({ SS })),
    fc.uniqueArray(decimal, { minLength: 1, maxLength: 5 }).map((NS): Attribute => ({ NS })),
    fc.uniqueArray(bytes, { minLength: 1, maxLength: 5, selector: (each) => each.toString('hex') }).map((BS): Attribute => ({ BS })),
    fc.array(tie('attribute'), { maxLength: 4 }).map((L): Attribute => ({ L })),
    tie('image').map((M): Attribute => ({ M })),
  ),
})).image;

