/**
 * Every copy there is of an object of a damaged vault: what stands there now, older versions of it, and what a replica has. Nothing is judged here; whoever takes a copy knows what it has to be.
 */
import type { ObjectVersion, VaultReader } from '../ports/vault-reader';
import { mostBytes, readAtMost, unlessTooLarge } from './read-at-most';

/** Where a copy comes from. `own`: what stands there now. */
export type CopySource = 'own' | 'older-version' | 'replica';

export interface Copy {
  readonly bytes: Buffer;
  readonly from: CopySource;
}

/** What is wrong with what stands there: nothing is there; a delete marker is; other bytes are; other bytes are, put over an older version. */
export type Fault = 'absent' | 'hidden' | 'damaged' | 'overwritten';

/** A vault that can be listed, as a mend needs it. */
export interface ListedVault extends VaultReader {
  readonly list: NonNullable<VaultReader['list']>;
}

/** Of one name at most so many older versions are tried, half of them the newest, half the oldest: what was written once is the oldest, what may change is among the newest. */
const MAX_OLDER = 64;

export class VaultCopies {
  private constructor(
    private readonly vault: ListedVault,
    /** Of the vault: versions that something newer lies over, latest first; and names under a delete marker. */
    private readonly older: ReadonlyMap<string, readonly ObjectVersion[]>,
    private readonly hidden: ReadonlySet<string>,
    private readonly replicas: readonly VaultCopies[],
  ) {}

  /** Lists the versions of all, where the stores have such. Throws VaultReadError. */
  static async open(vault: ListedVault, replicas: readonly ListedVault[] = []): Promise<VaultCopies> {
    const [older, hidden] = [new Map<string, ObjectVersion[]>(), new Set<string>()];
    for await (const version of vault.locks?.versions() ?? []) {
      if (version.kind === 'delete-marker' && version.isLatest) hidden.add(version.name);
      if (version.kind !== 'version' || version.isLatest) continue;
      const versions = older.get(version.name);
      if (versions === undefined) older.set(version.name, [version]);
      else versions.push(version);
    }
    return new VaultCopies(vault, older, hidden, await Promise.all(replicas.map((replica) => VaultCopies.open(replica))));
  }

  /** What stands there now. */
  own(name: string): Promise<Buffer | 'absent' | 'too-large'> {
    return readAtMost(this.vault, name);
  }

  /** All of them, the vault's own first. Throws VaultReadError. */
  async *of(name: string): AsyncGenerator<Copy> {
    const own = await this.own(name);
    if (typeof own !== 'string') yield { bytes: own, from: 'own' };
    yield* this.others(name);
  }

  /** All but what stands there now. */
  async *others(name: string): AsyncGenerator<Copy> {
    for (const version of someOf(this.older.get(name) ?? [])) {
      const bytes = await unlessTooLarge(this.vault.locks?.get(version, mostBytes(name)) ?? Promise.resolve('absent'), mostBytes(name));
      if (typeof bytes !== 'string') yield { bytes, from: 'older-version' };
    }
    for (const replica of this.replicas) for await (const { bytes } of replica.of(name)) yield { bytes, from: 'replica' };
  }

  /** The first copy that `isRight`. */
  async first(name: string, isRight: (bytes: Buffer) => boolean): Promise<Copy | undefined> {
    for await (const copy of this.of(name)) if (isRight(copy.bytes)) return copy;
    return undefined;
  }

  /** What is wrong with `name`, when it should be there and `own` stands there, which is not what it should be. */
  faultOf(name: string, own: Buffer | 'absent' | 'too-large'): Fault {
    if (own === 'absent') return this.hidden.has(name) ? 'hidden' : 'absent';
    return this.older.has(name) ? 'overwritten' : 'damaged';
  }

  /** Every name that begins with `prefix` of which there is some copy, hidden ones too; each once, ascending by bytes. */
  names(prefix: string): AsyncGenerator<string> {
    const versioned = [...this.older.keys()].filter((name) => name.startsWith(prefix)).sort(byBytes);
    return merged([this.vault.list(prefix), asAsync(versioned), ...this.replicas.map((replica) => replica.names(prefix))]);
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const someOf = (versions: readonly ObjectVersion[]): readonly ObjectVersion[] =>
  versions.length <= MAX_OLDER ? versions : [...versions.slice(0, MAX_OLDER / 2), ...versions.slice(-MAX_OLDER / 2)];

async function* asAsync(names: readonly string[]): AsyncGenerator<string> {
  yield* names;
}

/** Several ascending lists as one. */
async function* merged(lists: readonly AsyncIterable<string>[]): AsyncGenerator<string> {
  const heads = await Promise.all(
    lists.map(async (list) => {
      const names = list[Symbol.asyncIterator]();
      return { names, next: await names.next() };
    }),
  );
  for (;;) {
    let least: string | undefined;
    for (const { next } of heads) if (next.done !== true && (least === undefined || byBytes(next.value, least) < 0)) least = next.value;
    if (least === undefined) return;
    yield least;
    for (const head of heads) if (head.next.done !== true && head.next.value === least) head.next = await head.names.next();
  }
}
