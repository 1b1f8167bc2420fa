/**
 * What is remembered of requests is believed only with our MAC. Whoever can write where it is kept could otherwise put words into the mouth of the API: an answer nobody gave, with headers of their choosing, or the
 * id of something else, which the operation would then take for what it had made itself. A MAC is over the claim too, so nothing remembered of one request is good for another.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalize } from '../../core/canonical-json';
import { PortError } from '../../ports';
import type { Claim, RememberedAnswer } from '../../ports/request-memory';

type Answer = Omit<RememberedAnswer, 'mac'>;

/** `secret`: 32 bytes, any of ours. */
export function remembering(secret: Uint8Array, { operatorId, route, key, fingerprint }: Claim) {
  const macOf = (what: { readonly id: string } | { readonly answer: Answer }): string =>
    createHmac('sha256', secret).update('intact/remembered/v1\n').update(canonicalize({ operatorId, route, key, fingerprint, ...what })).digest('base64url');
  const believed = (mac: string, expected: string): void => {
    const [given, ours] = [Buffer.from(mac), Buffer.from(expected)];
    if (given.length !== ours.length || !timingSafeEqual(given, ours)) throw new PortError('corrupt', 'what is remembered under an Idempotency-Key was not written by us, so nothing is done by it; another key is not concerned');
  };
  return {
    /** `id` as it is kept. */
    idKept: (id: string): string => `${id}.${macOf({ id })}`,
    /** The id in what was kept. Throws `corrupt`. */
    idIn(kept: string): string {
      const [id = '', mac = ''] = kept.split('.', 2);
      believed(mac, macOf({ id }));
      return id;
    },
    answerKept: (answer: Answer): RememberedAnswer => ({ ...answer, mac: macOf({ answer }) }),
    /** The answer in what was kept, and no more of it than we wrote. Throws `corrupt`. */
    answerIn({ mac, ...answer }: RememberedAnswer): Answer {
      believed(String(mac), macOf({ answer }));
      return answer;
    },
  };
}
