/**
 * What surrounds every route of staff: who asks is known before anything is done, every answer bears the security headers, every refusal and failure is a problem (RFC 9457), and
 * nothing of what was asked is logged but the route.
 */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { headerOf, type HttpEvent } from '../http-event';
import { log } from '../log';
import { containerMeter } from '../metrics';
import type { AccessActor } from '../../core/staff/access-record';
import { operatorBehind, roleless } from '../operator-claims';
import { jsonAnswer, problem, problemOf, toldIn, type HttpAnswer, type ProblemCode } from '../problem';
import type { StaffRoute } from '../staff/serve';
import { GIVE_UP_EARLY, metered, type Failing } from './surroundings';

export interface StaffApi {
  /** By route key, as the API has it: `GET /v1/me`. */
  readonly routes: Readonly<Record<string, StaffRoute>>;
  /** Answers who has signed in and has no role, or several: says so, and writes it down. Absent where nothing can be written. */
  readonly door?: (stranger: AccessActor, route: string, problem: ProblemCode, customerId?: string) => Promise<HttpAnswer>;
  /** Answered to anybody. */
  readonly open?: Readonly<Record<string, () => unknown>>;
}

/** Answers are data for programs: no browser shall render, frame or keep them. */
const SECURITY_HEADERS = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

/** As it leaves: safe, and in the caller's language. */
function outgoing(event: HttpEvent, answer: HttpAnswer): HttpAnswer {
  const told = toldIn(headerOf(event, 'accept-language'), answer);
  return { ...told, headers: { ...SECURITY_HEADERS, ...told.headers } };
}

export function staffApi({ routes, door, open = {} }: StaffApi) {
  const answer = async (event: HttpEvent, requestId: string): Promise<HttpAnswer> => {
    const route = event.routeKey ?? '';
    const refused = (code: ProblemCode): HttpAnswer => {
      log.warn('staff request refused', { requestId, problem: code });
      return problem(code, requestId);
    };
    const anybody = Object.hasOwn(open, route) ? open[route] : undefined;
    if (anybody !== undefined) {
      log.info('open request', { requestId, route });
      return jsonAnswer(anybody());
    }
    const asked = Object.hasOwn(routes, route) ? routes[route] : undefined;
    if (asked === undefined) return refused('no-such-resource');
    const operator = operatorBehind(event, requestId);
    if (typeof operator === 'string') {
      const [stranger, answered] = [roleless(event, requestId), refused(operator)];
      return stranger === undefined || door === undefined ? answered : door(stranger, route, operator, event.pathParameters?.['id']);
    }
    const told = await asked(operator, event);
    log.info('staff request', { requestId, route, role: operator.actor.role, status: told.statusCode });
    return told;
  };
  const answering = {
    onError: (request: Failing & { readonly event: HttpEvent }): HttpAnswer => {
      const code = problemOf(request.error);
      log.error('staff request failed', request.error, { requestId: request.context.awsRequestId, problem: code });
      containerMeter().flush();
      return outgoing(request.event, problem(code, request.context.awsRequestId));
    },
  };
  return middy<HttpEvent, HttpAnswer>(async (event: HttpEvent, { awsRequestId }: Context) => outgoing(event, await answer(event, awsRequestId)), GIVE_UP_EARLY).use([{ after: metered.after }, answering]);
}
