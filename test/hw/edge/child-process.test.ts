/** Programs that the kernel or Node refuse to start, and run directories that take no note: an answer, no throw. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runBounded } from "../../../src/hw/edge/bounded-program.ts";
import { runProcess } from "../../../src/hw/edge/child-process.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "gemel-child-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const order = { file: "/bin/sh", argv: ["-c", "echo done"], environment: { PATH: "/bin" }, timeoutMs: 9_000 };
/** Longer than one word may be for a Linux kernel (MAX_ARG_STRLEN, 128 KiB). */
const LONG = "x".repeat(140_000);

test.each([
  ["a zero byte in a word", { ...order, argv: ["-c", "a\0b"] }, "ERR_INVALID_ARG_VALUE"],
  ["a parameter that is too long", { ...order, environment: { OCF_RESKEY_x: LONG } }, "E2BIG"],
  ["a program that is not there", { ...order, file: "/no/such/program" }, "ENOENT"],
])("%s is an answer", async (_what, refused, code) => {
  const { end } = await runProcess(refused).done;
  expect(end).toMatchObject({ kind: "not-started", code });
});

test("fencing programs likewise, without the password", async () => {
  const call = { file: "/bin/sh", packageName: "dash", input: "", budgetMs: 9_000, password: "verysecret" };
  const env = { PATH: "/bin" };
  const zero = await runBounded({ ...call, argv: ["-c", "verysecret\0"], env });
  expect(zero).toMatchObject({ kind: "not-started", reason: expect.stringContaining("null bytes") });
  expect(JSON.stringify(zero)).not.toContain("verysecret");
  expect(await runBounded({ ...call, argv: ["-c", ":"], env: { ...env, x: LONG } })).toMatchObject({
    kind: "not-started",
    reason: expect.stringContaining("E2BIG"),
  });
});

test("what cannot be noted runs all the same, and is told", async () => {
  const noteIn = path.join(folder, "operations");
  // As a full disk refuses: mode bits would not stop root.
  writeFileSync(noteIn, "");
  const told: string[] = [];
  const { end, output } = await runProcess({ ...order, noteIn, tell: (reason) => told.push(reason) }).done;
  expect([end, output]).toEqual([{ kind: "exit", code: 0 }, "done\n"]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^process \d+ cannot be noted in .*operations: /);
});
