/** The world as the functions on a schedule see it that watch over the log: the heartbeat and the verification. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { kms, kmsSigner } from '../../adapters/aws/kms';
import { logStore } from '../../adapters/aws/log-store';
import { recordStore } from '../../adapters/aws/record-store';
import { s3 } from '../../adapters/aws/s3';
import { s3VaultReader } from '../../adapters/aws/s3-vault-reader';
import type { BeatDeps } from '../../operations/beat';
import type { WatchInParts } from '../../operations/verify-in-parts';
import { makeWatch } from '../../operations/verify-on-schedule';
import { containerMeter } from '../metrics';
import { lockMode, retentionDays, setting, snapshotRetentionDays } from '../settings';
import { keyPorts, now } from './world';

const shared = () => ({
  records: recordStore(dynamoDb(), setting('RECORDS_TABLE')),
  log: logStore(dynamoDb(), setting('LOG_TABLE')),
  ...keyPorts(),
  now,
});

/** For heartbeat. */
export const beatDeps = (): BeatDeps => shared();

/** For verify-vault, what the container remembers included. */
export function verificationWatch(): WatchInParts {
  const deps = {
    ...shared(),
    signer: kmsSigner(kms(), setting('SIGNING_KEY_ARN')),
    lockPolicy: { mode: lockMode(), retentionDays: retentionDays(), snapshotRetentionDays: snapshotRetentionDays() },
    meter: containerMeter(),
  };
  return { ...makeWatch({ ...deps, vault: s3VaultReader(s3(), setting('VAULT_BUCKET')) }), log: deps.log };
}
