/**
 * A vault on S3 as verification reads it, locks and versions included. Whatever keeps an object from being read is said as that: a verifier that took
 * "forbidden" for "absent" would report a theft where there is a missing permission, and one that took it for "fine" the other way round.
 */
import { GetObjectCommand, GetObjectRetentionCommand, HeadObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { VaultReadError, type ObjectLock, type ObjectVersion, type VaultReader } from '../../ports/vault-reader';
import type { PortError } from '../../ports';
import { errorNamed, portError } from './port-errors';

export interface S3ReaderOptions {
  /** Aborting it ends every call with `interrupted`. */
  readonly signal?: AbortSignal;
  /** Bytes; a segment of 5,000 entries of 64 KB is 313 MiB. */
  readonly maxObjectBytes?: number;
}

const DEFAULT_MAX_OBJECT_BYTES = 512 * 1024 * 1024;

export function s3VaultReader(client: S3Client, bucket: string, { signal, maxObjectBytes = DEFAULT_MAX_OBJECT_BYTES }: S3ReaderOptions = {}): VaultReader {
  const abort = signal === undefined ? {} : { abortSignal: signal };
  const reading = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw vaultReadError(what, error, signal);
    }
  };

  return {
    source: `s3://${bucket}`,

    get: (name) =>
      reading(`read ${name}`, async () => {
        try {
          const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }), abort);
          if (ContentLength !== undefined && ContentLength > maxObjectBytes) throw new VaultReadError('too-large', `${name} has ${ContentLength} bytes, more than ${maxObjectBytes}`);
          return Buffer.from((await Body?.transformToByteArray()) ?? []);
        } catch (error) {
          if (errorNamed(error, ['NoSuchKey'])) return 'absent';
          throw error;
        }
      }),

    async *list(prefix) {
      let token: string | undefined;
      do {
        const from = token;
        const page = await reading(`list ${prefix}`, () =>
          client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(from !== undefined && { ContinuationToken: from }) }), abort),
        );
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },

    locks: {
      lock: (name) =>
        reading(`read the lock of ${name}`, async () => {
          let lastModified: Date | undefined;
          try {
            lastModified = (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name }), abort)).LastModified;
          } catch (error) {
            // A HEAD has no body to name the error in.
            if (errorNamed(error, ['NotFound', 'NoSuchKey'])) return 'absent';
            throw error;
          }
          // Asked for by itself: the HEAD leaves the lock out without a word where the role may not see it.
          const lock = await retentionOf(name);
          if (lock === 'none') return 'none';
          if (lastModified === undefined) throw new VaultReadError('unreachable', `S3 did not say when ${name} was written`);
          return { ...lock, lastModified };
        }),

      async *versions() {
        let from: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {};
        while (from !== undefined) {
          const markers: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } = from;
          const page = await reading('list the versions', () => client.send(new ListObjectVersionsCommand({ Bucket: bucket, ...markers }), abort));
          // Two lists, each in name order, of one page of names.
          const versions: ObjectVersion[] = (page.Versions ?? []).map(({ Key = '', IsLatest = false }) => ({ name: Key, kind: 'version', isLatest: IsLatest }));
          const deletions: ObjectVersion[] = (page.DeleteMarkers ?? []).map(({ Key = '', IsLatest = false }) => ({ name: Key, kind: 'delete-marker', isLatest: IsLatest }));
          yield* [...versions, ...deletions].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
          from = page.IsTruncated !== true ? undefined : { ...(page.NextKeyMarker !== undefined && { KeyMarker: page.NextKeyMarker }), ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }) };
        }
      },
    },
  };

  async function retentionOf(name: string): Promise<Omit<ObjectLock, 'lastModified'> | 'none'> {
    try {
      const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket: bucket, Key: name }), abort);
      if (Retention?.Mode === undefined || Retention.RetainUntilDate === undefined) return 'none';
      return { mode: Retention.Mode, retainUntil: Retention.RetainUntilDate };
    } catch (error) {
      if (errorNamed(error, ['NoSuchObjectLockConfiguration'])) return 'none';
      throw error;
    }
  }
}

function vaultReadError(what: string, error: unknown, signal: AbortSignal | undefined): VaultReadError {
  if (error instanceof VaultReadError) return error;
  if (signal?.aborted === true) return new VaultReadError('interrupted', `interrupted while about to ${what}`, { cause: error });
  const { code, message }: PortError = portError(what, error);
  return new VaultReadError(code === 'denied' ? 'denied' : 'unreachable', message, { cause: error });
}
