/** The views table in memory. */
import { canonicalImage, parseCanonicalImage } from '../../core/canonical-image';
import { keyOf, stringOf, type Image, type TableKey } from '../../core/image';
import type { ViewStore } from '../../ports';

const isBefore = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
const nameOf = (key: TableKey): string => JSON.stringify([key.pk, key.sk]);

export function memoryViews(): ViewStore {
  const views = new Map<string, Image>();
  const orders = new Map<string, string>();
  const seen = new Set<string>();
  return {
    apply: async ({ key, eventId, add, set, order }) => {
      const name = nameOf(key);
      if (seen.has(`${name} ${eventId}`)) return 'seen';
      seen.add(`${name} ${eventId}`);
      const before: Image = views.get(name) ?? { pk: { S: key.pk }, sk: { S: key.sk } };
      const sums = Object.entries(add ?? {}).map(([attribute, n]) => {
        const there = before[attribute];
        return [attribute, { N: String((there !== undefined && 'N' in there ? Number(there.N) : 0) + n) }] as const;
      });
      const stored = orders.get(name);
      const isNewest = order === undefined || stored === undefined || order > stored;
      if (isNewest && order !== undefined) orders.set(name, order);
      const after: Image = { ...before, ...Object.fromEntries(sums), ...(isNewest ? set : undefined) };
      views.set(name, parseCanonicalImage(canonicalImage(after)));
      return 'applied';
    },
    place: async ({ key, order, set }) => {
      const name = nameOf(key);
      const stored = orders.get(name);
      if (stored !== undefined && stored >= order) return 'seen';
      orders.set(name, order);
      views.set(name, parseCanonicalImage(canonicalImage({ ...set, pk: { S: key.pk }, sk: { S: key.sk } })));
      return 'applied';
    },
    remove: async (key, order) => {
      const name = nameOf(key);
      const stored = orders.get(name);
      if (!views.has(name) || (stored !== undefined && stored > order)) return 'seen';
      orders.delete(name);
      views.delete(name);
      return 'applied';
    },
    get: async (key) => views.get(nameOf(key)) ?? 'absent',
    partition: async function* (pk, options) {
      const isAsked = ({ sk }: TableKey): boolean => (options?.before === undefined || isBefore(sk, options.before)) && sk.startsWith(options?.skPrefix ?? '');
      const found = [...views.values()].filter((view) => stringOf(view, 'pk') === pk && isAsked(keyOf(view)));
      found.sort((a, b) => Buffer.compare(Buffer.from(keyOf(a).sk), Buffer.from(keyOf(b).sk)));
      if (options?.newestFirst === true) found.reverse();
      yield* found.slice(0, options?.limit);
    },
  };
}
