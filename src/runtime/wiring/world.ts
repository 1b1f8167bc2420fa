/** What every wiring shares: time, randomness, waiting, and the wrapped secrets' two ports. */
import { randomBytes } from 'node:crypto';
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { keyTable } from '../../adapters/aws/key-table';
import { kms, kmsKeyService } from '../../adapters/aws/kms';
import type { Clock, KeyService, KeyTable, Random, Sleep } from '../../ports';
import { region, setting } from '../settings';

export const now: Clock = () => new Date();
export const random: Random = (n) => randomBytes(n);
export const sleep: Sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The keys table, and the KMS key that wraps what lies in it. What of it a function can have is decided by its role. */
export const keyPorts = (): { readonly keys: KeyTable; readonly keyService: KeyService } => ({
  keys: keyTable(dynamoDb(), setting('KEYS_TABLE')),
  keyService: kmsKeyService(kms(), setting('WRAPPING_KEY_ARN'), region()),
});
