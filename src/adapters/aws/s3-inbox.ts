/**
 * The erasable bodies on S3, under the bucket's own KMS key: deliveries that wait for their turn and content too big for an item. Never locked.
 */
import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Inbox } from '../../ports';
import { asking } from './port-errors';
import { createOnly, listed, read } from './s3';

/** A delivery comes through a Lambda's 6 MB request; whatever is bigger was put by somebody else. */
const MAX_BYTES = 16 * 1024 * 1024;

export function s3Inbox(client: S3Client, bucket: string): Inbox {
  return {
    // Read back on a name that is taken although the name holds the hash: whoever may put here could have planted other bytes under it.
    put: (name, bytes) => createOnly(client, bucket, name, bytes),
    async get(name) {
      const there = await read(client, bucket, name, MAX_BYTES);
      return there === 'absent' ? 'absent' : there.bytes;
    },
    async remove(name) {
      await asking(`remove ${name}`, () => client.send(new DeleteObjectCommand({ Bucket: bucket, Key: name })));
    },
    list: (prefix) => listed(client, bucket, prefix),
  };
}
