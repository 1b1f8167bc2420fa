import { createHash } from 'node:crypto';
import { s3Client } from '../../../src/adapters/aws/s3';
import { s3Inbox } from '../../../src/adapters/aws/s3-inbox';
import { s3Vault } from '../../../src/adapters/aws/s3-vault';
import { PortError } from '../../../src/ports';
import { fakeAws, xmlError } from './fake-http';
import { fakeS3 } from './fake-s3';

const now = new Date('2026-03-01T12:00:00.000Z');
const retentionDays = 10;

function world() {
  const bucket = fakeS3();
  const { overrides, sent } = fakeAws((request) => bucket.serve(request));
  const client = s3Client(overrides);
  const settings = { bucket: 'vault', lockMode: 'COMPLIANCE', retentionDays, unlockedTag: { key: 'intact-lock', value: 'none' } } as const;
  return { ...bucket, sent, vault: s3Vault(client, settings, () => now), inbox: s3Inbox(client, 'inbox'), puts: () => sent.filter(({ method }) => method === 'PUT') };
}
const bytes = (text: string): Buffer => Buffer.from(text);
const failure = async (call: Promise<unknown>): Promise<PortError> => {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PortError)) throw new Error(`expected a PortError, got ${String(error)}`);
  return error;
};

test('every put that goes out, of every method, carries a condition and the SHA-256 of its bytes', async () => {
  const { vault, inbox, puts } = world();
  await vault.createLocked('segment/00000000000000000000/aa', bytes('one'));
  await vault.createPartial('tile/0/000.p/3', bytes('two'));
  await vault.replaceMutable('checkpoint', bytes('three'), 'absent');
  await vault.replaceMutable('checkpoint', bytes('four'), `"${createHash('md5').update('three').digest('hex')}"`);
  await inbox.put('delivery/bb', bytes('five'));
  expect(puts()).toHaveLength(5);
  for (const put of puts()) {
    expect([put.headers['if-none-match'], put.headers['if-match']].filter((condition) => condition !== undefined)).toHaveLength(1);
    expect(put.headers['x-amz-checksum-sha256']).toBe(createHash('sha256').update(put.body).digest('base64'));
    expect(put.query).not.toHaveProperty('uploadId');
  }
});

test('a locked put carries the mode and a date one day above the retention; nothing else carries a lock', async () => {
  const { vault, inbox, puts } = world();
  await vault.createLocked('checkpoints/1', bytes('one'));
  await vault.createPartial('tile/0/000.p/3', bytes('two'));
  await vault.replaceMutable('log.vkeys', bytes('three'), 'absent');
  await inbox.put('content/bb', bytes('four'));
  const [locked, ...others] = puts();
  expect(locked?.headers).toMatchObject({ 'if-none-match': '*', 'x-amz-object-lock-mode': 'COMPLIANCE' });
  expect(new Date(locked?.headers['x-amz-object-lock-retain-until-date'] ?? '')).toEqual(new Date('2026-03-12T12:00:00.000Z'));
  expect(locked?.headers['x-amz-tagging']).toBeUndefined();
  for (const { headers } of others) expect(Object.keys(headers).filter((name) => name.startsWith('x-amz-object-lock'))).toEqual([]);
  expect(others.map(({ headers }) => headers['x-amz-tagging'])).toEqual(['intact-lock=none', 'intact-lock=none', undefined]);
});

test('the same bytes under a taken name are success, other bytes are an alarm and change nothing', async () => {
  const { vault, objects } = world();
  expect(await vault.createLocked('blob/aa', bytes('one'))).toBe('created');
  expect(await vault.createLocked('blob/aa', bytes('one'))).toBe('exists');
  expect((await failure(vault.createLocked('blob/aa', bytes('two')))).code).toBe('different-bytes');
  expect(objects.get('blob/aa')?.bytes.toString()).toBe('one');
});

test('a put whose reply was lost is recognised as our own', async () => {
  const { vault, fail, puts } = world();
  fail.set('PUT', ['lost-reply']);
  expect(await vault.createLocked('blob/aa', bytes('one'))).toBe('exists');
  fail.set('PUT', ['lost-reply']);
  expect(await vault.replaceMutable('checkpoint', bytes('note'), 'absent')).toBe('replaced');
  expect(puts()).toHaveLength(4);
});

