/**
 * What a restored table says of itself, in one tag: which log it was made from, at which point, and whether it is whole. It is put on the table by the request that makes it, so
 * that there is no moment in which a half-restored table could be taken for anything else.
 */

/** The tag's key; its value is `formatLabel`. */
export const RESTORE_TAG = 'intact:restore';

/** Where in the log: so many entries, or every change until a time (ISO 8601 UTC with milliseconds). */
export type RestorePoint = { readonly size: number } | { readonly at: string };

export interface RestoreLabel {
  readonly origin: string;
  readonly point: RestorePoint;
  /** Only some records were asked for. */
  readonly part: boolean;
  /** Being written, or left in the middle. */
  readonly incomplete: boolean;
}

const FORM = /^([^\s@]+)@(?:(\d{1,15})|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z))( part)?( incomplete)?$/;

/** `<origin>@<size or time>[ part][ incomplete]`: only characters that AWS takes in a tag. */
export function formatLabel({ origin, point, part, incomplete }: RestoreLabel): string {
  return `${origin}@${formatPoint(point)}${part ? ' part' : ''}${incomplete ? ' incomplete' : ''}`;
}

export const formatPoint = (point: RestorePoint): string => ('size' in point ? String(point.size) : point.at);

/** The label among `tags` (`key=value`): 'none' where there is none, 'unreadable' where it is none of ours. */
export function labelIn(tags: readonly string[]): RestoreLabel | 'none' | 'unreadable' {
  const tag = tags.find((each) => each.startsWith(`${RESTORE_TAG}=`));
  if (tag === undefined) return 'none';
  const parts = FORM.exec(tag.slice(RESTORE_TAG.length + 1));
  if (parts === null) return 'unreadable';
  const [, origin = '', size, at = '', part, incomplete] = parts;
  return { origin, point: size === undefined ? { at } : { size: Number(size) }, part: part !== undefined, incomplete: incomplete !== undefined };
}

/** The run in parts that fills the table, and whether it has ended. One that has not goes on where it stopped; what an ended one left behind says nothing of the table as it is now. */
const RUN_TAG = 'intact:restore-run';
const RUN_FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)( ended)?$/;

export interface RestoreRun {
  /** When it began, ISO 8601 UTC with milliseconds. */
  readonly run: string;
  readonly ended: boolean;
}

export function runIn(tags: readonly string[]): RestoreRun | undefined {
  const value = tags.find((tag) => tag.startsWith(`${RUN_TAG}=`))?.slice(RUN_TAG.length + 1) ?? '';
  const [, run, ended] = RUN_FORM.exec(value) ?? [];
  return run === undefined ? undefined : { run, ended: ended !== undefined };
}

/** `tags` with this run in place of any other; sorted. */
export const withRun = (tags: readonly string[], { run, ended }: RestoreRun): readonly string[] => [...tags.filter(isNoRun), `${RUN_TAG}=${run}${ended ? ' ended' : ''}`].sort();

const isNoRun = (tag: string): boolean => !tag.startsWith(`${RUN_TAG}=`);

export const isSamePoint = (a: RestorePoint, b: RestorePoint): boolean => formatPoint(a) === formatPoint(b);

/** `tags` with this label in place of any other; sorted. */
export const withLabel = (tags: readonly string[], label: RestoreLabel): readonly string[] => [...tags.filter(isNoLabel), `${RESTORE_TAG}=${formatLabel(label)}`].sort();

/** Without what restores say of a table. */
export const withoutLabel = (tags: readonly string[]): readonly string[] => tags.filter((tag) => isNoLabel(tag) && isNoRun(tag));

const isNoLabel = (tag: string): boolean => !tag.startsWith(`${RESTORE_TAG}=`);
