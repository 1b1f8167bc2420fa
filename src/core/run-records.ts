/**
 * What the runs by the clock leave in the records table besides their findings: one record each of an audit, a drill, a restore. They are sealed like every record, so
 * that a run that failed cannot be made one that did not. Named by when they began, so that names sort by time.
 */
import { integerOf, stringOf, type Image } from './image';
import { systemImage } from './own-records';
import { recordKeys } from './table-keys';

export type RunKind = 'audit' | 'drill' | 'restore' | 'snapshot' | 'reconciliation';

export interface RunResult {
  /** When it began, ISO 8601 UTC with milliseconds. */
  readonly at: string;
  readonly ok: boolean;
  /** Differences, findings: 0 where it is ok. */
  readonly findings: number;
  /** Records it looked at or wrote. */
  readonly records: number;
  readonly seconds: number;
  /** Size of the log it was held against. */
  readonly size: number;
  /** Who ran it, where a person did. */
  readonly by?: string;
  /** Where what was restored came from or went to: a table, a vault. */
  readonly target?: string;
}

/** Its MAC is the caller's to add. */
export function runImage(kind: RunKind, { at, ok, findings, records, seconds, size, by, target }: RunResult, systemSubject: string): Image {
  return {
    ...systemImage(recordKeys[kind](at), kind, systemSubject, at),
    ok: { BOOL: ok },
    findings: { N: String(findings) },
    records: { N: String(records) },
    // Whole milliseconds: we write integers only.
    milliseconds: { N: String(Math.round(seconds * 1000)) },
    size: { N: String(size) },
    ...(by !== undefined && { by: { S: by } }),
    ...(target !== undefined && { target: { S: target } }),
  };
}

/** What a run's record says, or undefined where it is none. */
export function runResultIn(image: Image): RunResult | undefined {
  const [at, findings, records, ms, size] = [stringOf(image, 'receivedAt'), integerOf(image, 'findings'), integerOf(image, 'records'), integerOf(image, 'milliseconds'), integerOf(image, 'size')];
  const ok = image['ok'];
  if (at === undefined || findings === undefined || records === undefined || ms === undefined || size === undefined || ok === undefined || !('BOOL' in ok)) return undefined;
  const [by, target] = [stringOf(image, 'by'), stringOf(image, 'target')];
  return { at, ok: ok.BOOL, findings, records, seconds: ms / 1000, size, ...(by !== undefined && { by }), ...(target !== undefined && { target }) };
}
