/** Which subjects have a row in the keys table: their names, never what is in the rows. Apart from the keys table's own port because only the audit asks. */
export interface KeyInventory {
  /** Every subject that has a row, in no order; a row made meanwhile may be missed. Throws `PortError`. */
  subjects(): AsyncIterable<string>;
}
