/**
 * Meta's subscription handshake: a GET that asks whether this webhook is ours, once, when somebody sets it up. The answer is the challenge and nothing
 * else; whoever does not know the verify token learns nothing.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Meter } from '../ports';
import type { AppSecret, AppSecrets } from '../ports/app-secrets';

export interface Handshake {
  readonly mode: string | null;
  readonly verifyToken: string | null;
  readonly challenge: string | null;
}

/** `hub.mode`, `hub.verify_token`, `hub.challenge` of a raw query string. */
export function handshakeIn(rawQuery: string): Handshake {
  const query = new URLSearchParams(rawQuery);
  return { mode: query.get('hub.mode'), verifyToken: query.get('hub.verify_token'), challenge: query.get('hub.challenge') };
}

/** Meta sends a number; anything longer or stranger is not echoed. */
const CHALLENGE = /^[\w.~-]{1,200}$/;

/** The challenge to answer with, or 'refused'. Throws `PortError` when the secret could not be read. */
export async function answerHandshake({ secrets, meter }: { readonly secrets: AppSecrets; readonly meter: Meter }, handshake: Handshake): Promise<string | 'refused'> {
  const { mode, verifyToken, challenge } = handshake;
  if (mode !== 'subscribe' || verifyToken === null || challenge === null || !CHALLENGE.test(challenge)) return 'refused';
  // Somebody may have set the token a moment ago: look again before refusing, as often as the port allows.
  if (knows(await secrets.current(), verifyToken) || knows(await secrets.refresh(), verifyToken)) return challenge;
  if ((await secrets.current()).verifyToken === '') meter.count('SecretMissing');
  return 'refused';
}

/** Hashed first, so that neither the time taken nor the length of the token tells anything. */
function knows(secret: AppSecret, token: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return secret.verifyToken !== '' && timingSafeEqual(hash(secret.verifyToken), hash(token));
}
