/** `intact rebuild <facts> <dir>`: a whole vault on this disk out of what a replica holds, when the first region is gone. */
import { resolve } from 'node:path';
import type { Rebuilt } from '../operations/rebuild-vault';
import type { Run } from './command';
import { pullDirectory } from './directory';
import { Failure } from './failure';
import { vkeyFrom } from './files';
import { printJson, printLine, say } from './io';
import { aligned, amount, counted, printable } from './text';

export const run: Run = async ({ operands: [facts = '', dir = ''], flag, text, io, world }) => {
  const given = text('vkey');
  const pinned = given === undefined ? [] : [await vkeyFrom(io, given)];
  const { reader } = await world.vaultAt(facts);
  const [{ rebuildVault }, { ReplayError }] = await Promise.all([import('../operations/rebuild-vault'), import('../operations/published-entries')]);
  if (given === undefined) say(io, "without --vkey the facts' own key is used: that proves consistency, not authorship");
  const path = resolve(io.cwd, dir);
  const rebuilt = await rebuildVault(reader, await pullDirectory(path), pinned).catch((error: unknown) => {
    if (error instanceof ReplayError) throw new Failure('wrong', `${facts} cannot be rebuilt: ${error.message}`, 'try another replica; docs/runbook.md#restore', { cause: error });
    throw error;
  });
  if (flag('json')) printJson(io, { source: reader.source, directory: path, ...rebuilt });
  else for (const line of page(rebuilt, dir)) printLine(io, line);
  return rebuilt.size === rebuilt.signed ? 0 : 1;
};

function page({ origin, size, signed, root, copied, derived, damaged }: Rebuilt, dir: string): string[] {
  return [
    ...aligned([
      ['log', printable(origin)],
      ['size', amount(size, 'entry', 'entries')],
      ['root', root],
      ['files', `${counted(copied)} facts copied, ${counted(derived)} made from them`],
    ]),
    ...(size === signed ? [] : [`${counted(signed - size)} of ${counted(signed)} signed entries are lost: no segments lead beyond entry ${counted(size)}.`]),
    ...damaged.map((name) => `  damaged: ${printable(name)}`),
    `  next: npx intact verify ${dir} --vkey <the key you kept>`,
  ];
}
