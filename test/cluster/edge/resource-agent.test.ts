/** Agents as child processes: their environment, their ends, and what outlives them. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import type { OperationRun } from "../../../src/cluster/core/executor/types.ts";
import { type AgentOptions, createAgentRunner, type Finished } from "../../../src/cluster/edge/resource-agent.ts";
import { openResourceGroups } from "../../../src/hw/edge/cgroup.ts";

import { skips } from "../../support/skip.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "gemel-agents-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function script(place: string, name: string, body: string): void {
  const file = path.join(directory, place, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}

const agentScript = (name: string, body: string) => script("ocf/resource.d/test", name, body);

function paths() {
  return {
    ocfRoot: path.join(directory, "ocf"),
    initDirectory: path.join(directory, "init.d"),
    heartbeatDirectory: path.join(directory, "ha.d"),
    systemctl: path.join(directory, "systemctl"),
  };
}

function operation(type: string, given: Partial<OperationRun> = {}, agentClass = "ocf"): OperationRun {
  const provider = agentClass === "ocf" ? { provider: "test" } : {};
  const resource = { id: "r", class: agentClass, type, ...provider };
  const rest = { instance: "r", operation: "start", intervalMs: 0, timeoutMs: 60_000, parameters: {}, environment: {} };
  return { callId: 1, resource, ...rest, ...given };
}

function runOne(run: OperationRun, options: Partial<AgentOptions> = {}, killAfterMs?: number): Promise<Finished> {
  return new Promise((resolve) => {
    const runDirectory = path.join(directory, "run");
    const runner = createAgentRunner({ runDirectory, paths: paths(), ...options }, resolve);
    runner.run(run);
    if (killAfterMs !== undefined) setTimeout(() => runner.kill(run.callId), killAfterMs);
  });
}

describe("ocf", () => {
  test("the agent finds its environment, and nothing of ours", async () => {
    process.env["GEMEL_TEST_SECRET"] = "x";
    agentScript("Env", "env");
    const { output, outcome } = await runOne(operation("Env", { environment: { OCF_RESKEY_ip: "198.18.0.1" } }));
    delete process.env["GEMEL_TEST_SECRET"];
    expect(outcome).toEqual({ kind: "exit", code: 0 });
    expect(output).toContain(`OCF_ROOT=${paths().ocfRoot}`);
    expect(output).toContain("OCF_RESKEY_ip=198.18.0.1");
    expect(output).not.toContain("GEMEL_TEST_SECRET");
  });

  test("exit code and exit reason come through, the last reason winning", async () => {
    agentScript("Bad", 'echo "ocf-exit-reason:first" >&2; echo noise >&2; echo "ocf-exit-reason:no disk" >&2; exit 5');
    expect(await runOne(operation("Bad"))).toMatchObject({
      outcome: { kind: "exit", code: 5 },
      exitReason: "no disk",
      output: "noise",
    });
  });

  test("an agent without a reason is quoted", async () => {
    agentScript("Bad", "echo cannot find it >&2; exit 1");
    expect((await runOne(operation("Bad"))).exitReason).toBe("cannot find it");
  });

  test("a missing agent is not-installed, and names the file", async () => {
    const { outcome } = await runOne(operation("None"));
    expect(outcome.kind).toBe("not-installed");
    expect(outcome.kind === "not-installed" && outcome.reason).toContain("ocf/resource.d/test/None");
  });

  test("a type cannot leave the directory of the agents", async () => {
    script("ocf", "Outside", "exit 0");
    const { outcome } = await runOne(operation("../../Outside"));
    expect(outcome).toMatchObject({ kind: "not-installed" });
  });

  test("a signal is an error that names it", async () => {
    agentScript("Dies", "kill -SEGV $$");
    expect((await runOne(operation("Dies"))).outcome).toEqual({ kind: "error", reason: "ended by SIGSEGV" });
  });

  test("after the timeout the whole group is gone, whoever ignores TERM", async () => {
    const note = path.join(directory, "pid");
    agentScript("Hangs", `trap "" TERM; sh -c 'trap "" TERM; echo $$ > ${note}; sleep 60; sleep 60' & wait; sleep 60`);
    // A machine that does not come to start it within the first time has more of it the next time.
    for (let timeoutMs = 300; !existsSync(note); timeoutMs *= 4)
      expect((await runOne(operation("Hangs", { timeoutMs }))).outcome).toEqual({ kind: "timeout" });
    const pid = readFileSync(note, "utf8").trim();
    await expect.poll(() => existsSync(`/proc/${pid}/exe`)).toBe(false);
  });

  test("what ended in time has ended in time, though nobody looked before the time was over", async () => {
    agentScript("Quick", "exit 0");
    const ended = runOne(operation("Quick", { timeoutMs: 500 }));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
    expect((await ended).outcome).toEqual({ kind: "exit", code: 0 });
  });

  test("a kill ends it early", async () => {
    agentScript("Hangs", "exec sleep 60");
    expect((await runOne(operation("Hangs"), {}, 100)).outcome).toEqual({ kind: "killed" });
  });

  test("a daemon that the agent leaves behind does not keep the answer waiting", async () => {
    agentScript("Daemon", "sleep 1000 & echo $! ; exit 0");
    const { outcome, output } = await runOne(operation("Daemon"));
    // It still runs: else this throws.
    process.kill(Number(output.trim()));
    expect(outcome).toEqual({ kind: "exit", code: 0 });
  });

  test("much output keeps its end", async () => {
    agentScript("Loud", "yes 0123456789 | head -n 50000; echo the end");
    const { output } = await runOne(operation("Loud"));
    expect(output.length).toBeLessThan(70_000);
    expect(output).toMatch(/the end\n$/);
  });

  test("a new manager ends what an earlier one had started", async () => {
    agentScript("Hangs", "exec sleep 60");
    const first = runOne(operation("Hangs"));
    await expect.poll(() => existsSync(path.join(directory, "run/agents"))).toBe(true);
    const said: string[] = [];
    const options = { runDirectory: path.join(directory, "run"), log: (line: string) => said.push(line) };
    createAgentRunner(options, () => {});
    expect((await first).outcome).toEqual({ kind: "error", reason: "ended by SIGKILL" });
    expect(said.join()).toContain("earlier manager");
  });
});

describe("other classes", () => {
  test.each([
    ["status", 0, 0],
    ["status", 1, 7],
    ["status", 3, 7],
    ["status", 4, 1],
    ["start", 0, 0],
    ["start", 5, 5],
    ["start", 150, 1],
  ])("lsb %s that exits %i is OCF code %i", async (verb, exit, code) => {
    script("init.d", "thing", `[ "$1" = ${verb} ] || exit 99; exit ${exit}`);
    const run = operation("thing", { operation: verb === "status" ? "monitor" : verb }, "lsb");
    expect((await runOne(run)).outcome).toEqual({ kind: "exit", code });
  });

  test.each([
    ["active", 0],
    ["activating", 0],
    ["inactive", 7],
    ["failed", 7],
  ])("a systemd unit that is %s is OCF code %i", async (state, code) => {
    script("", "systemctl", `[ "$4" = thing.service ] && echo ${state}`);
    const run = operation("thing", { operation: "monitor" }, "systemd");
    expect((await runOne(run)).outcome).toEqual({ kind: "exit", code });
  });

  test("service prefers the init script", async () => {
    script("init.d", "thing", "exit 0");
    expect((await runOne(operation("thing", {}, "service"))).outcome).toEqual({ kind: "exit", code: 0 });
  });

  test("heartbeat scripts get their arguments first", async () => {
    script("ha.d", "IPaddr", `[ "$*" = "198.18.0.1 eth0 status" ] && echo running`);
    const parameters = { "2": "eth0", "1": "198.18.0.1" };
    const run = operation("IPaddr", { operation: "monitor", parameters }, "heartbeat");
    expect((await runOne(run)).outcome).toEqual({ kind: "exit", code: 0 });
  });

  test("stonith goes to the function that was given", async () => {
    const end = { outcome: { kind: "exit", code: 0 }, exitReason: "", output: "", attributes: [] } as const;
    const fencing = (run: OperationRun) => Promise.resolve({ ...end, output: run.resource.type });
    expect((await runOne(operation("ipmilan", {}, "stonith"), { fencing })).output).toBe("ipmilan");
  });
});

describe("built in", () => {
  const gemel = (type: string, verb: string, given: Partial<OperationRun> = {}) =>
    operation(type, { resource: { id: "r", class: "ocf", provider: "gemel", type }, operation: verb, ...given });

  test("Stateful goes through its roles and keeps its score", async () => {
    const codes: unknown[] = [];
    for (const verb of ["monitor", "start", "monitor", "promote", "monitor", "demote", "stop", "monitor"]) {
      const { outcome, attributes } = await runOne(gemel("Stateful", verb));
      codes.push([verb, outcome.kind === "exit" ? outcome.code : outcome.kind, attributes[0]?.value]);
    }
    expect(codes).toEqual([
      ["monitor", 7, undefined],
      ["start", 0, "5"],
      ["monitor", 0, "5"],
      ["promote", 0, "10"],
      ["monitor", 8, "10"],
      ["demote", 0, "5"],
      ["stop", 0, undefined],
      ["monitor", 7, undefined],
    ]);
  });

  test("a slow operation times out, and ends early when killed", async () => {
    const slow = { parameters: { op_sleep: "30" } };
    expect((await runOne(gemel("Dummy", "start", { ...slow, timeoutMs: 50 }))).outcome.kind).toBe("timeout");
    expect((await runOne(gemel("Dummy", "start", slow), {}, 50)).outcome.kind).toBe("killed");
  });

  test("a missing parameter is told by name", async () => {
    const { outcome, exitReason } = await runOne(gemel("IPaddr2", "start"));
    expect(outcome).toEqual({ kind: "exit", code: 6 });
    expect(exitReason).toBe("parameter ip is missing");
  });

  test("meta-data is XML with every parameter", async () => {
    const { output } = await runOne(gemel("IPaddr2", "meta-data"));
    const read = parseXml(output);
    expect(read.kind === "xml" && read.root.attributes["name"]).toBe("IPaddr2");
    expect(output).toContain('<parameter name="ip" unique="1" required="1">');
  });
});

describe("a cgroup for each resource", () => {
  const opened = openResourceGroups(path.join(os.tmpdir(), `gemel-groups-${process.pid}`));
  const missing = "reason" in opened ? opened.reason : process.getuid?.() === 0 ? "" : "only root may make cgroups";
  const inGroups = test.skipIf(skips(missing !== "", `no cgroups: ${missing}`));
  const groups = "reason" in opened ? undefined : opened;
  const commands = (resource: string) =>
    (groups?.processes(resource) ?? []).map(({ pid, command }) => `${command} ${pid}`).toSorted();
  const run = (type: string, given: Partial<OperationRun>, id = "r") => {
    const resource = { id, class: "ocf", provider: "test", type };
    return runOne(operation(type, { resource, ...given }), groups === undefined ? {} : { groups });
  };
  const daemon = "setsid sleep 1000 >/dev/null 2>&1 </dev/null &";

  afterEach(async () => {
    agentScript("Ends", "exit 0");
    // The last operation of a resource that runs no more takes its group away.
    for (const id of ["r", "other"]) {
      groups?.killResource(id);
      await expect.poll(() => commands(id)).toEqual([]);
      await run("Ends", { callId: 99 }, id);
    }
  });

  inGroups("what a start leaves running is the resource's, in whatever session it runs", async () => {
    agentScript("Daemon", daemon);
    await run("Daemon", { callId: 11 });
    await expect.poll(() => commands("r")).toEqual([expect.stringMatching(/^sleep \d+$/)]);
    expect(commands("other")).toEqual([]);
  });

  inGroups("a hung monitor is ended with all that it started; the daemon runs on", async () => {
    agentScript("Hangs", `case $1 in start) ${daemon} ;; monitor) trap '' TERM; setsid sleep 2000 & wait ;; esac`);
    await run("Hangs", { callId: 21 });
    await expect.poll(() => commands("r")).toEqual([expect.stringMatching(/^sleep/)]);
    const before = commands("r");
    const { outcome } = await run("Hangs", { callId: 22, operation: "monitor", intervalMs: 1_000, timeoutMs: 200 });
    expect(outcome).toEqual({ kind: "timeout" });
    expect(commands("r")).toEqual(before);
    expect(before).toHaveLength(1);
  });

  inGroups.each([
    ["fails", "exit 1"],
    ["hangs", "sleep 3000"],
  ])("a stop that %s is helped: its own processes are killed, those of another resource are not", async (_, word) => {
    const stop = `read pid <${directory}/pid; [ -e /proc/$pid ] && ${word}; exit 0`;
    agentScript("Stubborn", `case $1 in start) ${daemon} echo $! >${directory}/pid ;; stop) ${stop} ;; esac`);
    await run("Stubborn", { callId: 31 }, "other");
    await run("Stubborn", { callId: 32 });
    await expect.poll(() => commands("other")).toEqual([expect.stringMatching(/^sleep/)]);
    const other = commands("other");
    const { outcome } = await run("Stubborn", { callId: 33, operation: "stop", timeoutMs: 3_000 });
    expect(outcome).toEqual({ kind: "exit", code: 0 });
    expect(commands("r")).toEqual([]);
    expect(commands("other")).toEqual(other);
  });

  inGroups("a stop that fails for good says what it has tried", async () => {
    agentScript("Never", `case $1 in start) ${daemon} ;; stop) echo "ocf-exit-reason:no" >&2; exit 1 ;; esac`);
    await run("Never", { callId: 41 });
    await expect.poll(() => commands("r")).toEqual([expect.stringMatching(/^sleep/)]);
    const { outcome, exitReason } = await run("Never", { callId: 42, operation: "stop" });
    expect(outcome).toEqual({ kind: "exit", code: 1 });
    expect(exitReason).toMatch(/^no; process \d+ \(sleep\) was killed, and its stop failed again$/);
  });

  /** Its workers outlive it, and hold what the next start needs; its stop looks for the master alone. */
  const orphaning = () =>
    agentScript(
      "Orphans",
      `work=${directory}/worker
case $1 in
start) read pid <$work; kill -0 $pid && { echo "ocf-exit-reason:in use" >&2; exit 1; }
  setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >$work ;;
esac; exit 0`,
    );
  const started = async () => {
    orphaning();
    await run("Orphans", { callId: 51 });
    await expect.poll(() => commands("r")).toEqual([expect.stringMatching(/^sleep/)]);
  };

  inGroups("a failed service leaves nothing behind its stop, and the start in place succeeds", async () => {
    await started();
    const { outcome, exitReason } = await run("Orphans", { callId: 52, operation: "stop", afterFailure: true });
    expect(outcome).toEqual({ kind: "exit", code: 0 });
    expect(exitReason).toMatch(/^it had failed, and its stop left process \d+ \(sleep\) running, which was ended$/);
    expect(commands("r")).toEqual([]);
    expect(await run("Orphans", { callId: 53 })).toMatchObject({ outcome: { code: 0 }, exitReason: "" });
  });

  inGroups("what a sound service leaves is told and let be, until a start fails beside it", async () => {
    await started();
    const before = commands("r");
    const stopped = await run("Orphans", { callId: 52, operation: "stop" });
    expect(stopped.outcome).toEqual({ kind: "exit", code: 0 });
    expect(stopped.exitReason).toMatch(/^stopped, and process \d+ \(sleep\) of it runs on$/);
    expect(commands("r")).toEqual(before);
    const again = await run("Orphans", { callId: 53 });
    expect(again.outcome).toEqual({ kind: "exit", code: 0 });
    expect(again.exitReason).toMatch(/^process \d+ \(sleep\) of an earlier start was in the way, and ended$/);
    expect(commands("r")).toHaveLength(1);
    expect(commands("r")).not.toEqual(before);
  });

  inGroups("a start that fails by itself is not tried twice", async () => {
    agentScript("Fails", `echo >>${directory}/tries; exit 1`);
    expect((await run("Fails", { callId: 61 })).outcome).toEqual({ kind: "exit", code: 1 });
    expect(readFileSync(path.join(directory, "tries"), "utf8")).toBe("\n");
  });

  inGroups("of a service that forks all the time nothing is taken for an operation that still runs", async () => {
    // Always another process, and behind so many others that the one which was read has gone when its turn comes.
    writeFileSync(path.join(directory, "hop"), "sh $0 &");
    const crowd = "for n in $(seq 100); do sleep 1000 & done; sh $0 &";
    writeFileSync(path.join(directory, "crowd"), crowd.replace("$0", path.join(directory, "hop")));
    agentScript("Forks", `setsid sh ${directory}/crowd >/dev/null 2>&1 </dev/null &\nsleep 0.5`);
    await run("Forks", { callId: 71 });
    await expect.poll(() => commands("r").length).toBeGreaterThan(100);
    expect(groups?.killLeftOvers()).toBe(0);
  });
});
