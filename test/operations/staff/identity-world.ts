/** A world in memory where people write to us, from several names each, while staff link names, merge customers and take them back. */
import { editCustomer } from '../../../src/operations/staff/edit-customer';
import { linkAlias, unlinkAlias } from '../../../src/operations/staff/link-alias';
import { mergeCustomers, unmergeCustomers } from '../../../src/operations/staff/merge-customers';
import { readCustomer } from '../../../src/operations/staff/read-customer';
import { createCustomer } from '../../../src/operations/staff/create-customer';
import { assignCustomer } from '../../../src/operations/staff/assign-customer';
import type { OnCall } from '../../../src/adapters/memory/process';
import { judgeChange } from '../../../src/core/change-judgement';
import { aliasOf, leadsToHolder, type AliasType } from '../../../src/core/customer-aliases';
import { stringOf, type Image } from '../../../src/core/image';
import { mergedInto, mergedOf } from '../../../src/core/staff/identity';
import { revOf } from '../../../src/core/staff/profile';
import { recordKeys } from '../../../src/core/table-keys';
import { receivingWorld, textDelivery, type Person } from '../receiving-world';
import { staffContainer } from './staff-container';
import { operator } from './staff-world';

export const support = operator('support');
export const reason = 'they said so on the phone';

export function identityWorld(seed = 1) {
  const world = receivingWorld(seed);
  const { records, macKey, now, dedupe } = world;
  let messages = 0;

  const staff = (onCall?: OnCall) =>
    staffContainer(world, { linkAlias, unlinkAlias, mergeCustomers, unmergeCustomers, readCustomer, editCustomer, createCustomer, assignCustomer }, onCall);
  const all = (...kinds: string[]): readonly Image[] => records.byHand.all().filter((image) => kinds.includes(stringOf(image, 'kind') ?? ''));
  const messageOf = (id: string): readonly Image[] => all('message').filter((image) => stringOf(image, 'messageId') === id);
  const aliasHash = (type: AliasType, value: string): string => aliasOf(dedupe, type, value).hash;
  /** The customers to whom a later message from the name can come. */
  const holdersOf = (type: AliasType, value: string): readonly string[] => all('alias').filter((image) => stringOf(image, 'pk') === recordKeys.alias(aliasHash(type, value)).pk && leadsToHolder(image)).map((image) => stringOf(image, 'customerId') ?? '');
  const customer = (customerId: string): Image => {
    const image = records.byHand.peek(recordKeys.customer(customerId));
    if (image === 'absent') throw new Error(`no customer ${customerId}`);
    return image;
  };
  /** A message of `person`, received by a container that remembers nothing; whose it was recorded as. */
  const write = async (person: Person, options: { readonly at?: number; readonly by?: { receive(body: string): Promise<unknown> } } = {}): Promise<string> => {
    const id = `wamid.${(messages += 1)}`;
    const at = options.at ?? Math.floor(now().getTime() / 1000);
    const outcome = await (options.by ?? world.process(undefined, { remembers: false })).receive(textDelivery(id, 'hello', person, at));
    expect(outcome).toMatchObject({ outcome: 'accepted', recorded: 1 });
    const [message] = messageOf(id);
    return stringOf(message, 'customerId') ?? 'nobody';
  };
  /** What must hold whatever happened. */
  const wrong = (): readonly string[] => {
    const found = records.stream.flatMap((event) => judgeChange(event, [macKey]).violations.map((violation) => `${violation} at ${event.key.pk} ${event.key.sk}`));
    const holders = new Map<string, number>();
    for (const image of all('alias')) if (leadsToHolder(image)) holders.set(stringOf(image, 'pk') ?? '', (holders.get(stringOf(image, 'pk') ?? '') ?? 0) + 1);
    for (const [alias, count] of holders) if (count > 1) found.push(`${alias} is held by ${count}`);
    for (const each of all('customer')) {
      const id = stringOf(each, 'customerId') ?? '';
      const above = mergedInto(each);
      if (above !== undefined && mergedOf(customer(above)).filter((child) => child === id).length !== 1) found.push(`${id} is merged into ${above}, which does not know`);
      for (const child of mergedOf(each)) if (mergedInto(customer(child)) !== id) found.push(`${child} is not merged into ${id}, which says so`);
      let [top, steps] = [each, 0];
      for (let next = mergedInto(top); next !== undefined && steps < 50; next = mergedInto(top), steps += 1) top = customer(next);
      if (steps >= 50) found.push(`${id} is in a cycle`);
      if (above !== undefined && all('alias').some((alias) => leadsToHolder(alias) && stringOf(alias, 'customerId') === id)) found.push(`${id} is merged and still has a name`);
      const revs = all('version').filter((version) => stringOf(version, 'customerId') === id).map((version) => Number(/\d+$/.exec(stringOf(version, 'sk') ?? '')?.[0])).sort((a, b) => a - b);
      const first = stringOf(each, 'deliveryId') === undefined ? 1 : 2;
      if (JSON.stringify(revs) !== JSON.stringify(Array.from({ length: revOf(each) - first + 1 }, (_, i) => i + first))) found.push(`${id} at rev ${revOf(each)} has the versions ${revs.join()}`);
    }
    for (const message of all('message')) if (stringOf(message, 'customerId') === undefined) found.push(`${stringOf(message, 'messageId')} is nobody's`);
    const changes = all('access').filter((access) => access['count'] !== undefined && 'N' in access['count'] && access['count'].N === '1' && stringOf(access, 'outcome') === 'done' && stringOf(access, 'action') !== 'ReadCustomer');
    if (changes.length !== all('version').length) found.push(`${changes.length} access records of changes, ${all('version').length} versions`);
    const decided = all('link').filter((link) => stringOf(link, 'by') === 'operator').length;
    const told = all('version').filter((version) => ['linked', 'unlinked', 'merged', 'unmerged'].includes(stringOf(version, 'action') ?? '')).length;
    if (decided !== told) found.push(`${decided} links by operators, ${told} versions that tell of them`);
    return found;
  };
  return { ...world, staff, all, messageOf, aliasHash, holdersOf, customer, write, wrong, ...staff() };
}
export type IdentityWorld = ReturnType<typeof identityWorld>;
