/**
 * Meta's app secret from Secrets Manager, kept for at most a minute. Fails closed: no secret means that nothing is accepted, a secret that cannot
 * be read or understood means that nothing is answered but "later".
 */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PortError, type Clock } from '../../ports';
import type { AppSecret, AppSecrets } from '../../ports/app-secrets';
import { asking, errorNamed } from './port-errors';
import { sdkSettings, type ClientOverrides } from './sdk-settings';

let shared: SecretsManagerClient | undefined;

/** The container's one Secrets Manager client, made when first asked for. */
export function secretsManager(): SecretsManagerClient {
  return (shared ??= secretsManagerClient());
}

/** A client of its own, for tests and tools. */
export function secretsManagerClient(overrides: ClientOverrides = {}): SecretsManagerClient {
  return new SecretsManagerClient(sdkSettings(overrides) as ConstructorParameters<typeof SecretsManagerClient>[0] & object);
}

const MAX_AGE_MS = 60_000;
/** A rotation is noticed this soon; forged traffic costs one read in as long. */
const REFRESH_EVERY_MS = 10_000;
const NOBODY: AppSecret = { appSecrets: [], verifyToken: '' };

export function appSecrets(client: SecretsManagerClient, secretArn: string, now: Clock): AppSecrets {
  let cached: { readonly secret: AppSecret; readonly readAtMs: number } | undefined;
  let reading: Promise<AppSecret> | undefined;

  const readOnce = (): Promise<AppSecret> => {
    // Several deliveries may find the cache stale at once; they share one read. A failed one is not kept.
    reading ??= fetchSecret()
      .then((secret) => {
        cached = { secret, readAtMs: now().getTime() };
        return secret;
      })
      .finally(() => (reading = undefined));
    return reading;
  };
  const youngerThan = (ageMs: number): AppSecret | undefined => (cached !== undefined && now().getTime() - cached.readAtMs < ageMs ? cached.secret : undefined);

  async function fetchSecret(): Promise<AppSecret> {
    const text = await asking('read the app secret', async () => {
      try {
        return (await client.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString ?? '';
      } catch (error) {
        // The secret exists without a value until a person sets one: that is an answer.
        if (errorNamed(error, ['ResourceNotFoundException'])) return '';
        throw error;
      }
    });
    return parseAppSecret(text);
  }

  return {
    async current() {
      return youngerThan(MAX_AGE_MS) ?? readOnce();
    },
    async refresh() {
      return youngerThan(REFRESH_EVERY_MS) ?? readOnce();
    },
  };
}

/** `{"appSecrets":["current","previous"?],"verifyToken":"…"}`; an empty text or member: nobody set it. Throws `corrupt` on anything else. */
export function parseAppSecret(text: string): AppSecret {
  if (text.trim() === '') return NOBODY;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // No cause: a JSON error quotes the text, which is the secret.
    throw malformed('is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('is not an object');
  const { appSecrets = [], verifyToken = '' } = value as { appSecrets?: unknown; verifyToken?: unknown };
  if (!Array.isArray(appSecrets) || !appSecrets.every((secret): secret is string => typeof secret === 'string')) throw malformed('has no list of strings "appSecrets"');
  if (typeof verifyToken !== 'string') throw malformed('has a "verifyToken" that is no string');
  return { appSecrets: appSecrets.filter((secret) => secret !== ''), verifyToken };
}

const malformed = (how: string): PortError =>
  new PortError('corrupt', `the app secret ${how}: store {"appSecrets":["<current>","<previous>"?],"verifyToken":"<token>"} in Secrets Manager`);
