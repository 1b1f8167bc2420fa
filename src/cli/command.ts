/**
 * What a command is: a line in the table (command-table.ts) that costs nothing to load, and a function in a file of its own that is loaded
 * only when the command is called.
 */
import type { ExitCode, Io } from './io';
import type { World } from './world';

export interface OptionSpec {
  /** Placeholder of the value in help, e.g. `<file>`; a switch without one. */
  readonly value?: string;
  readonly summary: string;
}

/** Every option of every command, once: an option means the same wherever it is allowed. */
export const OPTIONS = {
  json: { summary: 'print JSON to stdout' },
  stage: { value: '<name>', summary: 'the deployment to talk to; INTACT_STAGE does the same; without either the running local cloud' },
  help: { summary: 'show this' },
  version: { summary: 'show the version' },
  vkey: { value: '<key|file>', summary: "the log's public key, as `npx intact key` prints it, or a file that holds it" },
  memory: { value: '<file>', summary: 'remember the newest checkpoint here, and require the log to extend it next time' },
  'no-memory': { summary: 'neither compare with a remembered checkpoint nor remember one' },
  resume: { value: '<file>', summary: 'save here how far it got, and go on from there when it was interrupted; removed when done' },
  profile: { value: 'tlog-tiles', summary: 'check a log that is not ours: no segments, keys or locks expected' },
  forge: { summary: 'sign with a secret that is not the app secret' },
  unsigned: { summary: 'send without a signature' },
  times: { value: '<n>', summary: 'send each delivery n times' },
  kind: { value: '<kind>', summary: 'only records of this kind' },
  since: { value: '<time|duration>', summary: 'only what was received since, e.g. 2026-01-31, 2026-01-31T08:00:00Z, 90m, 24h, 7d' },
  until: { value: '<time|duration>', summary: 'only what was received before, e.g. 2026-01-31T08:00:00Z, or 0m for now' },
  limit: { value: '<n>', summary: 'at most so many' },
  phone: { value: '<phone number id>', summary: 'the record of this number of ours, where several share the id' },
  out: { value: '<file>', summary: 'write to this file instead of stdout' },
  local: { summary: 'required: only a local cloud may be tampered with' },
  destroy: { summary: 'delete the whole records table, protection and all, in place of a message' },
  confirm: { value: '<origin>', summary: "the log's origin, typed in full, instead of the question" },
  to: { value: '<table | dir | s3://…>', summary: 'where to write: a table (restore), an empty directory or bucket (mend)' },
  at: { value: '<time|duration>', summary: 'as it was then, e.g. 2026-01-31T08:00:00Z, or 90m ago' },
  size: { value: '<n>', summary: 'as it was when the log had so many entries' },
  from: { value: '<dir | s3://…>', summary: "the vault to restore from; without it the deployment's own" },
  'in-parts': { summary: 'let functions restore it, a share at a time; --from is then none or "replica"' },
  snapshot: { value: '<size | none>', summary: 'begin with the snapshot of that size, or with none; without it with the newest one that fits' },
  list: { summary: 'show those there are, and make none' },
  'in-place': { summary: 'put back what is absent, where it belongs; what a lock forbids to replace is refused' },
  replica: { value: '<dir | s3://…>', summary: "a second source: the vault's replica, or any other copy" },
  retention: { value: '<days>[:GOVERNANCE]', summary: 'lock what is written to a new bucket for so long; COMPLIANCE unless said otherwise' },
  partial: { summary: 'write what is sound although something is lost' },
  customer: { value: '<customer id>', summary: 'only the records of this customer' },
  record: { value: '<message id | pk [sk]>', summary: 'only what is recorded under this message id, or this key: --record "m#… 1#message"' },
  full: { summary: 'everything, which is also what happens without --share' },
  share: { value: '<k/n>', summary: 'only the k-th of n parts, e.g. 2/7' },
  plan: { summary: 'show what would be done, and do nothing' },
  as: { value: '<role>', summary: 'the seeded operator of the local cloud to sign in as; support unless said otherwise' },
  'to-key': { value: '<arn>', summary: 'the KMS key that is to sign from now on' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

export type OptionName = keyof typeof OPTIONS;

export interface CommandSpec {
  /** One or two words, e.g. `quarantine list`. */
  readonly name: string;
  readonly summary: string;
  /** Operands as help shows them; `[…]` marks an optional one, `…` a repeated one. */
  readonly operands: readonly string[];
  readonly options: readonly OptionName[];
  /** Lines below the options in help. */
  readonly notes?: readonly string[];
  /** For those who run the system, not its daily users; help lists them apart. */
  readonly operator?: true;
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** A command line that fits its spec. */
export interface Call {
  readonly operands: readonly string[];
  readonly text: (name: OptionName) => string | undefined;
  readonly flag: (name: OptionName) => boolean;
  /** Of this program. */
  readonly version: () => string;
  readonly io: Io;
  readonly world: World;
}

export type Run = (call: Call) => Promise<ExitCode>;
