/**
 * A vault (or a foreign tlog-tiles log) as verification sees it: read-only, possibly written by an adversary, possibly growing meanwhile.
 * Implementations: a directory, https, S3, memory.
 */

import type { AgreeingBundle } from '../core/verify/examine-bundle';

/**
 * `unreachable`: network, timeout, throttling. `denied`: not permitted, or it cannot be told whether the object exists. `too-large`: an
 * object over the limit of the implementation. `interrupted`: the caller's signal. Nothing is known about the object in any of these cases.
 */
export type VaultReadErrorCode = 'unreachable' | 'denied' | 'too-large' | 'interrupted';

export class VaultReadError extends Error {
  constructor(
    readonly code: VaultReadErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'VaultReadError';
  }
}

/** The retention of one version of an object. */
export interface ObjectLock {
  readonly mode: 'COMPLIANCE' | 'GOVERNANCE';
  readonly retainUntil: Date;
}

/** One version or delete marker of a name. */
export interface ObjectVersion {
  readonly name: string;
  /** Tells it from the others of its name; opaque. */
  readonly version: string;
  readonly kind: 'version' | 'delete-marker';
  readonly isLatest: boolean;
  /** When it was written. */
  readonly lastModified: Date;
}

export type VersionId = Pick<ObjectVersion, 'name' | 'version'>;

/** What a store that keeps versions under lock can tell beside the bytes of the latest. */
export interface VaultLocks {
  /** The lock of one version; 'none' when it has none, 'absent' when there is no such version any more. Throws VaultReadError. */
  lock(version: VersionId): Promise<ObjectLock | 'none' | 'absent'>;
  /** Every version and delete marker of the names that begin with `prefix` (all without it): in name order, of one name the latest first. Throws VaultReadError. */
  versions(prefix?: string): AsyncIterable<ObjectVersion>;
  /** The bytes of one version; 'absent' when there is no such version any more. `maxBytes` as of `VaultReader.get`. Throws VaultReadError. */
  get(version: VersionId, maxBytes?: number): Promise<Buffer | 'absent'>;
}

/** Bundles examined ahead of the one who asks for them, by as many threads as there are. */
export interface BundleRun {
  /**
   * Full bundle `index`, asked for in ascending order, each once. undefined: it does not agree with its tile, or one of them could not be read; `get` tells
   * which. Never throws.
   */
  take(index: number): Promise<AgreeingBundle | undefined>;
  /** Nothing more will be taken: frees the threads. */
  end(): void;
}

export interface BundleRange {
  /** Full bundles [from, to). */
  readonly from: number;
  readonly to: number;
  /** As `examineBundle` takes it. */
  readonly judgeEntries: boolean;
}

export interface VaultReader {
  /** Where this is, for people: a directory, `s3://…`, `https://…`. */
  readonly source: string;
  /**
   * The bytes of the object, as they are now. 'absent' only if the store said that there is no such object; everything else that yields no
   * bytes throws VaultReadError. Concurrent calls are allowed. Names come from the vault itself: an implementation refuses (`denied`) what
   * would lead outside of it. `maxBytes`: what has more is `too-large`, where the implementation's own limit is not lower.
   */
  get(name: string, maxBytes?: number): Promise<Buffer | 'absent'>;
  /**
   * Names that begin with `prefix`, each once, ascending by their UTF-8 bytes. An object written before the call is listed; one written
   * meanwhile may be. Absent where the store cannot be listed (plain https): then nothing unexpected and no segment can be found.
   */
  readonly list?: (prefix: string) => AsyncIterable<string>;
  /** Absent where the store knows no locks. */
  readonly locks?: VaultLocks;
  /** An accelerator, where there is one: what it tells is what `get` and `examineBundle` would. */
  readonly bundles?: (range: BundleRange) => BundleRun;
}
