/**
 * Who is read, and erased, together: customers merged into one. Each record names its neighbours, so a walk reads a few records one by one while others may be changing them; where two do not agree it begins
 * anew, and where they never do it says so rather than leave somebody out, or take in somebody who was taken back.
 */
import { stringOf, type Image } from '../../core/image';
import { checkMac, type MacKey } from '../../core/record-mac';
import { MAX_TOGETHER, mergedInto, mergedOf } from '../../core/staff/identity';
import { recordKeys } from '../../core/table-keys';
import { isTombstone } from '../../core/tombstone';
import { PortError, type RecordStore } from '../../ports';
import type { Room } from './guarded';

/** A change of who is merged is one transaction: what does not agree after as many walks was not written by us. */
const MAX_WALKS = 5;

export interface MergedDeps {
  readonly records: Pick<RecordStore, 'get'>;
}
type Genuine = Room['genuine'];

/** The customer, and all who were merged into them, directly or by way of another; each genuine. The customer comes first. Throws `PortError`. */
export const readTogether = (deps: MergedDeps, { genuine }: { readonly genuine: Genuine }, customer: Image): Promise<readonly Image[]> => agreeing(async () => down(deps, genuine, idOf(customer)));

/** Everybody in one with the customer: the survivor, and all who were merged into them. The survivor comes first. Throws `PortError`. */
export const wholeOf = (deps: MergedDeps, { genuine }: { readonly genuine: Genuine }, customerId: string): Promise<readonly Image[]> =>
  agreeing(async () => {
    const top = await up(deps, genuine, customerId);
    return top === 'disagree' || top === undefined ? (top ?? []) : down(deps, genuine, top);
  });

/** As the rest of the system may trust them: by keys, without a room. */
export const genuineBy =
  (macKeys: readonly MacKey[]): Genuine =>
  (image) => {
    if (checkMac(macKeys, image) === 'valid') return image;
    throw new PortError('corrupt', `record ${stringOf(image, 'pk')} / ${stringOf(image, 'sk')} was not written by us; the table audit finds and repairs it`);
  };

async function agreeing(walk: () => Promise<readonly Image[] | 'disagree'>): Promise<readonly Image[]> {
  for (let walks = 0; walks < MAX_WALKS; walks += 1) {
    const found = await walk();
    if (found !== 'disagree') return found;
  }
  throw new PortError('corrupt', 'records of merged customers do not agree on who is merged into whom; the table audit finds and repairs them');
}

/** Undefined: erased. */
async function read({ records }: MergedDeps, genuine: Genuine, customerId: string): Promise<Image | undefined> {
  const found = await records.get(recordKeys.customer(customerId), { consistent: true });
  if (found === 'absent') throw new PortError('corrupt', `there is no record of customer ${customerId}, who is merged with another; the table audit finds and repairs it`);
  return isTombstone(genuine(found)) ? undefined : found;
}

/** The id of the one all are merged into. */
async function up(deps: MergedDeps, genuine: Genuine, customerId: string): Promise<string | undefined | 'disagree'> {
  let customer = await read(deps, genuine, customerId);
  for (let steps = 0; customer !== undefined; steps += 1) {
    const above = mergedInto(customer);
    if (above === undefined) return idOf(customer);
    const survivor = await read(deps, genuine, above);
    // Those who are merged are erased together: the survivor was first.
    if (survivor === undefined) return idOf(customer);
    if (!mergedOf(survivor).includes(idOf(customer)) || steps >= MAX_TOGETHER) return 'disagree';
    customer = survivor;
  }
  return undefined;
}

async function down(deps: MergedDeps, genuine: Genuine, customerId: string): Promise<readonly Image[] | 'disagree'> {
  const first = await read(deps, genuine, customerId);
  const found: Image[] = first === undefined ? [] : [first];
  for (let next = 0; next < found.length; next += 1) {
    const customer = found[next] as Image;
    for (const id of mergedOf(customer)) {
      const merged = await read(deps, genuine, id);
      if (merged === undefined) continue;
      if (mergedInto(merged) !== idOf(customer) || found.length >= MAX_TOGETHER) return 'disagree';
      found.push(merged);
    }
  }
  return found;
}

const idOf = (customer: Image): string => stringOf(customer, 'customerId') ?? '';
