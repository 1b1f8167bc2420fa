/** What a restore in parts is asked for, as its state machine is started with it. Nothing in it is believed: the table has to be one that may be restored into, the point one of the log. */
import { z } from 'zod';
import { sha256Hex } from './log/sha256';
import type { RestorePoint } from './restore-label';

const request = z.strictObject({
  to: z.string().regex(/^[A-Za-z0-9_.-]{3,255}$/),
  point: z.union([z.strictObject({ size: z.int().min(1) }), z.strictObject({ at: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) })]),
  /** The vault, or its replica in the second region. */
  from: z.enum(['vault', 'replica']),
  /** Who asks, as they say themselves; who it was, CloudTrail knows. */
  by: z.string().min(1).max(300),
});

export interface RestoreRequest {
  readonly to: string;
  readonly point: RestorePoint;
  readonly from: 'vault' | 'replica';
  readonly by: string;
}

/** 'unknown': no request of ours. */
export function restoreRequestIn(asked: unknown): RestoreRequest | 'unknown' {
  const parsed = request.safeParse(asked);
  return parsed.success ? parsed.data : 'unknown';
}

/** What an execution is called that does this, for the `nth` time: whoever asks for the same while it runs finds it by its name. */
export const executionName = ({ to, point, from }: Omit<RestoreRequest, 'by'>, nth: number): string => `${sha256Hex(Buffer.from(JSON.stringify([to, point, from]), 'utf8')).slice(0, 32)}-${nth}`;
