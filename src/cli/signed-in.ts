/** The operator behind a command that calls the API: the session's access token, renewed when it is about to end, and who the API says it belongs to. */
import { z } from 'zod';
import { ROLES } from '../core/staff/actor';
import type { Clock } from '../ports';
import { Failure } from './failure';
import type { StaffAccess, StaffSession } from './staff-access';
import type { Deployment } from './world';

const identity = z.object({ operatorId: z.string(), name: z.string(), role: z.enum(ROLES), signedInAt: z.string(), expiresAt: z.string() });
export type Identity = z.infer<typeof identity>;

const problemShape = z.object({ title: z.string() });
const SIGN_IN = 'sign in with npx intact login';
/** A token that ends on the way is refused for no reason a person would understand. */
const RENEW_BEFORE_MS = 30_000;

/** Throws Failure where the deployment is older than its staff. */
export function staffOf({ staff, target }: Deployment): StaffAccess {
  if (staff === undefined) throw new Failure('not-yet', `stage ${target.stage} has no pool of staff yet`, `deploy it with this version: npx cdk deploy --all -c stage=${target.stage}`);
  return staff;
}

/** An access token that is good for the next request. Throws Failure where nobody is signed in any more. */
export async function accessToken(staff: StaffAccess, now: Clock): Promise<string> {
  const session = await staff.sessions.read();
  if (session === 'absent') throw new Failure('not-permitted', 'nobody is signed in here', SIGN_IN);
  if (Date.parse(session.expiresAt) - now().getTime() > RENEW_BEFORE_MS) return session.accessToken;
  const renewed = await staff.pool.refresh(session.refreshToken);
  if (renewed.step !== 'tokens') {
    await staff.sessions.remove();
    throw new Failure('not-permitted', 'the session has ended', SIGN_IN);
  }
  const { accessToken: fresh, refreshToken = session.refreshToken, expiresInSeconds } = renewed.tokens;
  await staff.sessions.write({ ...session, accessToken: fresh, refreshToken, expiresAt: endOf(now, expiresInSeconds) });
  return fresh;
}

export const endOf = (now: Clock, seconds: number): string => new Date(now().getTime() + 1000 * seconds).toISOString();

/** Who the API says the token belongs to. Throws Failure with the API's own reason. */
export async function whoami(staff: StaffAccess, token: StaffSession['accessToken']): Promise<Identity> {
  const { status, body } = await staff.get('/v1/me', token);
  const json = parsed(body);
  if (status === 200) {
    const known = identity.safeParse(json);
    if (known.success) return known.data;
    throw new Failure('wrong', 'the API answered something that this version does not understand', 'update the repository, or deploy the stage again');
  }
  if (status === 401) throw new Failure('not-permitted', 'the API does not accept the token', SIGN_IN);
  const reason = problemShape.safeParse(json);
  if (status === 403) throw new Failure('not-permitted', reason.success ? reason.data.title : 'the API refuses');
  throw new Failure('unreachable', `the API answered ${status}`, 'run the command again');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
