/** The exercise of docs/runbook.md as what it is: commands, one a line, that a person types in their order. The page and the test that types them cannot drift apart. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const runbook = readFileSync(join(__dirname, '..', '..', 'docs', 'runbook.md'), 'utf8');

/** The article or part that begins at this anchor. */
export function articleOf(anchor: string): string {
  const text = runbook.split(`<a id="${anchor}"></a>`)[1];
  if (text === undefined) throw new Error(`docs/runbook.md has no <a id="${anchor}">`);
  return text.split(/^<a id="|^## (?!When)/m)[0] ?? '';
}

/** Every command of the exercise, in the order of the page. */
export const exercise: readonly string[] = [...articleOf('exercise').matchAll(/^```sh\n([^`]*)^```$/gm)].flatMap((match) => (match[1] ?? '').split('\n')).filter((line) => line !== '' && !line.startsWith('#'));

/** The commands of ours that an article names in its text or its blocks, as the exercise would type them: on the local cloud, and with the table's name from `intact env`. */
export function commandsIn(article: string): readonly string[] {
  const named = [...article.matchAll(/`(npx intact [^`]*)`|^(npx intact .*)$/gm)].map((match) => (match[1] ?? match[2] ?? '').trim());
  return named.map((command) => command.replaceAll(' --stage <stage>', '').replaceAll('<RecordsTableName>', '"$INTACT_RECORDS_TABLE_NAME"'));
}
