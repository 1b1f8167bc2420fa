/**
 * Connects whoever read a table's stream before to the stream it has now. In a restore this comes right after the table is made and before the first record is written: from then on
 * whatever becomes of the table is sealed, by whoever it was done, and a restore that stops in the middle, for however long, leaves no change behind that only a stream of 24 hours knows.
 * Records written by the restore are so sealed once more, which changes nothing of what they are.
 *
 * The old readers stay: what the old stream still holds was answered 200 once, and it is read out by them and nobody else. CloudFormation finds its resources in them, too.
 */
import type { StreamReader, StreamReaders } from '../ports/stream-readers';
import type { TableSettings } from '../ports/restore-target';
import type { ConfigurableTarget } from '../ports/table-configuration';

export interface ReadersPlan {
  /** Functions that read an older stream of the table, and not the one it has now. */
  readonly toConnect: readonly string[];
  /** Functions that would read it, and were switched off. */
  readonly toSwitchOn: readonly string[];
  /** Nobody reads any stream this table ever had, as far as can be told: then nobody knows who should. */
  readonly nobody: boolean;
}

interface Work {
  readonly stream: string | 'absent';
  readonly connect: readonly StreamReader[];
  readonly switchOn: readonly StreamReader[];
  readonly known: number;
}

/** What `connectReaders` would do, or will once the table is made. Throws `PortError`. */
export async function planReaders(readers: StreamReaders, table: string): Promise<ReadersPlan> {
  const { connect, switchOn, known } = await workFor(readers, table);
  return { toConnect: connect.map(({ reader }) => reader), toSwitchOn: switchOn.map(({ reader }) => reader), nobody: known === 0 };
}

/**
 * Does it; the names of those that read now and did not before. Died in between: some are connected, and the next call connects the others and none of these twice. Throws `PortError`.
 */
export async function connectReaders(readers: StreamReaders, table: string): Promise<readonly string[]> {
  const { stream, connect, switchOn } = await workFor(readers, table);
  const done: string[] = [];
  if (stream === 'absent') return done;
  for (const like of connect) if ((await readers.connect(like, stream)) === 'connected') done.push(like.reader);
  for (const each of switchOn) {
    await readers.switchOn(each);
    done.push(each.reader);
  }
  return done;
}

/** `target` whose stream, as soon as there is one, has its readers; `told` hears of each that was connected. */
export function readFromTheStart(target: ConfigurableTarget, readers: StreamReaders, told: (reader: string) => void): ConfigurableTarget {
  const connected = async (): Promise<void> => (await connectReaders(readers, target.name)).forEach(told);
  return {
    name: target.name,
    settings: () => target.settings(),
    create: async (settings: TableSettings) => {
      await target.create(settings);
      // Died before this: an empty table that says it is incomplete, and nobody has written a record into it yet. The same command goes on here.
      await connected();
    },
    configure: async (settings: TableSettings) => {
      await target.configure(settings);
      await connected();
    },
    read: (keys) => target.read(keys),
    write: (images) => target.write(images),
    remove: (keys) => target.remove(keys),
    scan: () => target.scan(),
    drop: () => target.drop(),
  };
}

async function workFor(readers: StreamReaders, table: string): Promise<Work> {
  const [stream, known] = [await readers.streamOf(table), await readers.of(table)];
  const present = known.filter((each) => each.stream === stream);
  const newest = new Map<string, StreamReader>();
  for (const each of known) {
    const other = newest.get(each.reader);
    if (other === undefined || other.stream < each.stream) newest.set(each.reader, each);
  }
  return {
    stream,
    connect: [...newest.values()].filter(({ reader }) => !present.some((each) => each.reader === reader)).sort(byName),
    switchOn: present.filter(({ isOn }) => !isOn).sort(byName),
    known: known.length,
  };
}

const byName = (a: StreamReader, b: StreamReader): number => (a.reader < b.reader ? -1 : a.reader > b.reader ? 1 : 0);
