/**
 * One line of the access log: who asked for what, from where, who decided and how it came out. It names customers by their random ids and holds nothing of what was seen, so it
 * outlives the erasure of a person: that somebody looked at them, not what there was.
 */
import { stringOf, integerOf, type Image } from '../image';
import { systemImage } from '../own-records';
import { recordKeys } from '../table-keys';
import { ACTIONS, type Action, type Decision, type ResourceType } from './actions';
import type { Actor } from './actor';
import type { Refusal } from './refusal';

/** Whoever can act: staff in a role, or a sending system, which is of none of them. */
export type AccessActor = Omit<Actor, 'role'> & { readonly role: string };

/** Somebody was let in. No policy decides that: the user pool did. */
export const SIGN_IN = 'SignIn';
/** What a line of the access log can be of. */
export type AccessAction = Action | typeof SIGN_IN;
export const ACCESS_ACTIONS: readonly AccessAction[] = [...(Object.keys(ACTIONS) as Action[]), SIGN_IN];
/** A sign-in is the operator's own. */
export const resourceOf = (action: AccessAction): ResourceType => ACTIONS[action === SIGN_IN ? 'ReadSelf' : action].resource;

export interface AccessEvent {
  /** ISO 8601 UTC, milliseconds. */
  readonly at: string;
  /** 12 characters, random: tells apart what happened in the same millisecond, and a writer that lost the reply knows its own write by it. */
  readonly id: string;
  readonly actor: AccessActor;
  readonly action: AccessAction;
  readonly decision: Decision;
  readonly resourceType: ResourceType;
  readonly customerId?: string;
  /** Of what the customer's: a note, a message (its hash), a version. Never content. */
  readonly resourceId?: string;
  /** `repeated`: what had been answered was answered again, from memory. `limited`: there were too many at once. */
  readonly outcome: 'done' | 'repeated' | 'limited' | Refusal['code'];
  /** How many records were answered with, or changed. */
  readonly count?: number;
  /** Of an answer about several: records that would have been in it, and could not be believed. */
  readonly unreadable?: number;
  /** Of what is about several, the customers: those an answer showed, and those who go with the one whose erasure it is about. */
  readonly shown?: readonly string[];
  /** What was looked for (searched-for.ts). */
  readonly searched?: readonly string[];
}

/** The record of `event`, without its MAC. */
export function accessImage(event: AccessEvent, systemSubject: string): Image {
  const { at, id, actor, action, decision, resourceType, customerId, resourceId, outcome, count, unreadable = 0, shown = [], searched = [] } = event;
  return {
    ...systemImage(recordKeys.access(at, id), 'access', systemSubject, at),
    ...operatorAttributes(actor),
    userAgent: { S: text(actor.userAgent) },
    action: { S: action },
    decision: { S: decision.allowed ? 'allow' : 'deny' },
    policies: listed(decision.policies),
    resourceType: { S: resourceType },
    ...(customerId !== undefined && { customerId: { S: customerId } }),
    ...(resourceId !== undefined && { resourceId: { S: resourceId } }),
    outcome: { S: outcome },
    ...(count !== undefined && { count: { N: String(count) } }),
    ...(unreadable > 0 && { unreadable: { N: String(unreadable) } }),
    ...(shown.length > 0 && { shown: listed(shown) }),
    ...(searched.length > 0 && { searched: listed(searched) }),
  };
}

/** What `image` says; undefined where it is no access record of ours. Whether anybody may believe it, its MAC says: check that first. */
export function accessEventOf(image: Image): AccessEvent | undefined {
  const [at, sk, action, decision, outcome] = ['receivedAt', 'sk', 'action', 'decision', 'outcome'].map((name) => stringOf(image, name));
  const actor = operatorIn(image);
  const [policies, shown, searched] = ['policies', 'shown', 'searched'].map((name) => textsIn(image, name));
  if (stringOf(image, 'kind') !== 'access' || at === undefined || sk?.startsWith(`${at}#`) !== true || action === undefined || !isAction(action)) return undefined;
  if (actor === undefined || (decision !== 'allow' && decision !== 'deny') || outcome === undefined || policies === undefined) return undefined;
  const [customerId, resourceId, count, unreadable] = [stringOf(image, 'customerId'), stringOf(image, 'resourceId'), integerOf(image, 'count'), integerOf(image, 'unreadable')];
  return {
    at,
    id: sk.slice(at.length + 1),
    actor: { ...actor, userAgent: stringOf(image, 'userAgent') ?? '' },
    action,
    decision: { allowed: decision === 'allow', policies },
    resourceType: (stringOf(image, 'resourceType') ?? resourceOf(action)) as ResourceType,
    ...(customerId !== undefined && { customerId }),
    ...(resourceId !== undefined && { resourceId }),
    outcome: outcome as AccessEvent['outcome'],
    ...(count !== undefined && { count }),
    ...(unreadable !== undefined && { unreadable }),
    ...(shown !== undefined && { shown }),
    ...(searched !== undefined && { searched }),
  };
}

const listed = (texts: readonly string[]): Image[string] => ({ L: texts.map((each) => ({ S: each })) });

function textsIn(image: Image, name: string): readonly string[] | undefined {
  const list = image[name];
  return list !== undefined && 'L' in list ? list.L.flatMap((each) => ('S' in each ? [each.S] : [])) : undefined;
}

const isAction = (name: string): name is AccessAction => (ACCESS_ACTIONS as readonly string[]).includes(name);

/** Who did something, as every record has it that an operator caused: the index `byOperator` finds them by it. */
export const operatorAttributes = ({ operatorId, name, role, sourceIp, requestId }: Omit<AccessActor, 'userAgent'>): Image => ({
  operatorId: { S: operatorId },
  operatorName: { S: text(name) },
  operatorRole: { S: role },
  sourceIp: { S: text(sourceIp) },
  requestId: { S: text(requestId) },
});

export function operatorIn(image: Image): Omit<AccessActor, 'userAgent'> | undefined {
  const [operatorId, name, role, sourceIp, requestId] = ['operatorId', 'operatorName', 'operatorRole', 'sourceIp', 'requestId'].map((attribute) => stringOf(image, attribute));
  if (operatorId === undefined || name === undefined || role === undefined || sourceIp === undefined || requestId === undefined) return undefined;
  return { operatorId, name, role, sourceIp, requestId };
}

/** What a caller calls itself is anything at all: bounded, and in the UTF-8 that a table has. */
const MAX_TEXT = 256;
const LONE_SURROGATES = /\p{Surrogate}/gu;
const text = (value: string): string => value.slice(0, MAX_TEXT).replace(LONE_SURROGATES, '\ufffd');
