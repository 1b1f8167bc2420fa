/** Tables to restore into, in memory: a few by name, the live one among them where a test has one. Settings are kept as they were given and decide nothing. */
import { canonicalImage, parseCanonicalImage } from '../../core/canonical-image';
import { keyOf, type Image, type TableKey } from '../../core/image';
import { RECORDS_TABLE } from '../../core/records-table';
import { PortError } from '../../ports';
import type { TableSettings } from '../../ports/restore-target';
import type { ConfigurableTarget } from '../../ports/table-configuration';
import type { MemoryRecords } from './record-store';

/** The items of one table. */
export interface MemoryItems {
  get(key: TableKey): Image | 'absent';
  put(image: Image): void;
  remove(key: TableKey): void;
  all(): readonly Image[];
}

export interface MemoryTable {
  settings: TableSettings;
  readonly items: MemoryItems;
}

/** Tables by name; to lose one delete it. */
export type MemoryTables = Map<string, MemoryTable>;

const nameOf = ({ pk, sk }: TableKey): string => JSON.stringify([pk, sk]);

export function memoryItems(): MemoryItems {
  const items = new Map<string, Buffer>();
  return {
    get: (key) => {
      const bytes = items.get(nameOf(key));
      return bytes === undefined ? 'absent' : parseCanonicalImage(bytes);
    },
    // Through the bytes, so that no caller shares memory with the table.
    put: (image) => void items.set(nameOf(keyOf(image)), canonicalImage(image)),
    remove: (key) => void items.delete(nameOf(key)),
    all: () => [...items.values()].map(parseCanonicalImage),
  };
}

/** The items of a records table that has a stream, which sees what is done here. */
export const itemsOf = ({ byHand }: Pick<MemoryRecords, 'byHand'>): MemoryItems => ({ get: byHand.peek, put: byHand.put, remove: byHand.remove, all: byHand.all });

/** `itemsFor`: the items of a table that is made; empty ones unless a test says otherwise. */
export function memoryRestoreTarget(tables: MemoryTables, name: string, itemsFor: (name: string) => MemoryItems = memoryItems): ConfigurableTarget {
  let made: MemoryTable | undefined;
  const table = (): MemoryTable => {
    const there = tables.get(name);
    if (there === undefined) throw new PortError('corrupt', `there is no table ${name}`);
    return there;
  };
  return {
    name,
    settings: async () => tables.get(name)?.settings ?? 'absent',
    create: async (settings) => {
      if (tables.has(name)) throw new PortError('different-bytes', `there is a table ${name} already: somebody else made it`);
      made = { settings: { ...settings, indexes: RECORDS_TABLE.indexes, billing: 'on-demand' }, items: itemsFor(name) };
      tables.set(name, made);
    },
    configure: async (settings) => {
      const { settings: there } = table();
      const names = new Set(settings.tags.map(tagName));
      const tags = [...there.tags.filter((tag) => !names.has(tagName(tag))), ...settings.tags].sort();
      table().settings = { ...settings, tags, indexes: there.indexes, billing: there.billing };
    },
    read: async (keys) => keys.flatMap((key) => {
      const image = table().items.get(key);
      return image === 'absent' ? [] : [image];
    }),
    write: async (images) => {
      if (new Set(images.map((image) => nameOf(keyOf(image)))).size < images.length) throw new PortError('corrupt', 'two of these images have one key');
      for (const image of images) table().items.put(image);
    },
    remove: async (keys) => keys.forEach((key) => table().items.remove(key)),
    scan: async function* () {
      yield* table().items.all();
    },
    drop: async () => {
      if (made === undefined) throw new PortError('denied', `${name} was not made here: it is not dropped`);
      if (tables.get(name) === made) tables.delete(name);
      made = undefined;
    },
  };
}

const tagName = (tag: string): string => tag.split('=', 1)[0] ?? '';
