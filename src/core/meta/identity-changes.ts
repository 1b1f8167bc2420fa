/**
 * Meta's word that one person now goes by another number or BSUID: system messages and `user_id_update`. Acting on it moves a customer's names, so
 * old and new are taken from where Meta states them, and it is said when the old one had to be read from the sentence.
 */
import { isBsuid } from './customers';
import { isObject, stringIn, type Json } from './json-members';

export interface IdentityChange {
  /** `user_changed_number`, `user_changed_user_id`, `customer_identity_changed`, `user_id_update`, or what Meta says next. */
  readonly type: string;
  readonly oldWaId?: string;
  readonly newWaId?: string;
  readonly oldBsuid?: string;
  readonly newBsuid?: string;
  readonly newParentBsuid?: string;
  /** `sentence`: read from the body's end, because there was no member for it. */
  readonly oldBsuidFrom?: 'member' | 'sentence';
}
type Draft = { -readonly [K in keyof IdentityChange]: IdentityChange[K] };

// Anchored at the end: the profile name before it is chosen by the user, who could write "changed from A to B" into it.
const SENTENCE = / changed from (\S+) to (\S+)$/;

/** The change a message of type `system` reports; undefined for other messages. */
export function changeInMessage(message: Json): IdentityChange | undefined {
  const system = message['system'];
  if (message['type'] !== 'system' || !isObject(system)) return undefined;
  const change: Draft = { type: stringIn(system, 'type') ?? 'unknown' };
  const from = stringIn(message, 'from') ?? stringIn(system, 'customer');
  const to = stringIn(system, 'wa_id') ?? stringIn(system, 'new_wa_id');
  if (from !== undefined && !isBsuid(from)) change.oldWaId = from;
  if (to !== undefined && !isBsuid(to)) change.newWaId = to;
  const newBsuid = stringIn(system, 'user_id') ?? (to !== undefined && isBsuid(to) ? to : undefined);
  const newParent = stringIn(system, 'parent_user_id');
  if (newBsuid !== undefined) change.newBsuid = newBsuid;
  if (newParent !== undefined) change.newParentBsuid = newParent;
  const sender = stringIn(message, 'from_user_id') ?? (from !== undefined && isBsuid(from) ? from : undefined);
  const stated = stringIn(system, 'previous_user_id') ?? (sender !== newBsuid ? sender : undefined);
  if (stated !== undefined) return { ...change, oldBsuid: stated, oldBsuidFrom: 'member' };
  const [, before, after] = SENTENCE.exec(stringIn(system, 'body') ?? '') ?? [];
  if (before !== undefined && after === newBsuid && isBsuid(before)) return { ...change, oldBsuid: before, oldBsuidFrom: 'sentence' };
  return change;
}

/** The change an item of `user_id_update` reports; undefined where it names no ids. */
export function changeInUserIdUpdate(item: Json): IdentityChange | undefined {
  const ids = isObject(item['user_id']) ? item['user_id'] : undefined;
  const parents = isObject(item['parent_user_id']) ? item['parent_user_id'] : undefined;
  const oldBsuid = stringIn(ids, 'previous');
  const newBsuid = stringIn(ids, 'current');
  const newParent = stringIn(parents, 'current');
  const waId = stringIn(item, 'wa_id');
  if (oldBsuid === undefined && newBsuid === undefined) return undefined;
  const change: Draft = { type: 'user_id_update' };
  if (oldBsuid !== undefined) {
    change.oldBsuid = oldBsuid;
    change.oldBsuidFrom = 'member';
  }
  if (newBsuid !== undefined) change.newBsuid = newBsuid;
  if (newParent !== undefined) change.newParentBsuid = newParent;
  if (waId !== undefined && !isBsuid(waId)) change.newWaId = waId;
  return change;
}
