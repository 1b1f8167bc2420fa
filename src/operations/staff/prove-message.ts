/** The proof of one message of one customer, to take away: the same file that the command line makes, which anybody can check without us. */
import { stringOf } from '../../core/image';
import type { Actor } from '../../core/staff/actor';
import { conflictOf } from '../../core/staff/messages/catalogue';
import { done, refused, type Refusal, type StaffResult } from '../../core/staff/refusal';
import { headOf } from '../../core/staff/timeline';
import { PortError } from '../../ports';
import { proveMessage as prove, type MessageProof, type ProofPorts, type ProofRefusal } from '../prove-message';
import { guardedRead } from './guarded';
import { besides, isHashedId, ownRecords, partitionOfMessage, togetherWith, type MessageDeps } from './messages-of-customer';

export interface ProveDeps extends MessageDeps {
  readonly proof: ProofPorts;
}

/** `id`: as the conversation has it. `phoneNumberId`: where several business numbers have it. */
export function proveMessage(deps: ProveDeps, actor: Actor, { customerId, id, phoneNumberId }: { readonly customerId: string; readonly id: string; readonly phoneNumberId?: string }): Promise<StaffResult<MessageProof>> {
  let ofWhom = customerId;
  return guardedRead<MessageProof>(
    deps,
    actor,
    { action: 'ProveMessage', customerId, ...(isHashedId(id) && { resourceId: id }) },
    async (room) => {
      if (!isHashedId(id)) return refused({ code: 'not-found' });
      const own = await ownRecords(deps, room.genuine, await togetherWith(deps, room, actor, 'ProveMessage'), partitionOfMessage(id));
      // Only what is theirs: under another number, or beside it, the same id may be somebody else's message.
      const theirs = [...own].flatMap(([number, { records }]) => {
        const place = /#(message|outbound)$/.exec(stringOf(headOf(records), 'sk') ?? '')?.[1] as 'message' | 'outbound' | undefined;
        return place !== undefined && (phoneNumberId ?? number) === number ? [{ phoneNumberId: number, place, customerId: stringOf(headOf(records), 'customerId') ?? '' }] : [];
      });
      const [one, ...others] = theirs;
      if (one === undefined) return refused({ code: 'not-found' });
      if (others.length > 0) return refused(severalOf(theirs.map((each) => each.phoneNumberId).sort()));
      ofWhom = one.customerId;
      const proof = await prove(deps.proof, { hashedId: id, phoneNumberId: one.phoneNumberId, place: one.place });
      return 'refused' in proof ? refused(refusalOf(proof)) : done(proof);
    },
    () => ({ count: 1, ...besides(customerId, [{ customerId: ofWhom }]) }),
  );
}

const severalOf = (phoneNumberIds: readonly string[]): Refusal => conflictOf('several-numbers', { phoneNumberIds });

function refusalOf(proof: ProofRefusal): Refusal {
  switch (proof.refused) {
    case 'absent':
    case 'erased':
      return { code: 'not-found' };
    case 'not-sealed':
    case 'not-published':
      return conflictOf('not-in-checkpoint', {});
    case 'ambiguous':
      return severalOf(proof.phoneNumberIds);
    case 'damaged':
      throw new PortError('corrupt', `the proof of a message cannot be made: ${proof.detail}; the verification and the table audit say what is wrong`);
  }
}
