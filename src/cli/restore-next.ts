/** What a person has to do after a restore, and what not: said by the command itself, because nobody looks it up at three in the morning. */
import type { RestorePlan } from '../operations/restore-records';
import { printable } from './text';
import type { Deployment } from './world';

/** Lines to print below the result. */
export function afterRestore({ isLive, exists, target, size, at, settings }: RestorePlan, { outputs, target: { stage } }: Deployment): readonly string[] {
  const of = stage === 'local' ? '' : ` --stage ${stage}`;
  if (!isLive) {
    const point = at === undefined ? `--size ${size}` : `--at ${at}`;
    return [
      `${printable(target)} is a copy: the deployment goes on with ${outputs.RecordsTableName}, and nothing seals what is changed in the copy.`,
      `  next: compare it again with npx intact restore --to ${printable(target)} ${point} --plan${of}; drop it when done (switch its deletion protection off first)`,
    ];
  }
  if (exists && !settings.some(({ setting }) => setting === 'stream')) return [`  next: npx intact status${of}; the sealer seals what was put back as the repair it is`];
  // A table of the same name is another table, and a stream that was switched off and on another stream.
  return [
    'Its stream is a new one: nothing is sealed and no view follows until its readers are connected. In this order:',
    `  1. let seal-records and project-views read the new stream (aws dynamodb describe-table --table-name ${outputs.RecordsTableName} --query Table.LatestStreamArn): docs/runbook.md#restore has the commands`,
    '  2. give receive-webhook and process-inbox their concurrency back; what Meta was refused meanwhile it sends again',
    `  3. npx intact status${of}: unsealed must fall to 0; then npx intact verify${of}`,
  ];
}
