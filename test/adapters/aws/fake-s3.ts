/** One bucket of S3, as far as our adapters speak to it: conditional puts, checksums, tags, listing. Told apart from the real one by the e2e contracts. */
import { createHash } from 'node:crypto';
import { connectionReset, xmlError, type Reply, type Sent } from './fake-http';

export interface StoredObject {
  bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

export function fakeS3(): { readonly objects: Map<string, StoredObject>; readonly fail: Map<string, ('lost-reply' | Reply)[]>; serve(sent: Sent): Reply } {
  const objects = new Map<string, StoredObject>();
  /** Method → what happens to its next requests instead. */
  const fail = new Map<string, ('lost-reply' | Reply)[]>();

  function answer({ method, path, query, headers, body }: Sent): Reply {
    const name = path.split('/').slice(2).join('/');
    const there = objects.get(name);
    if (method === 'PUT') {
      if (headers['if-none-match'] === '*' && there !== undefined) return xmlError(412, 'PreconditionFailed');
      if (headers['if-match'] !== undefined && there === undefined) return xmlError(404, 'NoSuchKey');
      if (headers['if-match'] !== undefined && there !== undefined && headers['if-match'] !== etagOf(there.bytes)) return xmlError(412, 'PreconditionFailed');
      if (headers['x-amz-checksum-sha256'] !== sha256(body)) return xmlError(400, 'BadDigest');
      objects.set(name, { bytes: body, headers });
      return { status: 200, headers: { etag: etagOf(body) } };
    }
    if (method === 'DELETE') {
      objects.delete(name);
      return { status: 204 };
    }
    if (query['list-type'] === '2') {
      const names = [...objects.keys()].filter((key) => key.startsWith(query['prefix'] ?? '') && key > (query['continuation-token'] ?? '')).sort();
      const page = names.slice(0, 2);
      const contents = page.map((key) => `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><Size>${objects.get(key)?.bytes.length}</Size></Contents>`).join('');
      const more = names.length > page.length ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '<IsTruncated>false</IsTruncated>';
      return { status: 200, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?><ListBucketResult>${contents}${more}</ListBucketResult>` };
    }
    if (there === undefined) return xmlError(404, 'NoSuchKey');
    const sum = headers['x-amz-checksum-mode'] === 'ENABLED' ? { 'x-amz-checksum-sha256': there.headers['x-amz-checksum-sha256'] ?? '' } : {};
    return { status: 200, headers: { etag: etagOf(there.bytes), 'content-length': String(there.bytes.length), ...sum }, body: there.bytes };
  }

  return {
    objects,
    fail,
    serve(sent) {
      const failure = fail.get(sent.method)?.shift();
      if (failure === 'lost-reply') {
        answer(sent);
        throw connectionReset();
      }
      return failure ?? answer(sent);
    },
  };
}
