/** The world of test/world.ts with repairs in it: what a sealer asks for is done, until nothing moves any more, and what was done by hand is told from what the system did. */
import { memoryProcess, type OnCall } from '../../src/adapters/memory/process';
import { memoryRecordRepairs } from '../../src/adapters/memory/record-repairs';
import { memoryRepairRequests } from '../../src/adapters/memory/repair-requests';
import { memoryVaultReader } from '../../src/adapters/memory/vault-reader';
import { canonicalImage } from '../../src/core/canonical-image';
import { keyOf, type Image, type TableKey } from '../../src/core/image';
import { makePublisher, publishLog } from '../../src/operations/publish-log';
import { repairRecords, type RepairOutcome } from '../../src/operations/repair-record';
import { makeSealer, sealRecords } from '../../src/operations/seal-records';
import { verifyVault } from '../../src/operations/verify-vault';
import type { RepairRequest } from '../../src/ports/repair-requests';
import { makeWorld, type World } from '../world';

export type RepairWorld = Awaited<ReturnType<typeof makeRepairWorld>>;

const textOf = (image: Image | undefined): string => (image === undefined ? 'absent' : canonicalImage(image).toString());
const nameOf = ({ pk, sk }: TableKey): string => JSON.stringify([pk, sk]);

export async function makeRepairWorld(seed: number) {
  const world = await makeWorld({ seed });
  const repairRequests = memoryRepairRequests();
  const { records, log, vault, inbox, keys, keyService, signer, meter, now, random, sleep } = world;
  const ports = { records, log, vault, inbox, keys, keyService, signer, meter, now, random, sleep, repairRequests, repairs: memoryRecordRepairs(records) };
  /** Events a sealer has been handed; what a real stream would not deliver again. */
  let sealed = 0;

  const self = {
    ...world,
    ports,
    asked: repairRequests.asked,
    process: (onCall?: OnCall) => memoryProcess(ports, onCall),
    sealNew: async (): Promise<void> => {
      const from = sealed;
      sealed = world.stream.length;
      await sealRecords(makeSealer(ports), world.stream.slice(from));
    },
    publishNew: () => publishLog(makePublisher(ports)),
    /** What is sealed is published, what was asked for is done, again and again until nothing moves. Returns what came of each repair. */
    settle: async (): Promise<readonly RepairOutcome[]> => {
      const outcomes: RepairOutcome[] = [];
      for (let round = 0; round < 20; round++) {
        world.advance(1_500);
        await self.sealNew();
        await self.publishNew();
        if (sealed === world.stream.length && repairRequests.asked.length === 0) return outcomes;
        outcomes.push(...(await self.repairAsked()));
      }
      throw new Error('it does not come to rest');
    },
    repairAsked: async (): Promise<readonly RepairOutcome[]> => self.repair(...repairRequests.asked.splice(0)),
    repair: async (...requests: readonly RepairRequest[]): Promise<readonly RepairOutcome[]> =>
      (await repairRecords(ports, requests)).map((attempt) => {
        if (attempt.status === 'rejected') throw attempt.reason;
        return attempt.value;
      }),
    table: async (): Promise<ReadonlyMap<string, string>> => {
      const items: [string, string][] = [];
      for await (const image of records.scan()) items.push([nameOf(keyOf(image)), textOf(image)]);
      return new Map(items.sort());
    },
    read: async (key: TableKey): Promise<string> => {
      const there = await records.get(key, { consistent: true });
      return textOf(there === 'absent' ? undefined : there);
    },
    /** Whether some entry of the log holds exactly this image. */
    isSealed: (image: Image): boolean => world.entries().some(({ entry }) => holds(world, entry, image)),
    ofKind: async (kind: string): Promise<readonly Image[]> => {
      const found: Image[] = [];
      for await (const image of records.scan({ kinds: [kind] })) found.push(image);
      return found;
    },
    verify: async () => (await verifyVault(memoryVaultReader(vault.objects), { profile: 'intact', keys: [] })).findings,
    profile: world.profile,
  };
  return self;
}

/** As it is, or within the stream's own record. */
function holds(world: World, entry: Parameters<World['open']>[0], image: Image): boolean {
  const plaintext = world.open(entry)?.subarray(32).toString();
  if (plaintext === undefined) return false;
  if (entry.kind !== 'raw') return plaintext === textOf(image);
  const { dynamodb } = JSON.parse(plaintext) as { dynamodb?: { NewImage?: unknown } };
  return JSON.stringify(dynamodb?.NewImage) === textOf(image);
}

export { textOf, nameOf };
