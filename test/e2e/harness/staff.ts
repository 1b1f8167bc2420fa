/** The seeded operators at the deployed API, and a sending system: what the tests of staff begin with. */
import { DescribeUserPoolClientCommand } from '@aws-sdk/client-cognito-identity-provider';
import { asking, seededOperator, signedInAs, type Ask } from '../../../local/staff-request';
import { staffFile, stateDirectory } from '../../../local/state-directory';
import { cognitoClient } from '../../../src/adapters/operator/staff-pool';
import type { Role } from '../../../src/core/staff/actor';
import { outputs } from './cloud';
import { recordsUnder } from './published-log';
import type { Item } from './tables';
import { waitFor } from './wait-for';

export type { Ask, StaffAnswer } from '../../../local/staff-request';

export interface Operator {
  readonly ask: Ask;
  /** As the access log has it. */
  readonly id: string;
}

/** Signs in as the seeded operator of a role. */
export async function operatorOf(role: Role): Promise<Operator> {
  const ask = await signedInAs(outputs, seededOperator(staffFile(stateDirectory()), role));
  return { ask, id: String((await ask('GET /v1/me')).json['operatorId']) };
}

/** A token of the sending system, got as its documentation says: client and secret against a token with one scope. */
export async function senderToken(scope = 'intact/outbound'): Promise<{ readonly status: number; readonly token: string }> {
  const cognito = cognitoClient();
  try {
    const { UserPoolClient } = await cognito.send(new DescribeUserPoolClientCommand({ UserPoolId: outputs.UserPoolId, ClientId: outputs.SenderClientId }));
    const basic = Buffer.from(`${outputs.SenderClientId}:${UserPoolClient?.ClientSecret ?? ''}`).toString('base64');
    const response = await fetch(outputs.TokenUrl, { method: 'POST', headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ grant_type: 'client_credentials', scope }).toString() });
    const { access_token: token = '' } = (await response.json()) as { access_token?: string };
    return { status: response.status, token };
  } finally {
    cognito.destroy();
  }
}

export async function sendingSystem(): Promise<Ask> {
  const { status, token } = await senderToken();
  if (status !== 200) throw new Error(`the user pool answered ${status} to the sending system`);
  return asking(outputs.ApiUrl, token);
}

/** The record of the one message under a business number. */
export async function messageUnder(phoneNumberId: string): Promise<Item> {
  return waitFor(`a message under ${phoneNumberId}`, async () => (await recordsUnder(phoneNumberId)).find(({ kind }) => kind?.S === 'message'), { withinMs: 15_000 });
}

export const etag = (rev: number): Readonly<Record<string, string>> => ({ 'if-match': `"${rev}"` });
