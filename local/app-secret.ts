/**
 * The app secret of a local cloud: random, made at each start, put where an operator would put Meta's. It stands nowhere else: who signs reads it there.
 */
import { randomBytes } from 'node:crypto';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { AppSecret } from './errands';

/** A fresh secret with the shape interfaces.md fixes: `{appSecrets: [current], verifyToken}`. */
export function newAppSecret(): AppSecret {
  return { appSecrets: [randomBytes(16).toString('hex')], verifyToken: randomBytes(16).toString('hex') };
}

/** Makes `secret` the current version of the secret `arn`. */
export async function setAppSecret(client: SecretsManagerClient, arn: string, secret: AppSecret): Promise<void> {
  await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: JSON.stringify(secret) }));
}
