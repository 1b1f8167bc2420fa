/**
 * The record of a snapshot: which manifest, and its hash. Who takes snapshots cannot sign, so the log signs for them: the sealer names the manifest in the record's entry, and the next
 * checkpoint commits to it. Nobody without the MAC key can make such a record.
 */
import type { NamedObject } from './entry';
import { stringOf, type Image } from './image';
import { runImage, type RunResult } from './run-records';
import { classifyName } from './verify/vault-name';

/** Its MAC is the caller's to add. */
export function snapshotImage(result: RunResult, { name, sha256 }: NamedObject, systemSubject: string): Image {
  return { ...runImage('snapshot', result, systemSubject), manifest: { S: name }, manifestSha256: { S: sha256 } };
}

/** The manifest that `image` vouches for; undefined where it is no record of a snapshot. */
export function manifestNamedBy(image: Image): NamedObject | undefined {
  if (stringOf(image, 'kind') !== 'snapshot') return undefined;
  const [name = '', sha256 = ''] = [stringOf(image, 'manifest'), stringOf(image, 'manifestSha256')];
  const known = classifyName(name);
  return known.kind === 'snapshot-manifest' && known.sha256 === sha256 ? { name, sha256 } : undefined;
}
