/** Which part of a work a command line asks for. */
import { WHOLE, type Share } from '../core/shares';
import type { Call } from './command';
import { Failure } from './failure';

/** More parts than a table can sensibly be cut into. */
const MAX_OF = 1_000;

/** `--share 2/7`, counted from 1; without it the whole. Throws Failure `usage`. */
export function shareOf({ text }: Pick<Call, 'text'>): Share {
  const typed = text('share');
  if (typed === undefined) return WHOLE;
  const [, k, n] = (/^(\d{1,4})\/(\d{1,4})$/.exec(typed) ?? []).map(Number);
  if (k === undefined || n === undefined || k < 1 || k > n || n > MAX_OF) throw new Failure('usage', `--share ${typed} is no part of anything`, `name the k-th of n parts, e.g. --share 2/7; n is at most ${MAX_OF}`);
  return { number: k - 1, of: n };
}
