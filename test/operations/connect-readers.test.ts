/** Readers of a table's stream: connected to the one it has now, each once, as they were, before the first record is written; whatever call fails, doing it again ends the same. */
import { memoryRestoreTarget, type MemoryTables } from '../../src/adapters/memory/restore-target';
import { memoryStreamReaders, type MemoryReader } from '../../src/adapters/memory/stream-readers';
import { RECORDS_TABLE } from '../../src/core/records-table';
import { connectReaders, planReaders, readFromTheStart } from '../../src/operations/connect-readers';
import { PortError } from '../../src/ports';
import type { TableSettings } from '../../src/ports/restore-target';

const stream = (n: number): string => `arn:aws:dynamodb:us-east-1:0:table/records/stream/2026-0${n}`;
const reads = (reader: string, n: number, more: Partial<MemoryReader> = {}): MemoryReader => ({ reader, stream: stream(n), isOn: true, settings: { of: `${reader} ${n}` }, ...more });
const settings: TableSettings = { ...RECORDS_TABLE, indexes: [...RECORDS_TABLE.indexes], pointInTimeRecovery: true, deletionProtection: true, encryptionKey: null, billing: 'on-demand', tags: [] };

describe('the readers of a stream', () => {
  test('are let read the newest one as they read the one before it, each once', async () => {
    const readers = memoryStreamReaders(() => stream(3), [reads('seal', 1), reads('seal', 2), reads('project', 1), { ...reads('seal', 1), stream: stream(1).replace('records', 'records-copy') }]);
    expect(await planReaders(readers, 'records')).toEqual({ toConnect: ['project', 'seal'], toSwitchOn: [], nobody: false });
    expect(await connectReaders(readers, 'records')).toEqual(['project', 'seal']);
    expect(readers.readers.slice(4)).toEqual([{ ...reads('project', 1), stream: stream(3) }, { ...reads('seal', 2), stream: stream(3) }]);
    expect(await connectReaders(readers, 'records')).toEqual([]);
    expect(readers.readers).toHaveLength(6);
  });

  test('that were switched off on the stream of now are switched on, on an older one they are left as they are', async () => {
    const readers = memoryStreamReaders(() => stream(2), [reads('seal', 1, { isOn: false }), reads('seal', 2, { isOn: false }), reads('project', 1, { isOn: false })]);
    expect(await planReaders(readers, 'records')).toEqual({ toConnect: ['project'], toSwitchOn: ['seal'], nobody: false });
    expect(await connectReaders(readers, 'records')).toEqual(['project', 'seal']);
    expect(readers.readers.map(({ reader, stream: of, isOn }) => [reader, of === stream(2), isOn])).toEqual([['seal', false, false], ['seal', true, true], ['project', false, false], ['project', true, true]]);
  });

  test('of a table that is gone are told, and connected when there is a stream', async () => {
    const readers = memoryStreamReaders(() => 'absent', [reads('seal', 1)]);
    expect(await planReaders(readers, 'records')).toMatchObject({ toConnect: ['seal'] });
    expect([await connectReaders(readers, 'records'), readers.readers.length]).toEqual([[], 1]);
    expect(await planReaders(readers, 'other')).toEqual({ toConnect: [], toSwitchOn: [], nobody: true });
  });

  test('are connected when the table is made and whenever it is set, before that resolves; another restore that was faster is no error', async () => {
    const tables: MemoryTables = new Map();
    const inner = memoryStreamReaders((name) => (tables.get(name)?.settings.stream ? stream(2) : 'absent'), [reads('seal', 1)]);
    const told: string[] = [];
    const target = readFromTheStart(memoryRestoreTarget(tables, 'records'), inner, (reader) => told.push(reader));
    await target.create({ ...settings, stream: null });
    expect(told).toEqual([]);
    await target.configure(settings);
    await target.configure(settings);
    expect([told, inner.readers.length]).toEqual([['seal'], 2]);
    expect(await connectReaders({ ...inner, of: async () => [reads('seal', 1)] }, 'records')).toEqual([]);
    expect(inner.readers).toHaveLength(2);
  });

  test('end connected, each once, whatever call fails on either side of its effect', async () => {
    for (let at = 0; at < 12; at++) {
      const inner = memoryStreamReaders(() => stream(2), [reads('seal', 1), reads('project', 1), reads('report', 2, { isOn: false })]);
      let calls = 0;
      const failing = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
        if (calls++ === at) throw new PortError('unavailable', 'before');
        const result = await method(...args);
        if (calls++ === at) throw new PortError('unavailable', 'after');
        return result;
      };
      const readers = { streamOf: failing(inner.streamOf), of: failing(inner.of), connect: failing(inner.connect), switchOn: failing(inner.switchOn) };
      await connectReaders(readers, 'records').catch((error: unknown) => expect(error).toBeInstanceOf(PortError));
      await connectReaders(inner, 'records');
      expect([at, inner.readers.filter(({ stream: of, isOn }) => of === stream(2) && isOn).map(({ reader }) => reader).sort()]).toEqual([at, ['project', 'report', 'seal']]);
    }
  });
});