test('a conflict of two puts at once is tried again, a bounded number of times', async () => {
  const { vault, fail } = world();
  fail.set('PUT', [xmlError(409, 'ConditionalRequestConflict'), xmlError(409, 'ConditionalRequestConflict')]);
  expect(await vault.createLocked('blob/aa', bytes('one'))).toBe('created');
  const always = world();
  always.fail.set('PUT', Array.from({ length: 50 }, () => xmlError(409, 'ConditionalRequestConflict')));
  expect((await failure(always.vault.createLocked('blob/aa', bytes('one')))).code).toBe('unavailable');
  expect(always.puts()).toHaveLength(7);
});

test('a mutable object moves only from the version that was read', async () => {
  const { vault } = world();
  expect(await vault.getMutable('checkpoint')).toBe('absent');
  expect(await vault.replaceMutable('checkpoint', bytes('1'), '"no such version"')).toBe('stale');
  expect(await vault.replaceMutable('checkpoint', bytes('1'), 'absent')).toBe('replaced');
  const first = await vault.getMutable('checkpoint');
  if (first === 'absent') throw new Error('it was just put');
  expect(first.bytes.toString()).toBe('1');
  expect(await vault.replaceMutable('checkpoint', bytes('2'), first.etag)).toBe('replaced');
  expect(await vault.replaceMutable('checkpoint', bytes('3'), first.etag)).toBe('stale');
  expect(await vault.replaceMutable('checkpoint', bytes('3'), 'absent')).toBe('stale');
});

test('bytes that are not those S3 keeps the checksum of are corrupt, never returned', async () => {
  const { vault, objects } = world();
  await vault.createLocked('blob/aa', bytes('one'));
  const stored = objects.get('blob/aa');
  if (stored === undefined) throw new Error('it was just put');
  stored.bytes = bytes('0ne');
  expect((await failure(vault.get('blob/aa'))).code).toBe('corrupt');
});

test('absent is an answer; denied and failing are errors that say which', async () => {
  const { vault, fail } = world();
  expect(await vault.get('blob/none')).toBe('absent');
  fail.set('GET', [xmlError(403, 'AccessDenied')]);
  expect((await failure(vault.get('blob/none'))).code).toBe('denied');
  fail.set('GET', Array.from({ length: 9 }, () => xmlError(503, 'SlowDown')));
  expect((await failure(vault.get('blob/none'))).code).toBe('unavailable');
  fail.set('GET', [xmlError(404, 'NoSuchBucket')]);
  const error = await failure(vault.get('blob/none'));
  expect(error.code).toBe('corrupt');
  expect(error.message).not.toContain('SECRET-CONTENT');
});

test('only partial tiles can be deleted through the vault', async () => {
  const { vault, sent } = world();
  await vault.deletePartial('tile/0/x001/002.p/17');
  await vault.deletePartial('tile/entries/000.p/1');
  for (const name of ['checkpoint', 'tile/0/000', 'tile/entries/000', 'segment/1/aa', 'tile/0/000.p/1/x', 'tile/0/000.p/', 'blob/tile/0/000.p/1']) {
    await expect(vault.deletePartial(name)).rejects.toThrow('nothing else in the vault');
  }
  expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual(['DELETE /vault/tile/0/x001/002.p/17', 'DELETE /vault/tile/entries/000.p/1']);
});

test('a listing goes through all its pages', async () => {
  const { inbox, vault } = world();
  for (const name of ['delivery/a', 'delivery/b', 'delivery/c', 'delivery/d', 'delivery/e', 'content/f']) await inbox.put(name, bytes(name));
  const names: string[] = [];
  for await (const { name, bytes: size, at } of inbox.list('delivery/')) names.push(`${name} ${size} ${at.getUTCFullYear()}`);
  expect(names).toEqual(['a', 'b', 'c', 'd', 'e'].map((letter) => `delivery/${letter} 10 2026`));
  const again: string[] = [];
  for await (const name of vault.list('content/')) again.push(name);
  expect(again).toEqual(['content/f']);
});
