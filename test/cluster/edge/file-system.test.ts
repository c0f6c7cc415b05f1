/** Filesystem with real mounts, in a mount namespace of the test's own. */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AgentCall } from "../../../src/cluster/edge/agents/contract.ts";
import { fileSystem } from "../../../src/cluster/edge/agents/file-system.ts";
import { findMountUsers } from "../../../src/cluster/edge/agents/mount-users.ts";

/** A small one that any program takes. */
const LIBRARY = "/lib/x86_64-linux-gnu/libdl.so.2";

let base = "";
let directory = "";
beforeEach(() => {
  base = mkdtempSync(path.join(os.tmpdir(), "gemel-fs-"));
  directory = path.join(base, "mnt");
});
afterEach(() => {
  for (const place of [path.join(directory, "below"), directory]) {
    try {
      execFileSync("umount", ["-l", place], { stdio: "ignore" });
    } catch {
      // It was not mounted, as it should be.
    }
  }
  rmSync(base, { recursive: true, force: true });
});

function operate(operation: string, given: Record<string, string> = {}, timeoutMs = 20_000, level = "0") {
  const parameters = { device: "gemel", directory, fstype: "tmpfs", options: "size=1m", ...given };
  const environment = { OCF_CHECK_LEVEL: level };
  const rest = { instance: "fs", timeoutMs, runDirectory: base, signal: AbortSignal.timeout(timeoutMs) };
  const call: AgentCall = { operation, parameters, environment, ...rest };
  return fileSystem.operate(call);
}

/** A process with its working directory on the mount, without children, which would hold it as well; `deaf` to TERM. */
function holder(deaf: boolean) {
  const script = `${deaf ? 'trap "" TERM; ' : ""}echo ready; read -r never`;
  const child = spawn("sh", ["-c", script], { cwd: directory, stdio: ["pipe", "pipe", "ignore"] });
  return new Promise<{ pid: number; ended: Promise<string> }>((resolve) => {
    const ended = new Promise<string>((end) => child.on("exit", (code, signal) => end(signal ?? String(code))));
    child.stdout.once("data", () => resolve({ pid: child.pid ?? 0, ended }));
  });
}

test("it is mounted, seen, and unmounted; each a second time without harm", async () => {
  expect((await operate("monitor")).code).toBe(7);
  expect((await operate("stop")).code).toBe(0);
  expect(await operate("start")).toEqual({ code: 0, reason: "" });
  expect((await operate("start")).code).toBe(0);
  expect((await operate("monitor")).code).toBe(0);
  expect((await operate("monitor", {}, 20_000, "20")).code).toBe(0);
  expect(statSync(path.join(directory, ".Filesystem_status")).isDirectory()).toBe(true);
  expect((await operate("stop")).code).toBe(0);
  expect((await operate("monitor")).code).toBe(7);
});

test("mounts below it go first", async () => {
  await operate("start");
  execFileSync("mkdir", [path.join(directory, "below")]);
  execFileSync("mount", ["-t", "tmpfs", "other", path.join(directory, "below")]);
  expect((await operate("stop")).code).toBe(0);
});

test("a place that is taken is refused with the name of its holder", async () => {
  await operate("start", { device: "first" });
  const { code, reason } = await operate("start", { device: "second" });
  expect([code, reason]).toEqual([1, `${directory} is taken: first is mounted there`]);
});

test("what cannot be mounted says why", async () => {
  const missing = await operate("start", { device: "/dev/gemel-none" });
  expect(missing).toEqual({ code: 5, reason: "there is no block device /dev/gemel-none here" });
  const wrong = await operate("start", { fstype: "nosuchfs" });
  expect(wrong.code).toBe(1);
  expect(wrong.reason).toMatch(/^mounting gemel: mount: .*(nosuchfs|wrong fs type)/);
});

test("stop ends the users by TERM", async () => {
  await operate("start");
  const { pid, ended } = await holder(false);
  const { code, reason } = await operate("stop");
  expect(code).toBe(0);
  // Whose process was ended wants to know by whom.
  expect(reason).toBe(`${directory} was held by process ${pid} (sh): ended for the stop`);
  expect(await ended).toBe("SIGTERM");
});

test("stop ends by KILL who is deaf to TERM", async () => {
  await operate("start");
  const { ended } = await holder(true);
  expect((await operate("stop", {}, 30_000)).code).toBe(0);
  expect(await ended).toBe("SIGKILL");
});

test("a stop that may not kill fails with the name of the holder", async () => {
  await operate("start");
  const { pid, ended } = await holder(true);
  const { code, reason } = await operate("stop", { force_unmount: "false" }, 6_000);
  process.kill(pid, "SIGKILL");
  await ended;
  expect(code).toBe(1);
  expect(reason).toContain(`is held by process ${pid} (sh)`);
});

test("a stop that had no time to look says so, and blames nobody", async () => {
  await operate("start");
  const parameters = { device: "gemel", directory, fstype: "tmpfs" };
  const late = {
    operation: "stop",
    parameters,
    environment: {},
    instance: "fs",
    timeoutMs: 20_000,
    runDirectory: base,
  };
  const { code, reason } = await fileSystem.operate({ ...late, signal: AbortSignal.abort() });
  expect([code, reason]).toEqual([1, `${directory} is still mounted, and there was no time to look for who holds it`]);
});

test("who has only mapped a file of it is found", async () => {
  await operate("start");
  const library = path.join(directory, "mapped.so");
  copyFileSync(LIBRARY, library);
  const child = spawn("sleep", ["1000"], { env: { LD_PRELOAD: library }, stdio: "ignore" });
  await expect.poll(() => readFileSync(`/proc/${child.pid}/maps`, "utf8")).toContain(library);
  const users = await findMountUsers(directory);
  child.kill("SIGKILL");
  expect(users).toEqual([{ pid: child.pid, command: "sleep" }]);
});

test("a file system that was made read-only behind our back is an error", async () => {
  await operate("start");
  execFileSync("mount", ["-o", "remount,ro", directory]);
  expect((await operate("monitor")).code).toBe(1);
  expect((await operate("monitor", { options: "ro" })).code).toBe(0);
});

test("a file that is no block device is no device", async () => {
  const file = path.join(base, "image");
  writeFileSync(file, "x");
  expect((await operate("start", { device: file, fstype: "ext4" })).code).toBe(1);
});
