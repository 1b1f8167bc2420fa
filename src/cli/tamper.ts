/**
 * `intact tamper --local`: changes a message by hand in the local cloud's table and shows how it comes out and how it is undone; with --destroy it deletes the whole table. Refuses everything but the local
 * cloud, twice: by its option and because no other deployment is given the port to do it with.
 */
import { destroyTable } from './tamper-destroy';
import type { TamperStep } from '../operations/tamper';
import type { Run } from './command';
import { Failure } from './failure';
import { printJson, printLine, say, type Io } from './io';
import { amount, counted, printable, shortened } from './text';

export const run: Run = async ({ operands: [messageId], text, flag, io, world }) => {
  if (!flag('local')) throw new Failure('usage', 'tamper changes a record by hand, so it works on the local cloud only and wants to be told so', 'npx intact tamper --local');
  const stage = text('stage') ?? io.env['INTACT_STAGE'];
  if (stage !== undefined && stage !== '' && stage !== 'local') throw new Failure('usage', `tamper works on the local cloud only, not on stage ${stage}`, 'leave --stage and INTACT_STAGE away');
  const deployment = await world.deployment();
  const { byHand, records, log, keys, kms, monitoring, vaultReader, lockPolicy, signer } = deployment;
  if (byHand === undefined) throw new Failure('usage', 'tamper works on the local cloud only');
  if (flag('destroy')) {
    if (messageId !== undefined) throw new Failure('usage', '--destroy takes the whole table: it goes without a message id');
    return destroyTable(io, { ...deployment, byHand });
  }
  const { tamper } = await import('../operations/tamper');
  const steps: (TamperStep & { readonly seconds: number })[] = [];
  const begun = world.now().getTime();
  const { outcome } = await tamper({ byHand, records, log, keys, keyService: kms, monitoring, vault: vaultReader, lockPolicy, signer, now: world.now, sleep: io.sleep }, messageId, (step) => {
    const seconds = Math.round((world.now().getTime() - begun) / 100) / 10;
    steps.push({ ...step, seconds });
    if (!flag('json')) tellStep(io, step, seconds);
  });
  if (outcome === 'no-message') throw new Failure('not-found', messageId === undefined ? 'there is no message to change yet' : `there is no message ${printable(messageId)}`, 'send one first: npx intact send <file>');
  if (flag('json')) printJson(io, { outcome, steps });
  else conclude(io, steps);
  return outcome === 'found' ? 0 : 1;
};

function tellStep(io: Io, step: TamperStep, seconds: number): void {
  const line = (text: string): void => printLine(io, `${seconds.toFixed(1).padStart(6)} s  ${text}`);
  switch (step.step) {
    case 'before':
      line(`chose ${step.messageId === undefined ? 'a message' : `message ${printable(step.messageId)}`}; the log has ${counted(step.log.size)} entries, root ${step.log.root}`);
      return;
    case 'changed':
      line(`changed its ${step.attribute} straight in the table, past every check: "${printable(shortened(step.from, 60))}" is now "${printable(shortened(step.to, 80))}"`);
      return;
    case 'found':
      line(`FOUND: ${step.findings.map(({ code }) => code).join(', ')} (stream event ${step.findings[0]?.source ?? ''})`);
      return;
    case 'sealed':
      line(`the change itself is sealed too: the log has ${counted(step.log.size)} entries, root ${step.log.root}`);
      return;
    case 'healed':
      line(`HEALED: the record is again what it was, byte for byte; repair record ${printable(step.repair.record.pk)}${step.repair.entry === undefined ? '' : `, from entry ${counted(step.repair.entry)}`}`);
      return;
    case 'verified':
      line(step.ok ? `the vault verifies clean: ${amount(step.entries, 'entry', 'entries')}` : `THE VAULT DOES NOT VERIFY: ${amount(step.findings, 'finding')}; run npx intact verify`);
      return;
    case 'counted':
      line(`metric UnauthorisedChange: ${counted(step.unauthorisedChanges)}`);
      return;
    case 'alarmed':
      line(`alarm ${step.alarms.map(({ name }) => name).join(', ')} rings: docs/runbook.md#unauthorised-change`);
  }
}

function conclude(io: Io, steps: readonly TamperStep[]): void {
  const reached = new Set(steps.map(({ step }) => step));
  if (!reached.has('found')) {
    printLine(io, 'The change was NOT found in time: open docs/runbook.md#seal-lag');
    return;
  }
  if (!reached.has('counted')) say(io, 'The metric has not arrived yet; npx intact status shows it in a minute or two.');
  else if (!reached.has('alarmed')) say(io, 'The alarm has not rung yet; npx intact status shows it when it does.');
  const message = steps.find((step) => step.step === 'before');
  const id = message?.step === 'before' ? message.messageId : undefined;
  if (!reached.has('healed')) printLine(io, 'It was NOT put back. Does the stage say "repair": "ask"? Then npx intact repair does it; otherwise open docs/runbook.md#repairs-refused');
  printLine(io, 'The log holds the message as it was and as it was made; neither can be taken out again.');
  if (id !== undefined) printLine(io, `  next: npx intact get ${id}, npx intact proof ${id}, npx intact status`);
}
