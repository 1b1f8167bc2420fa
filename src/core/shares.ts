/**
 * A part of the work, chosen by a hash: so that what is too much for one run comes round in several, each thing in exactly one of them, without any list of what was done.
 */
import { sha256 } from './log/sha256';

/** Share `number` (from 0) of `of`. */
export interface Share {
  readonly number: number;
  readonly of: number;
}

export const WHOLE: Share = { number: 0, of: 1 };

/** Whether what is called `name` belongs to this share. The whole is one share. */
export const isOfShare = (name: string, { number, of }: Share): boolean => of === 1 || sha256(Buffer.from(name, 'utf8')).readUIntBE(0, 6) % of === number;

/** Share `i` of the `into` equal ones that make up this share: what is in it is in exactly one of them. */
export const finerShare = ({ number, of }: Share, into: number, i: number): Share => ({ number: number + of * i, of: of * into });

/** Whose turn it is at `now` when a run begins every `everyHours`: after `of` runs in a row each share had one. */
export const shareAt = (now: Date, everyHours: number, of: number): Share => ({ number: Math.floor(now.getTime() / (everyHours * 3_600_000)) % of, of });

/**
 * Whether the run at `now` is one of those, one in `every` (0: none), that have another source. Shifted by one with each round of the shares: where one number divides the other, the same shares
 * would have their turn for ever.
 */
export function isTurnOfReplica(now: Date, everyHours: number, of: number, every: number): boolean {
  if (every === 0) return false;
  const run = Math.floor(now.getTime() / (everyHours * 3_600_000));
  return (run + Math.floor(run / of)) % every === 0;
}

/** `share 3/7`, counted from 1 as people do; empty for the whole. */
export const shareName = ({ number, of }: Share): string => (of === 1 ? '' : `share ${number + 1}/${of}`);

/** The share that has this name. */
export function shareNamed(name: string): Share | undefined {
  if (name === '') return WHOLE;
  const [, number = 0, of = 0] = (/^share (\d{1,9})\/(\d{1,9})$/.exec(name) ?? []).map(Number);
  return number >= 1 && number <= of ? { number: number - 1, of } : undefined;
}
