/**
 * The log lines of the functions that receive: what they said of each delivery at the moment they answered. Independent of the tables, and written by others than who writes those. Reading only.
 */
import type { LineSource } from '../core/reconciliation-lines';

export interface LoggedLine {
  /** When it was written, by the log's own clock. */
  readonly at: Date;
  /** As it stands there, whoever wrote it. */
  readonly text: string;
}

export interface DeliveryLog {
  /**
   * Every line of [since, until) that holds `LINE_TEXT[source]`, and perhaps others, in no order, each once. Throws `PortError` where not all of them could be read: a log that is not there is `corrupt`,
   * never empty.
   */
  lines(source: LineSource, since: Date, until: Date): AsyncIterable<LoggedLine>;
}
