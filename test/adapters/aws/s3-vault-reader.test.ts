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
  const a1 = { name: 'blob/a', version: 'v1' };
  const lockOf = (retention: Reply) => reader(({ query }) => ('retention' in query && query['versionId'] === 'v1' ? retention : xmlError(400, 'InvalidRequest'))).vault.locks?.lock(a1) as Promise<unknown>;

  test('are read of the version that was asked for', async () => {
    const retention = xml('<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2026-03-12T12:00:00Z</RetainUntilDate></Retention>');
    expect(await lockOf(retention)).toEqual({ mode: 'COMPLIANCE', retainUntil: new Date('2026-03-12T12:00:00Z') });
  });

  test('that are not there, versions that are not there, and locks nobody may see are three things', async () => {
    expect(await lockOf(xmlError(404, 'NoSuchObjectLockConfiguration'))).toBe('none');
    expect(await lockOf(xmlError(404, 'NoSuchVersion'))).toBe('absent');
    expect(await codeOf(lockOf(xmlError(403, 'AccessDenied')))).toBe('denied');
  });

  test('the bytes of an older version are read by its id; one that is gone is absent, one that may not be read is not', async () => {
    const bytes = Buffer.from('older');
    const of = (reply: Reply) => reader(({ query }) => (query['versionId'] === 'v1' ? reply : xmlError(400, 'InvalidRequest'))).vault.locks?.get(a1) as Promise<unknown>;
    expect(await of({ status: 200, headers: { 'content-length': '5' }, body: bytes })).toEqual(bytes);
    expect(await of(xmlError(404, 'NoSuchVersion'))).toBe('absent');
    expect(await codeOf(of(xmlError(403, 'AccessDenied')))).toBe('denied');
  });

  test('versions and delete markers come in name order, the latest of a name first, page after page', async () => {
    const page = (more: boolean, inner: string) => xml(`<ListVersionsResult>${inner}<IsTruncated>${more}</IsTruncated>${more ? '<NextKeyMarker>b</NextKeyMarker><NextVersionIdMarker>2</NextVersionIdMarker>' : ''}</ListVersionsResult>`);
    const time = (second: number) => `<LastModified>2026-03-01T12:00:0${second}.000Z</LastModified>`;
    const version = (name: string, latest: boolean, second: number) => `<Version><Key>${name}</Key><VersionId>v${second}</VersionId><IsLatest>${latest}</IsLatest>${time(second)}</Version>`;
    const marker = (name: string, latest: boolean, second: number) => `<DeleteMarker><Key>${name}</Key><VersionId>m${second}</VersionId><IsLatest>${latest}</IsLatest>${time(second)}</DeleteMarker>`;
    // Version and marker of one second: only the flag tells which is the latest.
    const { vault, sent } = reader(({ query }) => (query['key-marker'] === undefined ? page(true, version('a', false, 5) + version('b', false, 1) + marker('a', true, 5) + marker('b', true, 4)) : page(false, version('b', false, 0) + version('c', true, 7))));
    const found = await all(vault.locks?.versions('x') ?? ([] as never));
    expect(found.map(({ name, version: id, kind, isLatest }) => `${name} ${id} ${kind} ${isLatest}`)).toEqual(['a m5 delete-marker true', 'a v5 version false', 'b m4 delete-marker true', 'b v1 version false', 'b v0 version false', 'c v7 version true']);
    expect(found[0]?.lastModified).toEqual(new Date('2026-03-01T12:00:05Z'));
    expect(sent[1]?.query).toMatchObject({ prefix: 'x', 'key-marker': 'b', 'version-id-marker': '2' });
  });
});
