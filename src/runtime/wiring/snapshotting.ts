/** The world as take-snapshot sees it: the log to read, and a vault in which it may put snapshots, locked for as long as snapshots are. */
import { s3 } from '../../adapters/aws/s3';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import type { SnapshotDeps } from '../../operations/take-snapshot';
import { retentionDays, setting } from '../settings';
import { tableAndLog } from './repairing';
import { writtenVault } from './sealing';

/** For take-snapshot. */
export function snapshotDeps(): SnapshotDeps {
  const reader = s3VaultReader(s3(), setting('VAULT_BUCKET'));
  const { createLocked } = writtenVault();
  return { ...tableAndLog(), vault: { ...reader, createLocked }, retentionDays: retentionDays() };
}
