/**
 * Operations that hang in the kernel, where no KILL ends them: a disk that is frozen holds whoever writes to it. What
 * they were to do may come when the disk does, so nobody may say before that it is stopped, or not there.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { OperationRun } from "../../../src/cluster/core/executor/types.ts";
import { createAgentRunner, type Finished } from "../../../src/cluster/edge/resource-agent.ts";
import { readBootId } from "../../../src/hw/edge/boot-id.ts";
import { membersOf } from "../../../src/hw/edge/lingering.ts";
import { skips } from "../../support/skip.ts";

const isReady =
  process.getuid?.() === 0 &&
  existsSync("/dev/loop-control") &&
  ["fsfreeze", "mkfs.ext4"].every((tool) => existsSync(`/usr/sbin/${tool}`));
const missing = skips(!isReady, "it needs root, loop devices, fsfreeze and mkfs.ext4");

const DISK_BYTES = 16 * 2 ** 20;
const HANG_MS = 500;

describe.skipIf(missing)("an operation that hangs in the kernel", () => {
  let folder = "";
  let isFrozen = false;
  const at = (...names: string[]) => path.join(folder, ...names);

  const freeze = () => {
    execFileSync("fsfreeze", ["-f", at("disk")]);
    isFrozen = true;
  };
  const thaw = () => {
    if (isFrozen) execFileSync("fsfreeze", ["-u", at("disk")]);
    isFrozen = false;
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "gemel-lingering-"));
    mkdirSync(at("disk"));
    mkdirSync(at("ocf/resource.d/test"), { recursive: true });
    const image = at("image");
    execFileSync("truncate", ["-s", String(DISK_BYTES), image]);
    execFileSync("mkfs.ext4", ["-q", image]);
    execFileSync("mount", ["-o", "loop", image, at("disk")]);
    // The shell is ended by a KILL, and the program that it waits for is not. Its stop looks, and finds nothing.
    const script = `#!/bin/sh
case $1 in
start) touch ${at("disk/data")}; exit 0 ;;
stop) exit 0 ;;
monitor) [ -e ${at("disk/data")} ] && exit 0; exit 7 ;;
esac
`;
    writeFileSync(at("ocf/resource.d/test/Disk"), script);
    chmodSync(at("ocf/resource.d/test/Disk"), 0o755);
  });
  afterEach(async () => {
    thaw();
    // What hung has the disk in use until it has ended.
    await vi.waitFor(() => execFileSync("umount", [at("disk")], { stdio: "ignore" }), 60_000);
    rmSync(folder, { recursive: true, force: true });
  });

  let calls = 0;
  function order(id: string, operation: string, timeoutMs: number): OperationRun {
    calls += 1;
    const resource = { id, class: "ocf", provider: "test", type: "Disk" };
    const rest = { instance: id, intervalMs: 0, parameters: {}, environment: {} };
    return { callId: calls, resource, operation, timeoutMs, ...rest };
  }

  function openRunner() {
    const said: string[] = [];
    let take: (event: Finished) => void = () => {};
    const paths = { ocfRoot: at("ocf"), initDirectory: at("init.d"), heartbeatDirectory: at("ha.d"), systemctl: "" };
    const options = { runDirectory: at("run"), paths, log: (line: string) => said.push(line) };
    const runner = createAgentRunner(options, (event) => take(event));
    const run = (one: OperationRun) =>
      new Promise<Finished>((resolve) => {
        take = resolve;
        runner.run(one);
      });
    return { run, said };
  }

  test("holds the stop up, which fails for it by name", async () => {
    const { run, said } = openRunner();
    freeze();
    expect((await run(order("one", "start", HANG_MS))).outcome).toEqual({ kind: "timeout" });
    const stopped = await run(order("one", "stop", 3 * HANG_MS));
    expect(stopped.outcome).toEqual({ kind: "exit", code: 1 });
    expect(stopped.exitReason).toMatch(/process \d+ \(touch, state D\) of an earlier operation hangs in the kernel/);
    expect(said.join()).toMatch(/one: stop waits for process \d+ \(touch, state D\)/);
    // Another resource has nothing to do with it.
    expect((await run(order("other", "stop", HANG_MS))).outcome).toEqual({ kind: "exit", code: 0 });
  });

  test("lets the stop go on as soon as it has ended, and leaves no note", async () => {
    const { run } = openRunner();
    freeze();
    await run(order("two", "start", HANG_MS));
    const stopped = run(order("two", "stop", 60_000));
    thaw();
    expect((await stopped).outcome).toEqual({ kind: "exit", code: 0 });
    expect(readdirSync(at("run/agents"))).toEqual([]);
  });

  test("is not a daemon that an agent has started while no manager was there", async () => {
    const daemon = spawn("sh", ["-c", "sleep 600 & exit 0"], { detached: true, stdio: "ignore" });
    const group = daemon.pid ?? 0;
    mkdirSync(at("run/agents"), { recursive: true });
    const note = { boot: readBootId(), startTime: "1", owner: "four", isEnded: false };
    writeFileSync(at("run/agents", String(group)), JSON.stringify(note));
    await new Promise((resolve) => daemon.on("exit", resolve));
    const { run } = openRunner();
    expect(membersOf(group)).toHaveLength(1);
    expect((await run(order("four", "stop", 60_000))).outcome).toEqual({ kind: "exit", code: 0 });
    expect(membersOf(group)).toHaveLength(1);
    process.kill(-group);
  });

  test("is known to the next manager, whose probe does not say that nothing is there", async () => {
    const first = openRunner();
    freeze();
    await first.run(order("three", "start", HANG_MS));
    const { run } = openRunner();
    const probed = await run(order("three", "monitor", 3 * HANG_MS));
    expect(probed.outcome).toEqual({ kind: "exit", code: 1 });
    const again = run(order("three", "monitor", 60_000));
    thaw();
    const { outcome } = await again;
    // The start was carried out after all, or it was not; what is said of it is true by now.
    expect(outcome).toEqual({ kind: "exit", code: existsSync(at("disk/data")) ? 0 : 7 });
  });
});
