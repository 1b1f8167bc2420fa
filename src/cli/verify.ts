/**
 * `intact verify`: checks a whole log and says what was checked, how much, and what is wrong with it. Needs the log and its public key; a deployment only when
 * no address is given. Exit 1 on any finding, 2 when something could not be read: nothing is known then.
 */
import { formatVkey, type VerifierKey } from '../core/log/vkey';
import type { Finding } from '../core/verify/finding-codes';
import { CHECKPOINT } from '../core/verify/vault-name';
import { verifyVault, VerifyUsageError, type VerifyOptions, type VerifyReport } from '../operations/verify-vault';
import { type CheckpointMemory } from './checkpoint-memory';
import type { Call, Run } from './command';
import { Failure } from './failure';
import { vkeyFrom } from './files';
import { printJson, printLine, say } from './io';
import { progress } from './progress';
import { aligned, amount, counted, printable } from './text';
import { stateFile, type StateFile } from './verify-state';
import type { VaultSource } from './world';

export const run: Run = async (call) => {
  const { flag, io, world } = call;
  const profile = profileOf(call);
  if (flag('memory') && flag('no-memory')) throw new Failure('usage', '--memory and --no-memory exclude each other');
  const given = call.text('vkey');
  const keys = given === undefined ? [] : [await vkeyFrom(io, given)];
  const source = await sourceOf(call);
  const memory = await memoryOf(call, source, keys);
  const remembered = await memory?.read();
  const saved = await savedIn(call, source, profile, keys, remembered);
  const shown = progress(io, world.now);
  const report = await verifying(source, { profile, keys, ...(remembered !== undefined && { remembered }) }, saved, {
    tell: (entries, of, findings) => shown.tell(`verified ${counted(entries)} of ${counted(of)} entries, ${amount(findings, 'finding')}`),
    resumed: ({ entries, at }) => say(io, `resuming: ${counted(entries)} entries were verified by ${at}; they are not read again`),
  })
    .catch((error: unknown) => {
      shown.end();
      if (saved?.isKept() === true) say(io, `intact: ${printable(call.text('resume') ?? '')} holds what was verified so far: the same command goes on from there`);
      throw error;
    })
    .finally(shown.end);
  // Only what was found clean may become the measure of the next verification.
  if (report.ok && report.origin !== null && report.root !== null) await memory?.write({ origin: report.origin, size: report.size, root: report.root });
  if (flag('json')) printJson(io, report);
  else for (const line of page(report, keys, remembered !== undefined, profile)) printLine(io, line);
  saved?.remove();
  return report.ok ? 0 : 1;
};

function profileOf({ text }: Call): 'intact' | 'tlog-tiles' {
  const profile = text('profile');
  if (profile === undefined || profile === 'tlog-tiles') return profile ?? 'intact';
  throw new Failure('usage', `there is no profile "${profile}"`, 'the one there is: --profile tlog-tiles, for logs that are not ours');
}

async function sourceOf({ operands: [address], world }: Call): Promise<VaultSource> {
  if (address !== undefined) return world.vaultAt(address);
  const { vaultReader, lockPolicy } = await world.deployment();
  return { kind: 's3', reader: vaultReader, lockPolicy };
}

/** Off for directories unless asked: a directory is a copy of some moment, and an older copy is no attack. */
async function memoryOf(call: Call, source: VaultSource, keys: readonly VerifierKey[]): Promise<CheckpointMemory | undefined> {
  const file = call.text('memory');
  if (call.flag('no-memory') || (file === undefined && source.kind === 'directory')) return undefined;
  const { checkpointMemory } = await import('./checkpoint-memory'); // with zod, which nothing else here needs
  return checkpointMemory(call, source, keys, file);
}

type Remembered = Awaited<ReturnType<CheckpointMemory['read']>>;

