/** A NUT server (upsd) as values: its variables and instant commands for one UPS. Fact: RFC 9271. */
export type UpsAnswer =
  | { readonly kind: "value"; readonly text: string }
  /** The server's own word, as ACCESS-DENIED. Nothing was done. */
  | { readonly kind: "refused"; readonly code: string }
  /** `maybeReceived`: the command had been sent. */
  | { readonly kind: "lost"; readonly maybeReceived: boolean; readonly reason: string };

export interface UpsServer {
  /** `OK` is only "taken". */
  command(name: string): Promise<UpsAnswer>;
  variable(name: string): Promise<UpsAnswer>;
}
