/** docs/openapi.json is what is served: made of the route table, current, linted without a word. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApiDocument } from '../../scripts/openapi-document';
import { PLAIN_PROFILES } from '../../src/core/staff/profile-settings';
import { staffRoutes } from '../../src/runtime/staff/routes';

const root = join(__dirname, '../..');
const text = readFileSync(join(root, 'docs/openapi.json'), 'utf8');
interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, unknown>>;
  readonly security: readonly object[];
}
const document = JSON.parse(text) as { readonly openapi: string; readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ key: `${method.toUpperCase()} ${path}`, operation })));
const routes = staffRoutes(PLAIN_PROFILES);

it('is current: `npm run openapi` would write the same', () => expect(text).toBe(`${JSON.stringify(openApiDocument(), undefined, 2)}\n`));

it('has every route, and no others but these two that ask no operation', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(operations.map(({ key }) => key).sort()).toEqual([...routes.map(({ key }) => key), 'GET /v1/me', 'GET /health'].sort());
});

it('asks for a token everywhere but at /health', () => {
  expect(operations.filter(({ operation }) => operation.security.length === 0).map(({ key }) => key)).toEqual(['GET /health']);
});

it.each(routes)('$key tells each status it can have', ({ key, status, body, ifMatch, idempotent, mayConflict }) => {
  const { responses } = operations.find((each) => each.key === key)!.operation;
  const expected = [status, 400, 401, 403, 429, 500, 503, ...(key.includes('{id}') ? [404] : []), ...(body ? [409, 413, 415] : mayConflict ? [409] : []), ...(ifMatch ? [412, 428] : []), ...(idempotent ? [422] : [])];
  expect(Object.keys(responses).map(Number).sort()).toEqual(expected.sort());
});

const lint = (file: string): { readonly errors: number; readonly warnings: number } => {
  const run = spawnSync(process.execPath, [join(root, 'node_modules/@redocly/cli/bin/cli.js'), 'lint', file, '--config', join(root, 'redocly.yaml'), '--format', 'json'], { cwd: root, encoding: 'utf8', env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } });
  const report = /\{[\s\S]*\}/.exec(run.stdout)?.[0];
  if (report === undefined) throw new Error(`the linter said nothing: ${run.stderr}`);
  return (JSON.parse(report) as { totals: { errors: number; warnings: number } }).totals;
};

it('is linted without errors or warnings, by a linter that would notice one', () => {
  expect(lint('docs/openapi.json')).toMatchObject({ errors: 0, warnings: 0 });
  const directory = mkdtempSync(join(tmpdir(), 'openapi-'));
  try {
    const broken = join(directory, 'openapi.json');
    writeFileSync(broken, text.replace('"operationId": "readCustomer"', '"operationId": "listCustomers"'));
    expect(lint(broken).errors).toBeGreaterThan(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 60_000);
