/**
 * A world in which people are erased: it receives, seals, publishes and projects as a deployment does, officers ask and confirm, and the schedule comes by every five minutes of a clock that the
 * test moves. `holding` looks through everything the world keeps, for whatever form a secret may have there.
 */
import { gunzipSync } from 'node:zlib';
import { memoryHoldMarks } from '../../../src/adapters/memory/hold-marks';
import { memoryKeyErasure } from '../../../src/adapters/memory/key-erasure';
import { memoryKeyInventory } from '../../../src/adapters/memory/key-inventory';
import { memoryRecordRepairs } from '../../../src/adapters/memory/record-repairs';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { memoryVaultReader } from '../../../src/adapters/memory/vault-reader';
import { memoryProcess, type OnCall } from '../../../src/adapters/memory/process';
import { canonicalImage } from '../../../src/core/canonical-image';
import { stringOf, type Image, type TableKey } from '../../../src/core/image';
import type { Authorize } from '../../../src/core/staff/actions';
import type { Actor } from '../../../src/core/staff/actor';
import { advanceErasures, type ErasureDeps, type ErasureProgress } from '../../../src/operations/erasure/advance-erasures';
import { auditTable } from '../../../src/operations/audit-table';
import { loadSecrets } from '../../../src/operations/load-secrets';
import { ownerCache } from '../../../src/operations/owner-cache';
import { repairRecords } from '../../../src/operations/repair-record';
import { projectViews } from '../../../src/operations/project-views';
import { receiveDelivery, type ReceiveOutcome } from '../../../src/operations/receive-delivery';
import { askErasure, confirmErasure } from '../../../src/operations/staff/erasures';
import { verifyVault } from '../../../src/operations/verify-vault';
import type { RepairRequest } from '../../../src/ports/repair-requests';
import { makeWorld } from '../../world';
import { tableOf } from '../audited-world';
import { APP_SECRET, contact, delivery, signed, text, textDelivery } from '../receiving-world';

export const EVERY_MS = 5 * 60_000;

/** As the policies say it: officers only, and nobody confirms what they asked for. */
export const authorize: Authorize = (actor, action, resource) => {
  const askedBy = resource.type === 'Customer' ? resource.askedBy : undefined;
  const allowed = ['compliance', 'dpo'].includes(actor.role) && (action !== 'ConfirmErasure' || (askedBy !== undefined && askedBy !== actor.operatorId));
  return { allowed, policies: allowed ? ['officers'] : [] };
};

export const officer = (name: string, role: Actor['role'] = 'compliance'): Actor => ({ operatorId: `operator-${name}`, name, role, sourceIp: '192.0.2.1', userAgent: 'test', requestId: 'r' });
export const [ALICE, BOB] = [officer('alice'), officer('bob', 'dpo')];

export type ErasingWorld = Awaited<ReturnType<typeof erasingWorld>>;

