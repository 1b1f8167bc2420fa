/**
 * How a command says that it did not do what it was asked: what, where, what to do next, and which exit code. Nobody sees a stack trace unless
 * INTACT_DEBUG=1. `What is read and wrong, unparseable included, is 1`; what could not be tried or read is 2.
 */
import type { LogStopped } from '../operations/read-log';
import { PortError } from '../ports';
import { VaultReadError } from '../ports/vault-reader';
import type { ExitCode, Io } from './io';
import { say } from './io';

/** `refused` and `wrong` end in 1: something was read and is not as it should be. The others end in 2. */
export type FailureCode = 'refused' | 'wrong' | 'not-found' | 'usage' | 'no-target' | 'unreachable' | 'not-permitted' | 'not-yet' | 'interrupted' | 'unexpected';

const EXIT: Readonly<Record<FailureCode, 1 | 2>> = {
  refused: 1,
  wrong: 1,
  'not-found': 1,
  usage: 2,
  'no-target': 2,
  unreachable: 2,
  'not-permitted': 2,
  'not-yet': 2,
  interrupted: 2,
  unexpected: 2,
};

/** `message` says what and where; `next` what to do. */
export class Failure extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly next?: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'Failure';
  }

  get exit(): 1 | 2 {
    return EXIT[this.code];
  }
}

const NETWORK = /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|EHOSTUN|ENETUN|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS)/;
const DENIED = /^(AccessDenied|UnauthorizedOperation|UnrecognizedClient|InvalidClientToken|ExpiredToken|SignatureDoesNotMatch|InvalidAccessKeyId|AuthFailure|MissingAuthenticationToken|CredentialsProviderError|TokenProviderError|SSOToken)/;
const ABSENT_CREDENTIALS = /credential|could not be resolved|Region is missing/i;

const text = (value: unknown): string => (value instanceof Error ? value.message : String(value));
const nameOf = (value: unknown): string => {
  const { name, code } = (typeof value === 'object' && value !== null ? value : {}) as { name?: unknown; code?: unknown };
  return [code, name].filter((part): part is string => typeof part === 'string').join(' ');
};

/** Any error as a Failure. What we cannot explain stays `unexpected`: never mistaken for an answer. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof PortError) return fromPort(error);
  if (error instanceof VaultReadError) return fromVaultRead(error);
  if (isStop(error)) return fromStop(error);
  const names = nameOf(error).split(' ');
  const cause = { cause: error };
  if (names.some((name) => DENIED.test(name)) || ABSENT_CREDENTIALS.test(text(error))) {
    return new Failure('not-permitted', text(error), 'check which credentials this shell uses: aws sts get-caller-identity', cause);
  }
  if (names.some((name) => NETWORK.test(name) || name === 'TimeoutError')) {
    return new Failure('unreachable', text(error) || 'the network did not answer', 'check the connection, then run the command again', cause);
  }
  // What core's parsers throw: bytes that were read and are wrong.
  if (/^(LogFormat|Entry|Image|CanonicalJson|Jwe)Error$/.test(error instanceof Error ? error.name : '')) {
    return new Failure('wrong', text(error), 'npx intact verify names what is damaged', cause);
  }
  return new Failure('unexpected', text(error) || 'something went wrong that has no name', 'INTACT_DEBUG=1 shows where', cause);
}

function fromPort(error: PortError): Failure {
  const cause = { cause: error };
  switch (error.code) {
    case 'denied':
      return new Failure('not-permitted', error.message, 'check which credentials this shell uses: aws sts get-caller-identity', cause);
    case 'unavailable':
      return new Failure('unreachable', error.message, 'run the command again; nothing is harmed by a repeat', cause);
    case 'corrupt':
    case 'different-bytes':
      // DynamoDB and S3 say so of a whole table or bucket.
      if (/^(ResourceNotFoundException|NoSuchBucket)$/.test(nameOf(error.cause).trim())) return new Failure('wrong', error.message, 'if it was deleted, make nothing in its place; open docs/runbook.md#restore', cause);
      return new Failure('wrong', error.message, 'run `npx intact verify` on the vault and open docs/runbook.md', cause);
  }
}

function fromVaultRead(error: VaultReadError): Failure {
  const cause = { cause: error };
  switch (error.code) {
    case 'denied':
      return new Failure('not-permitted', error.message, 'check which credentials this shell uses: aws sts get-caller-identity', cause);
    case 'interrupted':
      return new Failure('interrupted', error.message, 'run the command again', cause);
    case 'unreachable':
    case 'too-large':
      return new Failure('unreachable', error.message, 'check the address and the connection, then run the command again', cause);
  }
}

// By name: who only asks for help need not load what sealing is made of.
const isStop = (error: unknown): error is LogStopped => error instanceof Error && error.name === 'LogStopped';

/** The log contradicts itself, which was read: 1. That there is none yet is not: 2. */
const fromStop = (error: LogStopped): Failure =>
  error.code === 'not-initialized'
    ? new Failure('not-yet', error.message, 'wait until the first deployment of the stage is done', { cause: error })
    : new Failure('wrong', error.message, 'open docs/runbook.md#seal-stopped', { cause: error });

/** Tells the person and answers the exit code. */
export function report(io: Io, error: unknown): ExitCode {
  const failure = asFailure(error);
  say(io, `intact: ${failure.message}`);
  if (failure.next !== undefined) say(io, `  next: ${failure.next}`);
  if (io.env['INTACT_DEBUG'] === '1') say(io, stackOf(failure));
  return failure.exit;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.stack ?? error.message}${error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`}`;
}
