/**
 * Every route of staff that asks an operation: the one table that the functions, the OpenAPI document and the tests read. What it says is what is served.
 */
import type { ProfileInput, ProfileChange } from '../../core/staff/profile-rules';
import type { ProfileSettings } from '../../core/staff/profile-settings';
import { identityRoutes } from './identity-routes';
import { messageRoutes } from './message-routes';
import { officerRoutes } from './officer-routes';
import type { StaffOperations } from './operations';
import { routeMaker, type Route } from './route';
import {
  accessAnswer, accessQuery, atAnswer, atQuery, bulkAnswer, bulkBody, changedAnswer, createBody, customerAnswer, customerParams, customersAnswer, diffAnswer, diffQuery, editBody, listQuery, madeAnswer, noteBody, notedAnswer, notesAnswer, nothing, ownerBody,
  pageOf, pageQuery, planAnswer, planBody, rollbackBody, SAMPLES, searchQuery, versionsAnswer,
} from './schemas';

type SearchInput = Parameters<StaffOperations['searchCustomers']>[1];

const route = routeMaker(nothing);
const { CUSTOMER: customerId, OPERATOR: operatorId, TIME, NOTE: noteId } = SAMPLES;
const profile = { name: SAMPLES.name, phone: SAMPLES.phone, tags: [SAMPLES.tags], ownerId: operatorId, custom: {} };
const by = { operatorId, name: 'support', role: 'support' };
const changes = [{ field: '/name', before: "Anne O'Brien", after: SAMPLES.name }];
const changed = { customerId, rev: 3, profile, changes };

/** Members that are not there are not there: an operation tells `{ tag: undefined }` from `{}`. */
const given = <T extends object>(values: T): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
const pathOf = (id: string): string => `/v1/customers/${id}`;

