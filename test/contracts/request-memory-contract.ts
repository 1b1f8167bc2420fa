/** What src/ports/request-memory.ts promises, for every implementation. */
import { randomUUID } from 'node:crypto';
import { LEASE_SECONDS, REFUSALS_NEWS_SECONDS, REMEMBERED_SECONDS, type Claim, type RequestMemory } from '../../src/ports/request-memory';

export function requestMemoryContract(name: string, make: () => Promise<RequestMemory>): void {
  describe(`${name} remembers requests`, () => {
    let memory: RequestMemory;
    let claim: Claim;
    const start = new Date('2026-01-01T00:00:00.000Z');
    const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1_000);
    const another = (more: Partial<Claim> = {}): Claim => ({ ...claim, attempt: randomUUID(), ...more });
    const answer = { status: 201, location: '/v1/customers/1', etag: '"1"', body: '{"customerId":"1"}', mac: 'm' };
    beforeAll(async () => {
      memory = await make();
    });
    beforeEach(() => {
      claim = { operatorId: randomUUID(), route: 'POST /v1/customers', key: randomUUID(), fingerprint: 'f', attempt: randomUUID() };
    });

    test('a request that was answered is answered the same again, for a day', async () => {
      expect(await memory.begin(claim, 'id-1', start)).toEqual({ outcome: 'new', id: 'id-1' });
      await memory.finish(claim, answer, after(1));
      expect(await memory.begin(another(), 'id-2', after(2))).toEqual({ outcome: 'answered', answer });
      expect(await memory.begin(another(), 'id-3', after(REMEMBERED_SECONDS - 1))).toEqual({ outcome: 'answered', answer });
      expect(await memory.begin(another(), 'id-4', after(REMEMBERED_SECONDS + 2))).toEqual({ outcome: 'new', id: 'id-4' });
      // What was forgotten is not answered after all.
      expect(await memory.begin(another(), 'id-5', after(REMEMBERED_SECONDS + 3))).toEqual({ outcome: 'in-flight' });
    });

    test('a key that was used for something else is told, answered or not', async () => {
      await memory.begin(claim, 'id', start);
      expect(await memory.begin(another({ fingerprint: 'g' }), 'id', after(1))).toEqual({ outcome: 'other-parameters' });
      await memory.finish(claim, answer, after(1));
      expect(await memory.begin(another({ fingerprint: 'g' }), 'id', after(1))).toEqual({ outcome: 'other-parameters' });
    });

    test('the same key of another operator or for another route is another one', async () => {
      await memory.begin(claim, 'id', start);
      expect(await memory.begin(another({ operatorId: randomUUID() }), 'a', start)).toEqual({ outcome: 'new', id: 'a' });
      expect(await memory.begin(another({ route: 'POST /v1/rollbacks' }), 'b', start)).toEqual({ outcome: 'new', id: 'b' });
    });

    test('while one attempt is at it the others wait; where it died the next one goes on, under the same id', async () => {
      await memory.begin(claim, 'id-1', start);
      expect(await memory.begin(another(), 'id-2', after(LEASE_SECONDS - 1))).toEqual({ outcome: 'in-flight' });
      const next = another();
      expect(await memory.begin(next, 'id-3', after(LEASE_SECONDS + 1))).toEqual({ outcome: 'new', id: 'id-1' });
      // The dead one was only slow: what it says no longer counts.
      await memory.finish(claim, { ...answer, status: 200 }, after(LEASE_SECONDS + 2));
      await memory.release(claim);
      expect(await memory.begin(another(), 'id-4', after(LEASE_SECONDS + 3))).toEqual({ outcome: 'in-flight' });
      await memory.finish(next, answer, after(LEASE_SECONDS + 4));
      expect(await memory.begin(another(), 'id-5', after(LEASE_SECONDS + 5))).toEqual({ outcome: 'answered', answer });
    });

    test('an attempt that came to nothing makes room at once, for the same request alone', async () => {
      await memory.begin(claim, 'id-1', start);
      await memory.release(claim);
      expect(await memory.begin(another({ fingerprint: 'g' }), 'id-2', after(1))).toEqual({ outcome: 'other-parameters' });
      expect(await memory.begin(another(), 'id-2', after(1))).toEqual({ outcome: 'new', id: 'id-1' });
    });

    test('a reply that was lost and asked for again is its own', async () => {
      await memory.begin(claim, 'id-1', start);
      expect(await memory.begin(claim, 'id-1', after(1))).toEqual({ outcome: 'new', id: 'id-1' });
    });

    test('of twenty attempts at once one is new', async () => {
      const begun = await Promise.all(Array.from({ length: 20 }, (_, i) => memory.begin(another(), `id-${i}`, start)));
      expect(begun.map(({ outcome }) => outcome).sort()).toEqual([...Array.from({ length: 19 }, () => 'in-flight'), 'new']);
    });

    test('an operator may ask as much as fits into the bucket, and then as fast as it is refilled', async () => {
      const limit = { ratePerSecond: 2, burst: 3 };
      const take = (seconds: number) => memory.take(claim.operatorId, limit, after(seconds));
      expect(await take(0)).toEqual({ allowed: true, remaining: 2, resetSeconds: 1, retryAfterSeconds: 0, isNews: false });
      expect(await take(0)).toEqual({ allowed: true, remaining: 1, resetSeconds: 1, retryAfterSeconds: 0, isNews: false });
      expect(await take(0)).toEqual({ allowed: true, remaining: 0, resetSeconds: 2, retryAfterSeconds: 0, isNews: false });
      expect(await take(0)).toEqual({ allowed: false, remaining: 0, resetSeconds: 2, retryAfterSeconds: 1, isNews: true });
      expect(await take(0.5)).toMatchObject({ allowed: true, remaining: 0 });
      expect(await take(0.9)).toMatchObject({ allowed: false });
      expect(await take(100)).toEqual({ allowed: true, remaining: 2, resetSeconds: 1, retryAfterSeconds: 0, isNews: false });
      expect(await memory.take(randomUUID(), limit, after(0))).toMatchObject({ allowed: true, remaining: 2 });
    });

    test('that an operator was refused is news once a minute, of however many requests at once', async () => {
      const limit = { ratePerSecond: 0.001, burst: 1 };
      const news = async (seconds: number, operatorId = claim.operatorId) => {
        const taken = await Promise.all(Array.from({ length: 10 }, () => memory.take(operatorId, limit, after(seconds))));
        return [taken.filter(({ allowed }) => allowed).length, taken.filter(({ isNews }) => isNews).length];
      };
      expect([await news(0), await news(REFUSALS_NEWS_SECONDS - 1), await news(REFUSALS_NEWS_SECONDS), await news(REFUSALS_NEWS_SECONDS + 1)]).toEqual([[1, 1], [0, 0], [0, 1], [0, 0]]);
      expect(await news(1, randomUUID())).toEqual([1, 1]);
    });

    test('of many requests at once exactly as many pass as fit', async () => {
      const taken = await Promise.all(Array.from({ length: 20 }, () => memory.take(claim.operatorId, { ratePerSecond: 1, burst: 7 }, start)));
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(7);
    });
  });
}
