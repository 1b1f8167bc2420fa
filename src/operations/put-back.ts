/**
 * One repair of the live table: first the record that says what is about to be done, then the change, on condition that nothing else happened in between. Died between the two: a
 * permission that nobody used, which stays as evidence and permits nothing but this very change.
 */
import { isSameImage } from '../core/record-history';
import { withMac, type MacKey } from '../core/record-mac';
import { repairImage, type RepairPlan } from '../core/repair-record';
import { PortError, type Clock, type LogIdentity, type Meter, type RecordStore } from '../ports';
import type { RecordRepairs } from '../ports/record-repairs';

export interface PutBackDeps {
  readonly records: Pick<RecordStore, 'create'>;
  readonly repairs: RecordRepairs;
  readonly identity: Pick<LogIdentity, 'systemSubject'>;
  /** The first makes the MAC of the permission. */
  readonly macKeys: readonly MacKey[];
  readonly meter: Meter;
  readonly now: Clock;
}

/** `changed`: what stands there is no longer `from`; nothing was written over it. Throws `PortError`. */
export async function putBack({ records, repairs, identity, macKeys, meter, now }: PutBackDeps, plan: RepairPlan): Promise<'done' | 'changed'> {
  const [key] = macKeys;
  if (key === undefined) throw new PortError('corrupt', 'there is no MAC key to write a repair with');
  const permission = withMac(key, repairImage(plan, identity.systemSubject, now().toISOString()));
  const there = await records.create(permission);
  // One of the same millisecond says the same; anything else under this name was not written by us, and the sealer would not believe it.
  if (there !== 'created' && !isSameImage(there.exists, permission)) return 'changed';
  const outcome = plan.to !== undefined ? await repairs.putBack(plan.to, plan.from) : plan.from !== undefined ? await repairs.remove(plan.key, plan.from) : 'done';
  if (outcome === 'done') meter.count('RecordsRepaired');
  return outcome;
}
