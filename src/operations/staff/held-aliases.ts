/** The names a customer goes by now, and who has a name: read consistently, and believed only where the record is ours. */
import { aliasIn, aliasState } from '../../core/customer-aliases';
import { keyOf, stringOf, type Image } from '../../core/image';
import { aliasesIn, type Held } from '../../core/staff/identity';
import { recordKeys } from '../../core/table-keys';
import { PortError, type RecordStore } from '../../ports';
import { inParallel } from '../in-parallel';
import type { Room } from './guarded';

export interface AliasDeps {
  readonly records: Pick<RecordStore, 'partition'>;
}
type Trust = Pick<Room, 'genuine'>;

/** A transaction is visible as a whole within milliseconds; what is half there after as many reads was taken apart by hand. */
const MAX_READS = 5;
const AT_ONCE = 8;

/** Who has the alias; or the number of its next holder, where nobody has. Throws `corrupt` where its newest record is not ours. */
export async function holderOf({ records }: AliasDeps, { genuine }: Trust, hash: string): Promise<Held | { readonly n: number }> {
  const { pk, sk } = recordKeys.alias(hash);
  for (let reads = 0; reads < MAX_READS; reads += 1) {
    const images: Image[] = [];
    for await (const image of records.partition(pk, sk)) images.push(image);
    const state = aliasState(images, (image) => genuine(image) === image, { firstOnly: false });
    if (state.state === 'free') return { n: state.n };
    if (state.state === 'given') {
      const image = images.find((each) => keyOf(each).sk === (state.n === 0 ? sk : `${sk}#${state.n}`));
      const alias = image && aliasIn(image);
      if (image === undefined || alias === undefined) break;
      return { alias, image, state };
    }
    if (state.state === 'unreadable') break;
  }
  throw new PortError('corrupt', `the records under ${pk} do not say whose the alias is; the table audit finds and repairs them`);
}

/** A customer has some link records for each name; with more than so many, staff give them no further names. */
export const MAX_LINKS = 1_000;
/** As many again for what is not refused: what is undone, and what messages bring. Some 500 bytes each. */
const MAX_READ = 2 * MAX_LINKS;

/** `isWhole` false: there are more than are read at once. */
export interface Links {
  readonly links: readonly Image[];
  readonly isWhole: boolean;
}

/** The link records of a customer, oldest first, proposals behind them; each genuine. */
export async function linksOf({ records }: AliasDeps, { genuine }: Trust, customerId: string): Promise<Links> {
  const found: Image[] = [];
  for await (const link of records.partition(recordKeys.customer(customerId).pk, recordKeys.link(customerId, '').sk, { limit: MAX_READ + 1 })) found.push(genuine(link));
  return { links: found.slice(0, MAX_READ), isWhole: found.length <= MAX_READ };
}

/** Whether staff may give the customer no further name. */
export const hasTooManyLinks = async (deps: AliasDeps, trust: Trust, customerId: string): Promise<boolean> => (await linksOf(deps, trust, customerId)).links.length >= MAX_LINKS;

/** Those of the aliases in `links`, records of the customer's, that lead to them. */
export async function aliasesStillHeld(deps: AliasDeps, trust: Trust, customerId: string, links: readonly Image[]): Promise<readonly Held[]> {
  const got = links.filter((link) => stringOf(link, 'action') !== 'suspected-same').flatMap(aliasesIn);
  const hashes = [...new Set(got.map(({ hash }) => hash))];
  const states = await inParallel(hashes, AT_ONCE, (hash) => holderOf(deps, trust, hash));
  return states.flatMap((held) => ('state' in held && held.state.customerId === customerId ? [held] : []));
}

/**
 * Of a customer with fewer than `MAX_LINKS` links, which is asked before: the aliases that lead to them now, for a transaction that takes all of them: every one they ever got stands in a link record of theirs, which was written with it. A receiver that gives them one at this moment, having found them by another,
 * writes that other one too: either before it was read here, and then the links have grown since; or after, and then what is made of the answer fails its condition.
 */
export async function aliasesHeldBy(deps: AliasDeps, trust: Trust, customerId: string): Promise<readonly Held[]> {
  let { links } = await linksOf(deps, trust, customerId);
  for (let reads = 0; reads < MAX_READS; reads += 1) {
    const held = await aliasesStillHeld(deps, trust, customerId, links);
    const { links: after } = await linksOf(deps, trust, customerId);
    if (after.length === links.length) return held;
    links = after;
  }
  throw new PortError('unavailable', `customer ${customerId} got a name each of the ${MAX_READS} times their names were read; try again`);
}
