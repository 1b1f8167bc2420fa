/** A world in memory for everything staff do: the records, the real policies, staff of every role, and a customer as receiving makes one. */
import { memoryMeter } from '../../../src/adapters/memory/meter';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import type { OnCall } from '../../../src/adapters/memory/process';
import { memoryRecords } from '../../../src/adapters/memory/record-store';
import { seededRandom } from '../../../src/adapters/memory/schedule';
import { customerImage } from '../../../src/core/customer-aliases';
import { judgeChange } from '../../../src/core/change-judgement';
import { stringOf, type Image } from '../../../src/core/image';
import { withMac, type MacKey } from '../../../src/core/record-mac';
import type { Actor, Role } from '../../../src/core/staff/actor';
import { versionOf } from '../../../src/core/staff/version';
import { profileOf, revOf } from '../../../src/core/staff/profile';
import { addNote } from '../../../src/operations/staff/add-note';
import { assignCustomer } from '../../../src/operations/staff/assign-customer';
import { bulkRollback, planBulkRollback } from '../../../src/operations/staff/bulk-rollback';
import { compareVersions } from '../../../src/operations/staff/compare-versions';
import { createCustomer } from '../../../src/operations/staff/create-customer';
import { editCustomer } from '../../../src/operations/staff/edit-customer';
import { listNotes } from '../../../src/operations/staff/list-notes';
import { customerAt, listVersions } from '../../../src/operations/staff/list-versions';
import { queryAccess } from '../../../src/operations/staff/query-access';
import { readCustomer } from '../../../src/operations/staff/read-customer';
import { rollbackCustomer } from '../../../src/operations/staff/rollback-customer';
import { staffContainer } from './staff-container';

/** Staff of `role`; `n` tells them apart. */
export const operator = (role: Role, n = 1): Actor => ({
  operatorId: `${role}-${n}`,
  name: `${role}${n}@example.com`,
  role,
  sourceIp: `192.0.2.${n}`,
  userAgent: 'tests/1.0',
  requestId: `request-of-${role}-${n}`,
});

export const customerIdOf = (n: number): string => `01K${String(n).padStart(23, '0')}`;

export function staffWorld(seed = 1) {
  const random = seededRandom(seed);
  const clock = { ms: Date.parse('2026-03-01T12:00:00.000Z') };
  const now = (): Date => new Date(clock.ms);
  const records = memoryRecords({ now, random });
  const views = memoryViews();
  const meter = memoryMeter();
  const macKey: MacKey = { id: 1, secret: random(32) };
  const keys = { macKeys: async () => [macKey] as const, dedupeKey: async () => Buffer.alloc(32, 1) };

  const process = (onCall?: OnCall) =>
    staffContainer(
      { records, views, keys, meter, now, random },
      { createCustomer, readCustomer, editCustomer, assignCustomer, addNote, listNotes, listVersions, customerAt, compareVersions, rollbackCustomer, planBulkRollback, bulkRollback, queryAccess },
      onCall,
    );
  const all = (kind: string): readonly Image[] => records.byHand.all().filter((image) => stringOf(image, 'kind') === kind);
  /** As receiving makes one: without a profile. */
  const receive = async (n: number): Promise<string> => {
    const customerId = customerIdOf(n);
    const image = customerImage({ customerId, subject: `${n}`.padStart(22, 'c') }, { receivedAt: now().toISOString(), deliveryId: 'd'.repeat(22), attempt: 'a'.repeat(12) });
    await records.create(withMac(macKey, image));
    return customerId;
  };
  /**
   * What must hold whatever happened: nothing that the sealer would object to, no revision of a customer that no version says, no version without its access record, no version that the
   * record has not come to.
   */
  const wrong = (): readonly string[] => {
    const found = records.stream.flatMap((event) => judgeChange(event, [macKey]).violations.map((violation) => `${violation} at ${event.key.pk} ${event.key.sk}`));
    for (const customer of all('customer')) {
      const id = stringOf(customer, 'customerId') ?? '';
      const versions = all('version').filter((image) => stringOf(image, 'customerId') === id).map(versionOf).sort((a, b) => a.rev - b.rev);
      const received = stringOf(customer, 'deliveryId') !== undefined;
      const expected = Array.from({ length: revOf(customer) - (received ? 1 : 0) }, (_, i) => i + (received ? 2 : 1));
      if (JSON.stringify(versions.map(({ rev }) => rev)) !== JSON.stringify(expected)) found.push(`${id} at rev ${revOf(customer)} has the versions ${versions.map(({ rev }) => rev).join()}`);
      const last = versions.at(-1);
      if (last !== undefined && JSON.stringify(last.profile) !== JSON.stringify(profileOf(customer))) found.push(`${id} is not what its last version says`);
      for (const { rev, by } of versions) if (!all('access').some((access) => stringOf(access, 'requestId') === by?.requestId && stringOf(access, 'outcome') === 'done')) found.push(`version ${rev} of ${id} has no access record`);
    }
    const changes = all('access').filter((access) => ['CreateCustomer', 'EditCustomer', 'AssignCustomer', 'RollbackCustomer'].includes(stringOf(access, 'action') ?? '') && stringOf(access, 'outcome') === 'done' && access['count'] !== undefined && 'N' in access['count'] && access['count'].N === '1');
    const bulk = all('access').filter((access) => stringOf(access, 'action') === 'BulkRollback' && stringOf(access, 'customerId') !== undefined);
    if (changes.length + bulk.length !== all('version').length) found.push(`${changes.length + bulk.length} access records of changes, ${all('version').length} versions`);
    return found;
  };
  return { records, clock, macKey, meter, process, all, receive, wrong, ...process() };
}
export type StaffWorld = ReturnType<typeof staffWorld>;

/** The value of an operation that was done. */
export function valueOf<T>(result: { readonly outcome: 'done'; readonly value: T } | { readonly outcome: 'refused'; readonly refusal: unknown }): T {
  if (result.outcome === 'refused') throw new Error(`refused: ${JSON.stringify(result.refusal)}`);
  return result.value;
}
