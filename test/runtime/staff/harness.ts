/** The routes of staff with operations that answer what they are told to, and remember what they were asked. */
import type { Context } from 'aws-lambda';
import { memoryRequests } from '../../../src/adapters/memory/request-memory';
import { PLAIN_PROFILES, type ProfileSettings } from '../../../src/core/staff/profile-settings';
import { done, type StaffResult } from '../../../src/core/staff/refusal';
import type { RequestMemory } from '../../../src/ports/request-memory';
import type { NotedAccess } from '../../../src/operations/staff/note-access';
import { levelOf, type StaffDeps } from '../../../src/runtime/staff/serve';
import { LEVELS } from '../../../src/runtime/staff/route';
import { staffApi } from '../../../src/runtime/stacks/staff-api';
import { capturedAsync } from '../captured';

process.env['INTACT_STAGE'] = 'test';

export const CUSTOMER = '01JGFJJZ00M9SBEGTTNQ4XQ5GH';
export const settings: ProfileSettings = { ...PLAIN_PROFILES, customFields: { city: { type: 'text', maxLength: 20 }, discount: { type: 'number', min: 0, max: 50 } } };
const profile = { name: 'Anne', tags: [], custom: {} };
const changed = { customerId: CUSTOMER, rev: 4, profile, changes: [] };

type Operation = (actor: { readonly operatorId: string }, input: never) => Promise<StaffResult<unknown>>;
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: { readonly type?: string; readonly errors?: readonly { readonly field: string; readonly rule: string; readonly detail: string }[] } & Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

export interface Request {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes are sent as base64; what is neither bytes nor a text is sent as JSON. */
  readonly body?: unknown;
  readonly operator?: string;
  /** As the token has it. */
  readonly groups?: string;
  readonly base64?: boolean;
}

export interface Staff {
  /** What was written into the access log that no operation saw. */
  readonly noted: NotedAccess[];
  /** Inputs of operations, in the order they were asked. */
  readonly asked: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> }[];
  /** What an operation answers from now on. */
  readonly answers: Record<string, Operation>;
  readonly memory: RequestMemory;
  now: Date;
  call(route: string, request?: Request): Promise<Answer>;
}

