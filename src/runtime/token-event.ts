/**
 * What the user pool tells us before it gives tokens (trigger "pre token generation"): who signed in, and with which groups. It does not say from where; the pool's own log of risks and CloudTrail do. Nothing in
 * the event is chosen by the one who signs in but the name, which the pool has checked.
 */
import { roleAmong } from '../core/staff/actor';
import type { AccessActor } from '../core/staff/access-record';

export interface TokenEvent {
  readonly triggerSource?: unknown;
  readonly userName?: unknown;
  readonly callerContext?: { readonly awsSdkVersion?: unknown };
  readonly request?: { readonly userAttributes?: Readonly<Record<string, unknown>>; readonly groupConfiguration?: { readonly groupsToOverride?: unknown } };
}

/** A session that goes on: nobody signed in. */
const RENEWAL = 'TokenGeneration_RefreshTokens';
const TOKENS = 'TokenGeneration_';

/** Who signs in; undefined where a session is renewed. Throws where it is no event that we know: then there are no tokens. The role of who has none, or several, is said as that. */
export function signInOf(event: TokenEvent, requestId: string): AccessActor | undefined {
  const { triggerSource, userName, callerContext, request } = event;
  if (triggerSource === RENEWAL) return undefined;
  const sub = request?.userAttributes?.['sub'];
  const groups = request?.groupConfiguration?.groupsToOverride ?? [];
  if (typeof triggerSource !== 'string' || !triggerSource.startsWith(TOKENS) || !isText(sub) || !isText(userName) || !Array.isArray(groups)) throw new Error('the user pool called with an event of another form than ours');
  const role = roleAmong(groups.filter(isText));
  return { operatorId: sub, name: userName, role, sourceIp: '', userAgent: isText(callerContext?.awsSdkVersion) ? callerContext.awsSdkVersion : '', requestId };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
