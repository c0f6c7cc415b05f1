/** One question and one answer over an encrypted line of their own, for boards that take raw documents (RIBCL). */
export type DocumentAnswer =
  | { readonly kind: "text"; readonly text: string }
  /** Nothing was sent. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The document was sent, and no whole answer came. */
  | { readonly kind: "silent"; readonly reason: string };

export interface DocumentBoard {
  /**
   * `pieces` are sent one after another, each in a packet of its own; they get the password of the configured account.
   * The answer ends when the board hangs up, or with the text that `isWhole` accepts.
   */
  exchange(
    pieces: (password: string) => readonly string[],
    isWhole: (text: string) => boolean,
  ): Promise<DocumentAnswer>;
}
