/**
 * The operator behind a request, from the claims of the token that API Gateway checked: signature, issuer, client and end are its business, what the claims mean is ours. A route that
 * was put up without the authorizer has no claims, and then nobody is behind the request.
 */
import { OUTBOUND_SCOPE, roleAmong, SYSTEM_ROLE, type ActingRole, type Actor } from '../core/staff/actor';
import type { AccessActor } from '../core/staff/access-record';
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

export function operatorBehind(event: HttpEvent, requestId: string): Operator | ProblemCode {
  const person = personBehind(event, requestId);
  if (typeof person === 'string') return person;
  const { actor, signedInAt, expiresAt } = person;
  const { role } = actor;
  if (role === 'none') return 'no-role';
  if (role === 'several') return 'several-roles';
  return { actor: { ...actor, role }, signedInAt, expiresAt };
}

/** Who is turned away for want of one role, for the access log; `role` says which want. Undefined: nobody whom a token of ours names, or somebody with a role. */
export function roleless(event: HttpEvent, requestId: string): AccessActor | undefined {
  const person = personBehind(event, requestId);
  return typeof person !== 'string' && (person.actor.role === 'none' || person.actor.role === 'several') ? person.actor : undefined;
}

type Person = Omit<Operator, 'actor'> & { readonly actor: Omit<Actor, 'role'> & { readonly role: ActingRole | 'none' | 'several' } };

function personBehind({ requestContext }: HttpEvent, requestId: string): Person | ProblemCode {
  const claims = requestContext?.authorizer?.jwt?.claims;
  if (claims === undefined) return 'token-missing';
  const { sub, username, token_use } = claims;
  const signedInAt = instantOf(claims['auth_time']);
  const expiresAt = instantOf(claims['exp']);
  const name = isMachine(claims) ? sub : username;
  if (token_use !== TOKEN_USE || !isText(sub) || !isText(name) || signedInAt === undefined || expiresAt === undefined) return 'token-unfit';
  const role = roleIn(claims);
  const { sourceIp = '', userAgent = '' } = requestContext?.http ?? {};
  return { actor: { operatorId: sub, name, role, sourceIp, userAgent: userAgent.slice(0, MAX_USER_AGENT), requestId }, signedInAt, expiresAt };
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * A client that signed in for itself: the pool gives such a token no user name and no groups, the client as its subject, and the scope that only a client with a secret can ask for. A token with any trait of
 * a person's is a person's, whatever its scope says.
 */
function isMachine({ sub, username, client_id, scope, 'cognito:groups': groups }: Claims): boolean {
  const scopes = isText(scope) ? scope.split(' ') : [];
  return username === undefined && groups === undefined && isText(sub) && sub === client_id && scopes.includes(`${OUTBOUND_SCOPE.server}/${OUTBOUND_SCOPE.name}`);
}

const roleIn = (claims: Claims): ActingRole | 'none' | 'several' => (isMachine(claims) ? SYSTEM_ROLE : roleAmong(groupsIn(claims['cognito:groups'])));

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** HTTP APIs pass a list on as the text `[a b]`, others as a list. No group has a space in its name; one may have a comma, and is one group all the same. */
function groupsIn(claim: unknown): readonly string[] {
  if (Array.isArray(claim)) return claim.filter(isText);
  return isText(claim) ? claim.replace(/^\[(.*)\]$/s, '$1').split(/\s+/).filter(isText) : [];
}

/** Seconds since 1970, as a number or its text. */
function instantOf(claim: unknown): string | undefined {
  const seconds = typeof claim === 'number' || isText(claim) ? Number(claim) : NaN;
  // Beyond this, dates have no text.
  return Number.isFinite(seconds) && seconds > 0 && seconds < 8e12 ? new Date(Math.trunc(seconds) * 1000).toISOString() : undefined;
}
