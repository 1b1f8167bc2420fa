/**
 * The settings of one deployment, read from `stages/<stage>.json`. Everything that differs between stages stands in these files, so that code never asks which
 * stage it runs in. A wrong file is refused with the file, the field and what would be right.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { profileSettings } from '../src/core/staff/profile-settings';

/** What CloudWatch Logs accepts as a retention; taken from the PutRetentionPolicy reference. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const;
const MIN_LOG_DAYS = 3;
/** S3's own limit for an Object Lock retention, less the two days the vault's policy allows on top. */
const MAX_RETENTION_DAYS = 36_500 - 2;
/** The most hours an alarm with one-hour periods can look back: seven days. */
const MAX_ABSENCE_HOURS = 168;

/** The alarm that misses a drill, or a snapshot, looks back two hours more than the time between two of them. */
const MAX_DRILL_DAYS = 6;
const MAX_SNAPSHOT_DAYS = 6;
/** A record that comes round once a quarter is as good as not watched. */
const MAX_SHARES = 90;
/** The same of a replica that one drill in so many looks at. */
const MAX_DRILLS_BETWEEN = 90;

/** What one function opens in its time and memory, with a factor of two to spare; and less than a bundle cannot be a part. */
const MAX_WHOLE = 5_000_000;
const MIN_WHOLE = 256;

const wholeNumber = (from: number, to: number, unit: string) => z.int(`must be a whole number of ${unit}`).min(from, `must be at least ${from} ${unit}`).max(to, `must be at most ${to} ${unit}`);

/** Parts of the app that a stage may leave out because its cloud does not have them. */
export const OPTIONAL_PARTS = ['trail', 'anomaly-alarms', 'standby'] as const;
export type OptionalPart = (typeof OPTIONAL_PARTS)[number];

const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
const accountNumber = z.string().regex(/^\d{12}$/, 'must be 12 digits');

