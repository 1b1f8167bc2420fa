/**
 * A world whose deliveries are reconciled: received by the real operation, each leaving the line its function would write, sealed and published when the test says so. `vanish` is the defect nothing else finds: a
 * delivery that is answered 200, says so in the log, and leaves nothing.
 */
import { memoryDeliveryLog } from '../../src/adapters/memory/delivery-log';
import { memoryMessageHistory } from '../../src/adapters/memory/message-history';
import { memoryProcess, type MemoryProcess, type OnCall } from '../../src/adapters/memory/process';
import { keyOf, stringOf, type Image } from '../../src/core/image';
import { checkMac } from '../../src/core/record-mac';
import type { LineSource } from '../../src/core/reconciliation-lines';
import { loadSecrets } from '../../src/operations/load-secrets';
import { processInbox } from '../../src/operations/process-inbox';
import { receiveDelivery, type ReceiveDeps } from '../../src/operations/receive-delivery';
import { reconcileDeliveries, type ReconcileDeps, type ReconcileOptions, type ReconciliationReport } from '../../src/operations/reconcile-deliveries';
import { makeWorld } from '../world';
import { APP_SECRET, contact, delivery, NUMBER, signed, text } from './receiving-world';

export const HOUR_MS = 3_600_000;
export const PERSON = { waId: '16505551234', bsuid: 'US.13491208655302741918' };

export type ReconcilingWorld = Awaited<ReturnType<typeof reconcilingWorld>>;
export type Accepted = { readonly deliveryId: string; readonly queued: 0 | 1; readonly recorded: number };

export async function reconcilingWorld(seed: number, { perPage = 100 }: { readonly perPage?: number } = {}) {
  const world = await makeWorld({ seed });
  const log = memoryDeliveryLog();
  const history = memoryMessageHistory({ perPage });
  const keys = loadSecrets({ keys: world.keys, keyService: world.keyService });
  const appSecret = async () => ({ appSecrets: [APP_SECRET], verifyToken: '' });
  const receiving: ReceiveDeps = { ...world, keys, secrets: { current: appSecret, refresh: appSecret }, accounts: new Map() };
  /** Where deliveries go that vanish: other stores under the same keys, so that all they say is what it would be. */
  const elsewhere = await makeWorld({ seed: seed + 1 });
  const vanishing: ReceiveDeps = { ...receiving, records: elsewhere.records, inbox: elsewhere.inbox, accounts: new Map() };
  let sealed = 0;

  const say = (source: LineSource, fields: object): void => {
    log.written[source].push({ at: world.now(), text: JSON.stringify({ level: 'INFO', time: world.now().toISOString(), message: source === 'receive' ? 'delivery accepted' : 'process-inbox', ...fields }) });
  };
  const post = async (deps: ReceiveDeps, body: string, isLogged: boolean): Promise<Accepted> => {
    const outcome = await receiveDelivery(deps, signed(body));
    if (outcome.outcome === 'refused') throw new Error('the test signs well');
    const { outcome: _accepted, ...counts } = outcome;
    if (isLogged) say('receive', { requestId: world.random(8).toString('hex'), ...counts });
    return counts;
  };
  const deps: ReconcileDeps = { ...world, deliveries: log, history, logRetentionDays: 30 };

  return {
    world,
    log,
    history,
    deps,
    say,
    deliver: (body: string, { isLogged = true }: { readonly isLogged?: boolean } = {}) => post(receiving, body, isLogged),
    /** Answered 200, and nothing is kept of it. */
    vanish: (body: string) => post(vanishing, body, true),
    /** The inbox's function: everything that waits is recorded. */
    process: async ({ isLogged = true }: { readonly isLogged?: boolean } = {}): Promise<void> => {
      for (const name of [...world.inbox.objects.keys()].filter((each) => each.startsWith('delivery/'))) {
        const outcome = await processInbox(receiving, name);
        if (isLogged) say('process', { object: name, ...outcome });
      }
    },
    settle: async (): Promise<void> => {
      while (sealed < world.stream.length) {
        const events = world.stream.slice(sealed);
        sealed = world.stream.length;
        await world.seal(events);
      }
      await world.publish();
    },
    reconcile: (options?: ReconcileOptions): Promise<ReconciliationReport> => reconcileDeliveries(deps, options),
    /** The same through ports that fail as `onCall` says. */
    faulty: (onCall?: OnCall): { readonly process: MemoryProcess<object>; run(): Promise<ReconciliationReport> } => {
      // Streams are told by their names: the log's lines come under one of those.
      const lines = { list: (...asked: Parameters<typeof log.lines>) => log.lines(...asked) };
      const { records, inbox, vault, keys: keyTable, keyService } = world;
      const process = memoryProcess({ records, inbox, log: world.log, vault, keys: keyTable, keyService, history, lines }, onCall);
      return { process, run: () => reconcileDeliveries({ ...deps, ...process.ports, deliveries: { lines: (...asked) => process.ports.lines.list(...asked) } }) };
    },
    /** Code and what it is about, of every finding that is a record. */
    findings: async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const image of world.records.scan({ kinds: ['finding'] })) if (stringOf(image, 'source')?.startsWith('delivery:') === true) found.push(`${stringOf(image, 'code')} ${stringOf(image, 'about')}`);
      return found.sort();
    },
    results: async (): Promise<readonly Image[]> => {
      const found: Image[] = [];
      for await (const image of world.records.partition('reconciliation')) found.push(image);
      if (!found.every((image) => checkMac([world.macKey], image) === 'valid')) throw new Error('a result without a MAC');
      return found;
    },
    /** What somebody at the console could do, one item after the other. */
    removeByHand: (image: Image): void => world.records.byHand.remove(keyOf(image)),
  };
}

/** A delivery of `n` texts; ids from `name`. */
export const texts = (name: string, n = 1, body = 'words of a customer', number = NUMBER): string =>
  delivery({ contacts: [contact(PERSON)], messages: Array.from({ length: n }, (_, i) => text(`wamid.${name}.${i}`, `${body} ${i}`, PERSON)) }, { number });

/** More events than are recorded at once. */
export const bigTexts = (name: string): string => texts(name, 70);
