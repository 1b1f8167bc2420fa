/**
 * A vault on S3 as verification reads it, locks and versions included. Whatever keeps an object from being read is said as that: a verifier that took
 * "forbidden" for "absent" would report a theft where there is a missing permission, and one that took it for "fine" the other way round.
 */
import { GetObjectCommand, GetObjectRetentionCommand, ListObjectsV2Command, ListObjectVersionsCommand, type DeleteMarkerEntry, type S3Client } from '@aws-sdk/client-s3';
import { VaultReadError, type ObjectVersion, type VaultReader } from '../../ports/vault-reader';
import type { PortError } from '../../ports';
import { errorNamed, portError } from './port-errors';
import { letGo } from './s3';

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

    get: (name, maxBytes) => bytesOf({ name, maxBytes }),

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
      lock: ({ name, version }) =>
        reading(`read the lock of ${name}`, async () => {
          try {
            const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket: bucket, Key: name, VersionId: version }), abort);
            if (Retention?.Mode === undefined || Retention.RetainUntilDate === undefined) return 'none';
            return { mode: Retention.Mode, retainUntil: Retention.RetainUntilDate };
          } catch (error) {
            if (errorNamed(error, ['NoSuchObjectLockConfiguration'])) return 'none';
            if (errorNamed(error, GONE)) return 'absent';
            throw error;
          }
        }),

      async *versions(prefix = '') {
        let from: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {};
        while (from !== undefined) {
          const markers: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } = from;
          const page = await reading('list the versions', () => client.send(new ListObjectVersionsCommand({ Bucket: bucket, ...(prefix !== '' && { Prefix: prefix }), ...markers }), abort));
          // Two lists, each in name order, of one page of names.
          yield* [...(page.Versions ?? []).map((each) => versionOf('version', each)), ...(page.DeleteMarkers ?? []).map((each) => versionOf('delete-marker', each))].sort(latestFirst);
          from = page.IsTruncated !== true ? undefined : { ...(page.NextKeyMarker !== undefined && { KeyMarker: page.NextKeyMarker }), ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }) };
        }
      },

      get: ({ name, version }, maxBytes) => bytesOf({ name, version, maxBytes }),
    },
  };

  function bytesOf({ name, version, maxBytes = Infinity }: { readonly name: string; readonly version?: string; readonly maxBytes: number | undefined }): Promise<Buffer | 'absent'> {
    const most = Math.min(maxBytes, maxObjectBytes);
    return reading(`read ${name}`, async () => {
      try {
        const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name, ...(version !== undefined && { VersionId: version }) }), abort);
        if (ContentLength !== undefined && ContentLength > most) {
          letGo(Body);
          throw new VaultReadError('too-large', `${name} has ${ContentLength} bytes, more than ${most}`);
        }
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      } catch (error) {
        if (errorNamed(error, version === undefined ? ['NoSuchKey'] : GONE)) return 'absent';
        throw error;
      }
    });
  }
}

const GONE = ['NoSuchKey', 'NoSuchVersion'];

function versionOf(kind: ObjectVersion['kind'], { Key, VersionId, IsLatest, LastModified }: DeleteMarkerEntry): ObjectVersion {
  if (Key === undefined || VersionId === undefined || LastModified === undefined) throw new VaultReadError('unreachable', 'S3 listed a version without name, id or time');
  return { name: Key, version: VersionId, kind, isLatest: IsLatest === true, lastModified: LastModified };
}

/** By name, of one name the latest first; S3 keeps seconds, so the flag decides before the time. */
const latestFirst = (a: ObjectVersion, b: ObjectVersion): number =>
  Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) || Number(b.isLatest) - Number(a.isLatest) || b.lastModified.getTime() - a.lastModified.getTime();

function vaultReadError(what: string, error: unknown, signal: AbortSignal | undefined): VaultReadError {
  if (error instanceof VaultReadError) return error;
  if (signal?.aborted === true) return new VaultReadError('interrupted', `interrupted while about to ${what}`, { cause: error });
  const { code, message }: PortError = portError(what, error);
  return new VaultReadError(code === 'denied' ? 'denied' : 'unreachable', message, { cause: error });
}
