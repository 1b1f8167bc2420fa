/** Whatever is sent, the API of staff answers what its document says it may, and never with a failure of its own. */
import fc from 'fast-check';
import { openApiDocument } from '../../../scripts/openapi-document';
import { staffRoutes } from '../../../src/runtime/staff/routes';
import { problemShape } from '../../../src/runtime/staff/schemas';
import { CUSTOMER, settings, staff } from './harness';

const numRuns = process.env['INTACT_FULL'] === '1' ? 10_000 : 500;
const routes = staffRoutes(settings);
const { paths } = openApiDocument() as { readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>> };
const documented = (key: string): readonly number[] => {
  const [method = '', path = ''] = key.split(' ');
  return Object.keys(paths[path]?.[method.toLowerCase()]?.responses ?? {}).map(Number);
};

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom("Anne-Marie O'Brien", '+4915123456789', 'a@example.com', '2026-01-01T00:00:00Z', CUSTOMER, '"3"', '1', '\u202e', '\ud800', '__proto__', ''));
const names = fc.constantFrom('profile', 'reason', 'text', 'toRev', 'ownerId', 'operatorId', 'from', 'to', 'planId', 'after', 'name', 'phone', 'email', 'tags', 'custom', 'city', 'discount', '__proto__', 'constructor', 'other');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, text, fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(names, tie('value'), { maxKeys: 5 })),
}));
const body = fc.oneof(
  { weight: 6, arbitrary: fc.dictionary(names, value, { maxKeys: 6 }).map((of) => JSON.stringify(of)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.dictionary(names, value).chain((of) => fc.nat(200).map((at) => JSON.stringify(of).slice(0, at))) },
  { weight: 1, arbitrary: fc.constant({ profile: { name: 'Anne' } }) },
);
const query = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.tuple(fc.constantFrom('limit', 'cursor', 'tag', 'owner', 'q', 'phone', 'time', 'from', 'to', 'ip', 'action', 'decision', 'x'), text), { maxLength: 4 }).map((pairs) => pairs.map(([name, of]) => `${name}=${encodeURIComponent(Buffer.from(of).toString())}`).join('&')));
const headers = fc.dictionary(fc.constantFrom('if-match', 'idempotency-key', 'accept-language', 'content-type', 'content-encoding'), fc.oneof(text, fc.constantFrom('"3"', 'application/json', 'zh', 'k1')), { maxKeys: 3 });

it('is answered', async () => {
  const world = staff();
  const statuses: Record<number, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...routes), body, query, headers, text, async ({ key, status, body: takes, answer }, sent, asked, given, id) => {
      const before = world.asked.length;
      const told = await world.call(key, { query: asked, headers: given, ...(takes && { body: sent }), ...(key.includes('{id}') && { path: { id, ...(key.includes('{message}') && { message: id }), ...(key.includes('{requestId}') && { requestId: id }) } }) });
      statuses[told.status] = (statuses[told.status] ?? 0) + 1;
      expect(documented(key)).toContain(told.status);
      expect(told.status).toBeLessThan(500);
      expect((told.status === status ? answer : problemShape).safeParse(told.json).error).toBeUndefined();
      // What is refused was not done; what was done before under the same key is not done again.
      expect(world.asked.length - before).toBe(told.status === status && told.headers['idempotency-replayed'] === undefined ? 1 : 0);
    }),
    { numRuns },
  );
  process.stdout.write(`    ${numRuns} requests: ${Object.entries(statuses).map(([status, n]) => `${status} × ${n}`).join(', ')}\n`);
  expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['200', '400']));
});
