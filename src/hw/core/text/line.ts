/**
 * A line of text to a board's command shell, as values. What arrives is kept until somebody expects it.
 */
export type Expected =
  | { readonly kind: "seen" /** Everything up to and including the match. */; readonly text: string }
  | { readonly kind: "silent"; readonly text: string }
  | { readonly kind: "closed"; readonly text: string };

export interface TextLine {
  /** Writes the words and the line end of the dialect. */
  sendLine(words: string): void;
  /** Writes the password of the configured account, which nobody else gets to see. */
  sendPassword(): void;
  /** Waits until what arrived matches; consumes it. */
  expect(pattern: RegExp): Promise<Expected>;
}

/**
 * Telnet without its options: every offer and wish of the board is declined, and the rest is text.
 * `rest` holds the beginning of a command that came in two pieces. Fact: RFC 854.
 */
export function stripTelnet(bytes: Uint8Array): {
  readonly text: string;
  readonly reply: Uint8Array;
  readonly rest: Uint8Array;
} {
  const [IAC, DONT, DO, WONT, WILL, SB, SE] = [255, 254, 253, 252, 251, 250, 240];
  const reply: number[] = [];
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte !== IAC) {
      // NUL stands behind a CR that is no line end; it is no character.
      if (byte !== 0) text += String.fromCharCode(byte);
      at += 1;
      continue;
    }
    const command = bytes[at + 1];
    const option = bytes[at + 2];
    if (command === SB) {
      const end = bytes.findIndex((each, index) => index > at + 2 && each === SE && bytes[index - 1] === IAC);
      if (end < 0) break;
      at = end + 1;
    } else if (command === DO || command === WILL || command === DONT || command === WONT) {
      if (option === undefined) break;
      if (command === DO) reply.push(IAC, WONT, option);
      if (command === WILL) reply.push(IAC, DONT, option);
      at += 3;
    } else if (command === undefined) break;
    else {
      if (command === IAC) text += String.fromCharCode(IAC);
      at += 2;
    }
  }
  return { text, reply: Uint8Array.from(reply), rest: bytes.subarray(at) };
}
