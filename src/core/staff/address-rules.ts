/**
 * Under which number and address a customer is reached: E.164 as ITU writes it, and the e-mail addresses that mail systems really deliver to, which are fewer than RFC 5322 allows (no quotes, no
 * comments, no bare host, no address literals) and more than ASCII (RFC 6531).
 */
import { nameOf } from '../clean-text';
import { codePoints, fault, textFaults, type Fault } from './text-rules';

const MAX_PHONE = 16;
const MAX_LOCAL = 64;
const LOCAL = /^[\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]$/u;
const DOMAIN = /^[\p{L}\p{M}\p{N}.-]$/u;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;

/** Everything wrong with a phone number. It is kept as sent: nothing is taken out, nothing is guessed. */
export function phoneFaults(text: string): readonly Fault[] {
  if (text === '') return [fault('blank', {})];
  const all = codePoints(text);
  const faults: Fault[] = [];
  const hasPlus = all[0] === '+';
  if (!hasPlus) faults.push(fault('phone-plus', {}));
  const rest = all.slice(hasPlus ? 1 : 0);
  const wrong = rest.flatMap((character, i) => (/^[0-9]$/.test(character) ? [] : [fault('phone-character', { at: i + (hasPlus ? 1 : 0), codePoint: nameOf(character) })]));
  faults.push(...wrong.slice(0, 3));
  const digits = rest.length - wrong.length;
  if (hasPlus && rest[0] === '0') faults.push(fault('phone-zero', {}));
  if (digits < 7 || digits >= MAX_PHONE) faults.push(fault('phone-length', { digits }));
  return faults;
}

/** Everything wrong with an e-mail address. */
export function emailFaults(text: string, max: number): readonly Fault[] {
  const faults = [...textFaults(text, max, 'line')];
  if (faults.some(({ rule }) => rule === 'blank')) return faults;
  const all = codePoints(text);
  const ats = all.filter((character) => character === '@').length;
  if (ats !== 1) return [...faults, fault('email-at', { count: ats })];
  const split = all.indexOf('@');
  const named = new Set(faults.flatMap(({ parameters }) => ('at' in parameters ? [parameters.at] : [])));
  const wrong = all.flatMap((character, at) => (at === split || named.has(at) || (at < split ? LOCAL : DOMAIN).test(character) ? [] : [fault('email-character', { at, codePoint: nameOf(character) })]));
  faults.push(...wrong.slice(0, 3));
  const local = all.slice(0, split);
  if (local.length === 0 || local.length > MAX_LOCAL || local[0] === '.' || local.at(-1) === '.' || local.some((character, i) => character === '.' && local[i + 1] === '.')) faults.push(fault('email-local', {}));
  const labels = text.slice(text.indexOf('@') + 1).normalize('NFC').split('.');
  // A character that cannot stand there has been named; the shape is judged of what could be a domain.
  if (!wrong.some(({ parameters }) => 'at' in parameters && parameters.at > split) && (labels.length < 2 || /^[0-9]*$/.test(labels.at(-1) ?? '') || labels.some((label) => !LABEL.test(label)))) faults.push(fault('email-domain', {}));
  return faults;
}