const stageSettings = z.strictObject({
  /** For the reader of the file only: why a value is what it is. */
  notes: z.array(z.string()).optional(),
  /** Where it is deployed; without these, where the AWS CLI's current credentials point. */
  account: accountNumber.optional(),
  region: z.string().regex(REGION, 'must be a region name such as eu-central-1').optional(),
  /** `bootstrap-roles`: the roles that `cdk bootstrap` makes. `own-credentials`: those of whoever runs the CDK CLI. */
  deployWith: z.enum(['bootstrap-roles', 'own-credentials'], 'must be "bootstrap-roles" or "own-credentials"'),
  /** What happens to tables, secret and log groups when a stack is deleted. Keys and buckets are always retained. */
  removal: z.enum(['retain', 'destroy'], 'must be "retain" or "destroy"'),
  /** The lock every object of the log gets. In COMPLIANCE nobody, AWS included, can delete or shorten it before its end. */
  lock: z.strictObject(
    {
      mode: z.enum(['COMPLIANCE', 'GOVERNANCE'], 'must be "COMPLIANCE" or "GOVERNANCE"'),
      retentionDays: wholeNumber(1, MAX_RETENTION_DAYS, 'days'),
    },
    'must be given: {"mode": "COMPLIANCE" or "GOVERNANCE", "retentionDays": <days>}',
  ),
  /**
   * Where the facts of the vault and the keys are kept a second time; null: nowhere, and the loss of the region is the loss of the log. With `account` the replica of the vault
   * lies in another account; the keys stay in the stage's own. `retentionDays`: the lock of what is replicated without one (`log.vkeys`), and without it the vault's.
   */
  offsite: z
    .strictObject(
      { region: z.string().regex(REGION, 'must be a region name such as eu-west-1'), account: accountNumber.optional(), retentionDays: wholeNumber(1, MAX_RETENTION_DAYS, 'days').optional() },
      'must be given: {"region": "<second region>"}, or null for no second region',
    )
    .nullable(),
  /** First part of the log's public name, as a schema-less URL the company controls; `/<random id>` is added once. */
  originPrefix: z.string().regex(/^[a-z0-9.-]+\.[a-z]{2,}(\/[A-Za-z0-9._-]+)*$/, 'must be a host name with an optional path, without scheme and final slash, such as "example.com/whatsapp"'),
  /** How long the sealer gathers changes before it seals a round. */
  sealWindowSeconds: wholeNumber(0, 300, 'seconds'),
  /** `auto`: a record that was changed past the rules is put back within seconds of being found. `ask`: the finding waits for `npx intact repair`. */
  repair: z.enum(['auto', 'ask'], 'must be "auto" or "ask"'),
  /** How often the whole log is verified. */
  verifyEveryHours: wholeNumber(1, 24, 'hours'),
  /** Up to so many entries of the log one function verifies it, opens it for an audit or a snapshot; more of them are done in parts, by several at a time. */
  wholeUpTo: wholeNumber(MIN_WHOLE, MAX_WHOLE, 'entries'),
  /** How often the table is compared with the log, one share of it a time: each record comes round within `auditEveryHours` × `auditShares`. */
  auditEveryHours: wholeNumber(1, MAX_ABSENCE_HOURS - 2, 'hours'),
  auditShares: wholeNumber(1, MAX_SHARES, 'shares'),
  /** How often the records are restored into a scratch table and compared, one share of them a time. */
  drillEveryDays: wholeNumber(1, MAX_DRILL_DAYS, 'days'),
  drillShares: wholeNumber(1, MAX_SHARES, 'shares'),
  /** One drill in so many restores from the second region's replica alone; 0: none does. */
  drillFromReplicaEvery: wholeNumber(0, MAX_DRILLS_BETWEEN, 'drills'),
  /**
   * How often a full backup is put into the vault, and how long it is locked there: for a time of its own, since the log holds everything that is in it, and longer. After that and
   * two days more it expires.
   */
  snapshot: z.strictObject(
    { everyDays: wholeNumber(1, MAX_SNAPSHOT_DAYS, 'days'), retentionDays: wholeNumber(1, MAX_RETENTION_DAYS, 'days') },
    'must be given: {"everyDays": <days>, "retentionDays": <days>}',
  ),
  /**
   * How often deliveries are compared with the records. `meta`: where the token lies that Meta's own history is asked with, a secret {"token": "…", "phoneNumberIds": ["…"]}; null: Meta is
   * not asked. `baseUrl`: another address than Meta's.
   */
  reconcile: z.strictObject(
    {
      everyHours: wholeNumber(1, 24, 'hours'),
      meta: z
        .strictObject(
          {
            tokenSecretArn: z.string().regex(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+$/, 'must be the ARN of a secret'),
            baseUrl: z.string().regex(/^https:\/\/[^\s?#]+$/, 'must be an https address, such as https://graph.facebook.com/v23.0').optional(),
          },
          'must be {"tokenSecretArn": "<ARN>"}, or null where Meta is not asked',
        )
        .nullable(),
    },
    'must be given: {"everyHours": <hours>, "meta": null or {"tokenSecretArn": "<ARN>"}}',
  ),
  logRetentionDays: z.union(LOG_RETENTION_DAYS.map((days) => z.literal(days)) as [z.ZodLiteral<number>, z.ZodLiteral<number>], `must be one of ${LOG_RETENTION_DAYS.join(', ')} (what CloudWatch Logs offers)`),
  /** What the public endpoint accepts before it answers 429; Meta then resends. */
  throttle: z.strictObject({ ratePerSecond: wholeNumber(1, 10_000, 'requests a second'), burst: wholeNumber(1, 5_000, 'requests') }, 'must be {"ratePerSecond": <n>, "burst": <n>}'),
  alarms: z.strictObject(
    {
      emails: z.array(z.email('must be an e-mail address')),
      /** Alarm when not one delivery came in this many hours; null: silence is normal here. */
      absenceHours: wholeNumber(1, MAX_ABSENCE_HOURS, 'hours').nullable(),
      /** Alarm when a change waits longer than this to be sealed. */
      sealLagSeconds: wholeNumber(5, 3_600, 'seconds'),
    },
    'must be {"emails": [...], "absenceHours": <hours or null>, "sealLagSeconds": <seconds>}',
  ),
  /**
   * Staff who use the API. `corsOrigins`: where the pages come from that may call it, e.g. "https://console.example.com"; none: no page may. `limit`: what one operator may ask: `burst` requests
   * at once, and `ratePerSecond` in the long run.
   */
  staff: z.strictObject(
    {
      corsOrigins: z.array(z.string().regex(/^https:\/\/[a-z0-9.-]+(:\d+)?$|^http:\/\/localhost(:\d+)?$/, 'must be an origin: "https://<host>", without a path')),
      limit: z.strictObject({ ratePerSecond: wholeNumber(1, 1_000, 'requests a second'), burst: wholeNumber(1, 10_000, 'requests') }, 'must be {"ratePerSecond": <n>, "burst": <n>}'),
    },
    'must be given: {"corsOrigins": [<origins>], "limit": {"ratePerSecond": <n>, "burst": <n>}}',
  ),
  /** What staff may write in a customer's profile: the punctuation of names, and the fields of the company's own (docs/api.md). */
  profile: profileSettings,
  /**
   * The roles of people who run the stage (lib/constructs/operator-policy.ts); null: none are made. An IAM user's second factor must be younger than `mfaMaxAgeMinutes`. `identityProvider`: the
   * one that federated sessions come through and whose sign-in enforces a second factor; null: no federated session is let in.
   */
  operators: z
    .strictObject(
      {
        mfaMaxAgeMinutes: wholeNumber(5, 12 * 60, 'minutes'),
        identityProvider: z
          .union(
            [
              z.strictObject({ samlProviderArn: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:saml-provider\/[\w.-]+$/, 'must be the ARN of a SAML provider') }),
              z.strictObject({ oidcProviderArn: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/[\w./-]+$/, 'must be the ARN of an OIDC provider'), audience: z.string().min(1), subjects: z.array(z.string().regex(/^[^*?\s]+$/, 'must be the subject of one person, without stars')).min(1) }),
            ],
            'must be {"samlProviderArn": "<ARN>"}, {"oidcProviderArn": "<ARN>", "audience": "<client>", "subjects": ["<who>"]}, or null',
          )
          .nullable(),
      },
      'must be given: {"mfaMaxAgeMinutes": <minutes>, "identityProvider": null or the provider}, or null for no roles',
    )
    .nullable(),
  /** The one role that may disable our keys or schedule their deletion. Without it the break-glass role of `operators`, and without that nobody. */
  breakGlassRoleArn: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/, 'must be the ARN of an IAM role').optional(),
  leaveOut: z.array(z.enum(OPTIONAL_PARTS, `may only name ${OPTIONAL_PARTS.join(', ')}`)),
}).superRefine(({ region, account, offsite, snapshot, drillFromReplicaEvery, logRetentionDays }, { addIssue }) => {
  const wrong = (message: string, ...path: string[]): void => addIssue({ code: 'custom', path, message });
  // The newest must still be there when the next one comes.
  if (snapshot.retentionDays < snapshot.everyDays) wrong('must be at least everyDays, or there would be days without a snapshot', 'snapshot', 'retentionDays');
  if (logRetentionDays < MIN_LOG_DAYS) wrong(`must be at least ${MIN_LOG_DAYS}: deliveries are compared with what the receivers logged of them, a day later and once more after a failed run`, 'logRetentionDays');
  if (offsite === null && drillFromReplicaEvery > 0) wrong('must be 0 where offsite is null: there is no replica', 'drillFromReplicaEvery');
  if (offsite === null) return;
  // Two stacks that must find each other need both places named; what the CLI's credentials point to may be another place tomorrow.
  if (region === undefined) wrong('must be given where offsite is', 'region');
  if (region === offsite.region) wrong("must be another region than the stage's own", 'offsite', 'region');
  if (offsite.account !== undefined && account === undefined) wrong('must be given where offsite.account is', 'account');
  if (offsite.account !== undefined && offsite.account === account) wrong("is the stage's own: leave it out", 'offsite', 'account');
});

