/** Readers of streams, in memory: a list of who reads which stream, and what each table's stream is now. */
import { PortError } from '../../ports';
import type { StreamReader, StreamReaders } from '../../ports/stream-readers';

/** How a reader reads, which a new one takes over. */
export type ReaderSettings = Readonly<Record<string, unknown>>;

export interface MemoryReader extends StreamReader {
  readonly settings: ReaderSettings;
}

export interface MemoryStreamReaders extends StreamReaders {
  readonly readers: MemoryReader[];
}

/** `streamOf`: as DynamoDB names them, `…:table/<table>/stream/<when it was made>`. */
export function memoryStreamReaders(streamOf: (table: string) => string | 'absent', readers: MemoryReader[] = []): MemoryStreamReaders {
  const at = ({ reader, stream }: StreamReader): number => readers.findIndex((each) => each.reader === reader && each.stream === stream);
  return {
    readers,
    streamOf: async (table) => streamOf(table),
    of: async (table) => readers.filter(({ stream }) => stream.includes(`:table/${table}/stream/`)).map(({ reader, stream, isOn }) => ({ reader, stream, isOn })),
    connect: async (like, stream) => {
      if (at({ ...like, stream }) !== -1) return 'exists';
      const old = readers[at(like)];
      if (old === undefined) throw new PortError('corrupt', `${like.reader} does not read ${like.stream}`);
      readers.push({ ...old, stream, isOn: true });
      return 'connected';
    },
    switchOn: async (reader) => {
      const there = readers[at(reader)];
      if (there === undefined) throw new PortError('corrupt', `${reader.reader} does not read ${reader.stream}`);
      readers[at(reader)] = { ...there, isOn: true };
    },
  };
}
