/** `intact recover-head`: the one way out of a stopped sealer. Shows the plan first; writes only what was confirmed. */
import { planRecovery, recoverHead, type RecoveryPlan } from '../operations/recover-head';
import type { Run } from './command';
import { confirmed } from './confirmation';
import { printJson, printLine, say } from './io';
import { aligned, amount, counted } from './text';

export const run: Run = async (call) => {
  const { flag, io, world } = call;
  const { log, vault, keys, kms, random } = await world.deployment();
  const plan = await planRecovery({ log, vault, keys, keyService: kms, random, now: world.now });
  const isSound = plan.found === 'sound' && plan.rounds.length === 0;
  if (!flag('json')) for (const line of page(plan)) printLine(io, line);
  if (!isSound) {
    say(io, 'Stop the sealers first (docs/runbook.md#seal-stopped): they would go on from the head that is replaced.');
    await confirmed(call, plan.identity.origin, `This replaces the head of ${plan.identity.origin} by one of ${amount(plan.head.size, 'entry', 'entries')}`);
    await recoverHead({ log }, plan);
    say(io, 'done; sealers and publisher go on from there. next: npx intact status, npx intact verify');
  } else say(io, 'head and rounds are as they should be; nothing to do');
  if (flag('json')) printJson(io, { ...facts(plan), done: !isSound });
  return 0;
};

const facts = ({ found, identity, isNewIdentity, published, head, rounds, marks, orphans }: RecoveryPlan) => ({
  found,
  origin: identity.origin,
  isNewIdentity,
  published,
  size: head.size,
  root: head.root.toString('base64'),
  roundsToPut: rounds.length,
  marks: [...marks.values()].reduce((sum, some) => sum + some.length, 0),
  orphans,
});

const FOUND = { absent: 'there is none', forged: 'was not written by us', other: 'is ours, but not the one the vault leads to', sound: 'is sound' } as const;

function page(plan: RecoveryPlan): string[] {
  const { origin, published, size, root, roundsToPut, marks, orphans } = facts(plan);
  return aligned([
    ['log', origin],
    ['head now', FOUND[plan.found]],
    ['checkpoint', amount(published, 'entry', 'entries')],
    ['head to be', `${amount(size, 'entry', 'entries')}, root ${root}`],
    ['rounds', `${counted(roundsToPut)} to put`],
    ['stream marks', `${counted(marks)} to make again`],
    ['left out', amount(orphans, 'orphaned segment')],
  ]);
}
