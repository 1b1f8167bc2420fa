/** What a restore would do and what it did, in words. */
import type { ReadersPlan } from '../operations/connect-readers';
import type { RestoreNote, RestorePlan, RestoreResult } from '../operations/restore-records';
import { aligned, amount, counted, printable } from './text';

const maxShown = 20;

/** What would be done. */
export function planned(plan: Omit<RestorePlan, 'work'>): string[] {
  const { origin, size, at, target, isLive, exists, resumes, records, same, ahead, toWrite, toReplace, toRemove, contents, bytes, snapshot, snapshotNote, notes, losses, doubts = [], settings } = plan;
  const state = resumes ? 'goes on with what was begun' : exists ? (isLive ? 'is compared first' : 'is there and is compared first') : 'is made';
  return [
    ...aligned([
      ['log', printable(origin)],
      ['point', `${amount(size, 'entry', 'entries')}${at === undefined ? '' : `, changes until ${at}`}`],
      ['begins from', snapshot === undefined ? 'the entries alone' : `the snapshot of ${amount(snapshot.size, 'entry', 'entries')}, taken ${snapshot.at}`],
      ['table', `${printable(target)}${isLive ? ', the LIVE table' : ''}: ${state}`],
      ['records', `${counted(records)}, of these ${counted(same)} as they should be${ahead === 0 ? '' : `, ${counted(ahead)} newer than the log and left alone`}`],
      ['to write', `${counted(toWrite)} (${counted(bytes)} bytes)${toReplace === 0 ? '' : `, ${counted(toReplace)} of them over something else`}`],
      ...(toRemove.length === 0 ? [] : [['to remove', `${amount(toRemove.length, 'item')} that the log does not have`]]),
      ...(contents === 0 ? [] : [['bodies', `${counted(contents)} to put back into the inbox`]]),
      ...settings.map(({ setting, wanted, there }) => ['setting', `${setting} is ${printable(there)}, should be ${printable(wanted)}`]),
    ]),
    ...doubts.map(({ code, object, detail }) => `  NOT AS IT SHOULD BE ${printable(object)}: ${printable(detail)} (${code}); what is signed beside it is used, and somebody has to look: docs/runbook.md#verification-findings`),
    ...(snapshotNote === undefined ? [] : [`  NOT USED ${printable(snapshotNote.object)}: ${printable(snapshotNote.detail)}; ${printable(snapshotNote.next)}`]),
    ...toRemove.slice(0, maxShown).map(({ pk, sk }) => `  remove ${printable(pk)} / ${printable(sk)}`),
    ...(toRemove.length > maxShown ? [`  … and ${counted(toRemove.length - maxShown)} more; --json lists all`] : []),
    ...(losses === 0 ? [] : [`CANNOT BE RESTORED: ${counted(losses)}`]),
    ...notes.map(noted),
  ];
}

/** Who is let read the stream of the live table. */
export const plannedReaders = (readers: ReadersPlan | undefined): string[] => [
  ...(readers?.toConnect ?? []).map((reader) => `  connect ${printable(reader)} to the stream the table has now, from its beginning`),
  ...(readers?.toSwitchOn ?? []).map((reader) => `  switch on ${printable(reader)}, which reads its stream and was switched off`),
  ...(readers?.nobody === true ? ['  NOBODY READS its stream, or ever did as far as Lambda knows: nothing is sealed. docs/runbook.md#restore says who should'] : []),
];

const noted = ({ why, meaning, count, entries }: RestoreNote): string =>
  `  ${MEANINGS[meaning]} ${counted(count)} ${why}: ${REASONS[why]} (${entries.length < count ? 'such as ' : ''}entry ${entries.map(counted).join('; ')})`;

const MEANINGS: Readonly<Record<RestoreNote['meaning'], string>> = { gap: 'as it should be:', loss: 'LOST:', ignored: 'of no matter:' };

const REASONS: Readonly<Record<RestoreNote['why'], string>> = {
  erased: 'the key was erased, and the content with it',
  'key-absent': 'the keys table has no key of its subject',
  'key-corrupt': 'the key of its subject does not open',
  'blob-absent': 'its blob is not in the vault',
  damaged: 'the vault does not hold what was committed to',
  mac: 'made by something else than this system',
  'mac-unknown-key': 'its MAC names a key that the keys table does not have: bring that secret back (docs/runbook.md#keys-lost), or somebody made it up, which sealing it was a finding of (mac-unknown-key)',
  kind: 'of a kind this system does not have',
  immutable: 'made over a record that is never changed',
  subject: 'under another subject than its record',
  'kind-changed': 'of another kind than its record',
  older: 'an earlier revision put back',
  raw: 'holds no record that could be read',
  unpermitted: 'a tombstone that nothing permits',
  misplaced: 'sealed in a place that is not its own',
  unparseable: 'no entry of this program',
  'removed-by-hand': 'the record was removed; it is restored',
  'content-unsealed': 'a body outside its record that was never sealed, and the inbox has lost it',
  'content-closed': 'a body outside its record that is gone from the vault too, and the inbox has lost it',
  'content-different': 'a body outside its record: the inbox has other bytes under its name, which are not overwritten',
};

/** What was done. */
export function restored({ written, removed, contents, left, settings, seconds }: RestoreResult): string[] {
  return [
    `done in ${seconds.toFixed(1)} s: ${amount(written, 'record')} written, ${counted(removed)} removed, ${amount(contents, 'body', 'bodies')} put back`,
    ...left.slice(0, maxShown).map(({ key, why }) => `  LEFT ALONE ${printable(key.pk)} / ${printable(key.sk)}: ${LEFT[why]}`),
    ...(left.length > maxShown ? [`  … and ${counted(left.length - maxShown)} more; --json lists all`] : []),
    ...settings.map(({ setting, wanted, there }) => `  STILL DIFFERENT ${setting} is ${printable(there)}, should be ${printable(wanted)}`),
  ];
}

const LEFT: Readonly<Record<RestoreResult['left'][number]['why'], string>> = {
  unsealed: 'what stands there is not in the log yet; run this again in a minute, and if it stays open docs/runbook.md#seal-lag',
  changed: 'it was changed meanwhile; run this again',
  unreadable: 'the log has entries that nobody can open, which may be of it; bring back what the plan calls lost first',
};
