/**
 * `intact env`: export lines that point the AWS CLI (and anything else made with an AWS SDK) at the deployment: `eval "$(npx intact env)"`.
 * For the local cloud they also take away what would lead elsewhere. No secret is printed: the local credentials are the emulator's fixed ones.
 */
import type { Run } from './command';
import { printJson, printLine, type Io } from './io';
import type { Deployment } from './world';

/** A POSIX shell reads it back as exactly `value`. */
export const shellQuoted = (value: string): string => (/^[A-Za-z0-9_./:@%+,=-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);

/** Would lead an SDK away from the local cloud; an endpoint of one service wins over the general one. */
const SERVICES = ['CLOUDFORMATION', 'CLOUDWATCH', 'CLOUDWATCH_LOGS', 'COGNITO_IDENTITY_PROVIDER', 'DYNAMODB', 'DYNAMODB_STREAMS', 'IAM', 'KMS', 'LAMBDA', 'S3', 'SECRETS_MANAGER', 'SNS', 'SQS', 'STS'];
const LEADS_AWAY = [
  ...['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'],
  ...SERVICES.map((service) => `AWS_ENDPOINT_URL_${service}`),
];

export const run: Run = async ({ flag, io, world }) => {
  const deployment = await world.deployment();
  const local = deployment.target.kind === 'local';
  const variables = { ...connection(deployment, io), ...names(deployment) };
  if (flag('json')) printJson(io, variables);
  else {
    if (local) printLine(io, `unset ${LEADS_AWAY.join(' ')}`);
    for (const [name, value] of Object.entries(variables)) printLine(io, `export ${name}=${shellQuoted(value)}`);
  }
  return 0;
};

function connection({ target, region }: Deployment, { env }: Io): Record<string, string> {
  if (target.kind === 'aws') return { INTACT_STAGE: target.stage, AWS_REGION: region, AWS_DEFAULT_REGION: region };
  return {
    AWS_ENDPOINT_URL: target.endpoint,
    AWS_CA_BUNDLE: target.caFile,
    NODE_EXTRA_CA_CERTS: target.caFile,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    // Files that do not exist, as local commands have them themselves: a default profile may hold an endpoint or a role.
    ...kept(env, ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']),
  };
}

const kept = (env: Io['env'], wanted: readonly string[]): Record<string, string> =>
  Object.fromEntries(wanted.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));

/** `RecordsTableName` as INTACT_RECORDS_TABLE_NAME, and so on for every output. */
function names({ outputs }: Deployment): Record<string, string> {
  const entries = Object.entries(outputs).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && /^[A-Z][A-Za-z0-9]*$/.test(entry[0]));
  return Object.fromEntries(entries.map(([name, value]) => [`INTACT${name.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`, value]));
}
