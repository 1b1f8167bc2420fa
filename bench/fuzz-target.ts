/** The two places the API of staff can be fuzzed at: this process, and the local cloud. */
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeUserPoolClientCommand } from '@aws-sdk/client-cognito-identity-provider';
import { asking, seededOperator, tokenOf, type Ask } from '../local/staff-request';
import type { LocalOutputs } from '../local/outputs';
import { projectRoot, staffFile, stateDirectory } from '../local/state-directory';
import { postDelivery } from '../local/webhook';
import { readStage } from '../lib/stage';
import { cognitoClient } from '../src/adapters/operator/staff-pool';
import { signatureOf } from '../src/core/meta/signature';
import { OUTBOUND_SCOPE, SYSTEM_ROLE, type ActingRole } from '../src/core/staff/actor';
import type { FixtureMakers } from './fuzz-fixture';
import { serveInMemory } from './fuzz-server';

export interface Target extends FixtureMakers {
  readonly what: string;
  readonly url: string;
  readonly caFile?: string;
  token(role: ActingRole): Promise<string>;
  close(): Promise<void>;
}

export async function inMemory(seed: number): Promise<Target> {
  const { url, receive, close } = await serveInMemory(readStage('local', join(projectRoot, 'stages')).profile, seed);
  return { what: 'the API in this process', url, token: async (role) => role, as: async (role) => asking(url, role), receive, close };
}

/** For a process in the environment of the local cloud. */
export function inCloud(outputs: LocalOutputs): Target {
  const url = outputs.ApiUrl.replace(/\/$/, '');
  const token = (role: ActingRole): Promise<string> => (role === SYSTEM_ROLE ? senderToken(outputs) : tokenOf(outputs, seededOperator(staffFile(stateDirectory()), role)));
  return {
    what: `the local cloud at ${outputs.endpoint}`,
    url,
    caFile: outputs.caFile,
    token,
    as: async (role): Promise<Ask> => asking(url, await token(role)),
    async receive(body): Promise<void> {
      const secrets = new SecretsManagerClient();
      const { SecretString = '{}' } = await secrets.send(new GetSecretValueCommand({ SecretId: outputs.AppSecretArn }));
      const [secret = ''] = (JSON.parse(SecretString) as { readonly appSecrets?: readonly string[] }).appSecrets ?? [];
      const { status, text } = await postDelivery(outputs.WebhookUrl, body, signatureOf(body, secret));
      secrets.destroy();
      if (status !== 200) throw new Error(`the webhook answered ${status} ${text}`);
    },
    close: async () => undefined,
  };
}

/** As docs/api.md says: client and secret against a token with one scope. */
async function senderToken(outputs: LocalOutputs): Promise<string> {
  const cognito = cognitoClient();
  const { UserPoolClient } = await cognito.send(new DescribeUserPoolClientCommand({ UserPoolId: outputs.UserPoolId, ClientId: outputs.SenderClientId }));
  cognito.destroy();
  const basic = Buffer.from(`${outputs.SenderClientId}:${UserPoolClient?.ClientSecret ?? ''}`).toString('base64');
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: `${OUTBOUND_SCOPE.server}/${OUTBOUND_SCOPE.name}` }).toString();
  const response = await fetch(outputs.TokenUrl, { method: 'POST', headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' }, body });
  const { access_token: token } = (await response.json()) as { readonly access_token?: string };
  if (token === undefined) throw new Error(`the user pool answered ${response.status} to the sending system`);
  return token;
}
