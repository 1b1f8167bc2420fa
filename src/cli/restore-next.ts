/** What a person has to do after a restore, and what not: said by the command itself, because nobody looks it up at three in the morning. */
import type { RestorePlan } from '../operations/restore-records';
import { printable } from './text';
import type { Deployment } from './world';

/** Lines to print below the result. `connected`: functions that read the table's stream and did not before. */
export function afterRestore({ isLive, exists, target, size, at }: Pick<RestorePlan, 'isLive' | 'exists' | 'target' | 'size' | 'at'>, connected: readonly string[], { outputs, target: { stage } }: Deployment): readonly string[] {
  const of = stage === 'local' ? '' : ` --stage ${stage}`;
  if (!isLive) {
    const point = at === undefined ? `--size ${size}` : `--at ${at}`;
    return [
      `${printable(target)} is a copy: the deployment goes on with ${outputs.RecordsTableName}, and nothing seals what is changed in the copy.`,
      `  next: compare it again with npx intact restore --to ${printable(target)} ${point} --plan${of}; drop it when done (switch its deletion protection off first)`,
    ];
  }
  const reading = connected.length === 0 ? [] : [`Its stream is read by ${connected.map(printable).join(' and ')}, from its beginning: what was put back is sealed as put back, which takes a minute to begin.`];
  if (exists) return [...reading, `  next: npx intact status${of}; the sealer seals what was put back as the repair it is`];
  return [
    ...reading,
    '  next, in this order:',
    `  1. npx intact restore --to ${outputs.RecordsTableName} --plan${of}: nothing must be left to write`,
    '  2. give receive-webhook and process-inbox their concurrency back, if it was taken; what Meta was refused meanwhile it sends again',
    `  3. npx intact verify${of}, then npx intact audit --full${of}`,
  ];
}
