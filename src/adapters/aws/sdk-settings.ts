/**
 * The settings every AWS client of ours shares. A call gives up well before a Lambda's own timeout, so that a handler answers 5xx (and the
 * caller retries) instead of being killed half way with nothing said.
 */

/** What a client may be given from outside: a test's fake HTTP handler or an endpoint; everything else is decided here. */
export interface ClientOverrides {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
  readonly requestHandler?: { handle(request: unknown): Promise<{ response: unknown }> };
}

/** A new connection inside one region takes milliseconds; a second is a sick endpoint. */
const connectionTimeout = 1_000;
/** DynamoDB's slowest tail is hundreds of ms, S3's for 3 MB about two seconds. */
const requestTimeout = 4_000;
/** First call and two more: 12 s at the very worst, under every timeout of our Lambdas. */
const maxAttempts = 3;
/** Receive writes up to 16 events at once and the sealer reads 90 minutes of marks: never queue for a socket. */
const maxSockets = 64;

const nothing = (): void => undefined;
/**
 * Without `info` the SDK does not copy every input and output for a line nobody reads (a tenth of a call's processor time), and it has nothing to say a
 * word of content with.
 */
const logger = { debug: nothing, trace: nothing, warn: nothing, error: nothing };

/** Configuration of one client. Plain options, not a handler object: the SDK makes its keep-alive agents from them when first used. */
export function sdkSettings(overrides: ClientOverrides = {}) {
  const agent = { keepAlive: true, maxSockets };
  return {
    logger,
    maxAttempts,
    retryMode: 'standard',
    requestHandler: { connectionTimeout, requestTimeout, throwOnRequestTimeout: true, httpsAgent: agent, httpAgent: agent },
    ...overrides,
  } as const;
}
