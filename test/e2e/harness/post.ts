/** Posting to the webhook as Meta does: exactly the bytes given, signed with the app secret, or wrongly on purpose. */
import { randomBytes } from 'node:crypto';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { AppSecret } from '../../../local/errands';
import { answerOf, postDelivery, type WebhookAnswer } from '../../../local/webhook';
import { signatureOf } from '../../../src/core/meta/signature';
import { aws, outputs } from './cloud';

export { type WebhookAnswer } from '../../../local/webhook';
export { signatureOf } from '../../../src/core/meta/signature';

export interface PostOptions {
  /** `current` (default): the app secret; `forged`: a random one; `none`: no signature header; else this very secret. */
  readonly sign?: 'current' | 'forged' | 'none' | { readonly secret: string };
  /** The whole value of the signature header, in place of a computed one. */
  readonly signature?: string;
}

let secret: Promise<AppSecret> | undefined;

/** The app secret of the cloud under test, read where an operator would have put it. */
export function appSecret(): Promise<AppSecret> {
  secret ??= aws.secrets.send(new GetSecretValueCommand({ SecretId: outputs.AppSecretArn })).then(({ SecretString = '' }) => JSON.parse(SecretString) as AppSecret);
  return secret;
}

/** One POST to the webhook; every answer is an answer, only an unreachable webhook throws. */
export async function post(body: string | Uint8Array, options: PostOptions = {}): Promise<WebhookAnswer> {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  return postDelivery(outputs.WebhookUrl, bytes, options.signature ?? (await signatureFor(bytes, options.sign ?? 'current')));
}

/** One GET to the webhook with these query parameters, e.g. the handshake's. */
export async function get(query: Readonly<Record<string, string>>): Promise<WebhookAnswer> {
  return answerOf(await fetch(`${outputs.WebhookUrl}?${new URLSearchParams(query).toString()}`));
}

async function signatureFor(bytes: Uint8Array, sign: NonNullable<PostOptions['sign']>): Promise<string | undefined> {
  if (sign === 'none') return undefined;
  if (sign === 'forged') return signatureOf(bytes, randomBytes(16).toString('hex'));
  if (sign !== 'current') return signatureOf(bytes, sign.secret);
  const [current] = (await appSecret()).appSecrets;
  if (current === undefined) throw new Error('the cloud under test has no app secret');
  return signatureOf(bytes, current);
}
