import { s3Client } from '../../../src/adapters/aws/s3';
import { s3VaultReader } from '../../../src/adapters/aws/s3-vault-reader';
import { VaultReadError } from '../../../src/ports/vault-reader';
import { connectionReset, fakeAws, xmlError, type Reply, type Sent } from './fake-http';
import { fakeS3 } from './fake-s3';

const xml = (body: string): Reply => ({ status: 200, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?>${body}` });

function reader(server: (sent: Sent) => Reply, options: Parameters<typeof s3VaultReader>[2] = {}) {
  const { overrides, sent } = fakeAws(server);
  return { vault: s3VaultReader(s3Client(overrides), 'vault', options), sent };
}
const codeOf = async (call: Promise<unknown>): Promise<string> => {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof VaultReadError)) throw new Error(`expected a VaultReadError, got ${String(error)}`);
  return error.code;
};
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('absent is only what S3 says does not exist; everything else that yields no bytes says what it is', async () => {
  expect(await reader(() => xmlError(404, 'NoSuchKey')).vault.get('checkpoint')).toBe('absent');
  expect(await codeOf(reader(() => xmlError(403, 'AccessDenied')).vault.get('checkpoint'))).toBe('denied');
  expect(await codeOf(reader(() => xmlError(404, 'NoSuchBucket')).vault.get('checkpoint'))).toBe('unreachable');
  expect(await codeOf(reader(() => xmlError(503, 'SlowDown')).vault.get('checkpoint'))).toBe('unreachable');
  const broken = reader(() => {
    throw connectionReset();
  });
  expect(await codeOf(broken.vault.get('checkpoint'))).toBe('unreachable');
});

test('bytes come back as they are; an object beyond the limit is refused before it is read', async () => {
  const bytes = Buffer.from([0, 255, 10]);
  const server = () => ({ status: 200, headers: { 'content-length': '3' }, body: bytes });
  expect(await reader(server).vault.get('blob/a')).toEqual(bytes);
  expect(await codeOf(reader(server, { maxObjectBytes: 2 }).vault.get('blob/a'))).toBe('too-large');
});

test('an aborted call is interrupted, not unreachable', async () => {
  const abort = new AbortController();
  abort.abort();
  expect(await codeOf(reader(() => xmlError(404, 'NoSuchKey'), { signal: abort.signal }).vault.get('checkpoint'))).toBe('interrupted');
});

test('a listing goes through every page', async () => {
  const bucket = fakeS3();
  for (const name of ['tile/0/000', 'tile/0/001', 'tile/entries/000', 'checkpoint']) bucket.objects.set(name, { bytes: Buffer.from('x'), headers: {} });
  const { vault } = reader((sent) => bucket.serve(sent));
  expect(await all(vault.list?.('tile/') ?? [] as never)).toEqual(['tile/0/000', 'tile/0/001', 'tile/entries/000']);
});

describe('locks', () => {
  const head: Reply = { status: 200, headers: { 'last-modified': 'Sun, 01 Mar 2026 12:00:00 GMT', 'content-length': '3' } };
  const lockOf = (replies: { readonly head: Reply; readonly retention: Reply }) => reader(({ query }) => ('retention' in query ? replies.retention : replies.head)).vault.locks?.lock('blob/a') as Promise<unknown>;

  test('are read with the time of writing', async () => {
    const retention = xml('<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2026-03-12T12:00:00Z</RetainUntilDate></Retention>');
    expect(await lockOf({ head, retention })).toEqual({ mode: 'COMPLIANCE', retainUntil: new Date('2026-03-12T12:00:00Z'), lastModified: new Date('2026-03-01T12:00:00Z') });
  });

  test('that are not there, objects that are not there, and locks nobody may see are three things', async () => {
    expect(await lockOf({ head, retention: xmlError(404, 'NoSuchObjectLockConfiguration') })).toBe('none');
    expect(await lockOf({ head: { status: 404 }, retention: head })).toBe('absent');
    expect(await codeOf(lockOf({ head, retention: xmlError(403, 'AccessDenied') }))).toBe('denied');
  });

  test('versions and delete markers come in name order, page after page', async () => {
    const page = (more: boolean, inner: string) => xml(`<ListVersionsResult>${inner}<IsTruncated>${more}</IsTruncated>${more ? '<NextKeyMarker>b</NextKeyMarker><NextVersionIdMarker>2</NextVersionIdMarker>' : ''}</ListVersionsResult>`);
    const version = (name: string, latest: boolean) => `<Version><Key>${name}</Key><VersionId>1</VersionId><IsLatest>${latest}</IsLatest></Version>`;
    const marker = (name: string) => `<DeleteMarker><Key>${name}</Key><VersionId>2</VersionId><IsLatest>true</IsLatest></DeleteMarker>`;
    const { vault, sent } = reader(({ query }) => (query['key-marker'] === undefined ? page(true, version('a', true) + version('b', false) + marker('aa')) : page(false, marker('b') + version('c', true))));
    const found = await all(vault.locks?.versions() ?? ([] as never));
    expect(found.map(({ name, kind, isLatest }) => `${name} ${kind} ${isLatest}`)).toEqual(['a version true', 'aa delete-marker true', 'b version false', 'b delete-marker true', 'c version true']);
    expect(sent[1]?.query).toMatchObject({ 'key-marker': 'b', 'version-id-marker': '2' });
  });
});