export async function erasingWorld(seed: number) {
  const world = await makeWorld({ seed });
  const views = memoryViews();
  /** Every place a view was ever put to. */
  const viewed = new Map<string, TableKey>();
  const [apply, place] = [views.apply, views.place];
  const seenAt = (key: TableKey): void => void viewed.set(JSON.stringify(key), key);
  views.apply = async (update) => (seenAt(update.key), apply(update));
  views.place = async (view) => (seenAt(view.key), place(view));
  const allViews = async () => (await Promise.all([...viewed.values()].map((key) => views.get(key)))).filter((view): view is Image => view !== 'absent');
  const secrets = loadSecrets(world);
  /** Repairs that erasures asked for. */
  const asked: RepairRequest[] = [];
  const ports = { ...world, views, keyErasure: memoryKeyErasure(world.records, world.keys), repairRequests: { ask: async (request: RepairRequest) => void asked.push(request) } };
  const appSecrets = { current: async () => ({ appSecrets: [APP_SECRET], verifyToken: '' }), refresh: async () => ({ appSecrets: [APP_SECRET], verifyToken: '' }) };
  const staff = { ...world, holdMarks: memoryHoldMarks(world.records, world.keys), keys: secrets, authorize, identity: async () => world.identity };
  let [sealed, projected] = [0, 0];

  /** One container that receives. `remembers`: it keeps owners for a minute. */
  const receiver = (onCall?: OnCall, remembers = true) => {
    const process = memoryProcess({ records: world.records, inbox: world.inbox }, onCall);
    const deps = { ...world, ...process.ports, secrets: appSecrets, keys: { macKeys: secrets.macKeys, dedupeKey: secrets.dedupeKey }, accounts: new Map<string, string>(), ownerCache: remembers ? ownerCache(world.now) : undefined };
    return { receive: (body: string): Promise<ReceiveOutcome> => receiveDelivery(deps, signed(body)), settle: process.settle };
  };

  /** What the streams bring to their readers. */
  async function settle(): Promise<void> {
    while (sealed < world.stream.length) {
      const events = world.stream.slice(sealed);
      sealed = world.stream.length;
      await world.seal(events);
    }
    if (projected < world.stream.length) {
      const events = world.stream.slice(projected);
      projected = world.stream.length;
      await projectViews({ views, keys: secrets, now: world.now }, events);
    }
    await world.publish();
  }

  const container = (onCall?: OnCall): { readonly deps: ErasureDeps; readonly settle: () => Promise<void>; readonly calls: readonly unknown[] } => {
    const process = memoryProcess(ports, onCall);
    return { deps: process.ports, settle: process.settle, calls: process.calls };
  };
  const advance = (onCall?: OnCall): Promise<readonly ErasureProgress[]> => advanceErasures(container(onCall).deps);

  async function customerOf(messageId: string): Promise<string> {
    for await (const image of world.records.scan({ kinds: ['message'] })) if (stringOf(image, 'messageId') === messageId) return stringOf(image, 'customerId') ?? '';
    throw new Error(`${messageId} is not recorded`);
  }
  async function confirmed(customerId: string): Promise<string> {
    const asked = await askErasure(staff, ALICE, { customerId, reason: 'asked for by letter' });
    if (asked.outcome !== 'done') throw new Error(JSON.stringify(asked.refusal));
    const outcome = await confirmErasure(staff, BOB, { customerId, requestId: asked.value.requestId });
    if (outcome.outcome !== 'done') throw new Error(JSON.stringify(outcome.refusal));
    return asked.value.requestId;
  }
  /** The schedule, until every erasure is done or waits for something that time does not bring. */
  async function untilDone(meanwhile: () => Promise<void> | void = () => undefined, runs = 40): Promise<readonly ErasureProgress[]> {
    let last: readonly ErasureProgress[] = [];
    for (let run = 0; run < runs; run++) {
      const progress = await advance();
      if (progress.length > 0) last = progress;
      await settle();
      await meanwhile();
      if (last.every(({ waiting }) => waiting === 'done')) return last;
      world.advance(EVERY_MS);
    }
    return last;
  }
  const images = async (...kinds: string[]): Promise<readonly Image[]> => {
    const found: Image[] = [];
    for await (const image of world.records.scan(kinds.length === 0 ? {} : { kinds })) found.push(image);
    return found;
  };
  async function audit() {
    const asked: unknown[] = [];
    const report = await auditTable({ ...world, table: tableOf(world.records), inventory: memoryKeyInventory(world.keys), ask: async (request) => void asked.push(request), sleep: async (ms) => (world.advance(ms), settle()) });
    return { findings: report.findings, found: report.found, asked };
  }
  /** What an erasure asked for is repaired. */
  async function repair(): Promise<readonly string[]> {
    const attempts = await repairRecords({ ...world, repairs: memoryRecordRepairs(world.records), sleep: async (ms) => (world.advance(ms), settle()) }, asked.splice(0));
    await settle();
    return attempts.map((each) => (each.status === 'fulfilled' ? each.value.outcome : String(each.reason)));
  }
  const verify = async () => (await verifyVault(memoryVaultReader(world.vault.objects), { profile: 'intact', keys: [] })).findings;

  /**
   * Where `needle` is: in the table, its keys and attributes, the inbox and its names, the keys table, the views, the vault and its names, and in everything the vault holds that a key still there
   * opens. As UTF-8 and UTF-16, as hex, and as base64 in each of its three alignments.
   */
  async function holding(needle: string, more: Readonly<Record<string, string | Buffer>> = {}): Promise<readonly string[]> {
    const forms = formsOf(needle);
    const found: string[] = [];
    const look = (where: string, bytes: Uint8Array | string): void => {
      const haystack = Buffer.from(bytes as Uint8Array);
      if (forms.some((form) => haystack.includes(form))) found.push(where);
    };
    for (const image of await images()) {
      look(`record ${stringOf(image, 'pk')} ${stringOf(image, 'sk')}`, canonicalImage(image));
      for (const value of valuesIn(image)) look(`record ${stringOf(image, 'pk')} ${stringOf(image, 'sk')}`, value);
    }
    for (const [name, { bytes }] of world.inbox.objects) {
      look(`inbox ${name}`, name);
      look(`inbox ${name}`, bytes);
    }
    for (const [subject, row] of world.keys.subjects) look(`key of ${subject}`, JSON.stringify([subject, row]));
    for (const view of await allViews()) look('a view', canonicalImage(view));
    for (const [name, bytes] of world.vault.objects) {
      look(`vault ${name}`, name);
      look(`vault ${name}`, bytes);
      if (/^snapshot\/.*\/\d{6}-/.test(name)) look(`vault ${name}`, gunzipSync(bytes));
    }
    for (const { entry } of world.entries()) {
      const plaintext = world.open(entry);
      if (plaintext !== undefined) look(`what entry ${entry.kind} holds`, plaintext);
    }
    for (const [where, text] of Object.entries(more)) look(where, text);
    return found;
  }

  return { world, ports, views, staff, secrets, receiver, settle, advance, container, customerOf, confirmed, untilDone, images, audit, repair, verify, holding };
}

