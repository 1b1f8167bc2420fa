/** Reads a Lambda's environment: the only place where `process.env` is. A variable that is missing stops the container at its start, and says which construct forgot it. */
import { profileSettings, type ProfileSettings } from '../core/staff/profile-settings';
import type { Limit } from '../core/staff/token-bucket';
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

/** What the stage decides about profiles. */
export function profileSetting(): ProfileSettings {
  const parsed = profileSettings.safeParse(JSON.parse(setting('PROFILE')));
  if (!parsed.success) throw new Error(`${Env.PROFILE} is not what a stage says of profiles: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`);
  return parsed.data;
}

/** What one operator may ask. */
export function operatorLimit(): Limit {
  const [ratePerSecond, burst] = setting('OPERATOR_LIMIT').split('/').map(Number);
  const isCount = (n: number | undefined): n is number => Number.isSafeInteger(n) && (n as number) >= 1;
  if (!isCount(ratePerSecond) || !isCount(burst)) throw new Error(`${Env.OPERATOR_LIMIT} is <requests a second>/<at once>, such as 10/20`);
  return { ratePerSecond, burst };
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
