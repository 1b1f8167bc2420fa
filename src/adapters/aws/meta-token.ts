/** The token Meta's history is asked with, from Secrets Manager; read at every run, which is once a day. Who has it may read statuses of messages, never messages. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { PortError } from '../../ports';
import type { HistoryToken } from '../../ports/message-history';
import { asking, errorNamed } from './port-errors';

/** Printable ASCII: it goes into a header. */
const shape = z.looseObject({ token: z.string().regex(/^[\x21-\x7e]{0,4096}$/).default(''), phoneNumberIds: z.array(z.string().regex(/^\d{1,20}$/)).max(1_000).default([]) });

/** 'unset': the secret has no value yet, or an empty token or list. Throws `PortError`; `corrupt` names what is wrong and never what is there. */
export function metaToken(client: SecretsManagerClient, secretArn: string): () => Promise<HistoryToken | 'unset'> {
  return async () => {
    const text = await asking("read the token for Meta's history", async () => {
      try {
        return (await client.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString ?? '';
      } catch (error) {
        // A secret exists without a value until a person sets one: that is an answer.
        if (errorNamed(error, ['ResourceNotFoundException'])) return '';
        throw error;
      }
    });
    return parseHistoryToken(text);
  };
}

/** `{"token": "…", "phoneNumberIds": ["…"]}`. */
export function parseHistoryToken(text: string): HistoryToken | 'unset' {
  if (text.trim() === '') return 'unset';
  const parsed = shape.safeParse(jsonIn(text));
  // No cause: it would quote the secret.
  if (!parsed.success) throw new PortError('corrupt', `the secret for Meta's history is not as it should be: store {"token": "<token>", "phoneNumberIds": ["<digits>", …]} in Secrets Manager`);
  const { token, phoneNumberIds } = parsed.data;
  return token === '' || phoneNumberIds.length === 0 ? 'unset' : { token, phoneNumberIds: [...new Set(phoneNumberIds)] };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
