/** The power of a machine as its board sees it: the chassis program, run as ipmi_sim does, with each vice. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openPower, type Power } from "../../lab/machine/power.ts";
import { qemuPidOf } from "../../lab/machine/start-script.ts";
import { killProcessesOf } from "../../lab/processes.ts";

const execute = promisify(execFile);
let directory: string;
let power: Power;

const isOn = () => qemuPidOf(directory) !== undefined;

/** What the board gets: the output, or "refused" when the program ends with an error. */
async function asks(...words: readonly string[]): Promise<string> {
  try {
    return (await execute(path.join(directory, "chassis"), words)).stdout.trim();
  } catch {
    return "refused";
  }
}

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "gemel-power-"));
  const startProgram = path.join(directory, "start");
  writeFileSync(startProgram, `#!/bin/bash\necho $$ > ${directory}/qemu.pid\nexec sleep 600\n`, { mode: 0o755 });
  power = await openPower({ labDirectory: directory, directory, startProgram });
  writeFileSync(path.join(directory, "chassis"), power.chassisProgram, { mode: 0o755 });
});

afterEach(() => {
  power.close();
  killProcessesOf(directory);
  rmSync(directory, { recursive: true, force: true });
});

test("a board that works: on, off, and what is read back is so", async () => {
  expect(await asks("get", "power")).toBe("power:0");
  await asks("set", "power", "1");
  expect(isOn()).toBe(true);
  expect(await asks("get", "power")).toBe("power:1");
  await asks("set", "power", "0");
  await expect.poll(isOn).toBe(false);
  expect(await asks("get", "power")).toBe("power:0");
});

test("what cannot be read back is refused", async () => {
  await asks("set", "power", "1");
  expect(await asks("set", "reset", "1")).toBe("refused");
  expect(await asks("set", "shutdown", "1")).toBe("refused");
  expect(isOn()).toBe(true);
});

test.each([
  ["stuck", "", "power:1"],
  ["refusing", "refused", "power:1"],
  ["lying", "", "power:0"],
  ["slow", "", "power:1"],
] as const)("a board that is %s leaves its machine on, and says so or not", async (vice, answer, readBack) => {
  await asks("set", "power", "1");
  power.setVice(vice);
  expect(await asks("set", "power", "0")).toBe(answer);
  expect(await asks("get", "power")).toBe(readBack);
  expect(isOn()).toBe(true);
});

test("a lab that has gone refuses all", async () => {
  power.close();
  expect(await asks("get", "power")).toBe("refused");
});
