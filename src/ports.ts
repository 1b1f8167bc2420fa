/**
 * What operations need from the world. Each method states its promise: durability, ordering, idempotency and what each outcome means; one contract
 * test (test/contracts/) holds the in-memory and the AWS implementation to it.
 * A method throws only `PortError`: the world could not answer, or answered something that must never be. "Could not read" is never "absent".
 */
import type { Image, TableKey } from './core/image';

/**
 * `unavailable`: throttled, timed out, refused, network; nothing is known about whether a write happened, retry converges.
 * `denied`: IAM or a key policy said no. `corrupt`: the store answered, but not with what was asked for (checksum, shape).
 * `different-bytes`: a create-only object exists under this name with other bytes; an alarm, never retried.
 */
export type PortErrorCode = 'unavailable' | 'denied' | 'corrupt' | 'different-bytes';
export class PortError extends Error {
  constructor(
    readonly code: PortErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'PortError';
  }
}

export type Clock = () => Date;
/** `n` bytes of cryptographic randomness. */
export type Random = (n: number) => Buffer;
/** Waits. In tests it moves a virtual clock. */
export type Sleep = (ms: number) => Promise<void>;

/** One write of a transaction. `rev` is the revision that must be stored now; a `check` writes nothing. */
export type RecordWrite =
  | { readonly op: 'create'; readonly image: Image }
  | { readonly op: 'replace'; readonly image: Image; readonly ifRev: number }
  | { readonly op: 'check-absent'; readonly key: TableKey }
  | { readonly op: 'check-rev'; readonly key: TableKey; readonly ifRev: number };

/**
 * The records table. Every write is durable in several availability zones when it resolves. Writes to one item are serializable.
 * DynamoDB's TransactionConflict is retried inside, with jitter, a bounded number of times, then `unavailable`.
 */
export interface RecordStore {
  /** `consistent: false` may miss a write of the last second; use it only where a miss is noticed later by a condition. */
  get(key: TableKey, options: { readonly consistent: boolean }): Promise<Image | 'absent'>;
  /** Puts `image` if no item has its key. A lost reply retried inside answers `exists` with the image itself: the caller recognises its own write. */
  create(image: Image): Promise<'created' | { readonly exists: Image }>;
  /** Replaces the item if its `rev` is `ifRev`. `stale` carries what is there instead. */
  replace(image: Image, ifRev: number): Promise<'replaced' | { readonly stale: Image | 'absent' }>;
  /** All or nothing, at most 100 writes. `refused` lists, per write, the item that refused it ('absent' where an item was needed), or undefined where it held. */
  transact(writes: readonly RecordWrite[]): Promise<'done' | { readonly refused: readonly (Image | 'absent' | undefined)[] }>;
  /**
   * All items of one partition whose sk starts with `skPrefix`, in sk order, consistent. `newestFirst`: in the opposite order. `before`: only those whose sk is less than it (it starts
   * with `skPrefix`). `limit`: no more than so many are yielded, and none is read for nothing.
   */
  partition(pk: string, skPrefix?: string, options?: { readonly newestFirst?: boolean; readonly before?: string; readonly limit?: number }): AsyncIterable<Image>;
  /** Keys of everything of one customer, oldest receivedAt first; eventually consistent. */
  ofCustomer(customerId: string, options?: IndexRange): AsyncIterable<IndexedKey>;
  /** Keys of everything one operator did, oldest receivedAt first; eventually consistent. */
  ofOperator(operatorId: string, options?: IndexRange): AsyncIterable<IndexedKey>;
  /** Every item, no order; a segmented scan. */
  scan(options?: { readonly kinds?: readonly string[] }): AsyncIterable<Image>;
}

/** As an index has it: the key of a record and when it was received. */
export interface IndexedKey extends TableKey {
  readonly receivedAt: string;
}

/** The part of an index with since ≤ receivedAt < until, ISO 8601 UTC with milliseconds; those of one millisecond in any order. */
export interface IndexRange {
  readonly since?: string;
  readonly until?: string;
  readonly newestFirst?: boolean;
}

