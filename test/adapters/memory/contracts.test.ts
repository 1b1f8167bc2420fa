/** The in-memory adapters keep every promise the AWS ones keep: the same contracts run against both. */
import { randomBytes } from 'node:crypto';
import { memoryInbox } from '../../../src/adapters/memory/inbox';
import { memoryHoldMarks } from '../../../src/adapters/memory/hold-marks';
import { memoryKeyErasure } from '../../../src/adapters/memory/key-erasure';
import { memoryKeyService, memoryKeyTable, memorySigner } from '../../../src/adapters/memory/keys';
import { memoryLog } from '../../../src/adapters/memory/log-store';
import { memoryRecordRepairs } from '../../../src/adapters/memory/record-repairs';
import { memoryRecords } from '../../../src/adapters/memory/record-store';
import { memoryRestoreTarget, type MemoryTables } from '../../../src/adapters/memory/restore-target';
import { memoryRequests } from '../../../src/adapters/memory/request-memory';
import { memoryStreamReaders } from '../../../src/adapters/memory/stream-readers';
import { memoryVault } from '../../../src/adapters/memory/vault';
import { versionedVault } from '../../../src/adapters/memory/versioned-vault';
import { memoryViews } from '../../../src/adapters/memory/view-store';
import { memoryWorkings } from '../../../src/adapters/memory/workings';
import { keyOf } from '../../../src/core/image';
import { inboxContract, vaultContract } from '../../contracts/bucket-contracts';
import { keyErasureContract, keyServiceContract, keyTableContract, signerContract } from '../../contracts/key-contracts';
import { logStoreContract } from '../../contracts/log-store-contract';
import { recordRepairsContract } from '../../contracts/record-repairs-contract';
import { recordStoreContract } from '../../contracts/record-store-contract';
import { requestMemoryContract } from '../../contracts/request-memory-contract';
import { restoreTargetContract } from '../../contracts/restore-target-contract';
import { streamReadersContract, type ReaderSettingsInTest } from '../../contracts/stream-readers-contract';
import { vaultVersionsContract } from '../../contracts/vault-versions-contract';
import { viewStoreContract } from '../../contracts/view-store-contract';
import { workingsContract } from '../../contracts/workings-contract';

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
streamReadersContract('memory', async () => {
  const streams = new Map<string, string>();
  let made = 0;
  const readers = memoryStreamReaders((table) => streams.get(table) ?? 'absent');
  const at = (reader: string, stream: string): number => readers.readers.findIndex((each) => each.reader === reader && each.stream === stream);
  return {
    readers,
    functions: ['seal', 'project'],
    newName: () => randomBytes(8).toString('hex'),
    make: async (table, { stream } = { stream: true }) => void (stream && streams.set(table, `arn:table:table/${table}/stream/${String(++made).padStart(6, '0')}`)),
    drop: async (table) => void streams.delete(table),
    read: async (table, reader, settings) => void readers.readers.push({ reader, stream: streams.get(table) as string, isOn: true, settings: { ...settings } }),
    switchOff: async (reader, stream) => void (readers.readers[at(reader, stream)] = { ...readers.readers[at(reader, stream)]!, isOn: false }),
    settingsOf: async (reader, stream) => readers.readers[at(reader, stream)]!.settings as unknown as ReaderSettingsInTest,
  };
});
viewStoreContract('memory', async () => memoryViews());
requestMemoryContract('memory', async () => memoryRequests());
logStoreContract('memory', async () => memoryLog());
vaultContract('memory', async () => memoryVault());
const versioned = () => versionedVault({ mode: 'COMPLIANCE', retentionDays: 1 }, world.now);
vaultContract('memory with versions', async () => versioned().vault);
vaultVersionsContract('memory', async () => {
  const { vault, reader, byHand } = versioned();
  return { vault, reader, retentionDays: 1, put: async (name, bytes) => byHand.put(name, bytes, 'none'), hide: async (name) => byHand.hide(name) };
});
inboxContract('memory', async () => memoryInbox(world));
workingsContract('memory', async () => memoryWorkings());
keyTableContract('memory', async () => memoryKeyTable());
keyErasureContract('memory', async () => {
  const [records, keys] = [memoryRecords(world), memoryKeyTable()];
  return { erasure: memoryKeyErasure(records, keys), keys, records, marks: memoryHoldMarks(records, keys) };
});
keyServiceContract('memory', async () => memoryKeyService(world));
signerContract('memory', async () => memorySigner(world));