export type StageSettings = z.infer<typeof stageSettings>;
export interface Stage extends StageSettings {
  readonly name: string;
}

/** The stage file is missing or wrong; the message says which file, which field and what is right. */
export class StageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StageError';
  }
}

/** Checks settings that were read from `file`. Throws `StageError` with one line per wrong field. */
export function parseStage(name: string, file: string, settings: unknown): Stage {
  const parsed = stageSettings.safeParse(settings);
  if (parsed.success) return { name, ...parsed.data };
  const lines = parsed.error.issues.map((issue) => `${file}: ${fieldOf(issue)}: ${reasonOf(issue)}`);
  throw new StageError(lines.join('\n'));
}

/** Reads `<directory>/<name>.json`. Throws `StageError` where there is none, it is not JSON, or a setting is wrong. */
export function readStage(name: string, directory: string): Stage {
  const file = join(directory, `${name}.json`);
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) throw new StageError(`"${name}" cannot be a stage: use up to 20 lower-case letters, digits and hyphens, a letter first`);
  if (!existsSync(file)) {
    const known = readdirSync(directory).filter((entry) => entry.endsWith('.json')).map((entry) => entry.replace(/\.json$/, ''));
    throw new StageError(`There is no stage "${name}": stages/${name}.json does not exist. Stages here: ${known.join(', ')}. Choose one with -c stage=<name>`);
  }
  return parseStage(name, `stages/${name}.json`, jsonOf(`stages/${name}.json`, readFileSync(file, 'utf8')));
}

/** The roles' names are fixed, so that keys can name one before it is made. */
export const operatorRoleName = ({ name }: Stage, role: 'operator' | 'auditor' | 'break-glass'): string => `Intact-${name}-${role}`;

export const has = (stage: Stage, part: OptionalPart): boolean => !stage.leaveOut.includes(part);

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StageError(`${file} is not JSON: ${(cause as Error).message}`);
  }
}

const fieldOf = (issue: z.core.$ZodIssue): string => issue.path.join('.') || 'the file';
const reasonOf = (issue: z.core.$ZodIssue): string => (issue.code === 'unrecognized_keys' ? `unknown setting ${issue.keys.join(', ')}; remove it or correct its name` : issue.message);
