/** Reads a Lambda's environment: the only place where `process.env` is. A variable that is missing stops the container at its start, and says which construct forgot it. */
import { Env } from './env';

/** The value of the variable called `name` in `Env`. */
export function setting(name: keyof typeof Env): string {
  const value = process.env[Env[name]];
  if (value === undefined || value === '') throw new Error(`${Env[name]} is not set: the construct that owns it must be granted to this function`);
  return value;
}

/** The same for a variable that may be absent by intent. */
export const optionalSetting = (name: keyof typeof Env): string | undefined => process.env[Env[name]] || undefined;

export function lockMode(): 'COMPLIANCE' | 'GOVERNANCE' {
  const mode = setting('LOCK_MODE');
  if (mode !== 'COMPLIANCE' && mode !== 'GOVERNANCE') throw new Error(`${Env.LOCK_MODE} is COMPLIANCE or GOVERNANCE, not ${mode}`);
  return mode;
}

export const retentionDays = (): number => wholeNumber('RETENTION_DAYS', 'days');
export const logRetentionDays = (): number => wholeNumber('LOG_RETENTION_DAYS', 'days');
export const snapshotRetentionDays = (): number => wholeNumber('SNAPSHOT_RETENTION_DAYS', 'days');

export const wholeUpTo = (): number => wholeNumber('WHOLE_UP_TO', 'entries');

function wholeNumber(name: keyof typeof Env, of: string): number {
  const n = Number(setting(name));
  if (!Number.isSafeInteger(n) || n < 1) throw new Error(`${Env[name]} is a whole number of ${of}, at least 1`);
  return n;
}

/** Whose turn it is of shares that come round: one every `everyHours`, of `of`. */
export function rotation(name: 'AUDIT_ROTATION' | 'DRILL_ROTATION'): { readonly everyHours: number; readonly of: number } {
  const [everyHours, of] = setting(name).split('/').map(Number);
  const isCount = (n: number | undefined): n is number => Number.isSafeInteger(n) && (n as number) >= 1;
  if (!isCount(everyHours) || !isCount(of)) throw new Error(`${Env[name]} is <hours>/<shares>, such as 24/7`);
  return { everyHours, of };
}

/** Lambda's own variable. */
export function region(): string {
  const value = process.env['AWS_REGION'];
  if (value === undefined || value === '') throw new Error('AWS_REGION is not set: Lambda sets it');
  return value;
}

/** Whether traces are wanted and this very invocation is sampled. */
export function isTraced(): boolean {
  return process.env[Env.TRACING] === 'on' && (process.env['_X_AMZN_TRACE_ID'] ?? '').includes('Sampled=1');
}
