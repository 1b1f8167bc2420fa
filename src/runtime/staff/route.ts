/**
 * What a route of staff is: what it takes, in zod schemas that also make docs/openapi.json, which operation it asks, and what its answer looks like. Levels are functions of their own, each with the
 * rights its routes need and no more.
 */
import type { z } from 'zod';
import type { Action } from '../../core/staff/actions';
import type { Actor } from '../../core/staff/actor';
import type { StaffResult } from '../../core/staff/refusal';
import type { StaffOperations } from './operations';

/** As lib/constructs/staff-api.ts deploys them, without `api-`. */
export const LEVELS = ['self', 'read', 'write', 'admin', 'audit', 'messages', 'outbound', 'officer'] as const;
export type Level = (typeof LEVELS)[number];

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type RouteKey = `${Method} /${string}`;

/** What was asked, checked. */
export interface Asked<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** The revision in If-Match; 0 on a route that takes none. */
  readonly ifRev: number;
  /** The very bytes of a member of the body, for what is kept as it was sent. */
  readonly bytesOf: (member: string) => Buffer;
  /** A ULID for what the request makes: the same for every attempt under one Idempotency-Key. */
  readonly id: string;
}

/** How a value is shown. `rev`: of what `body` is the state of, sent as ETag. */
export interface Shown {
  readonly body: unknown;
  readonly rev?: number;
  readonly location?: string;
}

export interface Route {
  readonly key: RouteKey;
  readonly level: Level;
  readonly action: Action;
  /** The operation's name; in the OpenAPI document the operationId. */
  readonly operation: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Whether If-Match has to be there: the change is made to what the caller has seen. */
  readonly ifMatch: boolean;
  /** Whether Idempotency-Key is heeded. The answer of such a route holds no personal data, for it is remembered. */
  readonly idempotent: boolean;
  /** Whether it can be refused as things stand, though it changes nothing. */
  readonly mayConflict: boolean;
  readonly status: 200 | 201;
  readonly answer: z.ZodType;
  readonly example: unknown;
  /** Headers of the answer. */
  readonly bears: readonly ('ETag' | 'Location')[];
  ask(operations: Partial<StaffOperations>, actor: Actor, asked: Asked<never, never, never>): Promise<StaffResult<Shown>>;
}

interface RouteOf<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject, N extends keyof StaffOperations> {
  readonly key: RouteKey;
  readonly level: Level;
  readonly action: Action;
  readonly operation: N;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly ifMatch?: boolean;
  readonly idempotent?: boolean;
  readonly mayConflict?: boolean;
  readonly status?: 200 | 201;
  readonly answer: z.ZodType;
  readonly example: unknown;
  readonly bears?: readonly ('ETag' | 'Location')[];
  input(asked: Asked<z.output<P>, z.output<Q>, z.output<B>>): Parameters<StaffOperations[N]>[1];
  show(value: ValueOf<N>): Shown;
}
type ValueOf<N extends keyof StaffOperations> = Extract<Awaited<ReturnType<StaffOperations[N]>>, { outcome: 'done' }>['value'];

/** `nothing`: the schema of a place where nothing may stand. */
export const routeMaker = (nothing: z.ZodObject) =>
  function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject, N extends keyof StaffOperations>(of: RouteOf<P, Q, B, N>): Route {
    const { input, show, params = nothing, query = nothing, ifMatch = false, idempotent = false, mayConflict = false, status = 200, bears = [], ...rest } = of;
    return {
      ...rest,
      params,
      query,
      ifMatch,
      idempotent,
      mayConflict,
      status,
      bears,
      async ask(operations, actor, asked) {
        const operation = operations[of.operation] as ((actor: Actor, input: unknown) => Promise<StaffResult<ValueOf<N>>>) | undefined;
        if (operation === undefined) throw new Error(`the function of ${of.key} was not given ${of.operation}`);
        const result = await operation(actor, input(asked));
        return result.outcome === 'refused' ? result : { outcome: 'done', value: show(result.value) };
      },
    };
  };