async function savedIn(call: Call, { reader, kind }: VaultSource, profile: 'intact' | 'tlog-tiles', keys: readonly VerifierKey[], remembered: Remembered): Promise<StateFile | undefined> {
  const file = call.text('resume');
  if (file === undefined) return undefined;
  const checkpoint = await reader.get(CHECKPOINT);
  const origin = checkpoint === 'absent' ? null : (checkpoint.subarray(0, 1000).toString('utf8').split('\n')[0] ?? null);
  return stateFile(call, file, { kind, reader }, { program: call.version(), source: reader.source, profile, keys: keys.map(formatVkey), origin, remembered: remembered ?? null });
}

interface Told {
  tell(entries: number, of: number, findings: number): void;
  resumed(saved: { readonly entries: number; readonly at: string }): void;
}

async function verifying({ reader, lockPolicy }: VaultSource, options: Pick<VerifyOptions, 'profile' | 'keys' | 'remembered'>, saved: StateFile | undefined, { tell, resumed }: Told): Promise<VerifyReport> {
  const earlier = saved?.read();
  if (earlier !== undefined) resumed(earlier);
  try {
    return await verifyVault(reader, {
      ...options,
      ...(lockPolicy !== undefined && { lockPolicy }),
      ...(earlier !== undefined && { resume: earlier.state }),
      onProgress: ({ entries, of, findings, state }) => {
        tell(entries, of, findings);
        saved?.save(entries, state);
      },
    });
  } catch (error) {
    if (error instanceof VerifyUsageError) throw new Failure('usage', error.message, undefined, { cause: error });
    throw error;
  }
}

/** Findings that one line each would bury the rest. */
const maxShown = 50;

function page(report: VerifyReport, keys: readonly VerifierKey[], hadMemory: boolean, profile: string): string[] {
  const { findings } = report;
  return [
    ...aligned([
      ['log', report.origin === null ? 'unknown: no readable checkpoint' : printable(report.origin)],
      ['size', amount(report.size, 'entry', 'entries')],
      ['root', report.root ?? 'unknown'],
      ['checked', checkedWhat(report, profile)],
      ['key', keys[0] === undefined ? "the vault's own: proves consistency, not authorship; give --vkey to prove whose log it is" : `the one you gave, ${formatVkey(keys[0]).slice(0, 60)}…`],
      ['locks', locksOf(report, profile)],
      ['memory', report.memory === null ? (hadMemory ? 'not compared' : 'nothing remembered from earlier') : memoryOfReport(report.memory)],
      ...(report.orphans.length === 0 ? [] : [['orphans', `${counted(report.orphans.length)}: objects of lost races and unfinished snapshots, harmless`]]),
    ]),
    '',
    findings.length === 0 ? 'clean: no findings' : `${amount(findings.length, 'finding')}:`,
    ...findings.slice(0, maxShown).flatMap(told),
    ...(findings.length > maxShown ? [`… and ${counted(findings.length - maxShown)} more; --json lists all`] : []),
  ];
}

const checkedWhat = ({ entries, tiles, segments }: VerifyReport, profile: string): string =>
  [amount(entries, 'entry', 'entries'), amount(tiles, 'tile'), ...(segments === null ? (profile === 'tlog-tiles' ? [] : ['segments not: this source cannot be listed']) : [amount(segments, 'segment')]), 'every signature'].join(', ');

function locksOf({ locks }: VerifyReport, profile: string): string {
  if (locks === null) return profile === 'tlog-tiles' ? 'not looked for' : 'not checked: only s3:// knows locks';
  const shortest = locks.shortestDays === null ? '' : `, the shortest ${locks.shortestDays.toFixed(1)} days`;
  return `${amount(locks.checked, 'object')}${locks.mode === null ? '' : ` in ${locks.mode} mode`}${shortest}`;
}

const memoryOfReport = ({ size, verdict }: NonNullable<VerifyReport['memory']>): string =>
  verdict === 'consistent' ? `extends the ${amount(size, 'entry', 'entries')} remembered from earlier` : `${verdict}: ${amount(size, 'entry', 'entries')} remembered from earlier`;

const told = ({ code, object, index, detail, next }: Finding): string[] => [
  `  ${code}  ${printable(object)}${index === undefined ? '' : `  entry ${counted(index)}`}`,
  `    ${printable(detail)}`,
  `    next: ${next}`,
];
