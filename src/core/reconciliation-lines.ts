/**
 * What the receiving functions said of a delivery, read back from their log. These lines are evidence that no record can be: whoever removes a record, or a receiver of ours that answers 200 and
 * writes nothing, does not touch them. They are evidence only. Whoever may write to the log can make up a line, and the worst he gets is a finding about a delivery that never was: what lines
 * claim is added up, so no line takes back what another one claimed.
 */
import { z } from 'zod';

/** `receive`: the webhook's own function. `process`: the one that records what was put aside. */
export type LineSource = 'receive' | 'process';

/** The text of the line that tells of a delivery; also what the log is searched for. */
export const LINE_TEXT: Readonly<Record<LineSource, string>> = { receive: 'delivery accepted', process: 'process-inbox' };

/** Records a delivery is said to have made, by what they are. Duplicates made none. */
export interface Claims {
  readonly recorded: number;
  readonly variant: number;
  readonly conflict: number;
  readonly quarantined: number;
}

export interface DeliveryLine {
  readonly deliveryId: string;
  /** Put aside to be recorded later; claims nothing yet. */
  readonly queued: boolean;
  readonly claims: Claims;
  /** Events that were there before. */
  readonly duplicate: number;
}

/** Ours have a few hundred characters. */
const MAX_LINE = 10_000;
/** A delivery has at most 3 MB. */
const count = z.int().min(0).max(10_000_000);
const line = z.looseObject({ deliveryId: z.string().regex(/^[A-Za-z0-9_-]{22}$/), recorded: count, duplicate: count, variant: count, conflict: count, quarantined: count });
const accepted = line.extend({ queued: z.union([z.literal(0), z.literal(1)]) });

/**
 * `other`: a line about something else. `unreadable`: one that calls itself a delivery's and that this program does not write: it was cut off, or somebody else made it. Never throws,
 * whatever the text.
 */
export function deliveryLineIn(source: LineSource, text: string): DeliveryLine | 'other' | 'unreadable' {
  const members = text.length > MAX_LINE ? undefined : membersOf(text);
  // What cannot be parsed is ours only if it looks so; Lambda writes lines of its own.
  if (members === undefined) return source === 'receive' && text.includes(LINE_TEXT[source]) && text.trimStart().startsWith('{') ? 'unreadable' : 'other';
  if (members['message'] !== LINE_TEXT[source] || (source === 'process' && members['outcome'] !== 'processed')) return 'other';
  const parsed = (source === 'receive' ? accepted : line).safeParse(members);
  if (!parsed.success) return 'unreadable';
  const { deliveryId, recorded, variant, conflict, quarantined, duplicate } = parsed.data;
  return { deliveryId, queued: members['queued'] === 1, duplicate, claims: { recorded, variant, conflict, quarantined } };
}

function membersOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
