/** A world whose table is drilled: its live table beside a place for scratch tables. */
import { itemsOf, memoryRestoreTarget, type MemoryTables } from '../../src/adapters/memory/restore-target';
import { memoryScratchTable } from '../../src/adapters/memory/scratch-table';
import type { Image } from '../../src/core/image';
import { RECORDS_TABLE } from '../../src/core/records-table';
import { restoreFromVault, runDrill, type DrillDeps, type DrillOptions, type DrillReport } from '../../src/operations/run-drill';
import type { TableSettings } from '../../src/ports/restore-target';
import { auditedWorld, type AuditedWorld } from './audited-world';

const LASTS_AT_MOST_MS = 15 * 60_000;
export const LIVE: TableSettings = { ...RECORDS_TABLE, indexes: [...RECORDS_TABLE.indexes], pointInTimeRecovery: true, deletionProtection: true, encryptionKey: 'arn:key', billing: 'on-demand', tags: ['aws:cloudformation:stack-name=Intact-x-Data', 'intact:stage=x'] };

export interface Drilled extends AuditedWorld {
  readonly tables: MemoryTables;
  readonly drillDeps: DrillDeps;
  drill(options?: Partial<DrillOptions>): Promise<DrillReport>;
}

export async function drilledWorld(seed: number): Promise<Drilled> {
  const audited = await auditedWorld(seed);
  const tables: MemoryTables = new Map([['records', { settings: LIVE, items: itemsOf(audited.world.records) }]]);
  const live = memoryRestoreTarget(tables, 'records');
  const deps = { ...audited.world, sleep: audited.deps.sleep, live };
  const drillDeps = { ...deps, scratch: memoryScratchTable(tables, 'records'), restore: restoreFromVault(deps) };
  return Object.assign(audited, { tables, drillDeps, drill: (options: Partial<DrillOptions> = {}) => runDrill(drillDeps, { lastsAtMostMs: LASTS_AT_MOST_MS, ...options }) });
}

export async function drillRecords({ world }: AuditedWorld): Promise<Image[]> {
  const found: Image[] = [];
  for await (const image of world.records.partition('drill')) found.push(image);
  return found;
}
