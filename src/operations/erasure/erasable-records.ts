/**
 * Everything the table holds of the customers of one erasure. Their own partition and those of their aliases are read consistently, the rest through an index that follows a moment later: so an
 * erasure looks again until it has found nothing twice. What is listed is a proposal; each record is read and judged before anything is done to it.
 */
import type { ErasureRequest } from '../../core/erasure';
import { keyOf, stringOf, type Image, type TableKey } from '../../core/image';
import { checkMac, type MacKey } from '../../core/record-mac';
import { recordKeys } from '../../core/table-keys';
import { isTombstone } from '../../core/tombstone';
import type { RecordStore } from '../../ports';

export interface ListDeps {
  readonly records: Pick<RecordStore, 'partition' | 'ofCustomer'>;
}

/** Each key once, in no order; some of them gone or not theirs by the time they are read. Throws `PortError`. */
export async function* keysOfErasure(deps: ListDeps, { customers, inputs }: Pick<ErasureRequest, 'customers' | 'inputs'>): AsyncGenerator<TableKey> {
  const given = new Set<string>();
  const isNew = (key: TableKey): boolean => {
    const place = JSON.stringify([key.pk, key.sk]);
    return !given.has(place) && given.add(place) !== undefined;
  };
  for (const { customerId } of customers) {
    for await (const image of aliasesOfCustomer(deps, customerId)) if (isNew(keyOf(image))) yield keyOf(image);
    for (const { pk } of [recordKeys.customer(customerId), recordKeys.hold(customerId)]) for await (const image of deps.records.partition(pk)) if (isNew(keyOf(image))) yield keyOf(image);
    for await (const key of deps.records.ofCustomer(customerId)) if (!key.pk.startsWith('access#') && isNew(key)) yield key;
  }
  for (const { hash } of inputs) for await (const image of deps.records.partition(recordKeys.quarantine(hash).pk)) if (isNew(keyOf(image))) yield keyOf(image);
}

/** The alias records that name the customer, found through the links, which say which aliases they ever got, and through the index. Not judged. */
export async function* aliasesOfCustomer({ records }: ListDeps, customerId: string): AsyncGenerator<Image> {
  const partitions = new Set<string>();
  for await (const link of records.partition(recordKeys.customer(customerId).pk, recordKeys.link(customerId, '').sk)) for (const hash of aliasHashesIn(link)) partitions.add(recordKeys.alias(hash).pk);
  for await (const { pk } of records.ofCustomer(customerId)) if (pk.startsWith(ALIASES)) partitions.add(pk);
  for (const pk of partitions) for await (const image of records.partition(pk)) if (stringOf(image, 'customerId') === customerId) yield image;
}

const ALIASES = recordKeys.alias('').pk;

function aliasHashesIn(link: Image): readonly string[] {
  const aliases = link['aliases'];
  return aliases === undefined || !('L' in aliases) ? [] : aliases.L.flatMap((each) => ('M' in each ? [stringOf(each.M, 'hash')].filter((hash) => hash !== undefined) : []));
}

/**
 * What a listed item is to the erasure. `theirs`: to be removed. `kept`: of the log's own subject (who saw and did what, holds, tombstones), or another's. `doubtful`: it names the customer, and is
 * not as this system wrote it or lies under a subject that does not go; it is repaired, or looked at by a person, first: removing it on the word of somebody who can write the table by hand could
 * take another person's record.
 */
export type Standing = 'theirs' | 'kept' | 'doubtful';

export function standingInErasure(image: Image, request: Pick<ErasureRequest, 'customers' | 'inputs'>, subjects: ReadonlySet<string>, systemSubject: string, macKeys: readonly MacKey[]): Standing {
  if (checkMac(macKeys, image) !== 'valid') return 'doubtful';
  const [subject, customerId] = [stringOf(image, 'subject') ?? '', stringOf(image, 'customerId')];
  if (isTombstone(image) || subject === systemSubject) return 'kept';
  if (subjects.has(subject)) return 'theirs';
  const isNamed = request.customers.some((customer) => customer.customerId === customerId) || request.inputs.some(({ hash }) => keyOf(image).pk === recordKeys.quarantine(hash).pk);
  return isNamed ? 'doubtful' : 'kept';
}

/** The record that says there is such a customer. It goes last: as long as it is there, staff can still place a hold. */
export const isProfile = (image: Image): boolean => stringOf(image, 'kind') === 'customer';
