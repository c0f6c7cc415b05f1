/**
 * A picture on a terminal that is drawn anew in place: at each change, at each key, when the terminal changes its size,
 * and every so often. A manager that is gone or silent does not end it: the last picture stays with a word on top that
 * it is old, and the manager is asked again. Ended by q or Ctrl-C. Where the output is no terminal none of this holds.
 */

import process from "node:process";
import { foldText } from "../base/fold.ts";
import { entryOf } from "../base/record.ts";
import { watchStatus } from "./control-client.ts";

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Of a serial line nobody knows the size: it says 0. */
const USUAL: ScreenSize = { columns: 80, rows: 24 };

/** Undefined where standard output is no terminal: then lines are not folded, programs read them. */
export function screenSize(): ScreenSize | undefined {
  const { isTTY, columns, rows } = process.stdout;
  if (!isTTY) return undefined;
  return { columns: columns > 0 ? columns : USUAL.columns, rows: rows > 0 ? rows : USUAL.rows };
}

/** For a person folded to the terminal, for a program as it is. */
export function fitted(text: string): string {
  const size = screenSize();
  return size === undefined ? text : foldText(text, size.columns).join("\n");
}

export type Picture =
  | { readonly kind: "picture"; readonly text: string }
  | { readonly kind: "none"; readonly reason: string };

export interface LiveView {
  readonly socketPath: string;
  readonly everyMs: number;
  readonly picture: () => Promise<Picture>;
  /** `at` is the clock of the last picture; told on top when nothing newer is to be had. */
  readonly oldText: (at: string, reason: string) => string;
  /** Below the picture: which lines are shown, of how many. */
  readonly footText: (first: number, last: number, count: number) => string;
  /** Keys that are not of the view itself. */
  readonly onKey?: (key: string) => void;
}

const ESCAPE = "\u001b";

/** How far a key goes through a picture that is longer than the screen, in screens. */
const STEPS: Readonly<Record<string, "line" | "page" | "whole">> = {
  "\u001b[A": "line",
  "\u001b[B": "line",
  "\u001b[5~": "page",
  "\u001b[6~": "page",
  " ": "page",
  "\u001b[H": "whole",
  "\u001b[F": "whole",
};
const BACKWARDS = ["\u001b[A", "\u001b[5~", "\u001b[H"];
const QUIT = "q";
const INTERRUPT = "\u0003";
/** Fact: POSIX, XCU 2.8.2: 128 and the number of the signal. */
const INTERRUPTED = 130;

/** The lines that a screen shows of a text, and the line below them; `first` is corrected to what there is. */
export function windowOf(
  text: string,
  { columns, rows }: ScreenSize,
  firstWanted: number,
  footText: LiveView["footText"],
): { readonly first: number; readonly lines: readonly string[] } {
  const all = foldText(text, columns);
  const height = Math.max(1, rows - 1);
  if (all.length <= height) return { first: 0, lines: [...all, footText(1, all.length, all.length)] };
  const first = Math.max(0, Math.min(firstWanted, all.length - height));
  const shown = all.slice(first, first + height);
  return { first, lines: [...shown, footText(first + 1, first + shown.length, all.length)] };
}

/** Where a key goes from `first`; undefined for a key that goes nowhere. */
export function goneTo(key: string, first: number, rows: number): number | undefined {
  const step = entryOf(STEPS, key);
  if (step === undefined) return undefined;
  const by = step === "line" ? 1 : step === "page" ? Math.max(1, rows - 2) : Number.MAX_SAFE_INTEGER;
  return BACKWARDS.includes(key) ? Math.max(0, first - by) : first + by;
}

/** Each line is cleared behind its end, so that nothing flickers; the cursor stays on the last one. */
function paint(lines: readonly string[], columns: number): void {
  const fitting = lines.map((line) => foldText(line, columns)[0] ?? "");
  process.stdout.write(`\u001b[H${fitting.join("\u001b[K\r\n")}\u001b[K\u001b[J`);
}

const clock = (wallMs: number) => new Date(wallMs).toTimeString().slice(0, 8);

/** What one read of a terminal holds: escape sequences, and single characters. */
const KEYS = new RegExp(`${ESCAPE}\\[[0-9;]*[A-Za-z~]|.`, "gsu");

/** Tells each key until `close`; without a terminal to read from there are none. */
function readKeys(onKey: (key: string) => void): { readonly close: () => void } {
  const { stdin } = process;
  if (!stdin.isTTY) return { close: () => {} };
  const read = (text: Buffer) => {
    for (const key of text.toString("utf8").match(KEYS) ?? []) onKey(key);
  };
  stdin.setRawMode(true);
  stdin.on("data", read);
  return {
    close: () => {
      stdin.off("data", read);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

interface Canvas {
  /** Takes a new picture, or says on top of the last one why there is none. */
  readonly set: (picture: Picture) => void;
  readonly go: (key: string) => boolean;
  readonly repaint: () => void;
}

function openCanvas({ oldText, footText }: LiveView): Canvas {
  let [text, old, madeWallMs, first] = ["", "", Date.now(), 0];
  const repaint = () => {
    const size = screenSize() ?? USUAL;
    const shown = windowOf(old + text, size, first, footText);
    first = shown.first;
    paint(shown.lines, size.columns);
  };
  return {
    repaint,
    set: (picture) => {
      if (picture.kind === "picture") [text, old, madeWallMs] = [picture.text, "", Date.now()];
      else old = `${oldText(clock(madeWallMs), picture.reason)}\n`;
      repaint();
    },
    go: (key) => {
      const there = goneTo(key, first, screenSize()?.rows ?? USUAL.rows);
      if (there === undefined) return false;
      first = there;
      repaint();
      return true;
    },
  };
}

/** Makes pictures one at a time; what is asked for meanwhile is made once more behind it. */
function pictureMaker(make: LiveView["picture"], onPicture: (picture: Picture) => void): () => void {
  let [isMaking, isOutdated] = [false, false];
  const work = async () => {
    isMaking = true;
    for (isOutdated = true; isOutdated; ) {
      isOutdated = false;
      onPicture(await make());
    }
    isMaking = false;
  };
  return () => {
    isOutdated = true;
    if (!isMaking) void work();
  };
}

/** Resolves with the exit code, once a key has ended it. */
export async function runLiveView(view: LiveView): Promise<number> {
  const canvas = openCanvas(view);
  let isEnded = false;
  const redraw = pictureMaker(view.picture, (picture) => {
    if (!isEnded) canvas.set(picture);
  });
  let watched: ReturnType<typeof watchStatus> | undefined;
  const watch = () => {
    watched ??= watchStatus(view.socketPath, redraw, () => {
      watched = undefined;
    });
    redraw();
  };
  const timer = setInterval(watch, view.everyMs);
  process.stdout.on("resize", canvas.repaint);
  watch();
  let keys: ReturnType<typeof readKeys> | undefined;
  const exitCode = await new Promise<number>((resolve) => {
    keys = readKeys((key) => {
      if (key === QUIT) resolve(0);
      else if (key === INTERRUPT) resolve(INTERRUPTED);
      else if (!canvas.go(key)) {
        view.onKey?.(key);
        redraw();
      }
    });
  });
  isEnded = true;
  keys?.close();
  clearInterval(timer);
  process.stdout.off("resize", canvas.repaint);
  watched?.close();
  process.stdout.write("\n");
  return exitCode;
}
