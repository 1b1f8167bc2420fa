/**
 * The languages staff are told in what is wrong. Another one is a file beside these with a sentence for everything there is to say, and a line here.
 */
import type { FieldError, Refusal } from '../refusal';
import { en } from './en';
import type { Catalogue, Conflict, ConflictParameters, Rule, RuleParameters, StaffProblem } from './rules';
import { zh } from './zh';

export const CATALOGUES = { en, zh } as const satisfies Record<string, Catalogue>;
export type Language = keyof typeof CATALOGUES;
export const DEFAULT_LANGUAGE: Language = 'en';

/** Of what was said here what it says, so that it can be said in another language. */
const meant = new WeakMap<object, (language: Language) => string>();

/** One error in words. `field`: JSON Pointer, or the name of a header or parameter. */
export function fieldError<R extends Rule>(language: Language, field: string, rule: R, parameters: RuleParameters[R], example?: string): FieldError {
  const tell = (other: Language): string => (CATALOGUES[other] as Catalogue).rules[rule](parameters);
  const error: FieldError = { field, rule, detail: tell(language), ...(example !== undefined && { example }) };
  meant.set(error, tell);
  return error;
}

/** The same error in `language`: operations do not know the language of their caller. */
export function retold(language: Language, error: FieldError): FieldError {
  const tell = meant.get(error);
  return tell === undefined ? error : { ...error, detail: tell(language) };
}

/** The title of a problem. */
export const titleOf = (language: Language, problem: StaffProblem): string => CATALOGUES[language].titles[problem];

type Refused = Extract<Refusal, { code: 'conflict' }>;

/** A refusal that says why something cannot be done as things stand. */
export function conflictOf<C extends Conflict>(why: C, parameters: ConflictParameters[C]): Refused {
  const tell = (language: Language): string => (CATALOGUES[language] as Catalogue).conflicts[why](parameters);
  const refusal: Refused = { code: 'conflict', detail: tell(DEFAULT_LANGUAGE) };
  meant.set(refusal, tell);
  return refusal;
}

/** Why, in `language`. */
export const detailOf = (language: Language, refusal: Refused): string => meant.get(refusal)?.(language) ?? refusal.detail;

/** The language of ours that an Accept-Language header wants most (RFC 9110, 12.5.4; `zh-Hant-TW` is content with `zh`); English where it wants none of them. Never throws. */
export function languageOf(acceptLanguage: string | undefined): Language {
  let best: Language = DEFAULT_LANGUAGE;
  let bestQuality = 0;
  // A header of thousands of languages is nobody's wish.
  for (const range of (acceptLanguage ?? '').slice(0, 1_000).split(',')) {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = qualityOf(parameters);
    const language = tag === '*' ? DEFAULT_LANGUAGE : tag.split('-')[0] ?? '';
    if (quality > bestQuality && isLanguage(language)) [best, bestQuality] = [language, quality];
  }
  return best;
}

const isLanguage = (tag: string): tag is Language => Object.hasOwn(CATALOGUES, tag);

function qualityOf(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  return q === undefined ? 1 : /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q.slice(2)) ? Number(q.slice(2)) : 0;
}