export function staff({ memory = memoryRequests(), limit = { ratePerSecond: 1_000, burst: 10_000 }, note = undefined as StaffDeps['note'] | undefined } = {}): Staff {
  const asked: Staff['asked'] = [];
  const noted: NotedAccess[] = [];
  const answers: Record<string, Operation> = {
    listCustomers: async () => done({ items: [{ customerId: CUSTOMER, rev: 3, profile }], cursor: 'next' }),
    searchCustomers: async () => done({ items: [] }),
    readCustomer: async () => done({ customerId: CUSTOMER, rev: 3, createdAt: '2026-01-01T00:00:00.000Z', profile, aliases: [], merged: [], maybeSame: [], notes: [] }),
    listNotes: async () => done({ items: [] }),
    listVersions: async () => done({ items: [] }),
    compareVersions: async () => done({ from: { rev: 1, at: '2026-01-01T00:00:00.000Z' }, to: { rev: 2, at: '2026-01-02T00:00:00.000Z' }, changes: [] }),
    customerAt: async () => done({ rev: 2, since: '2026-01-01T00:00:00.000Z', profile }),
    createCustomer: async (_actor, { id }: { id: string }) => done({ customerId: id, rev: 1, profile }),
    editCustomer: async () => done(changed),
    assignCustomer: async () => done(changed),
    rollbackCustomer: async () => done(changed),
    addNote: async (_actor, { id }: { id: string }) => done({ noteId: id, at: '2026-01-01T00:00:00.000Z' }),
    planBulkRollback: async () => done({ planId: 'p', items: [] }),
    bulkRollback: async () => done({ done: [], stale: [] }),
    queryAccess: async () => done({ items: [], verified: 0, notGenuine: [] }),
    linkAlias: async () => done({ customerId: CUSTOMER, rev: 4, aliasId: 'a'.repeat(43) }),
    unlinkAlias: async () => done({ customerId: CUSTOMER, rev: 4, aliasId: 'a'.repeat(43) }),
    mergeCustomers: async () => done({ customerId: CUSTOMER, rev: 4, other: { customerId: CUSTOMER, rev: 2 }, moved: 2 }),
    unmergeCustomers: async () => done({ customerId: CUSTOMER, rev: 5, other: { customerId: CUSTOMER, rev: 3 }, returned: 1, stayed: [{ aliasId: 'a'.repeat(43), type: 'wa-id', why: 'given-away' }] }),
    readConversation: async () => done({ items: [] }),
    readMessage: async () => done({ messages: [] }),
    proveMessage: async () => done({ file: 'f', origin: 'o', index: 0, size: 1, doubts: [] }),
    recordOutbound: async () => done({ outcome: 'recorded' }),
    readHold: async () => done({ held: false }),
    placeHold: async () => done({ held: true, at: '2026-01-01T00:00:00.000Z' }),
    releaseHold: async () => done({ held: false, at: '2026-01-01T00:00:00.000Z', erasure: CUSTOMER }),
    askErasure: async (_actor, { id }: { id: string }) => done({ requestId: id, state: 'asked' }),
    readErasure: async () => done({ requestId: CUSTOMER, state: 'asked', customers: [CUSTOMER], inputs: [], askedBy: 'o-1', askedAt: '2026-01-01T00:00:00.000Z', removed: 0, held: false }),
    confirmErasure: async () => done({ requestId: CUSTOMER, state: 'confirmed' }),
    withdrawErasure: async () => done({ requestId: CUSTOMER, state: 'withdrawn' }),
  };
  const operations = Object.fromEntries(
    Object.keys(answers).map((operation) => [
      operation,
      async (actor: { readonly operatorId: string }, input: never) => {
        asked.push({ operation, input });
        return answers[operation]!(actor, input);
      },
    ]),
  );
  let ids = 0;
  let requests = 0;
  const self = {
    asked,
    noted,
    answers,
    memory,
    now: new Date('2026-01-01T00:00:00.000Z'),
    async call(routeKey: string, { path, query = '', headers = {}, body, operator = 'anna', groups = '[support]', base64 = false }: Request = {}): Promise<Answer> {
      const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      const event = {
        routeKey,
        rawQueryString: query,
        headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(routeKey.includes('{id}') && { pathParameters: { id: CUSTOMER } }),
        ...(path && { pathParameters: path }),
        ...(text !== undefined && { body: base64 || Buffer.isBuffer(text) ? Buffer.from(text).toString('base64') : text, isBase64Encoded: base64 || Buffer.isBuffer(text) }),
        requestContext: { http: { sourceIp: '192.0.2.7' }, authorizer: { jwt: { claims: { sub: operator, username: operator, token_use: 'access', 'cognito:groups': groups, auth_time: '1', exp: '2' } } } },
      };
      requests += 1;
      const context = { awsRequestId: `00000000-0000-4000-8000-${String(requests).padStart(12, '0')}`, getRemainingTimeInMillis: () => 5_000 } as Context;
      let answer: { statusCode: number; headers: Record<string, string>; body: string } | undefined;
      const lines = await capturedAsync(async () => {
        answer = (await handler(event, context)) as typeof answer;
      });
      if (answer === undefined) throw new Error('every request gets an answer');
      return { status: answer.statusCode, headers: answer.headers, body: answer.body, json: JSON.parse(answer.body) as Answer['json'], lines };
    },
  };
  const deps = { operations, profile: settings, memory, limit, secret: async () => Buffer.alloc(32, 1), note: note ?? (async (access: NotedAccess) => void noted.push(access)), now: () => self.now, newId: () => `01JGFJJZ00M9SBEGTTNQ4X${String((ids += 1)).padStart(4, '0')}` };
  const levels = LEVELS.map((level) => levelOf(level, deps as never));
  const all = Object.assign({}, ...levels.map(({ routes }) => routes)) as (typeof levels)[number]['routes'];
  const handler = staffApi({ routes: all, door: (stranger, key, ...rest) => levels.find(({ routes }) => key in routes)!.door(stranger, key, ...rest) });
  return self;
}

/** `<field> <rule>` of each error. */
export const rules = ({ json }: Answer): readonly string[] => (json.errors ?? []).map(({ field, rule }) => `${field} ${rule}`);
