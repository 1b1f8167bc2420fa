/**
 * The vault as its writers see it, on S3. Every put carries a condition and every locked put its lock: the bucket has no default retention that could
 * stand in for a forgotten header, and its policy refuses a put there without them.
 */
import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { MAX_NOTE_SIZE } from '../../core/log/signed-note';
import type { Clock, Vault } from '../../ports';
import { asking } from './port-errors';
import { createOnly, listed, onlyIfAbsent, onlyIfEtag, putIf, read, type PutExtras } from './s3';

export interface VaultSettings {
  readonly bucket: string;
  readonly lockMode: 'COMPLIANCE' | 'GOVERNANCE';
  readonly retentionDays: number;
  /** Put on what is not locked; the bucket's lifecycle expires noncurrent versions so tagged. */
  readonly unlockedTag: { readonly key: string; readonly value: string };
}

const DAY_MS = 86_400_000;
/** Above the policy's lower bound by a day, so that no clock and no slow put falls under it; the policy's upper bound is two days above. */
const MARGIN_DAYS = 1;
/** What publish-log may delete: partial tiles and bundles, which a full one has replaced. */
const PARTIAL = /^tile\/.+\.p\/\d{1,3}$/;

export function s3Vault(client: S3Client, settings: VaultSettings, now: Clock): Vault {
  const { bucket, lockMode, retentionDays } = settings;
  const unlocked: PutExtras = { Tagging: new URLSearchParams({ [settings.unlockedTag.key]: settings.unlockedTag.value }).toString() };
  const locked = (): PutExtras => ({
    ObjectLockMode: lockMode,
    ObjectLockRetainUntilDate: new Date(now().getTime() + (retentionDays + MARGIN_DAYS) * DAY_MS),
  });

  return {
    async get(name, maxBytes) {
      const there = await read(client, bucket, name, maxBytes);
      return there === 'absent' ? 'absent' : there.bytes;
    },
    createLocked: (name, bytes) => createOnly(client, bucket, name, bytes, locked()),
    createPartial: (name, bytes) => createOnly(client, bucket, name, bytes, unlocked),
    getMutable: (name) => read(client, bucket, name, MAX_NOTE_SIZE),
    async replaceMutable(name, bytes, ifEtag) {
      const condition = ifEtag === 'absent' ? onlyIfAbsent : onlyIfEtag(ifEtag);
      if ((await putIf(client, bucket, name, bytes, condition, unlocked)) === 'put') return 'replaced';
      // Our own put whose reply was lost, tried again by the SDK, meets what it wrote itself.
      const there = await read(client, bucket, name, MAX_NOTE_SIZE);
      return there !== 'absent' && there.bytes.equals(bytes) ? 'replaced' : 'stale';
    },
    async deletePartial(name) {
      if (!PARTIAL.test(name)) throw new Error(`${name} is no partial tile or bundle; nothing else in the vault is ever deleted`);
      await asking(`delete ${name}`, () => client.send(new DeleteObjectCommand({ Bucket: bucket, Key: name })));
    },
    async *list(prefix, options) {
      for await (const { name } of listed(client, bucket, prefix, options)) yield name;
    },
  };
}
