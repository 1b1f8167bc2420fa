/**
 * What commands reach beyond their own process, as one argument: the deployment of the command line, found once and only when a command needs it,
 * and vaults by address, which need no deployment. Tests hand in their own.
 */
import type { Clock, Inbox, KeyService, KeyTable, LogStore, Random, RecordStore, Signer, Vault, ViewStore } from '../ports';
import type { AppSecrets } from '../ports/app-secrets';
import type { ByHand } from '../ports/by-hand';
import type { KeyInventory } from '../ports/key-inventory';
import type { DeliveryLog } from '../ports/delivery-log';
import type { MessageHistory } from '../ports/message-history';
import type { Monitoring } from '../ports/monitoring';
import type { RecordRepairs } from '../ports/record-repairs';
import type { RestoreRuns } from '../ports/restore-runs';
import type { ScratchTable } from '../ports/scratch-table';
import type { StreamReaders } from '../ports/stream-readers';
import type { ConfigurableTarget } from '../ports/table-configuration';
import type { VaultReader } from '../ports/vault-reader';
import type { Workings } from '../ports/workings';
import type { LockPolicy } from '../operations/verify-locks';
import type { StaffAccess } from './staff-access';
import type { Outputs, Target } from './target';

/** A deployment and the ports to it. Making one connects to nothing; each port connects when it is used. */
export interface Deployment {
  readonly target: Target;
  readonly region: string;
  readonly outputs: Outputs;
  readonly records: RecordStore;
  /** Repairs of the records table; for repair and restore only. */
  readonly repairs: RecordRepairs;
  /** Any table of the account and region, to restore into; it need not exist. */
  tableAt(name: string): ConfigurableTarget;
  /** Who reads the streams of tables; for restore only. */
  readonly streamReaders: StreamReaders;
  /** Restores in parts, and what they leave; absent where the stage was deployed before there were any. */
  readonly restoresInParts?: { readonly runs: RestoreRuns; readonly workings: Workings };
  /** The one table a drill makes and drops. */
  readonly scratch: ScratchTable;
  /** Whose keys there are. */
  readonly inventory: KeyInventory;
  readonly log: LogStore;
  readonly vault: Vault;
  /** The same vault, for putting snapshots alone: what it locks, it locks for as long as snapshots are. */
  readonly snapshotVault: Pick<Vault, 'createLocked'>;
  readonly inbox: Inbox;
  readonly keys: KeyTable;
  readonly views: ViewStore;
  readonly kms: KeyService;
  readonly signer: Signer;
  /** Another KMS key that signs. */
  signerOf(keyArn: string): Signer;
  readonly appSecrets: AppSecrets;
  readonly monitoring: Monitoring;
  /** What the receiving functions said of each delivery, and for how many days it is kept. */
  readonly deliveryLog: DeliveryLog;
  readonly logRetentionDays: number;
  /** Meta's own history; absent where the stage does not ask Meta. */
  readonly messageHistory?: MessageHistory;
  /** Its vault as a verifier sees it, and the lock its stage promises. */
  readonly vaultReader: VaultReader;
  readonly lockPolicy: LockPolicy;
  readonly random: Random;
  /** The API of staff; absent where the stage was deployed before it had one. */
  readonly staff?: StaffAccess;
  /** Who runs this command, as far as the deployment knows them; for the records an operator makes. */
  operator(): Promise<string>;
  /** Present on the local cloud only. */
  readonly byHand?: ByHand;
  /** One POST of exactly these bytes. */
  post(url: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answer>;
}

/** A vault by address. `lockPolicy`: what its stage promises, where a stage is known. */
export interface VaultSource {
  readonly kind: 'directory' | 'https' | 's3';
  readonly reader: VaultReader;
  readonly lockPolicy?: LockPolicy;
}

/** Who writes a whole vault into a bucket, and the locks it puts there. */
export interface VaultDestination {
  readonly vault: Vault;
  readonly lock: LockPolicy;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface World {
  /** The deployment the command line names; says on stderr which one. Throws Failure `no-target`, `usage`, `unreachable`, `not-permitted`. */
  deployment(): Promise<Deployment>;
  /** A vault by address: a directory, `s3://…` or `https://…`; says on stderr which one. */
  vaultAt(source: string): Promise<VaultSource>;
  /**
   * A bucket by address as a writer of vaults sees it: what is write-once is locked as `lock` says, without one as the stage promises. Throws Failure `usage` where there is neither, or no
   * bucket.
   */
  vaultWriterAt(source: string, lock: LockPolicy | undefined): Promise<VaultDestination>;
  /** Where checkpoints are remembered between verifications, when nothing else is said. */
  readonly memoryDirectory: string;
  readonly now: Clock;
}
