/**
 * What both buckets' adapters share: one client per container, create-only puts that compare instead of overwriting, verified reads. Single
 * PutObjects only: multipart uploads and copies cannot carry the condition that makes a put create-only.
 */
import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type GetObjectCommandOutput,
  type PutObjectCommandInput,
  type PutObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { PortError } from '../../ports';
import { asking, errorNamed, retried } from './port-errors';
import { sdkSettings, type ClientOverrides } from './sdk-settings';

let shared: S3Client | undefined;

/** The container's one S3 client, made when first asked for. */
export function s3(): S3Client {
  return (shared ??= s3Client());
}

/** A client of its own, for tests and tools. `anyRegion`: for a bucket that is named from outside and may lie in another region, such as a vault's replica; S3 says in which. */
export function s3Client(overrides: ClientOverrides = {}, { anyRegion = false }: { readonly anyRegion?: boolean } = {}): S3Client {
  // Path style: a bucket name with a dot breaks TLS otherwise, and an endpoint that is an address has no subdomains.
  // No "Expect: 100-continue": our puts are a few MB, and waiting for it costs a connection of its own each time.
  return new S3Client({ ...sdkSettings(overrides), forcePathStyle: true, expectContinueHeader: false, followRegionRedirects: anyRegion } as ConstructorParameters<typeof S3Client>[0] & object);
}

interface Read {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** The object's bytes, checked against the checksum S3 keeps of them, or 'absent'. */
export async function read(client: S3Client, bucket: string, name: string, maxBytes = Number.POSITIVE_INFINITY): Promise<Read | 'absent'> {
  const there = await readUpTo(client, bucket, name, maxBytes);
  if (typeof there === 'object' && 'larger' in there) throw new PortError('corrupt', `${name} has ${there.larger} bytes, more than any object of ours`);
  return there;
}

/** `larger`: how many bytes it has, where these are more than `maxBytes`: then it is not read into memory, because an object nobody of ours put may have any size. */
async function readUpTo(client: S3Client, bucket: string, name: string, maxBytes: number): Promise<Read | 'absent' | { readonly larger: number }> {
  return asking(`read ${name}`, async () => {
    let reply: GetObjectCommandOutput;
    try {
      reply = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name, ChecksumMode: 'ENABLED' }));
    } catch (error) {
      if (errorNamed(error, ['NoSuchKey'])) return 'absent';
      // Ours are never archived: somebody put this one, or a lifecycle rule that is not ours moved it.
      if (errorNamed(error, ['InvalidObjectState'])) throw new PortError('corrupt', `${name} is archived and cannot be read`, { cause: error });
      throw error;
    }
    const length = reply.ContentLength ?? 0;
    if (length > maxBytes) {
      letGo(reply.Body);
      return { larger: length };
    }
    // The SDK compares the checksum while the body streams by, and fails the stream.
    const bytes = Buffer.from((await reply.Body?.transformToByteArray()) ?? []);
    return { bytes, etag: reply.ETag ?? '' };
  });
}

/** A body nobody reads to its end holds its connection. */
export function letGo(body: GetObjectCommandOutput['Body']): void {
  (body as { readonly destroy?: () => void } | undefined)?.destroy?.();
}

/** How a put names its condition, so that no put goes without one. */
export type PutCondition = { readonly IfNoneMatch: '*' } | { readonly IfMatch: string };
export const onlyIfAbsent = { IfNoneMatch: '*' } as const;
export const onlyIfEtag = (etag: string) => ({ IfMatch: etag });

/** What else a put may carry: its lock, its tag. */
export type PutExtras = Pick<PutObjectCommandInput, 'ObjectLockMode' | 'ObjectLockRetainUntilDate' | 'Tagging'>;

/** One conditional put. 'refused': the condition did not hold (412, or 404 where an etag was to match). S3's 409, two puts at once, is tried again. */
export function putIf(client: S3Client, bucket: string, name: string, bytes: Uint8Array, condition: PutCondition, extras: PutExtras = {}): Promise<'put' | 'refused'> {
  const input: PutObjectCommandInput = {
    Bucket: bucket,
    Key: name,
    Body: bytes,
    ContentType: 'application/octet-stream',
    // Given, not left to the SDK: S3 refuses the put when the bytes that arrive are not these, and keeps the sum for every later read.
    ChecksumSHA256: createHash('sha256').update(bytes).digest('base64'),
    ...condition,
    ...extras,
  };
  return asking(`put ${name}`, async () => {
    try {
      await retried<PutObjectCommandOutput>(
        () => client.send(new PutObjectCommand(input)),
        (error) => errorNamed(error, ['ConditionalRequestConflict', 'OperationAborted'], 409),
      );
      return 'put';
    } catch (error) {
      if (errorNamed(error, ['PreconditionFailed'], 412)) return 'refused';
      if ('IfMatch' in condition && errorNamed(error, ['NoSuchKey'])) return 'refused';
      throw error;
    }
  });
}

/**
 * Puts `bytes` under `name` if nothing is there. Something is there: the same bytes are success ('exists'; also our own put whose reply was lost),
 * other bytes throw `different-bytes`.
 */
export async function createOnly(client: S3Client, bucket: string, name: string, bytes: Uint8Array, extras: PutExtras = {}): Promise<'created' | 'exists'> {
  if ((await putIf(client, bucket, name, bytes, onlyIfAbsent, extras)) === 'put') return 'created';
  const there = await readUpTo(client, bucket, name, bytes.length);
  // Refused for an object that is gone a moment later: deleted in between. Nothing of ours is written, so the caller may simply begin again.
  if (there === 'absent') throw new PortError('unavailable', `${name} was there when it was to be put and absent when it was read back; trying again converges`);
  if ('bytes' in there && there.bytes.equals(bytes)) return 'exists';
  throw new PortError('different-bytes', `${name} exists with other bytes (${'bytes' in there ? there.bytes.length : there.larger}, not ${bytes.length}, or of another hash): somebody wrote it past this program; see docs/runbook`);
}

export interface Listed {
  readonly name: string;
  readonly at: Date;
  readonly bytes: number;
}

/** Current objects under `prefix`, in name order. */
export async function* listed(client: S3Client, bucket: string, prefix: string, { after }: { readonly after?: string } = {}): AsyncGenerator<Listed> {
  let token: string | undefined;
  do {
    const page = await asking(`list ${prefix}`, () =>
      client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(after !== undefined && { StartAfter: after }), ...(token !== undefined && { ContinuationToken: token }) })),
    );
    for (const { Key, LastModified, Size } of page.Contents ?? []) {
      if (Key === undefined || LastModified === undefined || Size === undefined) throw new PortError('corrupt', `the listing of ${prefix} names an object without name, time or size`);
      yield { name: Key, at: LastModified, bytes: Size };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}
