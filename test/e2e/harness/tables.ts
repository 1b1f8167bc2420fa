/** Reading tables and buckets whole, past every cache and every view: what a test believes is what lies there. */
import { ListObjectVersionsCommand, type ObjectVersion, type S3Client } from '@aws-sdk/client-s3';
import { scanTable, type Item } from '../../../local/table-scan';
import { aws } from './cloud';

export { changesOf, countByKind, type Item } from '../../../local/table-scan';

/** Every item of a table, consistently read. */
export function scan(table: string): Promise<readonly Item[]> {
  return scanTable(aws.dynamodb, table);
}

/** Every version of every object of a bucket; delete markers are left out. */
export async function objectVersions(bucket: string, prefix = '', s3: S3Client = aws.s3): Promise<readonly ObjectVersion[]> {
  const versions: ObjectVersion[] = [];
  let at: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...at }));
    versions.push(...(page.Versions ?? []));
    if (page.IsTruncated !== true) return versions;
    at = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}
