/** A mend for a person: what was repaired from what, what stays as it is and why, and what is lost. */
import type { Loss, Mended, Refusal, Repair } from '../operations/mend-vault';
import { aligned, amount, counted, printable } from './text';

/** One line each would bury the rest. */
const MAX_SHOWN = 50;

export function mendedPage(mended: Mended, to: string | undefined): string[] {
  const { origin, signed, size, sealed, root, sound, repaired, refused, lost, leftOut, outcome } = mended;
  return [
    ...aligned([
      ['log', printable(origin)],
      ['size', `${amount(signed, 'entry', 'entries')} signed${size === signed ? '' : `, of which ${counted(size)} are proven by what is left`}${sealed > signed ? `; ${counted(sealed - signed)} behind them are sealed, and not signed yet as far as anything here tells` : ''}`],
      ['root', root],
      ['objects', `${counted(sound)} sound, ${counted(repaired.length)} ${outcome === 'nothing' ? 'can be repaired' : 'repaired'}, ${counted(lost.length)} lost`],
    ]),
    ...shown(repaired, 'repaired', ({ object, fault, from }: Repair) => `  ${printable(object)}: ${FAULTS[fault]}, from ${from.map((each) => FROM[each]).join(' and ')}`),
    ...shown(refused, 'left as it is', ({ object, fault, why }: Refusal) => `  ${printable(object)}: ${FAULTS[fault]}; ${WHY[why]}`),
    ...shown(lost, 'LOST', told),
    ...shown(leftOut, 'left out', ({ object, why }) => `  ${printable(object)}: ${LEFT_OUT[why]}`),
    '',
    ...conclusion(mended, to),
  ];
}

function shown<T>(items: readonly T[], title: string, line: (item: T) => string): string[] {
  if (items.length === 0) return [];
  return [`${title}: ${counted(items.length)}`, ...items.slice(0, MAX_SHOWN).map(line), ...(items.length > MAX_SHOWN ? [`  … and ${counted(items.length - MAX_SHOWN)} more; --json lists all`] : [])];
}

const told = ({ object, fault, entries, detail }: Loss): string => {
  const runs = entries.map(({ from, to }) => (to - from === 1 ? counted(from) : `${counted(from)} to ${counted(to - 1)}`));
  return `  ${printable(object)}: ${FAULTS[fault]}; ${printable(detail)}${runs.length === 0 ? '' : ` (entry ${runs.slice(0, MAX_SHOWN).join(', ')}${runs.length > MAX_SHOWN ? ', …' : ''})`}`;
};

const FAULTS: Readonly<Record<Repair['fault'], string>> = { absent: 'gone', hidden: 'hidden by a delete marker', damaged: 'other bytes', overwritten: 'written over' };

const FROM: Readonly<Record<Repair['from'][number], string>> = {
  'older-version': 'an older version of it',
  'other-form': 'the other form of the same',
  recomputed: 'what it follows from',
  replica: 'the replica',
};

const WHY: Readonly<Record<Refusal['why'], string>> = {
  locked: 'what stands there is write-once and cannot be replaced: mend --to a new vault',
  moved: 'it was changed while this ran: run it again',
};

const LEFT_OUT: Readonly<Record<Mended['leftOut'][number]['why'], string>> = {
  stranger: 'no object of a vault has such a name',
  unnamed: 'no entry names it',
  'orphan-damaged': 'damaged, and no part of the log',
  'entries-lost': 'entries of it are lost; the others are kept in segments of their own',
  'signature-lost': 'no copy of it is signed; the log does without it',
  'unsigned-ahead': 'behind the signed log, and no copy of it is whole or signed: a round or a signature that is lost, or what somebody put there; nothing that is signed is missing without it',
  'snapshot-incomplete': 'not all of this snapshot is left: take a new one (npx intact snapshot)',
};

function conclusion({ outcome, lost, repaired, refused, written, verified }: Mended, to = ''): string[] {
  const objects = amount(written, 'object');
  switch (outcome) {
    case 'whole':
      return [`whole: ${objects} written to ${to}; verification: ${verified?.ok === true ? 'no findings' : amount(verified?.findings.length ?? 0, 'finding')}`, `  next: npx intact verify ${to} --vkey <the key you kept>`];
    case 'partial':
      return [`NOT WHOLE: ${objects} written to ${to} without what is lost; verification: ${amount(verified?.findings.length ?? 0, 'finding')}`, '  next: look for another copy (--replica), and run this again to another place'];
    case 'in-place':
      return [
        `${objects} put back`,
        refused.length + lost.length === 0 ? '  next: npx intact verify' : '  next: what is left as it is, is healed in a new vault: mend --to',
        ...(repaired.some(({ fault }) => fault === 'hidden') ? ['  what a delete marker hid can be read again; verify goes on naming the marker and the second version: docs/runbook.md#vault-damaged, step 3'] : []),
      ];
    case 'nothing':
      return lost.length > 0
        ? ['nothing was written: every copy of what is lost is damaged', '  next: look for another copy (--replica), or write what is sound with --partial']
        : [repaired.length === 0 ? 'nothing to repair' : 'everything can be repaired; nothing was written: this was only the plan'];
  }
}
