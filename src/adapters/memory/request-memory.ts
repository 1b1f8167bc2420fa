/** What the API of staff remembers of requests, in memory. */
import { intervalMs, latestFullMs, taken } from '../../core/staff/token-bucket';
import { LEASE_SECONDS, REFUSALS_NEWS_SECONDS, REMEMBERED_SECONDS, type Claim, type RememberedAnswer, type RequestMemory } from '../../ports/request-memory';

interface Entry {
  readonly id: string;
  readonly fingerprint: string;
  readonly expiresAtMs: number;
  attempt: string;
  leasedUntilMs: number;
  answer?: RememberedAnswer;
}

const nameOf = ({ operatorId, route, key }: Claim): string => JSON.stringify([operatorId, route, key]);

export function memoryRequests(): RequestMemory {
  const entries = new Map<string, Entry>();
  const fullAt = new Map<string, number>();
  const newsAt = new Map<string, number>();
  const own = (claim: Claim): Entry | undefined => {
    const entry = entries.get(nameOf(claim));
    return entry?.attempt === claim.attempt ? entry : undefined;
  };
  return {
    begin: async (claim, newId, at) => {
      const nowMs = at.getTime();
      const leasedUntilMs = nowMs + LEASE_SECONDS * 1_000;
      const known = entries.get(nameOf(claim));
      if (known === undefined || known.expiresAtMs <= nowMs) {
        entries.set(nameOf(claim), { id: newId, fingerprint: claim.fingerprint, expiresAtMs: nowMs + REMEMBERED_SECONDS * 1_000, attempt: claim.attempt, leasedUntilMs });
        return { outcome: 'new', id: newId };
      }
      if (known.fingerprint !== claim.fingerprint) return { outcome: 'other-parameters' };
      if (known.answer !== undefined) return { outcome: 'answered', answer: known.answer };
      if (known.leasedUntilMs > nowMs && known.attempt !== claim.attempt) return { outcome: 'in-flight' };
      Object.assign(known, { attempt: claim.attempt, leasedUntilMs });
      return { outcome: 'new', id: known.id };
    },
    finish: async (claim, answer) => {
      const entry = own(claim);
      if (entry !== undefined) entry.answer = { ...answer };
    },
    release: async (claim) => {
      const entry = own(claim);
      if (entry !== undefined) entry.leasedUntilMs = 0;
    },
    take: async (operatorId, limit, at) => {
      const nowMs = at.getTime();
      const before = Math.max(nowMs, fullAt.get(operatorId) ?? 0);
      if (before > latestFullMs(limit, nowMs)) {
        const isNews = (newsAt.get(operatorId) ?? -Infinity) <= nowMs - REFUSALS_NEWS_SECONDS * 1_000;
        if (isNews) newsAt.set(operatorId, nowMs);
        return { ...taken(false, limit, before, nowMs), isNews };
      }
      fullAt.set(operatorId, before + intervalMs(limit));
      return { ...taken(true, limit, before + intervalMs(limit), nowMs), isNews: false };
    },
  };
}
