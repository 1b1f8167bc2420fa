/**
 * Our side of `npm run bench -- restore`: the operation behind `intact restore`, from a vault in a directory into a file, one record a line.
 *
 *     restore-guest <vault> <keys file> <file to write>      prints how many records were restored, and the time
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { directoryVault } from '../src/adapters/files/directory-vault';
import { canonicalImage } from '../src/core/canonical-image';
import { RECORDS_TABLE } from '../src/core/records-table';
import { applyRestore, planRestore } from '../src/operations/restore-records';
import { subjectKeys } from '../src/operations/subject-keys';
import type { RestoreTarget, TableSettings } from '../src/ports/restore-target';
import type { FixtureKeys } from './restore-fixture';

const SETTINGS: TableSettings = { stream: null, expires: null, pointInTimeRecovery: false, deletionProtection: false, encryptionKey: null, billing: 'on-demand', indexes: RECORDS_TABLE.indexes, tags: [] };

function fileTarget(path: string): RestoreTarget & { readonly close: () => void } {
  let file: number | undefined;
  let made: TableSettings | 'absent' = 'absent';
  return {
    name: path,
    settings: async () => made,
    create: async (settings) => {
      made = settings;
      file = openSync(path, 'wx');
    },
    read: async () => [],
    write: async (images) => void writeSync(file as number, Buffer.concat(images.flatMap((image) => [canonicalImage(image), LINE]))),
    remove: async () => undefined,
    scan: async function* () {},
    drop: async () => undefined,
    close: () => {
      fsyncSync(file as number);
      closeSync(file as number);
    },
  };
}

const LINE = Buffer.from('\n');

async function main([vault, keysFile, out]: readonly string[]): Promise<void> {
  const start = performance.now();
  const { kek, mac, subjects } = JSON.parse(readFileSync(keysFile!, 'utf8')) as FixtureKeys;
  const now = (): Date => new Date();
  const keys = {
    get: async (subject: string) => (subjects[subject] === undefined ? 'absent' : { subject, generation: 1, wrapped: Buffer.from(subjects[subject], 'hex'), kek: 1 }) as never,
    create: async (): Promise<never> => {
      throw new Error('no key is made by a restore');
    },
  };
  const random = (): never => {
    throw new Error('nothing is drawn by a restore');
  };
  const target = fileTarget(out!);
  const deps = { vault: directoryVault(vault!), subjectKeys: subjectKeys({ keys, kek: async () => ({ generation: 1, key: Buffer.from(kek, 'hex') }), random, now }), macKeys: [{ id: 1, secret: Buffer.from(mac, 'hex') }], target, now };
  const plan = await planRestore(deps, { settings: SETTINGS });
  const planned = performance.now();
  await applyRestore(deps, plan);
  target.close();
  process.stdout.write(`${JSON.stringify({ records: plan.records, planSeconds: (planned - start) / 1000, seconds: (performance.now() - start) / 1000 })}\n`);
}

void main(process.argv.slice(2));
