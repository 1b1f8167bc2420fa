/**
 * The operator behind a request, from the claims of the token that API Gateway checked: signature, issuer, client and end are its business, what the claims mean is ours. A route that
 * was put up without the authorizer has no claims, and then nobody is behind the request.
 */
import { roleAmong, type Actor } from '../core/staff/actor';
import type { HttpEvent } from './http-event';
import type { ProblemCode } from './problem';

export interface Operator {
  readonly actor: Actor;
  /** When the password and the code were given, not when the token was last renewed; RFC 3339 UTC. */
  readonly signedInAt: string;
  /** The end of the token. */
  readonly expiresAt: string;
}

/** An ID token says who somebody is to a page; it is not made to be sent here, and lives on after a sign-out. */
const TOKEN_USE = 'access';
/** What is kept of what a caller calls itself. */
const MAX_USER_AGENT = 256;

export function operatorBehind({ requestContext }: HttpEvent, requestId: string): Operator | ProblemCode {
  const claims = requestContext?.authorizer?.jwt?.claims;
  if (claims === undefined) return 'token-missing';
  const { sub, username, token_use, 'cognito:groups': groups } = claims;
  const signedInAt = instantOf(claims['auth_time']);
  const expiresAt = instantOf(claims['exp']);
  if (token_use !== TOKEN_USE || !isText(sub) || !isText(username) || signedInAt === undefined || expiresAt === undefined) return 'token-unfit';
  const role = roleAmong(groupsIn(groups));
  if (role === 'none') return 'no-role';
  if (role === 'several') return 'several-roles';
  const { sourceIp = '', userAgent = '' } = requestContext?.http ?? {};
  return { actor: { operatorId: sub, name: username, role, sourceIp, userAgent: userAgent.slice(0, MAX_USER_AGENT), requestId }, signedInAt, expiresAt };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** HTTP APIs pass a list on as the text `[a b]`, others as a list. */
function groupsIn(claim: unknown): readonly string[] {
  if (Array.isArray(claim)) return claim.filter(isText);
  return isText(claim) ? claim.replace(/^\[(.*)\]$/s, '$1').split(/[\s,]+/).filter(isText) : [];
}

/** Seconds since 1970, as a number or its text. */
function instantOf(claim: unknown): string | undefined {
  const seconds = typeof claim === 'number' || isText(claim) ? Number(claim) : NaN;
  // Beyond this, dates have no text.
  return Number.isFinite(seconds) && seconds > 0 && seconds < 8e12 ? new Date(Math.trunc(seconds) * 1000).toISOString() : undefined;
}
