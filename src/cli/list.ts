/** `intact list`: the newest records. Exit 1 when one of them is not as this system wrote it. */
import { IMMUTABLE_KINDS, VERSIONED_KINDS } from '../core/kinds';
import { stringOf } from '../core/image';
import { receivedAtOf } from '../operations/read-records';
import type { Call, Run } from './command';
import { Failure } from './failure';
import { printJsonArray, printLine, say } from './io';
import { gist, plainRead } from './plain-record';
import { readingDeps } from './reading';
import { nearest } from './suggestion';
import { aligned, counted, timeFrom } from './text';

/** A screenful or two; --json gives all unless told otherwise. */
const screenful = 50;
const kinds: readonly string[] = [...IMMUTABLE_KINDS, ...VERSIONED_KINDS];

export const run: Run = async (call) => {
  const { flag, io, world } = call;
  const kind = kindOf(call);
  const since = sinceOf(call);
  const limit = limitOf(call) ?? (flag('json') ? Number.MAX_SAFE_INTEGER : screenful);
  const deps = readingDeps(await world.deployment());
  const { listRecords } = await import('../operations/list-records');
  const { records, matched } = await listRecords(deps, { ...(kind !== undefined && { kinds: [kind] }), ...(since !== undefined && { since }), limit });
  if (flag('json')) await printJsonArray(io, each(records.map(plainRead)));
  else {
    const rows = records.map(({ image, isGenuine }) => [receivedAtOf(image), stringOf(image, 'kind') ?? '?', stringOf(image, 'messageId') ?? '', `${isGenuine ? '' : '(NOT AS WRITTEN) '}${gist(image, 60)}`]);
    for (const line of aligned(rows)) printLine(io, line);
    say(io, matched === 0 ? 'no records' : matched > records.length ? `${counted(records.length)} of ${counted(matched)}; --limit shows more` : `${counted(matched)} in all`);
  }
  const foreign = records.filter(({ isGenuine }) => !isGenuine).length;
  if (foreign > 0) say(io, `${counted(foreign)} not as this system wrote them: open docs/runbook.md#record-mac-invalid`);
  return foreign === 0 ? 0 : 1;
};

export async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

function kindOf({ text }: Call): string | undefined {
  const kind = text('kind');
  if (kind === undefined || kinds.includes(kind)) return kind;
  const meant = nearest(kind, kinds);
  throw new Failure('usage', `there is no kind "${kind}"${meant === undefined ? '' : `; did you mean ${meant}?`}`, `kinds: ${kinds.join(', ')}`);
}

/** `--since` as ISO 8601 UTC. Throws Failure `usage`. */
export function sinceOf({ text, io }: Call): string | undefined {
  const typed = text('since');
  if (typed === undefined) return undefined;
  const since = timeFrom(typed, io.now());
  if (since === undefined) throw new Failure('usage', `--since "${typed}" is no time`, 'e.g. 2026-01-31, 2026-01-31T08:00:00Z, 90m, 24h, 7d');
  return since;
}

/** `--limit`. Throws Failure `usage`. */
export function limitOf({ text }: Call): number | undefined {
  const typed = text('limit');
  if (typed === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(typed)) throw new Failure('usage', `--limit takes a number from 1 on, not "${typed}"`);
  return Number(typed);
}
