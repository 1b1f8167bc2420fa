/**
 * What surrounds the webhook. The caller gets an answer to everything: what was done, or a problem whose status decides whether it sends the delivery again.
 */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { ReceiveOutcome, Refusal } from '../../operations/receive-delivery';
import { handshakeIn, type Handshake } from '../handshake';
import { headerOf, isFor, methodOf, rawBodyOf, type HttpEvent } from '../http-event';
import { log } from '../log';
import { containerMeter } from '../metrics';
import { jsonAnswer, problem, problemOf, textAnswer, type HttpAnswer, type ProblemCode } from '../problem';
import { traced } from '../trace';
import { GIVE_UP_EARLY, metered, type Failing } from './surroundings';

export interface Webhook {
  /** GET: the challenge to answer with, bare. */
  readonly handshake: (handshake: Handshake) => Promise<string | 'refused'>;
  /** POST: takes one delivery. */
  readonly deliver: (delivery: { readonly rawBody: Buffer; readonly signature?: string | undefined }) => Promise<ReceiveOutcome>;
}

const REFUSALS: Readonly<Record<Refusal, ProblemCode>> = {
  missing: 'signature-missing',
  malformed: 'signature-malformed',
  mismatch: 'signature-mismatch',
  'no-secret': 'secret-missing',
};

/** The HTTP API's caller gets an answer to everything: what was done, or a problem. */
export function webhook({ handshake, deliver }: Webhook) {
  const post = async (event: HttpEvent, requestId: string): Promise<HttpAnswer> => {
    const outcome = await deliver({ rawBody: rawBodyOf(event), signature: headerOf(event, 'x-hub-signature-256') });
    if (outcome.outcome === 'refused') {
      log.warn('delivery refused', { requestId, reason: outcome.reason });
      return problem(REFUSALS[outcome.reason], requestId);
    }
    const { outcome: _accepted, ...counts } = outcome;
    log.info('delivery accepted', { requestId, ...counts });
    return jsonAnswer(counts);
  };
  const get = async (event: HttpEvent, requestId: string): Promise<HttpAnswer> => {
    const challenge = await handshake(handshakeIn(event.rawQueryString ?? ''));
    log.info('handshake', { requestId, outcome: challenge === 'refused' ? 'refused' : 'answered' });
    return challenge === 'refused' ? problem('handshake-refused', requestId) : textAnswer(challenge);
  };
  const answer = (event: HttpEvent, { awsRequestId }: Context): Promise<HttpAnswer> | HttpAnswer => {
    if (!isFor(event, '/webhook')) return problem('no-such-resource', awsRequestId);
    const method = methodOf(event);
    if (method === 'POST') return traced('deliver', () => post(event, awsRequestId));
    return method === 'GET' ? get(event, awsRequestId) : problem('method-not-allowed', awsRequestId);
  };
  const answering = {
    onError: (request: Failing): HttpAnswer => {
      const code = problemOf(request.error);
      log.error('request failed', request.error, { requestId: request.context.awsRequestId, problem: code });
      containerMeter().flush();
      return problem(code, request.context.awsRequestId);
    },
  };
  return middy<HttpEvent, HttpAnswer>(async (event: HttpEvent, context: Context) => answer(event, context), GIVE_UP_EARLY).use([{ after: metered.after }, answering]);
}