/** Records a view of derived data; never sealed, may be rebuilt from records at any time. */
export interface ViewStore {
  /** Applies `add` to numeric attributes and `set` to others of the view under `key`, once per `eventId` (a repeat is 'seen'). `newest`: `set` only if `order` is greater than the stored one. */
  apply(update: {
    readonly key: TableKey;
    readonly eventId: string;
    readonly add?: Readonly<Record<string, number>>;
    readonly set?: Image;
    readonly order?: string;
  }): Promise<'applied' | 'seen'>;
  /** Puts `set` in place of the whole view under `key` if its `order` is greater than the stored one, or none is stored; else 'seen'. `goesAt`: seconds since 1970, from when on the view may vanish by itself. */
  place(view: { readonly key: TableKey; readonly order: string; readonly set: Image; readonly goesAt?: number }): Promise<'applied' | 'seen'>;
  /** Removes the view under `key`, one without an order too, unless its order is greater; 'seen' where there is nothing to remove. */
  remove(key: TableKey, order: string): Promise<'applied' | 'seen'>;
  get(key: TableKey): Promise<Image | 'absent'>;
  /** In sk order, eventually consistent. `before`: only what sorts before it. `skPrefix`: only what begins with it; not both. */
  partition(pk: string, options?: { readonly newestFirst?: boolean; readonly limit?: number; readonly before?: string; readonly skPrefix?: string }): AsyncIterable<Image>;
}

/** Size and root of the log now, with its right edge: enough to append without reading anything else. Hashes are 32 bytes. */
export interface Head {
  readonly size: number;
  readonly root: Buffer;
  /** Roots of the full subtrees of `size`, largest first (RFC 6962): one per set bit of `size`. */
  readonly edge: readonly Buffer[];
  /** HMAC over size, root and edge under a key derived from the key-encryption key; a head somebody wrote by hand fails it. */
  readonly mac: Buffer;
}

export interface Round {
  /** Index of its first entry, and how many it has. */
  readonly from: number;
  readonly n: number;
  /** Vault name: `segment/<from, 20 digits>/<sha256 hex>`. */
  readonly segment: string;
  /** When it was committed, ISO 8601 UTC. */
  readonly time: string;
}

/** The log table: head, rounds, sealed stream events. */
export interface LogStore {
  /** Strongly consistent. */
  readHead(): Promise<Head | 'absent'>;
  /** 16-byte event marks sealed under these creation minutes; strongly consistent; hex. */
  sealedMarks(minutes: readonly number[]): Promise<ReadonlySet<string>>;
  /**
   * One transaction: the head moves if size and root are still as `expected`; the round is put create-only; the marks are put under their minutes.
   * `lost`: another sealer moved the head first; nothing was written. A lost reply retried inside answers `moved` if the round there is this one.
   * At most 100 actions: marks of at most 98 minutes.
   */
  commitRound(commit: {
    readonly expected: Pick<Head, 'size' | 'root'>;
    readonly head: Head;
    readonly round: Round;
    readonly marks: ReadonlyMap<number, readonly Buffer[]>;
  }): Promise<'moved' | 'lost'>;
  /** Rounds by `from`, ascending, starting with the one that holds entry `fromEntry`; consistent. */
  rounds(fromEntry: number): AsyncIterable<Round>;
  /** Rounds committed in [since, until), ISO times, ascending. */
  roundsByTime(since: string, until?: string): AsyncIterable<Round>;
  /** The log's name and the subject of its own records; made once. */
  identity(): Promise<LogIdentity | 'absent'>;
  /** Creates identity and empty head together, once; `exists` when there already is one. */
  initialize(identity: LogIdentity, head: Head): Promise<'created' | 'exists'>;
  /**
   * For recover-head only: removes rounds that begin at or after `head.size`, puts the given rounds in place of whatever is there, adds `marks` (16 bytes
   * each, any number of minutes) to those under their minutes and takes away those that rounds beginning at `withdrawn` put there; then replaces whatever head
   * is there. Not one transaction; may be repeated.
   */
  forceHead(recovered: {
    readonly head: Head;
    readonly rounds: readonly Round[];
    readonly marks: ReadonlyMap<number, readonly Buffer[]>;
    /** Minute → where rounds began that are not in the log. */
    readonly withdrawn: ReadonlyMap<number, ReadonlySet<number>>;
  }): Promise<void>;
  /** States seen unsealed by `seal-missing`: hashed state → first seen (ISO). */
  unsealedStates(): AsyncIterable<{ readonly state: string; readonly seenAt: string }>;
  noteUnsealed(state: string, seenAt: string): Promise<void>;
  forgetUnsealed(state: string): Promise<void>;
}

export interface LogIdentity {
  /** `<setting>/<random id>`, the name in checkpoints and keys. */
  readonly origin: string;
  /** Subject under which findings, heartbeats, gaps and verifications are sealed. */
  readonly systemSubject: string;
}

