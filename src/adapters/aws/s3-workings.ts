/** The workings on S3: a bucket of their own, whose objects expire. */
import { createHash } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Workings } from '../../ports/workings';
import { asking } from './port-errors';
import { listed, read } from './s3';

/** What a range of millions of entries comes to is some MB; nothing of ours is larger than a function could hold. */
const MAX_BYTES = 256 * 1024 * 1024;

export function s3Workings(client: S3Client, bucket: string): Workings {
  return {
    async put(name, bytes) {
      const ChecksumSHA256 = createHash('sha256').update(bytes).digest('base64');
      await asking(`put ${name}`, () => client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: bytes, ContentType: 'application/octet-stream', ChecksumSHA256 })));
    },
    async get(name) {
      const there = await read(client, bucket, name, MAX_BYTES);
      return there === 'absent' ? 'absent' : there.bytes;
    },
    async list(prefix) {
      const names: string[] = [];
      for await (const { name } of listed(client, bucket, prefix)) names.push(name);
      return names;
    },
  };
}
