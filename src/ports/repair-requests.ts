/**
 * How whoever finds a record that is not as it should be asks for its repair. Only a request: the repair looks for itself what the record is and what it should be, and
 * one that is asked for twice, or without need, changes nothing.
 */
import type { TableKey } from '../core/image';

export interface RepairRequest {
  readonly key: TableKey;
  /** The `src` under which the change that did it is being sealed, where it is known: then nothing is repaired before that is published. */
  readonly source?: string | undefined;
}

export interface RepairRequests {
  /** Durable when this resolves; may be handed over more than once, and not at once. Throws `PortError`. */
  ask(request: RepairRequest): Promise<void>;
}