/** The vault as its writers see it. Reading for verification has a port of its own (ports/vault-reader.ts). */
export interface Vault {
  /** An object of more than `maxBytes`, which only somebody past this program can have put, is `corrupt`, before it is read into memory. */
  get(name: string, maxBytes?: number): Promise<Buffer | 'absent'>;
  /** Create-only and locked until now + retention + 1 day; durable on return. Same bytes there already: 'exists'. Other bytes: throws `different-bytes`. */
  createLocked(name: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /** Create-only, unlocked and tagged: partial tiles and bundles. Same bytes: 'exists'. Other bytes: throws `different-bytes`. */
  createPartial(name: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /** The two mutable objects, with the version token to hand back. */
  getMutable(name: 'checkpoint' | 'log.vkeys'): Promise<{ readonly bytes: Buffer; readonly etag: string } | 'absent'>;
  /** Replaces it if its etag still is `ifEtag` ('absent': create-only). */
  replaceMutable(name: 'checkpoint' | 'log.vkeys', bytes: Uint8Array, ifEtag: string): Promise<'replaced' | 'stale'>;
  /** Only `tile/….p/…` names; publish-log only. Absent is fine. */
  deletePartial(name: string): Promise<void>;
  /** Names in order of their bytes; with `after`, only those that sort after it. */
  list(prefix: string, options?: { readonly after?: string }): AsyncIterable<string>;
}

/** The erasable bodies: deliveries too big to record at once (`delivery/`), content over 20 KB (`content/`). */
export interface Inbox {
  /** Create-only under a name that holds the SHA-256 of `bytes`. */
  put(name: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  get(name: string): Promise<Buffer | 'absent'>;
  remove(name: string): Promise<void>;
  list(prefix: string): AsyncIterable<{ readonly name: string; readonly at: Date; readonly bytes: number }>;
}

/** Wrapped keys. Rows are never deleted; erasure removes the wrapped bytes and marks the row. */
export interface KeyTable {
  /** `corrupt`: there is a row, and it holds neither a key nor an erasure; whoever asks goes on without it and says so. */
  get(subject: string): Promise<WrappedKey | 'absent' | 'erased' | 'corrupt'>;
  create(key: WrappedKey): Promise<'created' | 'exists'>;
  getSecret(name: SecretName): Promise<WrappedSecret | 'absent'>;
  createSecret(name: SecretName, secret: WrappedSecret): Promise<'created' | 'exists'>;
}
export interface WrappedKey {
  readonly subject: string;
  readonly generation: number;
  /** AES-256-GCM under the key-encryption key, AAD = subject ‖ generation: 12 bytes IV ‖ ciphertext ‖ 16 bytes tag. */
  readonly wrapped: Buffer;
  /** Which key-encryption key wrapped it. */
  readonly kek: number;
}
export type SecretName = 'kek' | 'mac' | 'dedupe';
export interface WrappedSecret {
  readonly generation: number;
  /** KMS ciphertext per region that can unwrap it. */
  readonly wrapped: Readonly<Record<string, Buffer>>;
}

/** The KMS: wraps the three secrets, each with the encryption context `{intact: <name>}`, and signs checkpoints. */
export interface KeyService {
  readonly region: string;
  /** A fresh 32-byte secret, wrapped; the plaintext is not returned. */
  generate(name: SecretName): Promise<Buffer>;
  unwrap(name: SecretName, wrapped: Buffer): Promise<Buffer>;
}
export interface Signer {
  /** Ed25519 over exactly these bytes (at most 4,096): 64 bytes. */
  sign(message: Uint8Array): Promise<Buffer>;
  /** 32 bytes. */
  publicKey(): Promise<Buffer>;
}

/** Counts and gauges, written with the handler's own log lines; the closed list is `src/core/metric-names.ts`. */
export interface Meter {
  count(name: import('./core/metric-names').MetricName, n?: number): void;
  gauge(name: import('./core/metric-names').MetricName, value: number, unit: 'Seconds' | 'Count' | 'Bytes'): void;
}

/** One change of a table, from its stream. */
export interface StreamEvent {
  readonly eventId: string;
  readonly op: 'INSERT' | 'MODIFY' | 'REMOVE';
  /** The stream's ApproximateCreationDateTime, milliseconds. */
  readonly createdAtMs: number;
  readonly key: TableKey;
  readonly newImage?: Image;
  readonly oldImage?: Image;
  /** The record as it arrived, for what cannot be processed. */
  readonly raw: Buffer;
}
