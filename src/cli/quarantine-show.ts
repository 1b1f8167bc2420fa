/** `intact quarantine show <id>`: why it did not fit, and the bytes themselves. */
import { showQuarantined } from '../operations/list-quarantine';
import type { Run } from './command';
import { Failure } from './failure';
import { printJson, printLine } from './io';
import { shown, readableBytes } from './plain-record';
import { facts } from './quarantine-list';
import { readingDeps } from './reading';
import { aligned, printable } from './text';

const DETAILS = ['receivedAt', 'reason', 'path', 'message', 'expected', 'detail', 'offset', 'wabaId', 'field', 'phoneNumberId', 'deliveryId', 'by'] as const;

export const run: Run = async ({ operands: [id = ''], flag, io, world }) => {
  const found = await showQuarantined(readingDeps(await world.deployment()), id);
  if (found === 'absent') throw new Failure('not-found', `nothing is in quarantine under ${printable(id)}`, 'npx intact quarantine list shows the ids');
  const { raw, image, state, isGenuine } = found;
  const isWhole = Buffer.isBuffer(raw);
  if (flag('json')) printJson(io, { ...facts(found), raw: isWhole ? raw.toString('base64') : null, rawState: isWhole ? 'whole' : raw });
  else {
    const rows = DETAILS.flatMap((name) => (shown(image, name) === undefined ? [] : [[name, shown(image, name) ?? '']]));
    for (const line of aligned([['id', id], ['state', isGenuine ? state : 'NOT AS WRITTEN'], ...rows])) printLine(io, line);
    printLine(io, isWhole ? printable(readableBytes(raw)) : raw === 'gone' ? '(its bytes are gone from the inbox)' : '(its bytes in the inbox are not the ones that were quarantined)');
  }
  return isGenuine && isWhole ? 0 : 1;
};
