/** What no operation saw is in the access log all the same: with a MAC, as it was, or not at all. */
import { stringOf } from '../../../src/core/image';
import { accessEventOf, SIGN_IN } from '../../../src/core/staff/access-record';
import { ocsfOf } from '../../../src/core/staff/ocsf';
import { checkMac } from '../../../src/core/record-mac';
import { noteAccess } from '../../../src/operations/staff/note-access';
import { PortError } from '../../../src/ports';
import { receivingWorld } from '../receiving-world';
import { accessRecords, operator, staffDeps } from './searching-world';

const stranger = { ...operator('o-1', 'sales'), role: 'none' };
const signIn = { actor: stranger, action: SIGN_IN, decision: { allowed: true, policies: ['user-pool'] }, outcome: 'done' } as const;
const turnedAway = { actor: stranger, action: 'ListCustomers', decision: { allowed: false, policies: ['no-role'] }, outcome: 'forbidden' } as const;

test('a sign-in and a denial are lines like all others', async () => {
  const world = receivingWorld();
  await noteAccess(staffDeps(world), signIn);
  await noteAccess(staffDeps(world), turnedAway);
  const records = await accessRecords(world);
  expect(records.map((each) => checkMac([world.macKey], each))).toEqual(['valid', 'valid']);
  const events = records.map((each) => accessEventOf(each)!).sort((a, b) => (a.action < b.action ? -1 : 1));
  expect(events).toEqual([expect.objectContaining({ ...turnedAway, resourceType: 'Customers' }), expect.objectContaining({ ...signIn, resourceType: 'Self' })]);
  expect(events.map((event) => ocsfOf(event)).map(({ api, action, activity_name }) => [api.operation, action, activity_name])).toEqual([['ListCustomers', 'Denied', 'Read'], ['SignIn', 'Allowed', 'Create']]);
  expect(records.map((each) => stringOf(each, 'operatorRole'))).toEqual(['none', 'none']);
  expect(world.meter.counts.get('AccessDenied')).toBe(1);
});

test('what came to no operation is a line too, of the customer it named if that is an id, and no denial of the policies', async () => {
  const world = receivingWorld();
  const customerId = '01JGFJJZ00M9SBEGTTNQ4XQ5GH';
  const repeated = { actor: stranger, action: 'EditCustomer', decision: { allowed: true, policies: ['idempotency-key'] }, outcome: 'repeated', customerId, shown: [customerId] } as const;
  await noteAccess(staffDeps(world), repeated);
  await noteAccess(staffDeps(world), { actor: stranger, action: 'ReadCustomer', decision: { allowed: false, policies: ['too-many-requests'] }, outcome: 'limited', customerId: '+4915123456789' });
  const records = await accessRecords(world);
  const events = records.map((each) => accessEventOf(each)!).sort((a, b) => (a.action < b.action ? -1 : 1));
  expect(events[0]).toMatchObject({ ...repeated, resourceType: 'Customer' });
  expect(events.map((event) => ocsfOf(event)).map(({ action, status, status_code }) => [action, status, status_code])).toEqual([['Allowed', 'Success', 'repeated'], ['Denied', 'Failure', 'limited']]);
  expect(JSON.stringify(records)).not.toContain('+49');
  expect(world.meter.counts.get('AccessDenied')).toBeUndefined();
});

test('is written again where nobody knows whether it was, once', async () => {
  const world = receivingWorld();
  let attempts = 0;
  const create = async (image: Parameters<typeof world.records.create>[0]) => {
    attempts += 1;
    const outcome = await world.records.create(image);
    if (attempts === 1) throw new PortError('unavailable', 'the reply was lost');
    return outcome;
  };
  await noteAccess({ ...staffDeps(world), records: { ...world.records, create } }, signIn);
  expect([attempts, (await accessRecords(world)).length]).toEqual([2, 1]);
});

test('fails where it cannot be written', async () => {
  const world = receivingWorld();
  const records = { ...world.records, create: () => Promise.reject(new PortError('denied', 'no right')) };
  await expect(noteAccess({ ...staffDeps(world), records }, signIn)).rejects.toMatchObject({ code: 'denied' });
});
