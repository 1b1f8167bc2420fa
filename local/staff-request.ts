/** The API of staff as one of the seeded operators uses it: a sign-in with password and code, then requests with the token. For processes that run in the local environment. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cognitoClient, staffPool } from '../src/adapters/operator/staff-pool';
import type { Role } from '../src/core/staff/actor';
import { base32Bytes, totp } from '../src/core/staff/totp';
import { signIn } from '../src/operations/staff/sign-in';
import type { SeededOperator, SeededStaff } from './fillers/staff';
import type { LocalOutputs } from './outputs';

export interface StaffAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body where it is a JSON object, else empty. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface StaffRequest {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request; every answer is an answer. `route`: method and path, `GET /v1/me`. */
export type Ask = (route: string, request?: StaffRequest) => Promise<StaffAnswer>;

/** The seeded operator of a role. `file`: `.intact/staff.json`. */
export function seededOperator(file: string, role: Role): SeededOperator {
  const { staff } = JSON.parse(readFileSync(file, 'utf8')) as SeededStaff;
  const found = staff.find((one) => one.role === role);
  if (found === undefined) throw new Error(`${file} holds no operator of role ${role}`);
  return found;
}

type Pool = Pick<LocalOutputs, 'UserPoolId' | 'UserPoolClientId'>;

/** Signs in; what is resolved sends requests in that operator's name. */
export const signedInAs = async (outputs: Pool & Pick<LocalOutputs, 'ApiUrl'>, operator: Omit<SeededOperator, 'role'>): Promise<Ask> => asking(outputs.ApiUrl, await tokenOf(outputs, operator));

/** Signs in, for the access token. */
export async function tokenOf(outputs: Pool, { userName, password, totpSecret }: Omit<SeededOperator, 'role'>): Promise<string> {
  const cognito = cognitoClient();
  try {
    const unasked = (): Promise<never> => Promise.reject(new Error(`${userName} was asked for what an enrolled operator is not asked`));
    const entry = { pool: staffPool(cognito, outputs.UserPoolClientId), poolId: outputs.UserPoolId, random: randomBytes, now: () => new Date() };
    const code = async (): Promise<string> => totp(base32Bytes(totpSecret), new Date());
    const outcome = await signIn(entry, { userName, password: async () => password, code, newPassword: unasked, enroll: unasked });
    if (outcome.outcome === 'refused') throw new Error(`the sign-in of ${userName} was refused: ${outcome.reason}`);
    return outcome.tokens.accessToken;
  } finally {
    cognito.destroy();
  }
}

/** Requests with a token, or with none. */
export const asking = (apiUrl: string, token?: string): Ask => async (route, { body, headers = {} } = {}) => {
  const [method = '', path = ''] = route.split(' ');
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${apiUrl}${path}`, { method, headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }, ...sent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {} };
};
