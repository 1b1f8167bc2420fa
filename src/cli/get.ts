/** `intact get <message id>`: what was recorded under the id, checked record by record, and what the message is now. */
import { stringOf } from '../core/image';
import type { CurrentState } from '../core/current-state';
import { getMessage, type FoundMessage } from '../operations/get-message';
import { receivedAtOf, type ReadRecord } from '../operations/read-records';
import type { Run } from './command';
import { printJson, printLine, say } from './io';
import { gist, plainRead, shown } from './plain-record';
import { readingDeps } from './reading';
import { aligned, counted, printable } from './text';

export const run: Run = async ({ operands: [messageId = ''], flag, io, world }) => {
  const found = await getMessage(readingDeps(await world.deployment()), messageId);
  if (flag('json')) {
    printJson(io, { messageId, found: found.map(({ phoneNumberId, state, records, about }) => ({ phoneNumberId, state, records: records.map(plainRead), about: about.map(plainRead) })) });
  } else found.flatMap(page).forEach((line) => printLine(io, line));
  if (found.length === 0) {
    say(io, `nothing is recorded under ${printable(messageId)}`);
    say(io, '  next: npx intact list, or npx intact quarantine list: what did not fit the specification is kept there');
    return 1;
  }
  const foreign = found.flatMap(({ records, about }) => [...records, ...about]).filter(({ isGenuine }) => !isGenuine).length;
  if (foreign === 0) return 0;
  say(io, `${counted(foreign)} of these records are not as this system wrote them: open docs/runbook.md#record-mac-invalid`);
  return 1;
};

const DETAILS = ['type', 'timestamp', 'receivedAt', 'customerId', 'text', 'textClean', 'removed', 'raw'] as const;

function page({ phoneNumberId, records, about, state }: FoundMessage): string[] {
  const message = records.find(({ image }) => stringOf(image, 'sk') === `${phoneNumberId}#message`);
  const others = [...records.filter((record) => record !== message), ...about];
  return [
    `to number ${printable(phoneNumberId)}: ${message === undefined ? 'the message itself is not recorded' : (stringOf(message.image, 'kind') ?? '')}${message?.isGenuine === false ? ' (NOT AS WRITTEN)' : ''}`,
    ...(message === undefined ? [] : aligned(DETAILS.flatMap((name) => (shown(message.image, name) === undefined ? [] : [[name, shown(message.image, name) ?? '']])))),
    ...aligned([['now', standing(state)]]),
    ...aligned(others.map(row)),
  ];
}

const row = ({ image, isGenuine }: ReadRecord): string[] => [receivedAtOf(image), stringOf(image, 'kind') ?? '?', `${isGenuine ? '' : '(NOT AS WRITTEN) '}${gist(image, 70)}`];

const time = (seconds: number): string => new Date(seconds * 1000).toISOString();

function standing({ status, failedAt, deletedAt, edited, revoked, reactions }: CurrentState): string {
  const facts = [
    ...(status === undefined ? [] : [`${status.status} ${time(status.at)}`]),
    ...(failedAt === undefined ? [] : [`failed ${time(failedAt)}`]),
    ...(deletedAt === undefined ? [] : [`deleted ${time(deletedAt)}`]),
    ...(edited === undefined ? [] : [`edited ${time(edited.at)}`]),
    ...(revoked === undefined ? [] : [`withdrawn ${time(revoked.at)}; what was said stays`]),
    ...reactions.map(({ emoji }) => `reaction ${emoji}`),
  ];
  return facts.length === 0 ? 'as received' : printable(facts.join(', '));
}
