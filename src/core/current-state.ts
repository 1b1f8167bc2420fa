/**
 * What a message is now, computed from the records about it: they arrive in any order, some twice, some never, and a later one never destroys an
 * earlier. The result depends on the set of records only, so two readers who have the same records see the same state.
 */

/** One status of one message. `at`: unix seconds as Meta gave them. `participant`: of a group. */
export interface StatusFact {
  readonly status: string;
  readonly at: number;
  readonly participant?: string;
}
/** An edit, revoke or reaction; `id` is its own message id. */
export interface ActFact {
  readonly kind: 'edit' | 'revoke' | 'reaction';
  readonly id: string;
  readonly at: number;
  /** Who did it: the customer, or 'business'. One person has one reaction per message. */
  readonly by: string;
  /** The new text, or the emoji; absent or empty: none, so a reaction taken back. */
  readonly text?: string;
}

export interface Reached {
  readonly status: string;
  /** When it was first reached. */
  readonly at: number;
}
export interface CurrentState {
  /** How far it got. In a group: as far as every participant heard of has got. Absent while no status is known. */
  readonly status?: Reached;
  /** It failed for somebody, whatever came later: Meta reports both for one message. */
  readonly failedAt?: number;
  readonly deletedAt?: number;
  /** Of a group message. */
  readonly participants?: Readonly<Record<string, Reached>>;
  readonly edited?: { readonly id: string; readonly at: number; readonly text?: string };
  /** Withdrawn by its sender; what was said stays in the records. */
  readonly revoked?: { readonly id: string; readonly at: number };
  readonly reactions: readonly { readonly by: string; readonly emoji: string; readonly at: number }[];
}

/**
 * How far each status is. `failed` is further than `sent` and not as far as `delivered`: a device that has the message is proof that it arrived,
 * whatever another attempt reported. A word we do not know says nothing about progress.
 */
const PROGRESS: Readonly<Record<string, number>> = { sent: 1, failed: 2, delivered: 3, read: 4, played: 5 };
const progressOf = (status: string): number => (Object.hasOwn(PROGRESS, status) ? (PROGRESS[status] ?? 0) : 0);

export function currentState(statuses: readonly StatusFact[], acts: readonly ActFact[]): CurrentState {
  // Old conversations write them in upper case.
  const known = statuses.map((fact) => ({ ...fact, status: fact.status.toLowerCase() }));
  const reached = new Map<string, Reached>();
  for (const { status, at, participant = '' } of known) {
    if (status === 'deleted') continue;
    const before = reached.get(participant);
    if (before === undefined || isFurther({ status, at }, before)) reached.set(participant, { status, at });
  }
  const everyone = [...reached.values()];
  const least = everyone.reduce<Reached | undefined>((least, each) => (least === undefined || isFurther(least, each) ? each : least), undefined);
  const named = [...reached].filter(([participant]) => participant !== '').sort(([a], [b]) => (a < b ? -1 : 1));
  const edited = newest(acts.filter(({ kind }) => kind === 'edit'));
  const revoked = oldest(acts.filter(({ kind }) => kind === 'revoke'));
  const failedAt = earliest(known, 'failed');
  const deletedAt = earliest(known, 'deleted');
  return {
    ...(least === undefined ? {} : { status: least }),
    ...(failedAt === undefined ? {} : { failedAt }),
    ...(deletedAt === undefined ? {} : { deletedAt }),
    ...(named.length === 0 ? {} : { participants: Object.fromEntries(named) }),
    ...(edited === undefined ? {} : { edited: { id: edited.id, at: edited.at, ...(edited.text === undefined ? {} : { text: edited.text }) } }),
    ...(revoked === undefined ? {} : { revoked: { id: revoked.id, at: revoked.at } }),
    reactions: reactionsIn(acts),
  };
}

/** Further, or as far and earlier; the word itself breaks the last tie, so that order never does. */
function isFurther(a: Reached, b: Reached): boolean {
  const [p, q] = [progressOf(a.status), progressOf(b.status)];
  if (p !== q) return p > q;
  return a.at !== b.at ? a.at < b.at : a.status < b.status;
}

const earliest = (facts: readonly StatusFact[], status: string): number | undefined =>
  facts.reduce<number | undefined>((first, fact) => (fact.status !== status || (first !== undefined && first <= fact.at) ? first : fact.at), undefined);

/** Seconds are coarse: of two acts in one second the greater id counts, for want of anything better that is the same for every reader. */
const isLater = (a: ActFact, b: ActFact): boolean => (a.at !== b.at ? a.at > b.at : a.id > b.id);
const newest = (acts: readonly ActFact[]): ActFact | undefined => acts.reduce<ActFact | undefined>((last, act) => (last === undefined || isLater(act, last) ? act : last), undefined);
const oldest = (acts: readonly ActFact[]): ActFact | undefined => acts.reduce<ActFact | undefined>((first, act) => (first === undefined || isLater(first, act) ? act : first), undefined);

function reactionsIn(acts: readonly ActFact[]): CurrentState['reactions'] {
  const last = new Map<string, ActFact>();
  for (const act of acts) {
    const before = last.get(act.by);
    if (act.kind === 'reaction' && (before === undefined || isLater(act, before))) last.set(act.by, act);
  }
  return [...last.values()]
    .flatMap(({ by, text, at }) => (text === undefined || text === '' ? [] : [{ by, emoji: text, at }]))
    .sort((a, b) => (a.at !== b.at ? a.at - b.at : a.by < b.by ? -1 : 1));
}
