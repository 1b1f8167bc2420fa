/** `intact pull <dir>`: the vault's log on this disk, readable by `intact verify <dir>` and, as `file://<dir>/`, by any tlog-tiles tool. */
import { resolve } from 'node:path';
import type { PullRefusal, Pulled } from '../operations/pull-vault';
import type { Run } from './command';
import { Failure } from './failure';
import { printJson, printLine } from './io';
import { pullDirectory } from './directory';
import { progress } from './progress';
import { aligned, amount, counted, printable } from './text';

export const run: Run = async ({ operands: [dir = ''], flag, io, world }) => {
  const { vaultReader } = await world.deployment();
  const { pullVault } = await import('../operations/pull-vault');
  const path = resolve(io.cwd, dir);
  const shown = progress(io, world.now);
  const pulled = await pullVault(vaultReader, await pullDirectory(path), ({ done, found, bytes }) => shown.tell(`pulled ${counted(done)} of ${counted(found)} files, ${counted(bytes)} bytes`));
  shown.end();
  if ('refused' in pulled) throw refusal(pulled, vaultReader.source, dir);
  if (flag('json')) printJson(io, { source: vaultReader.source, directory: path, ...pulled });
  else for (const line of page(pulled, dir)) printLine(io, line);
  return pulled.unexpected.length === 0 ? 0 : 1;
};

function page({ origin, size, root, written, kept, bytes, unexpected }: Pulled, dir: string): string[] {
  return [
    ...aligned([
      ['log', origin],
      ['size', amount(size, 'entry', 'entries')],
      ['root', root],
      ['files', `${counted(written)} written (${counted(bytes)} bytes), ${counted(kept)} there already`],
    ]),
    ...(unexpected.length === 0 ? [] : ['Not copied, since they are no objects of a vault:', ...unexpected.map((name) => `  ${printable(name)}`)]),
    `  next: npx intact verify ${dir} --vkey <the key you kept>`,
  ];
}

function refusal(pulled: PullRefusal, source: string, dir: string): Failure {
  switch (pulled.refused) {
    case 'no-checkpoint':
      return new Failure('not-yet', `${source} has no checkpoint yet: nothing has been published`, 'send a message, wait a few seconds and pull again');
    case 'cannot-list':
      return new Failure('usage', `${source} cannot be listed`, 'pull from the S3 bucket');
    case 'unreadable':
      return new Failure('wrong', `the checkpoint of ${source} is none: ${pulled.detail}`, 'npx intact verify says more');
    case 'rolled-back':
      return new Failure('wrong', `the log of ${source} is smaller than the copy in ${dir}: ${pulled.detail}`, `keep ${dir} as evidence, pull to another directory and compare; open docs/runbook.md#verification-findings`);
    case 'other-log':
      return new Failure('usage', `${dir} belongs to another log: ${pulled.detail}`, 'choose an empty directory');
  }
}
