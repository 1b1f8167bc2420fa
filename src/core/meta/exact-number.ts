/**
 * Whether a JSON number survives being read as a double (RFC 7493, section 2.2). 2^53 + 1 and 0.1000000000000000055 do not: what JSON.parse
 * returns for them prints as another number, and a digest over it would be the digest of something Meta never sent.
 */

/** At most 15 significant digits always survive (IEEE 754: DBL_DIG); a literal this short without an exponent cannot have more. */
const ALWAYS_EXACT_LENGTH = 15;

/** `literal` is a valid JSON number, `value` what Number() makes of it. True when the shortest decimal form of `value` is the same number as `literal`. */
export function survivesAsDouble(literal: string, value: number): boolean {
  if (literal.length <= ALWAYS_EXACT_LENGTH && !/[eE]/.test(literal)) return true;
  if (!Number.isFinite(value)) return false;
  const [digits, exponent] = decimalOf(literal);
  const [ourDigits, ourExponent] = decimalOf(String(value));
  return digits === ourDigits && exponent === ourExponent;
}

/** The number as 0.<digits> × 10^<exponent>, without leading or trailing zeros; zero is ['', '0']. The exponent is exact, however long it is written. */
function decimalOf(literal: string): readonly [digits: string, exponent: string] {
  const [, whole = '', fraction = '', written = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const all = whole + fraction;
  let first = 0;
  while (first < all.length && all[first] === '0') first += 1;
  let last = all.length;
  while (last > first && all[last - 1] === '0') last -= 1;
  if (first === last) return ['', '0'];
  // BigInt is quadratic in its digits; no exponent of more than 20 digits belongs to a finite, non-zero double.
  if (written.length > 20) return [all.slice(first, last), `huge:${written}`];
  return [all.slice(first, last), (BigInt(written) + BigInt(whole.length - first)).toString()];
}
