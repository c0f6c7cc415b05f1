/** The live view on a terminal of our own making: what is drawn, how it is moved and ended, and what is old news. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { PassThrough } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { afterKey } from "../../src/app/commands/crm-mon-keys.ts";
import { STATUS_WORDS } from "../../src/app/commands/status-words.ts";
import { fitted, goneTo, type LiveView, type Picture, runLiveView, windowOf } from "../../src/app/live-view.ts";
import { keysIn } from "../../src/app/terminal-keys.ts";
import { DEFAULT_SECTIONS, plainWishes } from "../../src/cluster/core/monitor/section-choice.ts";

const { foot, old } = STATUS_WORDS.en;
const TEN = Array.from({ length: 10 }, (_, index) => `line ${index + 1}`).join("\n");

test("what is longer than the screen is told, and gone through", () => {
  const size = { columns: 40, rows: 5 };
  const shown = (text: string, first: number) => {
    const { first: at, lines } = windowOf(text, size, first, { footText: foot });
    return { at, lines: lines.map((line) => line.text) };
  };
  expect(shown(TEN, 0).lines).toEqual([
    ...["line 1", "line 2", "line 3", "line 4"],
    "1-4 of 10 (arrows, space; q: quit)",
  ]);
  const next = goneTo("page-down", 0, size.rows) ?? 0;
  expect(shown(TEN, next).lines[0]).toBe("line 4");
  const end = shown(TEN, goneTo("end", 0, size.rows) ?? 0);
  expect(end.lines.slice(-2)).toEqual(["line 10", "7-10 of 10 (arrows, space; q: quit)"]);
  expect(goneTo("up", end.at, size.rows)).toBe(5);
  expect(goneTo("n", 0, size.rows)).toBeUndefined();
  expect(shown("one", 7)).toEqual({ at: 0, lines: ["one", "(q: quit)"] });
  // That it is old is seen from everywhere in it.
  const gone = windowOf(TEN, size, 6, { footText: foot }, "OLD NEWS");
  expect(gone.lines.map(({ text }) => text)).toEqual([
    ...["OLD NEWS", "line 7", "line 8", "line 9"],
    "7-9 of 10 (arrows, space; q: quit)",
  ]);
});

const E = "\u001b";
test.each([
  ["arrows of xterm and of application mode", [`${E}[A${E}[B${E}OA${E}OB`], ["up", "down", "up", "down"]],
  ["Home and End of xterm, the Linux console, rxvt", [`${E}[H${E}[1~${E}[7~${E}OF${E}[4~`], "home home home end end"],
  ["a sequence that is torn on a slow line", [E, "[", "5", "~n"], ["page-up", "n"]],
  ["keys that nobody knows, which are no letters", [`${E}[15~${E}[1;5C${E}OPr`], ["r"]],
  ["Escape by itself, and then a key", [E, "q"], ["q"]],
  ["a beginning that never ends", [`${E}[${"1;".repeat(20)}`, "Xq"], ["q"]],
])("%s", (_, reads, keys) => {
  let rest = "";
  const found = reads.flatMap((text) => {
    const read = keysIn(rest + text);
    rest = read.rest;
    return read.keys;
  });
  expect(found.slice(-keys.length)).toEqual(typeof keys === "string" ? keys.split(" ") : keys);
});

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-live-"));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Standard input and output as a terminal of so many columns and rows. */
function onTerminal(columns: number, rows: number) {
  const screen = { text: "", isRaw: false };
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => {
      screen.isRaw = isRaw;
    },
  });
  vi.spyOn(process, "stdin", "get").mockReturnValue(stdin as unknown as typeof process.stdin);
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
  vi.spyOn(process, "stdout", "get").mockReturnValue(stdout as unknown as typeof process.stdout);
  stdout.on("data", (text: Buffer) => {
    screen.text = text.toString("utf8");
  });
  return { screen, stdout, type: (keys: string) => stdin.write(keys) };
}

