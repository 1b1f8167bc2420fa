/** `intact quarantine replay [<id…>]`: tries quarantined input again, all that is open or what is named. Replaying twice is harmless. */
import { listQuarantine } from '../operations/list-quarantine';
import { replayQuarantine, type ReplayOutcome } from '../operations/replay-quarantine';
import type { Run } from './command';
import { printJsonArray, printLine, say } from './io';
import { readingDeps, recordingDeps } from './reading';
import { aligned, counted } from './text';

interface Replayed {
  readonly id: string;
  readonly result: ReplayOutcome;
}

export const run: Run = async ({ operands, flag, io, world }) => {
  const deployment = await world.deployment();
  const ids = operands.length > 0 ? operands : (await listQuarantine(readingDeps(deployment))).filter(({ state }) => state === 'open').map(({ id }) => id);
  const outcomes: ReplayOutcome['outcome'][] = [];
  async function* replays(): AsyncGenerator<Replayed> {
    const deps = recordingDeps(deployment, world);
    const by = await deployment.operator();
    for (const id of ids) {
      const result = await replayQuarantine(deps, { id, by });
      outcomes.push(result.outcome);
      yield { id, result };
    }
  }
  if (flag('json')) await printJsonArray(io, flat(replays()));
  else for await (const { id, result } of replays()) for (const line of aligned([[id, told(result)]])) printLine(io, line);
  const done = outcomes.filter((outcome) => outcome === 'replayed' || outcome === 'done-before').length;
  say(io, ids.length === 0 ? 'nothing waits in quarantine' : `${counted(done)} of ${counted(ids.length)} replayed`);
  return done === ids.length ? 0 : 1;
};

async function* flat(replays: AsyncIterable<Replayed>): AsyncGenerator<object> {
  for await (const { id, result } of replays) yield { id, ...result };
}

function told(result: ReplayOutcome): string {
  switch (result.outcome) {
    case 'replayed': {
      const counts = (['recorded', 'duplicate', 'variant', 'conflict', 'quarantined'] as const).flatMap((name) => (result[name] > 0 ? [`${counted(result[name])} ${name}`] : []));
      return `replayed: ${counts.join(', ') || 'nothing in it'}`;
    }
    case 'still-bad':
      return 'does not fit the specification yet; it stays open';
    case 'done-before':
      return 'was replayed before';
    case 'absent':
      return 'there is no such input';
    case 'gone':
      return 'its bytes are gone from the inbox; they are in the vault, sealed';
    case 'not-genuine':
      return 'is not as this system wrote it: open docs/runbook.md#record-mac-invalid';
  }
}
