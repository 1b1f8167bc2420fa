/**
 * The functions that read a table's stream. A table that is made again under its name has another stream, as has one whose stream was switched off and on; nobody reads that until it is
 * connected, and what nobody reads within 24 hours is gone. Only an operator's restore is given this port.
 */

/** One function that reads one stream. */
export interface StreamReader {
  /** The function, as people know it. */
  readonly reader: string;
  /** ARN of the stream it reads; of several streams of one table the younger sorts after the older. */
  readonly stream: string;
  /** Whether it is reading, or about to. */
  readonly isOn: boolean;
}

export interface StreamReaders {
  /** The stream a table has now. 'absent': no such table, or it has none. Throws `PortError`. */
  streamOf(table: string): Promise<string | 'absent'>;
  /** Whoever reads any stream that a table of this name has or had, in no order. One that was connected a moment ago may be missing. Throws `PortError`. */
  of(table: string): Promise<readonly StreamReader[]>;
  /**
   * Lets the function of `like`, which `of` gave, read `stream` from its oldest change on, set in every other respect as `like` is. Durable when this resolves; reading begins by itself, as a
   * rule within a minute. `exists`: it does already. What reads the old stream is left as it is. Throws `PortError`.
   */
  connect(like: StreamReader, stream: string): Promise<'connected' | 'exists'>;
  /** Lets one that was switched off go on where it was. May be repeated. Throws `PortError`. */
  switchOn(reader: StreamReader): Promise<void>;
}
