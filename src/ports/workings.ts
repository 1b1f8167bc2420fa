/** Where the parts of a run leave what they came to, for the one that puts it together. Kept for days; nothing in it is worth more than the run it belongs to. */
export interface Workings {
  /** Durable when it resolves. What was there under the name is replaced: a part that is done again says it again. Throws PortError. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Throws PortError. */
  get(name: string): Promise<Buffer | 'absent'>;
  /** Names that begin with `prefix`. Throws PortError. */
  list(prefix: string): Promise<readonly string[]>;
}