export const EVE = { waId: '15550001111', bsuid: 'US.13491208655302741918' };
export const OTHER = { waId: '15550002222' };
export const SECRETS = ['the words of eve', EVE.waId, EVE.bsuid, 'wamid.eve-1', 'wamid.eve-2', 'Sheena Nelson of eve', 'a long letter'];

/** Eve and somebody else have written; a letter of Eve's is too long for its record. */
export async function populated(seed: number): Promise<{ readonly it: ErasingWorld; readonly eve: string; readonly other: string }> {
  const it = await erasingWorld(seed);
  const { receive } = it.receiver();
  const named = { ...contact(EVE), profile: { name: 'Sheena Nelson of eve' } };
  await receive(delivery({ contacts: [named], messages: [text('wamid.eve-1', 'the words of eve', EVE)] }));
  await receive(delivery({ contacts: [named], messages: [text('wamid.eve-2', `a long letter ${'x'.repeat(30_000)}`, EVE)] }));
  await receive(delivery({ statuses: [{ id: 'wamid.out-1', status: 'delivered', timestamp: '1749416400', recipient_id: EVE.waId, recipient_user_id: EVE.bsuid }] }));
  await receive(textDelivery('wamid.other-1', 'the words of somebody else', OTHER));
  await it.settle();
  return { it, eve: await it.customerOf('wamid.eve-1'), other: await it.customerOf('wamid.other-1') };
}

/** Every spelling in which a store could hold it. */
export function formsOf(needle: string): readonly Buffer[] {
  const plain = [Buffer.from(needle, 'utf8'), Buffer.from(needle, 'utf16le'), Buffer.from(needle, 'utf16le').swap16()];
  const encoded = plain.flatMap((bytes) => [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...[0, 1, 2].flatMap((shift) => base64Inside(bytes, shift))]);
  return [...plain, ...encoded.filter((text) => text.length >= 8).map((text) => Buffer.from(text))];
}

/** The characters of base64 and base64url that depend on nothing but `bytes`, where they begin `shift` bytes behind a group of three. */
function base64Inside(bytes: Buffer, shift: number): readonly string[] {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '');
  const inside = text.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + bytes.length) * 8) / 6));
  return [inside, inside.replaceAll('+', '-').replaceAll('/', '_')];
}

/** Bytes and strings in an image, as they are without its encoding. */
function valuesIn(image: Image): readonly (Uint8Array | string)[] {
  return Object.entries(image).flatMap(([name, value]) => {
    if ('B' in value) return [name, value.B];
    if ('S' in value) return [name, value.S];
    if ('M' in value) return [name, ...valuesIn(value.M)];
    if ('L' in value) return value.L.flatMap((each) => valuesIn({ each }));
    return [name];
  });
}
