/** An SNMP agent (a PDU, mostly), as values: integers read and written by their object identifiers. */
export type SnmpAnswer =
  | { readonly kind: "values"; readonly values: readonly number[] }
  /** The agent's own word: no such object, no right to it, a wrong value, an unknown user. Nothing was done. */
  | { readonly kind: "refused"; readonly reason: string }
  /** No answer. `maybeReceived`: a write may have arrived. */
  | { readonly kind: "silent"; readonly maybeReceived: boolean; readonly reason: string };

export interface SnmpWrite {
  readonly oid: string;
  readonly value: number;
}

export interface SnmpAgent {
  /** In the order asked. */
  read(oids: readonly string[]): Promise<SnmpAnswer>;
  /** All in one request: the agent does all of them, or none. */
  write(writes: readonly SnmpWrite[]): Promise<SnmpAnswer>;
}
