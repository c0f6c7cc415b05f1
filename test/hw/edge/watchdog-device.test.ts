/** What is said where a watchdog cannot be had; one that works takes a machine (keeper.machine.test.ts). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { openWatchdog, watchdogTrouble } from "../../../src/hw/edge/watchdog-device.ts";

test("a device that is not there is told with what to load", () => {
  expect(() => openWatchdog("/dev/no-such-watchdog", 10_000)).toThrow(
    "there is no watchdog at /dev/no-such-watchdog: load its module, which gemel hw detect names",
  );
});

test("what is no watchdog is told by its name", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-watchdog-"));
  const file = path.join(folder, "file");
  writeFileSync(file, "");
  try {
    expect(() => openWatchdog(file, 10_000)).toThrow(`${file} cannot tell its timeout`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ["EBUSY", "systemd's RuntimeWatchdogSec"],
  ["EINVAL", "does not take this timeout"],
  ["EIO", "cannot be used as a watchdog (EIO)"],
])("%s says what it means here", (code, words) => {
  expect(watchdogTrouble("/dev/watchdog", code)).toContain(words);
  expect(watchdogTrouble("/dev/watchdog", code)).toContain("/dev/watchdog");
});