function view(
  picture: () => Picture,
  onKey: (key: string) => void = () => {},
  colourOf: LiveView["colourOf"] = () => undefined,
): Promise<number> {
  const socketPath = path.join(folder, "nobody.sock");
  const make = () => Promise.resolve(picture());
  return runLiveView({ socketPath, everyMs: 60_000, picture: make, onKey, colourOf, oldText: old, footText: foot });
}

test("it is drawn to the terminal's size, anew at keys and when the size changes, and ends with q", async () => {
  const { screen, stdout, type } = onTerminal(40, 4);
  const keys: string[] = [];
  const ended = view(
    () => ({ kind: "picture", text: `${TEN}\n${keys.join()}` }),
    (key) => keys.push(key),
  );
  await expect.poll(() => screen.text).toContain("1-3 of 11");
  expect(screen.isRaw).toBe(true);
  type("nr");
  await expect.poll(() => keys).toEqual(["n", "r"]);
  type("\u001b[F");
  await expect.poll(() => screen.text).toContain("n,r");
  Object.assign(stdout, { rows: 20 });
  stdout.emit("resize");
  await expect.poll(() => screen.text).toContain("line 1\u001b[K");
  type("q");
  expect(await ended).toBe(0);
  expect(screen.isRaw).toBe(false);
});

test("a manager that is gone leaves the last picture, called old, until it answers again; Ctrl-C ends it", async () => {
  const { screen, type } = onTerminal(60, 6);
  let reason: string | undefined;
  const ended = view(() =>
    reason === undefined ? { kind: "picture", text: "ip on alpha" } : { kind: "none", reason },
  );
  await expect.poll(() => screen.text).toContain("ip on alpha");
  expect(screen.text).not.toContain("NO ANSWER");
  reason = "the manager closed the connection";
  type("x");
  await expect.poll(() => screen.text).toMatch(/NO ANSWER since \d\d:\d\d:\d\d:.*OLD NEWS:.*ip on alpha/s);
  reason = undefined;
  type("x");
  await expect.poll(() => screen.text).not.toContain("NO ANSWER");
  type("\u0003");
  expect(await ended).toBe(130);
});

test("what fills a line keeps its last sign, what stood below is gone, and what is bad stands out", async () => {
  vi.stubEnv("NO_COLOR", "");
  const { screen, type } = onTerminal(20, 6);
  const text = `${"x".repeat(20)}\nbad news\nshort`;
  const shown = view(
    () => ({ kind: "picture", text }),
    () => {},
    (line) => (line.startsWith("bad") ? "bad" : undefined),
  );
  const lines = ["x".repeat(20), `${E}[1;31mbad news${E}[0m${E}[K`, `short${E}[K`, `(q: quit)${E}[K`];
  await expect.poll(() => screen.text).toBe(`${E}[5;1H${E}[J${E}[H${lines.join("\r\n")}`);
  vi.stubEnv("NO_COLOR", "1");
  type("x");
  await expect.poll(() => screen.text).toContain(`\r\nbad news${E}[K`);
  type("q");
  expect(await shown).toBe(0);
});

test("a serial line that does not know its size has 80 columns; what is piped is not folded", () => {
  const long = `  error: ${"word ".repeat(30)}`;
  const { stdout } = onTerminal(0, 0);
  expect(fitted(long).split("\n").length).toBe(3);
  Object.assign(stdout, { isTTY: false });
  expect(fitted(long)).toBe(long);
});

test("keys of crm_mon show and hide what they stand for", () => {
  const wishes = plainWishes(DEFAULT_SECTIONS);
  expect(afterKey(wishes, "n").byNode).toBe(true);
  expect(afterKey(afterKey(wishes, "n"), "n")).toEqual(wishes);
  expect(afterKey(wishes, "D").sections.has("dc")).toBe(false);
  const timed = afterKey(wishes, "t");
  expect([timed.timing, timed.sections.has("operations")]).toEqual([true, true]);
  expect(afterKey(timed, "t").timing).toBe(false);
  expect(afterKey(wishes, "x")).toBe(wishes);
});