export const staffRoutes = (settings: ProfileSettings): readonly Route[] => [
  route({
    key: 'GET /v1/customers', level: 'read', action: 'ListCustomers', operation: 'listCustomers', tag: 'Customers',
    summary: 'List customers, newest first', description: 'Those the operator may read, all or those with a tag or of an owner.',
    query: listQuery, answer: customersAnswer, example: { items: [{ customerId, rev: 3, profile }] },
    input: ({ query: { tag, owner, ...page } }) => ({ ...pageOf(page), ...given({ tag, ownerId: owner }) }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/customers/search', level: 'read', action: 'SearchCustomers', operation: 'searchCustomers', tag: 'Customers',
    summary: 'Search customers', description: 'By name, number, tag or owner: exactly one of the four.',
    query: searchQuery, answer: customersAnswer, example: { items: [{ customerId, rev: 3, profile }] },
    input: ({ query: { q, phone, tag, owner, ...page } }) => ({ ...pageOf(page), ...given({ q, phone, tag, ownerId: owner }) }) as SearchInput,
    show: (body) => ({ body }),
  }),
  route({
    key: 'POST /v1/customers', level: 'write', action: 'CreateCustomer', operation: 'createCustomer', tag: 'Customers',
    summary: 'Create a customer', description: 'Answers ids only; read the customer under Location.',
    body: createBody(settings), idempotent: true, status: 201, answer: madeAnswer, example: { customerId, rev: 1 }, bears: ['ETag', 'Location'],
    input: ({ body: { profile: input, reason }, id }) => ({ profile: input as ProfileInput, id, ...given({ reason }) }),
    show: ({ customerId: made, rev }) => ({ body: { customerId: made, rev }, rev, location: pathOf(made) }),
  }),
  route({
    key: 'GET /v1/customers/{id}', level: 'read', action: 'ReadCustomer', operation: 'readCustomer', tag: 'Customers',
    summary: 'Read a customer', description: 'The profile and the newest notes, 200 at most; …/notes has all of them.',
    params: customerParams, answer: customerAnswer, example: { customerId, rev: 3, createdAt: TIME, profile, aliases: [{ aliasId: SAMPLES.MESSAGE, type: 'wa-id', value: '4915123456789', since: TIME }], merged: [], maybeSame: [], notes: [{ noteId, at: TIME, by, text: SAMPLES.note }] }, bears: ['ETag'],
    input: ({ params: { id } }) => ({ customerId: id }),
    show: (body) => ({ body, rev: body.rev }),
  }),
  route({
    key: 'PATCH /v1/customers/{id}', level: 'write', action: 'EditCustomer', operation: 'editCustomer', tag: 'Customers',
    summary: 'Edit a profile', description: 'A JSON merge patch (RFC 7396) of the profile: what is not named stays, null removes, `custom` is merged, `tags` are replaced.',
    params: customerParams, body: editBody(settings), ifMatch: true, answer: changedAnswer, example: changed, bears: ['ETag'],
    input: ({ params: { id }, body: { profile: change, reason }, ifRev }) => ({ customerId: id, ifRev, change: change as ProfileChange, ...given({ reason }) }),
    show: (body) => ({ body, rev: body.rev }),
  }),
  route({
    key: 'PUT /v1/customers/{id}/owner', level: 'write', action: 'AssignCustomer', operation: 'assignCustomer', tag: 'Customers',
    summary: 'Assign a customer to a member of staff',
    params: customerParams, body: ownerBody, ifMatch: true, answer: changedAnswer, example: { ...changed, changes: [{ field: '/ownerId', after: operatorId }] }, bears: ['ETag'],
    input: ({ params: { id }, body: { ownerId, reason }, ifRev }) => ({ customerId: id, ifRev, ownerId, ...given({ reason }) }),
    show: (body) => ({ body, rev: body.rev }),
  }),
  route({
    key: 'POST /v1/customers/{id}/notes', level: 'write', action: 'AddNote', operation: 'addNote', tag: 'Customers',
    summary: 'Add a note', description: 'A note is never changed.',
    params: customerParams, body: noteBody, idempotent: true, status: 201, answer: notedAnswer, example: { noteId, at: TIME },
    input: ({ params: { id: customer }, body: { text }, id }) => ({ customerId: customer, text, id }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/customers/{id}/notes', level: 'read', action: 'ReadCustomer', operation: 'listNotes', tag: 'Customers',
    summary: 'List the notes about a customer, newest first', description: 'All of them; a customer is read with the newest alone.',
    params: customerParams, query: pageQuery, answer: notesAnswer, example: { items: [{ noteId, at: TIME, by, text: SAMPLES.note }] },
    input: ({ params: { id }, query }) => ({ customerId: id, ...pageOf(query) }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/customers/{id}/versions', level: 'read', action: 'ReadVersions', operation: 'listVersions', tag: 'Versions',
    summary: 'List the versions of a profile, newest first',
    params: customerParams, query: pageQuery, answer: versionsAnswer, example: { items: [{ rev: 3, at: TIME, action: 'edited', by, sourceIp: '192.0.2.7', requestId: operatorId, reason: SAMPLES.reason, changes, profile }] },
    input: ({ params: { id }, query }) => ({ customerId: id, ...pageOf(query) }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/customers/{id}/at', level: 'read', action: 'ReadVersions', operation: 'customerAt', tag: 'Versions',
    summary: 'Read a profile as it was at a time',
    params: customerParams, query: atQuery, answer: atAnswer, example: { rev: 2, since: TIME, profile },
    input: ({ params: { id }, query: { time } }) => ({ customerId: id, at: time }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/customers/{id}/diff', level: 'read', action: 'ReadVersions', operation: 'compareVersions', tag: 'Versions',
    summary: 'Tell what differs between two versions of a profile', description: 'From the later to the earlier one: what a rollback would do.',
    params: customerParams, query: diffQuery, answer: diffAnswer, example: { from: { rev: 1, at: '2026-01-01T00:00:00.000Z' }, to: { rev: 3, at: TIME }, changes },
    input: ({ params: { id }, query: { from, to } }) => ({ customerId: id, from: Number(from), ...(to !== undefined && { to: Number(to) }) }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'POST /v1/customers/{id}/rollback', level: 'write', action: 'RollbackCustomer', operation: 'rollbackCustomer', tag: 'Versions',
    summary: 'Put a profile back to a former version', description: 'A new version; nothing is overwritten. The owner stays.',
    params: customerParams, body: rollbackBody, ifMatch: true, idempotent: true, answer: madeAnswer, example: { customerId, rev: 4 }, bears: ['ETag'],
    input: ({ params: { id }, body: { toRev, reason }, ifRev }) => ({ customerId: id, ifRev, toRev, reason }),
    show: ({ customerId: changedOne, rev }) => ({ body: { customerId: changedOne, rev }, rev }),
  }),
  route({
    key: 'POST /v1/rollbacks/plan', level: 'admin', action: 'BulkRollback', operation: 'planBulkRollback', tag: 'Versions',
    summary: 'Plan to undo all that one operator changed in some time', description: 'Changes nothing.',
    body: planBody, answer: planAnswer, example: { planId: 'p1', items: [{ customerId, rev: 3, toRev: 2, changes }] },
    input: ({ body: { operatorId: of, from, to, after } }) => ({ operatorId: of, from, to, ...given({ after }) }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'POST /v1/rollbacks', level: 'admin', action: 'BulkRollback', operation: 'bulkRollback', tag: 'Versions',
    summary: 'Undo what was planned', description: 'Each customer by a new version, in a transaction of its own.',
    body: bulkBody, idempotent: true, answer: bulkAnswer, example: { done: [{ customerId, rev: 4 }], stale: [] },
    input: ({ body: { operatorId: of, from, to, planId, reason } }) => ({ operatorId: of, from, to, planId, reason }),
    show: (body) => ({ body }),
  }),
  route({
    key: 'GET /v1/access', level: 'audit', action: 'QueryAccess', operation: 'queryAccess', tag: 'Access',
    summary: 'Read who saw and did what', description: 'Events of some time, narrowed by operator, customer, what was searched for, action, address or decision, as OCSF API Activity.',
    query: accessQuery, answer: accessAnswer, example: { items: [{ class_uid: 6003, time: 1769860800000 }], verified: 1, notGenuine: [] },
    input: ({ query: { operator, customer, searched, action, ip, decision, from, to, ...page } }) => ({ from, to, ...pageOf(page), operatorId: operator, customerId: customer, searched, action, sourceIp: ip, decision }),
    show: (body) => ({ body }),
  }),
  ...identityRoutes,
  ...messageRoutes,
  ...officerRoutes,
];
