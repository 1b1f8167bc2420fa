/** The word somebody probably meant: a typing error should cost a glance, not a search. */

/** The nearest of `words` to `typed`, or undefined when none is near enough to be meant. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.floor(Math.max(typed.length, 3) / 3) + 1;
  for (const word of words) {
    const edits = word.startsWith(typed) && typed.length > 1 ? 0 : distance(typed, word);
    if (edits < least) [best, least] = [word, edits];
  }
  return best;
}

/** Edits that turn `a` into `b`: insertions, removals, replacements and swaps of neighbours. */
export function distance(a: string, b: string): number {
  let older: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, (older[j - 2] ?? 0) + 1);
      row.push(edits);
    }
    [older, above] = [above, row];
  }
  return above[b.length] ?? 0;
}
