/** The in-memory adapters keep every promise the AWS ones keep: the same contracts run against both. */
import { randomBytes } from 'node:crypto';
import { memoryInbox } from '../../../src/adapters/memory/inbox';
import { memoryKeyService, memoryKeyTable, memorySigner } from '../../../src/adapters/memory/keys';
import { memoryLog } from '../../../src/adapters/memory/log-store';
import { memoryRecords } from '../../../src/adapters/memory/record-store';
import { memoryVault } from '../../../src/adapters/memory/vault';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { inboxContract, vaultContract } from '../../contracts/bucket-contracts';
import { keyServiceContract, keyTableContract, signerContract } from '../../contracts/key-contracts';
import { logStoreContract } from '../../contracts/log-store-contract';
import { recordStoreContract } from '../../contracts/record-store-contract';
import { viewStoreContract } from '../../contracts/view-store-contract';

const world = { now: () => new Date(), random: randomBytes };
recordStoreContract('memory', async () => ({ store: memoryRecords(world) }));
viewStoreContract('memory', async () => memoryViews());
logStoreContract('memory', async () => memoryLog());
vaultContract('memory', async () => memoryVault());
inboxContract('memory', async () => memoryInbox(world));
keyTableContract('memory', async () => memoryKeyTable());
keyServiceContract('memory', async () => memoryKeyService(world));
signerContract('memory', async () => memorySigner(world));
