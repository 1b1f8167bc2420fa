/** What src/ports/stream-readers.ts promises, for every implementation. */
import type { StreamReaders } from '../../src/ports/stream-readers';

export interface StreamReadersSubject {
  readonly readers: StreamReaders;
  /** Makes an empty table, with a stream or without one. */
  make(table: string, options?: { readonly stream: boolean }): Promise<void>;
  /** Takes the table away. */
  drop(table: string): Promise<void>;
  /** A name no table has had. */
  readonly newName: () => string;
  /** Two functions that can read streams. */
  readonly functions: readonly [string, string];
  /** Lets a function read the table's stream, as its deployment would. */
  read(table: string, reader: string, settings: ReaderSettingsInTest): Promise<void>;
  switchOff(reader: string, stream: string): Promise<void>;
  settingsOf(reader: string, stream: string): Promise<ReaderSettingsInTest>;
}

export interface ReaderSettingsInTest {
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly retries: number;
  readonly maxAgeSeconds: number;
  readonly bisect: boolean;
  /** One pattern, or none. */
  readonly filter: string | undefined;
}

const PLAIN: ReaderSettingsInTest = { batchSize: 1000, windowSeconds: 1, retries: -1, maxAgeSeconds: -1, bisect: false, filter: undefined };
const FILTERED: ReaderSettingsInTest = { batchSize: 7, windowSeconds: 3, retries: 5, maxAgeSeconds: 600, bisect: true, filter: '{"dynamodb":{"Keys":{"pk":{"S":["x"]}}}}' };

export function streamReadersContract(name: string, make: () => Promise<StreamReadersSubject>): void {
  describe(`${name}: readers of streams`, () => {
    let subject: StreamReadersSubject;
    beforeAll(async () => {
      subject = await make();
    });
    const streamOf = async (table: string): Promise<string> => {
      const stream = await subject.readers.streamOf(table);
      expect(stream).toContain(`:table/${table}/stream/`);
      return stream;
    };
    const namesAndStreams = async (table: string): Promise<readonly string[]> => (await subject.readers.of(table)).map(({ reader, stream, isOn }) => `${reader} ${stream} ${isOn}`).sort();
    /** A table that two functions read, gone and made again. */
    const remade = async (): Promise<{ readonly table: string; readonly old: string; readonly stream: string }> => {
      const table = subject.newName();
      await subject.make(table);
      const old = await streamOf(table);
      await subject.read(table, subject.functions[0], PLAIN);
      await subject.read(table, subject.functions[1], FILTERED);
      await subject.drop(table);
      await subject.make(table);
      return { table, old, stream: await streamOf(table) };
    };

    test('a table that is not there, or has no stream, has none, and nobody reads it', async () => {
      const [none, silent] = [subject.newName(), subject.newName()];
      await subject.make(silent, { stream: false });
      for (const table of [none, silent]) expect([await subject.readers.streamOf(table), await subject.readers.of(table)]).toEqual(['absent', []]);
    });

    test('the readers of a table that is gone are known, and its next table has a stream of its own, which sorts after the old one', async () => {
      const { table, old, stream } = await remade();
      expect(stream > old).toBe(true);
      expect(await namesAndStreams(table)).toEqual([...subject.functions].map((reader) => `${reader} ${old} true`).sort());
      // A table whose name only begins alike is another one.
      expect(await subject.readers.of(table.slice(0, -1))).toEqual([]);
    });

    test('each is connected once, set as it was; the old ones stay', async () => {
      const { table, old, stream } = await remade();
      const known = await subject.readers.of(table);
      for (const like of known) expect(await subject.readers.connect(like, stream)).toBe('connected');
      for (const like of known) expect(await subject.readers.connect(like, stream)).toBe('exists');
      expect(await namesAndStreams(table)).toEqual([...subject.functions].flatMap((reader) => [`${reader} ${old} true`, `${reader} ${stream} true`]).sort());
      expect(await subject.settingsOf(subject.functions[0], stream)).toEqual(PLAIN);
      expect(await subject.settingsOf(subject.functions[1], stream)).toEqual(FILTERED);
    });

    test('one that was switched off is connected all the same, and can be switched on', async () => {
      const { table, old, stream } = await remade();
      await subject.switchOff(subject.functions[0], old);
      const off = (await subject.readers.of(table)).find(({ isOn }) => !isOn);
      expect(off).toEqual({ reader: subject.functions[0], stream: old, isOn: false });
      expect(await subject.readers.connect(off!, stream)).toBe('connected');
      await subject.switchOff(subject.functions[0], stream);
      for (let i = 0; i < 2; i++) await subject.readers.switchOn({ reader: subject.functions[0], stream, isOn: false });
      expect(await namesAndStreams(table)).toEqual(expect.arrayContaining([`${subject.functions[0]} ${old} false`, `${subject.functions[0]} ${stream} true`]));
    });

    test('nobody is connected like somebody who is not there', async () => {
      const { stream, old } = await remade();
      const stranger = { reader: 'nobody', stream: old, isOn: true };
      await expect(subject.readers.connect(stranger, stream)).rejects.toMatchObject({ name: 'PortError', code: 'corrupt' });
      await expect(subject.readers.switchOn(stranger)).rejects.toMatchObject({ name: 'PortError', code: 'corrupt' });
    });
  });
}
