/**
 * A picture on a terminal that is drawn anew in place: at each change, at each key, when the terminal changes its size,
 * and every so often. A manager that is gone or silent does not end it: the last picture stays with a word on top that
 * it is old, and the manager is asked again. Ended by q or Ctrl-C; Ctrl-Z lets it wait behind the shell. Where the
 * output is no terminal, or one that cannot move its cursor, none of this holds.
 */
import process from "node:process";
import { columnsOf, foldLine, foldText } from "../base/fold.ts";
import { entryOf } from "../base/record.ts";
import { watchStatus } from "./control-client.ts";
import { keysIn } from "./terminal-keys.ts";

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

/** Whether a picture can be drawn in place there. */
export const isScreen = (): boolean => screenSize() !== undefined && process.env["TERM"] !== "dumb";

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
  /** How a line stands out; it has to say the same in its words, for whoever sees no colours. */
  readonly colourOf?: (line: string) => Colour | undefined;
  /** Keys that are not of the view itself. */
  readonly onKey?: (key: string) => void;
}

/** How far a key goes through a picture that is longer than the screen, in screens. */
const STEPS: Readonly<Record<string, "line" | "page" | "whole">> = {
  up: "line",
  down: "line",
  "page-up": "page",
  "page-down": "page",
  home: "whole",
  end: "whole",
};
const BACKWARDS = ["up", "page-up", "home"];
const QUIT = "q";
/** Fact: POSIX, XCU 2.8.2: 128 and the number of the signal. */
const INTERRUPTED = 130;
const HUNG_UP = 129;

export type Colour = "bad" | "warn";

/** One line of a screen, no wider than it. */
export interface ScreenLine {
  readonly text: string;
  readonly colour: Colour | undefined;
}

/**
 * The lines that a screen shows of a text, and the line below them; `first` is corrected to what there is. What is old
 * news stays on top wherever in it one is.
 */
export function windowOf(
  text: string,
  { columns, rows }: ScreenSize,
  firstWanted: number,
  { footText, colourOf = () => undefined }: Pick<LiveView, "footText" | "colourOf">,
  oldText = "",
): { readonly first: number; readonly lines: readonly ScreenLine[] } {
  const all = text.split("\n").flatMap((line) => {
    const colour = colourOf(line);
    return foldLine(line, columns).map((part): ScreenLine => ({ text: part, colour }));
  });
  const foot = (firstShown: number, last: number): ScreenLine => {
    const [told = ""] = foldLine(footText(firstShown, last, all.length), columns);
    return { text: told, colour: undefined };
  };
  const old =
    oldText === "" ? [] : foldText(oldText, columns).map((part): ScreenLine => ({ text: part, colour: "bad" }));
  const height = Math.max(1, rows - 1 - old.length);
  if (all.length <= height) return { first: 0, lines: [...old, ...all, foot(1, all.length)] };
  const first = Math.max(0, Math.min(firstWanted, all.length - height));
  const shown = all.slice(first, first + height);
  return { first, lines: [...old, ...shown, foot(first + 1, first + shown.length)] };
}

/** Where a key goes from `first`; undefined for a key that goes nowhere. */
export function goneTo(key: string, first: number, rows: number): number | undefined {
  const step = entryOf(STEPS, key);
  if (step === undefined) return undefined;
  const by = step === "line" ? 1 : step === "page" ? Math.max(1, rows - 2) : Number.MAX_SAFE_INTEGER;
  return BACKWARDS.includes(key) ? Math.max(0, first - by) : first + by;
}

/** Fact: ECMA-48, section 8.3.117 (SGR): bold and red, yellow; all off. */
const SGR: Readonly<Record<Colour, string>> = { bad: "\u001b[1;31m", warn: "\u001b[33m" };
const SGR_OFF = "\u001b[0m";

/** Fact: no-color.org: any value but none forbids colours. */
const hasColours = () => (process.env["NO_COLOR"] ?? "") === "";

/**
 * Each line is cleared behind its end, so that nothing flickers; the cursor stays on the last one. Behind one that is
 * as wide as the screen the cursor still stands on its last column, and to clear there would take that away.
 */
function paint(lines: readonly ScreenLine[], { columns, rows }: ScreenSize): void {
  const [isColoured, last] = [hasColours(), lines.length - 1];
  const drawn = lines.map(({ text, colour }, index) => {
    const told = colour === undefined || !isColoured ? text : `${SGR[colour]}${text}${SGR_OFF}`;
    const isFull = columnsOf(text) >= columns;
    return `${told}${isFull ? "" : "\u001b[K"}${index === last ? "" : "\r\n"}`;
  });
  // What stood below goes first, while the cursor can be put there.
  const below = lines.length < rows ? `\u001b[${lines.length + 1};1H\u001b[J` : "";
  process.stdout.write(`${below}\u001b[H${drawn.join("")}`);
}

const clock = (wallMs: number) => new Date(wallMs).toTimeString().slice(0, 8);

/** Tells each key until `close`; without a terminal to read from there are none. `onGone`: it was hung up. */
function readKeys(onKey: (key: string) => void, onGone: () => void): { readonly close: () => void } {
  const { stdin } = process;
  if (!stdin.isTTY) return { close: () => {} };
  let rest = "";
  const read = (text: Buffer) => {
    const found = keysIn(rest + text.toString("utf8"));
    rest = found.rest;
    for (const key of found.keys) onKey(key);
  };
  stdin.setRawMode(true);
  stdin.on("data", read);
  stdin.on("end", onGone);
  stdin.on("error", onGone);
  return {
    close: () => {
      stdin.off("data", read);
      stdin.off("end", onGone);
      stdin.off("error", onGone);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

/** Stops as Ctrl-Z stops every program; when the shell lets it go on, the terminal is as it was before. */
function suspend(onBack: () => void): void {
  const { stdin } = process;
  process.once("SIGCONT", () => {
    stdin.setRawMode(true);
    onBack();
  });
  stdin.setRawMode(false);
  process.stdout.write("\r\n");
  process.kill(process.pid, "SIGTSTP");
}

interface Canvas {
  /** Takes a new picture, or says on top of the last one why there is none. */
  readonly set: (picture: Picture) => void;
  readonly go: (key: string) => boolean;
  readonly repaint: () => void;
}

function openCanvas(view: LiveView): Canvas {
  let [text, old, madeWallMs, first] = ["", "", Date.now(), 0];
  const repaint = () => {
    const size = screenSize() ?? USUAL;
    const shown = windowOf(text, size, first, view, old);
    first = shown.first;
    paint(shown.lines, size);
  };
  return {
    repaint,
    set: (picture) => {
      if (picture.kind === "picture") [text, old, madeWallMs] = [picture.text, "", Date.now()];
      else old = view.oldText(clock(madeWallMs), picture.reason);
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
    const take = (key: string) => {
      if (key === QUIT) resolve(0);
      else if (key === "interrupt") resolve(INTERRUPTED);
      else if (key === "suspend") suspend(redraw);
      else if (!canvas.go(key)) {
        view.onKey?.(key);
        redraw();
      }
    };
    keys = readKeys(take, () => resolve(HUNG_UP));
  });
  isEnded = true;
  keys?.close();
  clearInterval(timer);
  process.stdout.off("resize", canvas.repaint);
  watched?.close();
  process.stdout.write("\n");
  return exitCode;
}
