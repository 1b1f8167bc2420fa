/** What a restored table is to be set to, and how a table that is there differs from it. */
import { RECORDS_TABLE } from '../core/records-table';
import { withoutLabel } from '../core/restore-label';
import type { RestoreTarget, TableSettings } from '../ports/restore-target';

export interface SettingDifference {
  readonly setting: keyof TableSettings;
  readonly wanted: string;
  readonly there: string;
}

/** Settings for a copy of the live table. */
export const settingsLike = (live: TableSettings): TableSettings => ({ ...live, tags: ownTags(live.tags) });

/**
 * Settings of a records table that cannot be asked: gone, or set to something else by somebody. Key, deletion protection and tags are a stage's, so another table of the stage tells
 * them, the rest is every records table's own. `there`: as it is, where it still is; restoring never takes protection away, whoever took it from the other table.
 */
export const settingsBeside = (sibling: TableSettings, there?: TableSettings): TableSettings => ({
  ...sibling,
  ...RECORDS_TABLE,
  deletionProtection: sibling.deletionProtection || there?.deletionProtection === true,
  encryptionKey: sibling.encryptionKey ?? there?.encryptionKey ?? null,
  tags: ownTags(sibling.tags),
});

/**
 * Settings of a table to restore into. A copy: as the live table is set. The live table itself, and a copy of one that is gone: as the deployment made it, which the first of `siblings` tells that is
 * there. The keys table, of which there may be replicas, is made in another way. 'unknown': none is there. Throws `PortError`.
 */
export async function settingsToRestore({ live, siblings, isLive = false }: { readonly live: Described; readonly siblings: readonly Described[]; readonly isLive?: boolean }): Promise<TableSettings | 'unknown'> {
  const there = await live.settings();
  if (there !== 'absent' && !isLive) return settingsLike(there);
  for (const each of siblings) {
    const sibling = await each.settings();
    if (sibling !== 'absent') return settingsBeside(sibling, there === 'absent' ? undefined : there);
  }
  return 'unknown';
}

type Described = Pick<RestoreTarget, 'settings'>;

/** Without our label, which is the copied table's own, and without what only AWS may set. */
const ownTags = (tags: readonly string[]): readonly string[] => withoutLabel(tags).filter((tag) => !tag.startsWith('aws:'));

/** What differs, by setting. Tags beyond the wanted ones are somebody's own and no difference; nor is our label. */
export function settingDifferences(wanted: TableSettings, there: TableSettings): SettingDifference[] {
  const missing = wanted.tags.filter((tag) => !there.tags.includes(tag));
  const names = ['stream', 'expires', 'pointInTimeRecovery', 'deletionProtection', 'encryptionKey', 'billing', 'indexes'] as const;
  const different = names.flatMap((setting) => (words(wanted[setting]) === words(there[setting]) ? [] : [{ setting, wanted: words(wanted[setting]), there: words(there[setting]) }]));
  return missing.length === 0 ? different : [...different, { setting: 'tags', wanted: missing.join(', '), there: words(withoutLabel(there.tags)) }];
}

const words = (value: string | boolean | null | readonly string[]): string => {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return typeof value === 'string' ? value : value.length === 0 ? 'none' : value.join('; ');
};
