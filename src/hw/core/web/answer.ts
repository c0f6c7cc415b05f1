/** What comes back from a board that speaks over HTTPS, as values; nothing is thrown for what the network does. */
export type WebAnswer =
  | { readonly kind: "response"; readonly status: number; readonly body: string }
  /** The connection was refused, not encrypted, or shows a certificate that is not the pinned one; nothing was sent. */
  | { readonly kind: "refused"; readonly reason: string }
  /** No answer in time, or the line was cut. `maybeReceived`: the request had been sent. */
  | { readonly kind: "silent"; readonly maybeReceived: boolean; readonly reason: string };

/** A board behind one address; each request has its own connection, for boards drop idle ones without a word. */
export interface WebBoard {
  /** `body` is sent as JSON. Resolves within the connection's budget. */
  request(method: "GET" | "POST", path: string, body?: Readonly<Record<string, unknown>>): Promise<WebAnswer>;
}
