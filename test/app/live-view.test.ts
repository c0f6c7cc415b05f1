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
import { DEFAULT_SECTIONS, plainWishes } from "../../src/cluster/core/monitor/section-choice.ts";

const { foot, old } = STATUS_WORDS.en;
const TEN = Array.from({ length: 10 }, (_, index) => `line ${index + 1}`).join("\n");

test("what is longer than the screen is told, and gone through", () => {
  const size = { columns: 40, rows: 5 };
  expect(windowOf(TEN, size, 0, foot).lines).toEqual([
    ...["line 1", "line 2", "line 3", "line 4"],
    "1-4 of 10 (arrows, space; q: quit)",
  ]);
  const next = goneTo(" ", 0, size.rows) ?? 0;
  expect(windowOf(TEN, size, next, foot).lines[0]).toBe("line 4");
  const end = windowOf(TEN, size, goneTo("\u001b[F", 0, size.rows) ?? 0, foot);
  expect(end.lines.slice(-2)).toEqual(["line 10", "7-10 of 10 (arrows, space; q: quit)"]);
  expect(goneTo("\u001b[A", end.first, size.rows)).toBe(5);
  expect(goneTo("n", 0, size.rows)).toBeUndefined();
  expect(windowOf("one", size, 7, foot)).toEqual({ first: 0, lines: ["one", "(q: quit)"] });
});

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-live-"));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
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

function view(picture: () => Picture, onKey: LiveView["onKey"] = () => {}): Promise<number> {
  const socketPath = path.join(folder, "nobody.sock");
  const make = () => Promise.resolve(picture());
  return runLiveView({ socketPath, everyMs: 60_000, picture: make, onKey, oldText: old, footText: foot });
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
