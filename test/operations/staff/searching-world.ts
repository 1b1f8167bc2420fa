/** Customers in memory as staff keep them, the index that follows them, and operators who look for them. */
import { memoryMeter } from '../../../src/adapters/memory/meter';
import { memoryRecords } from '../../../src/adapters/memory/record-store';
import { seededRandom } from '../../../src/adapters/memory/schedule';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { aliasImage, aliasOf, customerImage, type AliasType } from '../../../src/core/customer-aliases';
import { integerOf, keyOf, type Image } from '../../../src/core/image';
import { withMac, type MacKey } from '../../../src/core/record-mac';
import type { Authorize } from '../../../src/core/staff/actions';
import type { ActingRole, Actor } from '../../../src/core/staff/actor';
import { withProfile, type Profile } from '../../../src/core/staff/profile';
import { recordKeys } from '../../../src/core/table-keys';
import { projectViews } from '../../../src/operations/project-views';
import type { StreamEvent } from '../../../src/ports';

/** What the policies say of reading, in one line: the tests of the policies ask Cedar itself. */
export const authorize: Authorize = ({ operatorId, role }, action, resource) => {
  const ofOwn = resource.type === 'Customer' && resource.ownerId === operatorId;
  const allowed = role === 'support' || (role === 'sales' && (resource.type === 'Customers' || (ofOwn && action !== 'ProveMessage'))) || (role === 'system' && action === 'RecordOutbound');
  return { allowed, policies: allowed ? [`${role}-may`] : [] };
};

export const operator = (operatorId: string, role: ActingRole): Actor => ({ operatorId, name: `name of ${operatorId}`, role, sourceIp: '192.0.2.1', userAgent: 'test', requestId: 'request' });

/** A world that receives, as operations of staff need it. */
export const staffDeps = <W extends object>(world: W) => ({ ...world, authorize, identity: async () => ({ systemSubject: 'S'.repeat(22) }) });

export const ulidOf = (n: number): string => String(n).padStart(26, '0');

export function searchingWorld(seed = 1) {
  const random = seededRandom(seed);
  const clock = { ms: Date.parse('2026-03-01T12:00:00.000Z') };
  const now = (): Date => new Date(clock.ms);
  const records = memoryRecords({ now, random });
  const views = memoryViews();
  const meter = memoryMeter();
  const macKey: MacKey = { id: 1, secret: random(32) };
  const dedupe = random(32);
  const keys = { macKeys: async () => [macKey] as const, dedupeKey: async () => dedupe };
  const deps = { records, views, keys, meter, now, random, authorize, identity: async () => ({ systemSubject: 'S'.repeat(22) }) };
  const stamp = () => ({ receivedAt: now().toISOString(), deliveryId: '', attempt: random(9).toString('base64url') });
  const holder = (n: number) => ({ customerId: ulidOf(n), subject: `subject-of-${String(n).padStart(11, '0')}` });
  const stored = async (n: number): Promise<Image> => {
    const image = await records.get(recordKeys.customer(ulidOf(n)), { consistent: true });
    if (image === 'absent') throw new Error(`no customer ${n}`);
    return image;
  };
  const next = async (n: number, change: (image: Image) => Image): Promise<void> => {
    const image = await stored(n);
    const rev = integerOf(image, 'rev') ?? 0;
    await records.replace(withMac(macKey, { ...change(image), rev: { N: String(rev + 1) } }), rev);
  };
  let projected = 0;
  return {
    ...deps,
    deps,
    clock,
    macKey,
    dedupe,
    stored,
    create: async (n: number, profile: Profile): Promise<void> => void (await records.create(withMac(macKey, withProfile(customerImage(holder(n), stamp()), profile)))),
    edit: (n: number, profile: Profile): Promise<void> => next(n, (image) => withProfile(image, profile)),
    erase: (n: number): Promise<void> => next(n, ({ pk, sk, subject, receivedAt }) => ({ pk: pk!, sk: sk!, kind: { S: 'tombstone' }, subject: subject!, receivedAt: receivedAt! })),
    alias: async (n: number, type: AliasType, value: string, holding: { readonly rev: number; readonly movedTo?: number } = { rev: 1 }): Promise<void> => {
      const image = withMac(macKey, aliasImage(aliasOf(dedupe, type, value), holder(n), { n: 0, linked: {}, assignedAt: 1, ...holding }, stamp()));
      if (holding.rev === 1) await records.create(image);
      else await records.replace(image, holding.rev - 1);
    },
    /** What the stream brought since the last time. */
    follow: async (): Promise<void> => {
      const events = records.stream.slice(projected);
      projected = records.stream.length;
      await projectViews(deps, events);
    },
    events: (): readonly StreamEvent[] => records.stream.filter(({ key }) => /^[ca]#/.test(key.pk)),
  };
}
export type SearchingWorld = ReturnType<typeof searchingWorld>;

export async function accessRecords(world: Pick<SearchingWorld, 'records'>): Promise<readonly Image[]> {
  const found: Image[] = [];
  for await (const image of world.records.scan({ kinds: ['access'] })) found.push(image);
  return found.sort((a, b) => (keyOf(a).sk < keyOf(b).sk ? -1 : 1));
}
