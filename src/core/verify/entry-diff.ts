/**
 * What happened to a run of entries, told from leaf hashes alone: which were changed, deleted, inserted, duplicated or moved. Knows nothing
 * of content; a record of another log is an inserted or modified entry here.
 */
import { hashAt, hashCount } from '../log/merkle';
import { finding, type Finding, type FindingCode } from './finding-codes';

/**
 * Every difference between the entries an object holds (`actual`) and those that were logged (`logged`), both as leaf hashes; `from` is the
 * log index of the first. Empty when they are the same.
 */
export function diffEntries(object: string, actual: Buffer, logged: Buffer, from: number): Finding[] {
  if (actual.equals(logged)) return [];
  const have = names(actual);
  const want = names(logged);
  const surplus = count(have);
  for (const [name, n] of count(want)) surplus.set(name, (surplus.get(name) ?? 0) - n);
  const wanted = new Set(want);
  const at = (code: FindingCode, i: number, detail: string): Finding => finding(code, object, detail, from + i);

  if ([...surplus.values()].every((n) => n === 0)) {
    const moved = want.flatMap((name, i) => (have[i] === name ? [] : [i]));
    return [at('entry-reordered', moved[0]!, `${moved.length} entries are in other places than they were logged at, the first is entry ${from + moved[0]!}`)];
  }
  const findings: Finding[] = [];
  if (have.length === want.length) {
    have.forEach((name, i) => {
      if (name === want[i]) return;
      if (wanted.has(name)) findings.push(at('entry-duplicated', i, `in place of entry ${from + i} stands a copy of entry ${from + want.indexOf(name)}`));
      else findings.push(at('entry-modified', i, `entry ${from + i} has leaf hash ${name}, logged was ${want[i]}`));
    });
    return findings;
  }
  want.forEach((name, i) => {
    if ((surplus.get(name) ?? 0) >= 0) return;
    surplus.set(name, surplus.get(name)! + 1);
    findings.push(at('entry-deleted', i, `entry ${from + i} (leaf hash ${name}) is not there`));
  });
  have.forEach((name, i) => {
    // The surplus copy is the later one.
    const isSurplus = (surplus.get(name) ?? 0) > 0 && !have.slice(i + 1).includes(name);
    if (!isSurplus) return;
    surplus.set(name, surplus.get(name)! - 1);
    if (wanted.has(name)) findings.push(at('entry-duplicated', i, `place ${from + i} holds another copy of entry ${from + want.indexOf(name)}`));
    else findings.push(at('entry-inserted', i, `place ${from + i} holds an entry that was not logged (leaf hash ${name})`));
  });
  return findings;
}

const names = (hashes: Buffer): string[] => Array.from({ length: hashCount(hashes) }, (_, i) => hashAt(hashes, i).toString('base64'));

function count(list: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of list) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
