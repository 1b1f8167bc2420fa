/** The routes of officers: legal holds and erasures. Asking for an erasure and confirming it are two requests by two people; what follows from them happens by itself. */
import { routeMaker, type Route } from './route';
import { askErasureBody, askedAnswer, confirmedAnswer, customerParams, erasureAnswer, erasureParams, holdAnswer, holdBody, nothing, placedAnswer, releaseBody, releasedAnswer, SAMPLES, withdrawnAnswer } from './schemas';

const route = routeMaker(nothing);
const { CUSTOMER: customerId, OPERATOR: operatorId, TIME: at, ERASURE: requestId, reason } = SAMPLES;

export const officerRoutes: readonly Route[] = [
  route({
    key: 'GET /v1/customers/{id}/hold', level: 'officer', action: 'ReadHold', operation: 'readHold', tag: 'Holds and erasures',
    summary: 'See whether a customer is under a legal hold', description: 'Of an erased customer too.',
    params: customerParams, answer: holdAnswer, example: { held: true, by: operatorId, at, reason },
    input: ({ params: { id } }) => ({ customerId: id }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'PUT /v1/customers/{id}/hold', level: 'officer', action: 'PlaceHold', operation: 'placeHold', tag: 'Holds and erasures',
    summary: 'Put a customer under a legal hold', description: 'Nothing of theirs is erased while it stands; an erasure under way stops at its next step.',
    params: customerParams, body: holdBody, answer: placedAnswer, example: { held: true, at },
    input: ({ params: { id }, body }) => ({ customerId: id, reason: body.reason }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'DELETE /v1/customers/{id}/hold', level: 'officer', action: 'ReleaseHold', operation: 'releaseHold', tag: 'Holds and erasures',
    summary: 'End a legal hold', description: 'An erasure that waited for it goes on, and is named in the answer. The reason is in the body, so that it stands in no log of addresses.',
    params: customerParams, body: releaseBody, answer: releasedAnswer, example: { held: false, at },
    input: ({ params: { id }, body }) => ({ customerId: id, reason: body.reason }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'POST /v1/customers/{id}/erasure', level: 'officer', action: 'AskErasure', operation: 'askErasure', tag: 'Holds and erasures',
    summary: 'Ask for the erasure of a customer', description: 'With all who are merged with them. Nothing happens before another officer confirms it.',
    params: customerParams, body: askErasureBody, idempotent: true, status: 201, answer: askedAnswer, example: { requestId, state: 'asked' },
    input: ({ params: { id }, body: { reason: why, inputs }, id: made }) => ({ customerId: id, reason: why, id: made, ...(inputs !== undefined && { inputs }) }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/customers/{id}/erasure', level: 'officer', action: 'ReadErasure', operation: 'readErasure', tag: 'Holds and erasures',
    summary: 'See what an erasure takes and why, how far it is, and its certificate', description: 'Of an erased customer too.',
    params: customerParams, answer: erasureAnswer, example: { requestId, state: 'done', customers: [customerId], inputs: [], askedBy: operatorId, askedAt: at, confirmedBy: operatorId, confirmedAt: at, frozenAt: at, recordedAt: at, keyedAt: at, doneAt: at, removed: 12, held: false, recoverableUntil: '2026-03-08' },
    input: ({ params: { id } }) => ({ customerId: id }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'POST /v1/customers/{id}/erasure/{requestId}/confirm', level: 'officer', action: 'ConfirmErasure', operation: 'confirmErasure', tag: 'Holds and erasures',
    summary: 'Confirm an erasure that another officer asked for', description: 'Read it first: who asked, why, and who and what goes. From here on it goes by itself, and cannot be called back; a hold still stops it.',
    params: erasureParams, idempotent: true, mayConflict: true, answer: confirmedAnswer, example: { requestId, state: 'confirmed' },
    input: ({ params: { id, requestId: of } }) => ({ customerId: id, requestId: of }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'DELETE /v1/customers/{id}/erasure/{requestId}', level: 'officer', action: 'AskErasure', operation: 'withdrawErasure', tag: 'Holds and erasures',
    summary: 'Take back what was asked for and is not confirmed yet',
    params: erasureParams, mayConflict: true, answer: withdrawnAnswer, example: { requestId, state: 'withdrawn' },
    input: ({ params: { id, requestId: of } }) => ({ customerId: id, requestId: of }),
    show: (body) => ({ body }),
  }),
];
