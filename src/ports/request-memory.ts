/**
 * What the API of staff remembers of requests, for a day at most: which Idempotency-Keys were used and what was answered, and how much each operator asked lately.
 * It holds ids, statuses and MACs, nothing a customer is described by, so an erasure finds nothing here to remove and a lost table loses no fact.
 */
import type { Limit, Taken } from '../core/staff/token-bucket';

/** One request under an Idempotency-Key. */
export interface Claim {
  readonly operatorId: string;
  /** As in the API: `POST /v1/customers`. Keys of two routes, or two operators, never meet. */
  readonly route: string;
  /** What the caller sent as Idempotency-Key. */
  readonly key: string;
  /** MAC over everything that the request asks for. */
  readonly fingerprint: string;
  /** Random, of this attempt alone. */
  readonly attempt: string;
}

/** What a repeat is answered with: no bodies but those made of ids, revisions and times. */
export interface RememberedAnswer {
  readonly status: number;
  readonly location?: string;
  readonly etag?: string;
  /** JSON. */
  readonly body: string;
  /** Of whoever remembers, over the claim and the answer: the place where it is kept is not trusted. */
  readonly mac: string;
}

/**
 * `new`: do it, then `finish` or `release`; `id` names what the request makes and is the same for every attempt under the key, so that an attempt whose first one died after its transaction
 * finds what that made; kept as it was given, and not trusted. `answered`: done before; answer that. `other-parameters`: the key was used for something else. `in-flight`: another attempt is at it, or died less than `LEASE_SECONDS` ago.
 */
export type Begun = { readonly outcome: 'new'; readonly id: string } | { readonly outcome: 'answered'; readonly answer: RememberedAnswer } | { readonly outcome: 'other-parameters' } | { readonly outcome: 'in-flight' };

/** How long a key is remembered. */
export const REMEMBERED_SECONDS = 24 * 3_600;
/** Longer than a function can run: whoever holds a claim after that is dead. */
export const LEASE_SECONDS = 60;

/** How often an operator's refusals are news: what is refused costs nothing to send. */
export const REFUSALS_NEWS_SECONDS = 60;

/** `isNews`: it was refused, and none was news in the last `REFUSALS_NEWS_SECONDS`; of any number at the same time one is. */
export interface Share extends Taken {
  readonly isNews: boolean;
}

export interface RequestMemory {
  /** One of any number of attempts at the same time gets `new`; durable. `newId` becomes the claim's `id` if this is the first attempt ever under the key. */
  begin(claim: Claim, newId: string, at: Date): Promise<Begun>;
  /** The attempt came to `answer`. Ignored where the attempt's lease was taken over. */
  finish(claim: Claim, answer: RememberedAnswer, at: Date): Promise<void>;
  /** The attempt came to nothing: the next one under the key may begin at once, with the same id. Ignored where the lease was taken over. */
  release(claim: Claim): Promise<void>;
  /** Takes one request out of the operator's bucket, if there is one in it. Exact under concurrency. */
  take(operatorId: string, limit: Limit, at: Date): Promise<Share>;
}
