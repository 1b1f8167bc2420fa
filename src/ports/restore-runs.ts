/** Restores in parts, as whoever asks for one sees them: by the name of the execution, which says what is restored. One goes on whether or not anybody looks. */
import type { RestoreRequest } from '../core/restore-request';

/** `failed`: a step of it did, or somebody stopped it; `why`, as far as it is known. */
export type RestoreRunState = { readonly state: 'running' | 'done' } | { readonly state: 'failed'; readonly why: string };

export interface RestoreRuns {
  /** Names are remembered for three months. Throws `PortError`. */
  find(name: string): Promise<RestoreRunState | 'absent'>;
  /** 'exists': one of this name runs or ran. Throws `PortError`. */
  start(name: string, request: RestoreRequest): Promise<'started' | 'exists'>;
}
