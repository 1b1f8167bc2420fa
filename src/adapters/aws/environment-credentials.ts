/**
 * A Lambda's role reaches it through three environment variables and by no other way. Bundles put this in the place of the SDK's default
 * chain (profiles, SSO, web identity, metadata service): a third less code to load at a cold start, and no file or endpoint that could lend
 * a function somebody else's credentials. The CLI and the tests run from source and keep the SDK's chain.
 */

/** Takes the place of `defaultProvider` of `@aws-sdk/credential-provider-node`: same shape, one source. Read once: they are those of the container for as long as it lives. */
export const defaultProvider = () => {
  let known: EnvironmentCredentials | undefined;
  return async () => (known ??= read());
};

interface EnvironmentCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

function read(): EnvironmentCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = process.env;
  if (!accessKeyId || !secretAccessKey) throw new Error('no credentials in the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set by Lambda; outside of it run from source');
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
