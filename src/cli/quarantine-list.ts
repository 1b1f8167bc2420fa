/** `intact quarantine list`: signed input that did not fit the specification, why, and whether it still waits. Content is not shown here. */
import { stringOf } from '../core/image';
import { listQuarantine, type Quarantined } from '../operations/list-quarantine';
import { receivedAtOf } from '../operations/read-records';
import type { Run } from './command';
import { printJsonArray, printLine, say } from './io';
import { each, limitOf, sinceOf } from './list';
import { plain } from './plain-record';
import { readingDeps } from './reading';
import { aligned, counted, printable, shortened } from './text';

export const run: Run = async (call) => {
  const { flag, io, world } = call;
  const [since, limit] = [sinceOf(call), limitOf(call) ?? Number.MAX_SAFE_INTEGER];
  const all = await listQuarantine(readingDeps(await world.deployment()));
  const some = all.filter(({ image }) => since === undefined || receivedAtOf(image) >= since).slice(-limit);
  if (flag('json')) await printJsonArray(io, each(some.map(facts)));
  else for (const line of aligned(some.map(row))) printLine(io, line);
  say(io, some.length === 0 ? 'quarantine is empty' : `${counted(some.length)}, of which ${counted(some.filter(({ state }) => state === 'open').length)} open`);
  return some.every(({ isGenuine }) => isGenuine) ? 0 : 1;
};

/** Everything but the bytes, which `quarantine show` gives. */
export function facts({ id, state, isGenuine, image }: Quarantined): Readonly<Record<string, unknown>> {
  const { raw: _raw, before: _before, after: _after, ...rest } = image;
  return { id, state, ...plain(rest), isGenuine };
}

const row = ({ id, state, isGenuine, image }: Quarantined): string[] => [
  receivedAtOf(image),
  id,
  isGenuine ? state : 'NOT AS WRITTEN',
  printable(shortened([stringOf(image, 'reason'), stringOf(image, 'path'), stringOf(image, 'message')].filter(Boolean).join('  '), 90)),
];
