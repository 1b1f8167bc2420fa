/**
 * The environment of everything that talks to the local cloud, built from nothing. A developer's shell may hold AWS_PROFILE, real keys or an
 * AWS_ENDPOINT_URL_S3; none of it may reach a process of ours, or `npm start` could change a real account. What is not listed here is absent,
 * so a variable that the SDK learns to read next year is absent too. Only PATH is taken over: it decides which programs run, not where they connect.
 */
import { mkdirSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import type { StateDirectory } from './state-directory';

export const localRegion = 'us-east-1';
/** The second region of stages/local.json; a test holds them to each other. */
export const localSecondRegion = 'us-west-2';
export const localAccount = '000000000000';

/** The port of `npm start`; a test run takes any free one. */
export const defaultPort = 4680;

/** Environment as child_process takes it: names to values, nothing inherited. */
export type Environment = Readonly<Record<string, string>>;

/**
 * For processes that work against no cloud at all, such as a synth: no credentials, no endpoint, no way to find any.
 * HOME and TMPDIR lie in the state directory, so no `~/.aws` is found.
 */
export function isolatedEnvironment(state: StateDirectory, path = process.env['PATH'] ?? ''): Environment {
  const home = join(state.cloud, 'home');
  const temporary = join(state.cloud, 'tmp');
  mkdirSync(home, { recursive: true });
  mkdirSync(temporary, { recursive: true });
  const absent = join(home, 'no-such-file');
  return {
    PATH: [dirname(process.execPath), path].join(delimiter),
    HOME: home,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    AWS_CONFIG_FILE: absent,
    AWS_SHARED_CREDENTIALS_FILE: absent,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
    CDK_DEFAULT_ACCOUNT: localAccount,
    CDK_DEFAULT_REGION: localRegion,
    CDK_DISABLE_CLI_TELEMETRY: '1',
    JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION: '1',
    ...(basename(state.root) === '.intact' ? {} : { INTACT_LOCAL: basename(state.root) }),
  };
}

/** For processes that talk to the local cloud at `endpoint`: the CDK CLI, our CLI, tests. */
export function localEnvironment(state: StateDirectory, endpoint: string, path?: string): Environment {
  return {
    ...isolatedEnvironment(state, path),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    NODE_EXTRA_CA_CERTS: state.ca,
    AWS_CA_BUNDLE: state.ca,
  };
}

/** For the emulator itself; its Lambdas inherit this. `plainPort` is the listener without TLS. */
export function emulatorEnvironment(state: StateDirectory, port: number, path?: string): Environment {
  return {
    ...isolatedEnvironment(state, path),
    AUTH: 'true',
    CLOUDTRAIL_RECORDING: '1',
    // As on AWS: where the trigger fails, there are no tokens.
    MINISTACK_COGNITO_PRETOKEN_STRICT: '1',
    S3_PERSIST: '1',
    S3_DATA_DIR: join(state.cloud, 's3'),
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    GATEWAY_PORT: String(port),
    MINISTACK_HOST: '127.0.0.1',
    USE_SSL: '1',
    MINISTACK_SSL_CERT: state.ca,
    MINISTACK_SSL_KEY: state.caKey,
    NODE_EXTRA_CA_CERTS: state.ca,
    // A Docker daemon of the user's is none of our business: the emulator would look through its containers at every start.
    DOCKER_HOST: `unix://${join(state.cloud, 'no-docker.sock')}`,
    PYTHONUNBUFFERED: '1',
  };
}
