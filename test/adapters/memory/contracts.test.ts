/** The in-memory adapters keep every promise the AWS ones keep: the same contracts run against both. */
import { randomBytes } from 'node:crypto';
import { memoryInbox } from '../../../src/adapters/memory/inbox';
import { memoryKeyService, memoryKeyTable, memorySigner } from '../../../src/adapters/memory/keys';
import { memoryLog } from '../../../src/adapters/memory/log-store';
import { memoryRecordRepairs } from '../../../src/adapters/memory/record-repairs';
import { memoryRecords } from '../../../src/adapters/memory/record-store';
import { memoryRestoreTarget, type MemoryTables } from '../../../src/adapters/memory/restore-target';
import { memoryVault } from '../../../src/adapters/memory/vault';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { keyOf } from '../../../src/core/image';
import { inboxContract, vaultContract } from '../../contracts/bucket-contracts';
import { keyServiceContract, keyTableContract, signerContract } from '../../contracts/key-contracts';
import { logStoreContract } from '../../contracts/log-store-contract';
import { recordRepairsContract } from '../../contracts/record-repairs-contract';
import { recordStoreContract } from '../../contracts/record-store-contract';
import { restoreTargetContract } from '../../contracts/restore-target-contract';
import { viewStoreContract } from '../../contracts/view-store-contract';

const world = { now: () => new Date(), random: randomBytes };
recordStoreContract('memory', async () => ({ store: memoryRecords(world) }));
recordRepairsContract('memory', async () => {
  const records = memoryRecords(world);
  return { repairs: memoryRecordRepairs(records), put: async (image) => records.byHand.put(image), get: (image) => records.get(keyOf(image), { consistent: true }) };
});
restoreTargetContract('memory', async () => {
  const tables: MemoryTables = new Map();
  return { newName: () => randomBytes(8).toString('hex'), open: (name) => memoryRestoreTarget(tables, name), encryptionKey: 'a key' };
});
viewStoreContract('memory', async () => memoryViews());
logStoreContract('memory', async () => memoryLog());
vaultContract('memory', async () => memoryVault());
inboxContract('memory', async () => memoryInbox(world));
keyTableContract('memory', async () => memoryKeyTable());
keyServiceContract('memory', async () => memoryKeyService(world));
signerContract('memory', async () => memorySigner(world));
