/**
 * What an AWS call's failure means to an operation, decided in this one file: which SDK errors are answers (`errorNamed`), which are worth
 * trying again with jitter (`retried`) and which `PortError` the rest become. Messages never repeat the SDK's own: a validation error quotes
 * the item, and our items hold message content.
 */
import { PortError, type PortErrorCode } from '../../ports';

interface AwsFailure {
  readonly name: string;
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

function failureOf(error: unknown): AwsFailure {
  const e = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: number; requestId?: string };
  };
  return {
    name: typeof e.name === 'string' ? e.name : 'Error',
    code: typeof e.code === 'string' ? e.code : undefined,
    status: e.$metadata?.httpStatusCode,
    requestId: e.$metadata?.requestId,
  };
}

/** Is `error` an AWS error of one of these names? S3 answers some of them without a body; `status` then stands for the name. */
export function errorNamed<E>(error: unknown, names: readonly string[], status?: number): error is E {
  const failure = failureOf(error);
  return names.includes(failure.name) || (status !== undefined && failure.status === status);
}

const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'UnrecognizedClientException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'KMSAccessDeniedException',
  'DisabledException',
  'KMSInvalidStateException',
  // As S3 passes on what its KMS key answered; no other key than ours can have been used (lib/constructs/inbox.ts).
  'KMS.DisabledException',
  'KMS.NotFoundException',
  'KMS.KMSInvalidStateException',
  'CredentialsProviderError',
]);
/** The store answered, and trying the same again will get the same answer: a wrong checksum, a ciphertext that is not ours, a request it finds malformed. */
const CORRUPT = new Set([
  'ValidationException',
  'InvalidCiphertextException',
  'IncorrectKeyException',
  'BadDigest',
  'XAmzContentChecksumMismatch',
  'InvalidRequest',
  'SerializationException',
  'ItemCollectionSizeLimitExceededException',
  'IdempotentParameterMismatchException',
  'ResourceNotFoundException',
  'NoSuchBucket',
  'QueueDoesNotExist',
  'NotFoundException',
]);

function codeOf(error: unknown, failure: AwsFailure): PortErrorCode {
  // A transaction is cancelled for its writes' reasons; a malformed write among them will be malformed again.
  const reasons = (error as { CancellationReasons?: readonly { Code?: string }[] } | undefined)?.CancellationReasons ?? [];
  if (reasons.some(({ Code }) => Code === 'ValidationError' || Code === 'ItemCollectionSizeLimitExceeded')) return 'corrupt';
  if (DENIED.has(failure.name) || failure.status === 403) return 'denied';
  if (CORRUPT.has(failure.name)) return 'corrupt';
  // The SDK compares a body with the checksum S3 sent, and says so with a plain Error.
  if (failure.name === 'Error' && error instanceof Error && error.message.startsWith('Checksum mismatch')) return 'corrupt';
  return 'unavailable';
}

const NEXT: Readonly<Record<PortErrorCode, string>> = {
  unavailable: 'nothing is known about the outcome; trying again converges',
  denied: "look at the role's and the key's policy",
  corrupt: 'trying again will not help; compare what is stored with docs/data-model.md',
  'different-bytes': 'see docs/runbook',
};

/** `error` as a `PortError`, saying what was being done to what. `what` names tables, objects and keys, never content. */
export function portError(what: string, error: unknown): PortError {
  if (error instanceof PortError) return error;
  const failure = failureOf(error);
  const code = codeOf(error, failure);
  const facts = [failure.name, failure.code, failure.status === undefined ? undefined : `HTTP ${failure.status}`, failure.requestId]
    .filter((fact) => fact !== undefined)
    .join(', ');
  return new PortError(code, `could not ${what}: ${facts}; ${NEXT[code]}`, { cause: error });
}

/** Awaits `call` and turns whatever it throws into a `PortError`. */
export async function asking<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw portError(what, error);
  }
}

/** Seven attempts wait 25 + 50 + … + 800 ms at most, half of that on average: eight writers of one item, which is the most of ours that meet, are apart by then. */
const MAX_ATTEMPTS = 7;
const FIRST_WAIT_MS = 25;

/**
 * Repeats `call` while it throws what `conflict` recognises, with full jitter, a bounded number of times; then throws the last error as it is.
 * For collisions only the SDK does not repeat: TransactionConflict, S3's 409.
 */
export async function retried<T>(call: () => Promise<T>, conflict: (error: unknown) => boolean): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !conflict(error)) throw error;
      const longest = FIRST_WAIT_MS * 2 ** (attempt - 1);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
    }
  }
}
