/** One container of staff in memory: operations bound to a world's stores through a glass that a test may hold, with the real policies. */
import { memoryProcess, type OnCall } from '../../../src/adapters/memory/process';
import type { Authorize, Decision } from '../../../src/core/staff/actions';
import type { Actor } from '../../../src/core/staff/actor';
import type { ProfileSettings } from '../../../src/core/staff/profile-settings';
import { authorize } from '../../../src/operations/staff/authorize';
import type { GuardDeps } from '../../../src/operations/staff/guarded';
import type { RecordStore, ViewStore } from '../../../src/ports';

export const SETTINGS: ProfileSettings = {
  namePunctuation: ".'-",
  customFields: { city: { type: 'text', maxLength: 100 }, visits: { type: 'number', min: 0, max: 1_000_000 } },
};
export const SYSTEM_SUBJECT = 'S'.repeat(22);

/** The policies' own decisions, each taken once: of a customer they depend on the owner and on who asked alone, and thousands of worlds ask the same ones. */
const decisions = new Map<string, Decision>();
export const decide: Authorize = (actor, action, resource) => {
  const question = JSON.stringify([actor.operatorId, actor.role, action, resource.type, ...(resource.type === 'Customer' ? [resource.ownerId ?? '', resource.askedBy ?? ''] : [])]);
  const known = decisions.get(question) ?? authorize(actor, action, resource);
  decisions.set(question, known);
  return known;
};

type Operation = (deps: never, actor: Actor, input: never) => Promise<unknown>;

/** `onCall`: sees, delays, breaks or kills each call of the stores. */
export function staffContainer<O extends Readonly<Record<string, Operation>>>({ records, views, keys, meter, now, random }: Pick<GuardDeps, 'keys' | 'meter' | 'now' | 'random'> & { readonly records: RecordStore; readonly views: ViewStore }, operations: O, onCall?: OnCall) {
  const { ports, calls, settle } = memoryProcess({ records, views }, onCall);
  const deps = { ...ports, keys, meter, now, random, authorize: decide, identity: async () => ({ systemSubject: SYSTEM_SUBJECT }), profile: SETTINGS };
  const bound = Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, (actor: Actor, input: never) => operation(deps as never, actor, input)]));
  return { deps, calls, settle, ...(bound as { readonly [N in keyof O]: (actor: Actor, input: Parameters<O[N]>[2]) => ReturnType<O[N]> }) };
}
