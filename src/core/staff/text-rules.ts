/**
 * What staff may write, character by character. What the cleaning of foreign texts would remove (clean-text.ts, the one list) is refused here instead, with its place, since here somebody can correct it;
 * so is what nobody can see, except where a script or an emoji is made with it: joiners inside Arabic, Indic and emoji sequences, the variation selectors of Han and emoji.
 * Nothing here imports from node: a browser checks by the same rules.
 */
import { nameOf, whyUnwanted } from '../clean-text';
import type { Rule, RuleParameters } from './messages/rules';

/** One thing that is wrong, before it is put into words. */
export type Fault = { readonly [R in Rule]: { readonly rule: R; readonly parameters: RuleParameters[R] } }[Rule];
export const fault = <R extends Rule>(rule: R, parameters: RuleParameters[R]): Fault => ({ rule, parameters }) as Fault;

/** `line`: no line breaks, no tabs, no space at either end. `lines`: line feeds and tabs are content. */
export type TextForm = 'line' | 'lines';

/** Of one text at most so many faulty characters are named: enough to see what happened, and an answer stays smaller than what was sent. */
const MAX_NAMED = 10;
/** Of Tibetan, Hebrew with points and accents, Vietnamese: what people write has fewer on one letter. More paint over the lines above and below. */
const MAX_MARKS = 8;

const WHITE_SPACE = /^[\s\u2800]*$/u;
const LETTER = /^\p{L}$/u;
const MARK = /^\p{M}$/u;
const IGNORABLE = /^[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}]$/u;
const LINE_SEPARATOR = /^[\p{Zl}\p{Zp}]$/u;
const JOINER = /^[\u200c\u200d]$/;
/** Scripts whose spelling needs joiners between letters. */
const JOINING = /^[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Myanmar}\p{Script=Khmer}\p{Script=Tibetan}]$/u;
const HAN = /^[\p{Script=Han}\p{Script=Mongolian}]$/u;
const SELECTOR = /^[\u180b-\u180d\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]$/u;
/** What stands in an emoji sequence before a joiner or a selector. */
const EMOJI = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\u20e30-9#*]$/u;
/** Say in which direction to read where no letter says it, and reorder nothing else. */
const DIRECTION_MARK = /^[\u200e\u200f\u061c]$/;
const TAG = /^[\u{e0020}-\u{e007f}]$/u;
const FLAG = '\u{1f3f4}';

/** The text as code points: what a position counts. Halves of pairs are elements of their own. */
export const codePoints = (text: string): readonly string[] => [...text];

/** Everything wrong with a text of 1 to `max` characters, which are counted as they are kept: in NFC. */
export function textFaults(text: string, max: number, form: TextForm): readonly Fault[] {
  if (WHITE_SPACE.test(text)) return [fault('blank', {})];
  const faults = [...hiddenFaults(codePoints(text), form)];
  if (form === 'line' && /^\p{Zs}|\p{Zs}$/u.test(text)) faults.push(fault('outer-space', {}));
  const length = codePoints(text.normalize('NFC')).length;
  if (length > max) faults.push(fault('too-long', { max, length }));
  return faults;
}

/** Everything wrong with a name: as of a text, and letters, marks on letters, spaces and `punctuation` only. */
export function nameFaults(text: string, max: number, punctuation: string): readonly Fault[] {
  const faults = textFaults(text, max, 'line');
  if (faults.some(({ rule }) => rule === 'blank')) return faults;
  const all = codePoints(text);
  const allowed = new Set(codePoints(punctuation));
  const more: Fault[] = [];
  let marks = 0;
  let onLetter = false;
  let hasLetter = false;
  for (const [at, character] of all.entries()) {
    if (hiddenFault(all, at, 'line') !== undefined || JOINER.test(character) || SELECTOR.test(character)) continue;
    const place = { at, codePoint: nameOf(character) };
    if (MARK.test(character)) {
      marks += 1;
      if (!onLetter) more.push(fault('mark-without-letter', place));
      else if (marks === MAX_MARKS + 1) more.push(fault('too-many-marks', { ...place, max: MAX_MARKS }));
      continue;
    }
    marks = 0;
    onLetter = LETTER.test(character);
    hasLetter ||= onLetter;
    if (!onLetter && !isSpace(character) && !allowed.has(character)) more.push(fault('character-not-allowed', { ...place, punctuation: [...allowed].join(' ') }));
  }
  if (!hasLetter) more.push(fault('no-letter', {}));
  return [...faults, ...more.slice(0, MAX_NAMED)];
}

/** The space, and the wide one that East Asian keyboards write between the parts of a name. */
const isSpace = (character: string): boolean => character === ' ' || character === '\u3000';

function* hiddenFaults(all: readonly string[], form: TextForm): Generator<Fault> {
  let named = 0;
  for (let at = 0; at < all.length && named < MAX_NAMED; at++) {
    const found = hiddenFault(all, at, form);
    if (found === undefined) continue;
    named += 1;
    yield found;
  }
}

/** What is wrong with the character at `at` whatever field it stands in. */
function hiddenFault(all: readonly string[], at: number, form: TextForm): Fault | undefined {
  const character = all[at] ?? '';
  const place = { at, codePoint: nameOf(character) };
  const why = whyUnwanted(character);
  if (why === 'control') return fault('control-character', place);
  if (why !== undefined) return fault(why, place);
  if (form === 'line' && (character === '\n' || character === '\t')) return fault('control-character', place);
  if (LINE_SEPARATOR.test(character)) return fault('control-character', place);
  return IGNORABLE.test(character) && !isNeeded(all, at, form) ? fault('invisible-character', place) : undefined;
}

/** Whether an invisible character does here what it was made for. */
function isNeeded(all: readonly string[], at: number, form: TextForm): boolean {
  const character = all[at] ?? '';
  const before = all[at - 1] ?? '';
  const after = all[at + 1] ?? '';
  if (JOINER.test(character)) {
    if (JOINING.test(before) && JOINING.test(after)) return true;
    return character === '\u200d' && form === 'lines' && EMOJI.test(before) && /^\p{Extended_Pictographic}$/u.test(after);
  }
  if (SELECTOR.test(character)) return HAN.test(before) || (form === 'lines' && EMOJI.test(before) && !SELECTOR.test(before));
  if (form === 'line') return false;
  return DIRECTION_MARK.test(character) || (TAG.test(character) && isInFlag(all, at));
}

/** England, Scotland, Wales: a black flag and its region in tag letters. */
function isInFlag(all: readonly string[], at: number): boolean {
  let from = at;
  while (from > 0 && at - from < 8 && TAG.test(all[from] ?? '')) from -= 1;
  return all[from] === FLAG;
}
