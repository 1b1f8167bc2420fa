/** The routes of who is who: names that customers write under, and customers who are one person. A name is often a phone number, so it never stands in a path, which is logged. */
import { routeMaker, type Route } from './route';
import { customerParams, linkBody, linkedAnswer, mergeBody, mergedAnswer, mergeParams, nothing, SAMPLES, undoBody, unlinkBody, unmergedAnswer } from './schemas';

const route = routeMaker(nothing);
const { CUSTOMER: customerId, NOTE: otherId, MESSAGE: aliasId } = SAMPLES;
const pair = { customerId, rev: 4, other: { customerId: otherId, rev: 2 } };

export const identityRoutes: readonly Route[] = [
  route({
    key: 'POST /v1/customers/{id}/aliases', level: 'write', action: 'LinkAlias', operation: 'linkAlias', tag: 'Identity',
    summary: 'Give a customer a name', description: 'A number or user id that nobody has, or that `from` has: later messages from it are the customer\'s. Within a minute they may still go to the one before.',
    params: customerParams, body: linkBody, idempotent: true, answer: linkedAnswer, example: { customerId, rev: 4, aliasId }, bears: ['ETag'], mayConflict: true,
    input: ({ params: { id: to }, body: { type, value, from, reason }, id }) => ({ customerId: to, alias: { type, value }, reason, id, ...(from !== undefined && { from }) }),
    show: (body) => ({ body, rev: body.rev }),
  }),
  route({
    key: 'POST /v1/customers/{id}/aliases/unlink', level: 'write', action: 'UnlinkAlias', operation: 'unlinkAlias', tag: 'Identity',
    summary: 'Take a name from a customer', description: 'The next message from it alone begins a new customer.',
    params: customerParams, body: unlinkBody, idempotent: true, answer: linkedAnswer, example: { customerId, rev: 4, aliasId }, bears: ['ETag'], mayConflict: true,
    input: ({ params: { id: of }, body: { type, value, reason }, id }) => ({ customerId: of, alias: { type, value }, reason, id }),
    show: (body) => ({ body, rev: body.rev }),
  }),
  route({
    key: 'POST /v1/customers/{id}/merges', level: 'write', action: 'MergeCustomers', operation: 'mergeCustomers', tag: 'Identity',
    summary: 'Merge another customer into this one', description: 'All names of the other lead here from now on; both keep their records, and are read, and erased, together. Undone by …/merges/{other}/undo.',
    params: customerParams, body: mergeBody, idempotent: true, answer: mergedAnswer, example: { ...pair, moved: 2 }, bears: ['ETag'], mayConflict: true,
    input: ({ params: { id: into }, body: { other, reason }, id }) => ({ customerId: into, other, reason, id }),
    show: (body) => ({ body, rev: body.rev }),
  }),
  route({
    key: 'POST /v1/customers/{id}/merges/{other}/undo', level: 'write', action: 'UnmergeCustomers', operation: 'unmergeCustomers', tag: 'Identity',
    summary: 'Undo a merge', description: 'The names go back to whom they belonged, except what changed since, which is named. What was recorded meanwhile stays with this customer.',
    params: mergeParams, body: undoBody, idempotent: true, answer: unmergedAnswer, example: { ...pair, returned: 2, stayed: [] }, bears: ['ETag'], mayConflict: true,
    input: ({ params: { id: from, other }, body: { reason }, id }) => ({ customerId: from, other, reason, id }),
    show: (body) => ({ body, rev: body.rev }),
  }),
];
