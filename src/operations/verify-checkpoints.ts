/**
 * The signed checkpoints of a vault against the entries: each of them committed the log, for ever, to one root at one size.
 */
import type { Checkpoint } from '../core/log/checkpoint';
import { toBase64 } from '../core/log/base64';
import { finding, type Finding } from '../core/verify/finding-codes';
import { openCheckpoint, type KeyTrust } from '../core/verify/key-trust';
import { CHECKPOINT, checkpointCopyName } from '../core/verify/vault-name';
import type { VaultReader } from '../ports/vault-reader';

/** What an earlier verification left with its user. */
export interface RememberedCheckpoint {
  readonly origin: string;
  readonly size: number;
  /** base64, as in checkpoints. */
  readonly root: string;
}

export type MemoryVerdict = 'consistent' | 'rolled-back' | 'forked' | 'unknown';

/** Saved between interrupted runs. */
export interface CheckpointsState {
  readonly newestKey: number;
  readonly newestBelow: number;
  readonly soundSize: number;
  readonly wrong: readonly number[];
  readonly memory: MemoryVerdict;
}

/** Reads `checkpoints/<size>` as the derivation passes each size, and holds what is remembered against it. */
export class CheckpointCheck {
  /** Place in the key history of the newest key seen so far. */
  private newestKey = -1;
  /** The same at sizes smaller than that of `checkpoint`. */
  private newestBelow = -1;
  /** The largest size whose signed root the entries have. */
  private soundSize = 0;
  private wrong: number[] = [];
  private aheadSizes: number[] = [];
  private memory: MemoryVerdict = 'unknown';

  constructor(
    private readonly reader: Pick<VaultReader, 'get'>,
    private readonly trust: KeyTrust,
    private readonly copies: ReadonlySet<number>,
    /** The checkpoint everything is checked up to, and the place of its key. */
    private readonly current: { readonly checkpoint: Checkpoint; readonly key?: number },
    private readonly remembered: RememberedCheckpoint | undefined,
    private readonly report: (finding: Finding) => void,
    state?: CheckpointsState,
  ) {
    if (state !== undefined) ({ newestKey: this.newestKey, newestBelow: this.newestBelow, soundSize: this.soundSize, memory: this.memory } = state);
    this.wrong = [...(state?.wrong ?? [])];
  }

  state(): CheckpointsState {
    return { newestKey: this.newestKey, newestBelow: this.newestBelow, soundSize: this.soundSize, wrong: this.wrong, memory: this.memory };
  }

  /** Sizes at which the derived root is wanted, ascending. */
  sizes(): number[] {
    return [...new Set([...this.copies, ...(this.remembered === undefined ? [] : [this.remembered.size])])].sort((a, b) => a - b);
  }

  /** The entries before `size` have this root; undefined: it cannot be derived. */
  async rootAt(size: number, root: Buffer | undefined): Promise<void> {
    if (this.remembered?.size === size && root !== undefined) this.compareMemory(this.remembered, root);
    if (!this.copies.has(size)) return;
    const name = checkpointCopyName(size);
    const bytes = await this.reader.get(name);
    if (bytes === 'absent') return; // listed by mistake of nobody: the sizes of a store that cannot be listed are guesses
    const opened = openCheckpoint(name, bytes, this.trust, false);
    opened.findings.forEach(this.report);
    if (opened.checkpoint === undefined || !opened.trusted) return;
    if (opened.checkpoint.size !== size) return this.report(finding('checkpoint-wrong-size', name, `it states the size ${opened.checkpoint.size}`));
    if (size > this.current.checkpoint.size) this.aheadSizes.push(size);
    this.placeKey(size, name, opened.key ?? -1);
    if (root === undefined) return;
    if (root.equals(opened.checkpoint.root)) this.soundSize = Math.max(this.soundSize, size);
    else this.wrong.push(size);
  }

  /** `checkpoint` stands among its copies by its size: it retires the keys of larger ones, and is not retired by them. */
  private placeKey(size: number, name: string, key: number): void {
    const { checkpoint, key: currentKey = -1 } = this.current;
    this.checkKeyOrder(name, key, size > checkpoint.size ? Math.max(this.newestKey, currentKey) : this.newestBelow);
    this.newestKey = Math.max(this.newestKey, key);
    if (size < checkpoint.size) this.newestBelow = this.newestKey;
  }

  /** `smaller`: the newest key that signed a checkpoint of a smaller size. */
  private checkKeyOrder(name: string, key: number, smaller: number): void {
    if (key < smaller) this.report(finding('checkpoint-retired-key', name, `it is signed by key ${key + 1} of log.vkeys; a smaller checkpoint is signed by key ${smaller + 1}`));
  }

  private compareMemory(remembered: RememberedCheckpoint, root: Buffer): void {
    this.memory = remembered.root === toBase64(root) ? 'consistent' : 'forked';
    if (this.memory === 'consistent') return;
    this.report(finding('memory-forked', CHECKPOINT, `the first ${remembered.size} entries have root ${toBase64(root)}, remembered is ${remembered.root}`));
  }

  /** All sizes have been passed. `root`: of the whole log as derived. */
  async finish(root: Buffer | undefined): Promise<MemoryVerdict> {
    const { checkpoint, key } = this.current;
    if (key !== undefined) this.checkKeyOrder(CHECKPOINT, key, this.newestBelow);
    if (root !== undefined && !root.equals(checkpoint.root)) {
      this.report(finding('root-mismatch', CHECKPOINT, `it states root ${toBase64(checkpoint.root)} at size ${checkpoint.size}; the entries have ${toBase64(root)}${this.since()}`, this.soundSize));
    }
    const [first, ...later] = this.wrong;
    if (first !== undefined) {
      const more = later.length === 0 ? '' : `; so do ${later.length} later checkpoints, up to ${checkpointCopyName(later.at(-1)!)}`;
      this.report(finding('root-mismatch', checkpointCopyName(first), `it states another root than the entries have${this.since()}${more}`, this.soundSize));
    }
    await this.checkBehind();
    if (this.remembered !== undefined && this.remembered.size > checkpoint.size) {
      this.memory = 'rolled-back';
      this.report(finding('memory-rolled-back', CHECKPOINT, `it states the size ${checkpoint.size}; ${this.remembered.size} is remembered`, checkpoint.size));
    }
    return this.memory;
  }

  private since(): string {
    return this.soundSize === 0 ? '' : `, which up to size ${this.soundSize} are as signed`;
  }

  /** The publisher puts a copy, then `checkpoint`: between the two a reader sees a larger copy, so look again before blaming anybody. */
  private async checkBehind(): Promise<void> {
    const largest = this.aheadSizes.at(-1);
    if (largest === undefined) return;
    const now = await this.reader.get(CHECKPOINT);
    const opened = now === 'absent' ? undefined : openCheckpoint(CHECKPOINT, now, this.trust, true);
    if (opened?.trusted === true && opened.checkpoint !== undefined && opened.checkpoint.size >= largest) return;
    this.report(
      finding('checkpoint-behind', CHECKPOINT, `it states the size ${this.current.checkpoint.size}; ${this.aheadSizes.length} larger ones are signed, up to ${checkpointCopyName(largest)}`, this.current.checkpoint.size),
    );
  }
}
