/** The addresses of a node, asked whether anybody is there. An answer proves life; silence proves nothing. */
export interface NodeAddresses {
  /** Those that have answered, or why nobody could be asked. */
  answering(): Promise<readonly string[] | { readonly reason: string }>;
}
