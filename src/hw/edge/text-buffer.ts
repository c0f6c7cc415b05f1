/** What a shell has said and nobody has expected yet; whoever expects something waits here, for a bounded time. */
import type { Expected } from "../core/text/line.ts";

/** A shell's answer has a few hundred bytes; what is more is a board gone mad. */
const TEXT_MAX = 65_536;
/** A board that does not hang up after the logout must not keep the line. */
export const TEXT_HANG_UP_MS = 500;

export interface TextBuffer {
  append(text: string): void;
  /** The line has ended: nothing more will come. */
  close(): void;
  /** Waits until what has arrived matches; consumes it. */
  expect(pattern: RegExp): Promise<Expected>;
}

export function createTextBuffer(answerMs: number): TextBuffer {
  let received = "";
  let isClosed = false;
  let arrived: () => void = () => {};
  return {
    append(text) {
      received = (received + text).slice(-TEXT_MAX);
      arrived();
    },
    close() {
      isClosed = true;
      arrived();
    },
    expect(pattern) {
      return new Promise<Expected>((resolve) => {
        const end = (expected: Expected) => {
          clearTimeout(timer);
          arrived = () => {};
          resolve(expected);
        };
        const look = () => {
          const match = pattern.exec(received);
          if (match !== null) {
            const text = received.slice(0, match.index + match[0].length);
            received = received.slice(text.length);
            end({ kind: "seen", text });
          } else if (isClosed) end({ kind: "closed", text: received });
        };
        const timer = setTimeout(() => end({ kind: "silent", text: received }), answerMs);
        arrived = look;
        look();
      });
    },
  };
}
