/** A boot that has promised its end to the peers is bound by it until it has stopped in order. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openBootBond } from "../../../src/app/keeper/boot-bond.ts";

let run = "";
beforeEach(() => {
  run = mkdtempSync(path.join(os.tmpdir(), "gemel-bond-"));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

test("a start that promised and died keeps the next one of this boot out, and no later boot", () => {
  openBootBond(run, "boot-1").bind();
  expect(() => openBootBond(run, "boot-1")).toThrow("the machine is left to its watchdog");
  expect(() => openBootBond(run, "boot-2").bind()).not.toThrow();
});

test("who promised nothing, or stopped in order, may start again", () => {
  openBootBond(run, "boot-1");
  const bond = openBootBond(run, "boot-1");
  bond.bind();
  bond.bind();
  bond.release();
  expect(() => openBootBond(run, "boot-1")).not.toThrow();
});
