/** Class `systemd` against a real systemd over a real bus; what has no bus goes to systemctl, and says so. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AgentOptions, createAgentRunner, type Finished } from "../../../src/cluster/edge/resource-agent.ts";
import { USUAL_PATHS } from "../../../src/cluster/edge/resource-agent-classes.ts";
import { operateUnit, unitOfCgroup } from "../../../src/cluster/edge/systemd-units.ts";
import { openBus } from "../../../src/hw/edge/message-bus.ts";
import { skips } from "../../support/skip.ts";
import { SYSTEMD, startUserSystemd, type UserSystemd } from "../../support/user-systemd.ts";

const isSkipped = skips(
  process.getuid?.() !== 0 || !existsSync(SYSTEMD) || !existsSync("/usr/bin/dbus-daemon"),
  "it needs root, systemd and dbus-daemon",
);

/** What is on its way up is there only when the test lets it: no time is slow enough on every machine. */
const gates = mkdtempSync(path.join(os.tmpdir(), "gemel-gates-"));
const gate = path.join(gates, "open");
afterAll(() => rmSync(gates, { recursive: true }));

const DONE = { kind: "done", code: 0, reason: "" };

const UNITS = {
  "good.service": "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\n",
  "slow.service":
    `[Service]\nExecStartPre=/bin/sh -c 'until [ -e ${gate} ]; do sleep 0.1; done'\nTimeoutStartSec=infinity\n` +
    "ExecStart=/bin/sleep 1000\n",
  "broken.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/false\n",
  "deaf.service": "[Service]\nExecStart=/bin/sh -c 'trap : TERM; while :; do sleep 0.1; done'\nTimeoutStopSec=1\n",
  "needy.service": "[Unit]\nRequires=broken.service\nAfter=broken.service\n[Service]\nExecStart=/bin/sleep 1000\n",
  "undying.service":
    "[Service]\nExecStart=/bin/sh -c 'trap : TERM; while :; do sleep 0.1; done'\nTimeoutStopSec=1\nSendSIGKILL=no\n",
  "leaving.service":
    "[Service]\nExecStart=/bin/sleep 1000\n" +
    `ExecStop=/bin/sh -c 'until [ -e ${gate} ]; do sleep 0.1; done'\nTimeoutStopSec=infinity\n`,
  "gemel.service":
    "[Service]\nExecStart=/bin/sleep 1000\n" +
    `ExecStop=/bin/sh -c 'until [ -e ${gate} ]; do sleep 0.1; done'\nTimeoutStopSec=infinity\n`,
  "at@.service": "[Service]\nExecStart=/bin/sleep 1000\n",
};

describe.skipIf(isSkipped)("a real systemd", () => {
  let systemd: UserSystemd;
  beforeAll(async () => {
    systemd = await startUserSystemd(UNITS);
  });
  afterAll(() => systemd.close());

  const options = () => ({ bus: systemd.bus, dropIns: systemd.dropIns, ownUnit: "gemel.service" });
  const operate = (operation: string, unit: string, signal = AbortSignal.timeout(120_000)) =>
    operateUnit(operation, unit, signal, options());
  const code = async (operation: string, unit: string) => {
    const end = await operate(operation, unit);
    return end.kind === "done" ? end.code : end.reason;
  };

  beforeEach(() => rmSync(gate, { force: true }));
  const isOnItsWay = () =>
    expect.poll(() => systemd.systemctl("show", "-P", "ActiveState", "slow.service").trim()).toBe("activating");

  test("start, monitor and stop; while it is ours it is not restarted, and goes down after us", async () => {
    expect(await code("monitor", "good.service")).toBe(7);
    expect(await code("start", "good.service")).toBe(0);
    expect(await code("monitor", "good.service")).toBe(0);
    expect(await code("start", "good.service")).toBe(0);
    expect(systemd.systemctl("show", "-P", "Before", "good.service")).toContain("gemel.service");
    expect(systemd.systemctl("show", "-P", "Restart", "good.service").trim()).toBe("no");
    expect(await code("stop", "good.service")).toBe(0);
    expect(await code("stop", "good.service")).toBe(0);
    expect(await code("monitor", "good.service")).toBe(7);
    expect(systemd.systemctl("show", "-P", "Restart", "good.service").trim()).toBe("always");
    expect(existsSync(path.join(systemd.dropIns, "good.service.d"))).toBe(false);
  });

  test("a start is done when the unit is up, and a probe of what is on its way waits for it", async () => {
    const started = code("start", "slow.service");
    await isOnItsWay();
    const probed = code("monitor", "slow.service");
    writeFileSync(gate, "");
    expect([await probed, await started]).toEqual([0, 0]);
    expect(await code("stop", "slow.service")).toBe(0);
  });

  test("a reload of systemd in the middle of a start changes nothing", async () => {
    const started = code("start", "slow.service");
    await isOnItsWay();
    for (let times = 0; times < 3; times += 1) systemd.systemctl("daemon-reload");
    writeFileSync(gate, "");
    expect(await started).toBe(0);
    systemd.systemctl("daemon-reexec");
    expect(await code("stop", "slow.service")).toBe(0);
  });

  test("a systemd that executes itself anew under an operation is waited for", async () => {
    for (let times = 0; times < 5; times += 1) {
      const started = operate("start", "good.service");
      const again = systemd.systemctlLater("daemon-reexec");
      expect(await started).toEqual(DONE);
      expect(await operate("stop", "good.service")).toEqual(DONE);
      await again;
      expect(await code("monitor", "good.service")).toBe(7);
    }
  });

  test("whatever meets systemd while it executes itself anew is done all the same", async () => {
    for (const operation of ["start", "monitor", "stop", "start", "monitor", "stop"]) {
      systemd.systemctl("daemon-reexec");
      expect([operation, await operate(operation, "good.service")]).toEqual([
        operation,
        { kind: "done", code: 0, reason: "" },
      ]);
    }
  });

  test("what a job comes to is told: failed, of a dependency, no unit, masked", async () => {
    const reason = async (unit: string) => {
      const end = await operate("start", unit);
      return [end.kind === "done" ? end.code : "away", end.reason];
    };
    expect(await reason("broken.service")).toEqual([1, "the job of broken.service is failed, the unit failed"]);
    expect(await reason("needy.service")).toEqual([1, "the job of needy.service is dependency, the unit inactive"]);
    expect(await reason("nobody.service")).toEqual([5, "there is no unit nobody.service"]);
    systemd.systemctl("mask", "sealed.service");
    expect(await reason("sealed.service")).toEqual([5, "sealed.service is masked"]);
    expect(await code("stop", "nobody.service")).toBe(0);
    expect(await code("monitor", "nobody.service")).toBe(7);
    expect(await code("promote", "good.service")).toBe(3);
  });

  test("a service that does not hear is stopped by systemd, and only then the stop is done", async () => {
    expect(await code("start", "deaf.service")).toBe(0);
    expect(await code("stop", "deaf.service")).toBe(0);
    expect(systemd.systemctl("show", "-P", "MainPID", "deaf.service").trim()).toBe("0");
  });

  const shows = (unit: string, name: string) => systemd.systemctl("show", "-P", name, unit).trim();

  test("what died, or was stopped by somebody else, is seen, and started again in its place", async () => {
    expect(await code("start", "good.service")).toBe(0);
    process.kill(Number(shows("good.service", "MainPID")), "SIGKILL");
    await expect.poll(() => shows("good.service", "ActiveState")).toBe("failed");
    expect(await operate("monitor", "good.service")).toEqual({ ...DONE, code: 7, reason: "good.service is failed" });
    expect([await code("stop", "good.service"), await code("start", "good.service")]).toEqual([0, 0]);
    systemd.systemctl("stop", "good.service");
    expect(await operate("monitor", "good.service")).toEqual({ ...DONE, code: 7, reason: "good.service is inactive" });
    expect([await code("stop", "good.service"), await code("start", "good.service")]).toEqual([0, 0]);
    expect(await code("stop", "good.service")).toBe(0);
  });

  test("a stop in whose middle somebody orders a start is done all the same", async () => {
    expect(await code("start", "leaving.service")).toBe(0);
    const stopped = code("stop", "leaving.service");
    await expect.poll(() => shows("leaving.service", "ActiveState")).toBe("deactivating");
    systemd.systemctl("start", "--no-block", "leaving.service");
    writeFileSync(gate, "");
    expect(await stopped).toBe(0);
    expect(await code("monitor", "leaving.service")).toBe(7);
  });

  test("when the machine goes down what goes down after us is stopped by us, and does not wait for us", async () => {
    systemd.systemctl("start", "gemel.service");
    expect(await code("start", "good.service")).toBe(0);
    const down = systemd.systemctlLater("stop", "gemel.service", "good.service");
    await expect.poll(() => systemd.systemctl("list-jobs")).toMatch(/good.service +stop waiting/);
    expect(await code("stop", "good.service")).toBe(0);
    expect(shows("gemel.service", "ActiveState")).toBe("deactivating");
    writeFileSync(gate, "");
    await down;
  });

  test("a process that systemd could not end makes the stop fail, and is named", async () => {
    expect(await code("start", "undying.service")).toBe(0);
    const pid = Number(shows("undying.service", "MainPID"));
    const end = await operate("stop", "undying.service");
    expect(end).toMatchObject({ code: 1, reason: expect.stringMatching(/^undying\.service is failed, and process /) });
    expect(end.reason).toContain(`${pid} (/bin/sh -c `);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => code("stop", "undying.service")).toBe(0);
  });

  test("a drop-in that cannot be taken back is told, and the stop has succeeded", async () => {
    const dropIns = mkdtempSync(path.join(gates, "drop-ins-"));
    mkdirSync(path.join(dropIns, "good.service.d/50-gemel.conf"), { recursive: true });
    expect(await code("start", "good.service")).toBe(0);
    const refusing = { ...options(), dropIns };
    const end = await operateUnit("stop", "good.service", AbortSignal.timeout(120_000), refusing);
    expect(end).toMatchObject({ code: 0, reason: expect.stringContaining("50-gemel.conf is not taken back: ") });
    expect(await operate("stop", "good.service")).toEqual(DONE);
  });

  test("a time that is over ends the wait, and the next operation takes the job's place", async () => {
    const over = new AbortController();
    const started = operate("start", "slow.service", over.signal);
    await isOnItsWay();
    over.abort();
    await expect(started).rejects.toThrow();
    expect(await code("stop", "slow.service")).toBe(0);
    expect(await code("monitor", "slow.service")).toBe(7);
  });

  test("a time that is over before the bus is reached makes no job, which nobody would wait for", async () => {
    await expect(operate("start", "good.service", AbortSignal.abort())).rejects.toThrow();
    expect(await code("monitor", "good.service")).toBe(7);
  });

  test("an instance of a template, through the runner of all agents", async () => {
    const resource = { id: "unit", class: "systemd", type: "at@one" };
    const run = { callId: 1, resource, instance: "unit", intervalMs: 0, timeoutMs: 60_000 };
    const ask = (operation: string, more: Partial<AgentOptions> = {}) =>
      new Promise<Finished>((resolve) => {
        const runner = createAgentRunner({ runDirectory: systemd.dropIns, systemd: options(), ...more }, resolve);
        runner.run({ ...run, operation, parameters: {}, environment: {} });
      });
    expect((await ask("start")).outcome).toEqual({ kind: "exit", code: 0 });
    expect(systemd.systemctl("is-active", "at@one.service").trim()).toBe("active");
    expect((await ask("stop")).outcome).toEqual({ kind: "exit", code: 0 });
    const said: string[] = [];
    const away = { ...options(), bus: "/nowhere" };
    for (let times = 0; times < 3; times += 1) await ask("monitor", { systemd: away, log: (line) => said.push(line) });
    expect(said).toEqual([expect.stringMatching(/systemd is not on the bus \(.*ENOENT.*\), so systemctl is asked/)]);
  });

  test("values of every kind come from the bus as they are", async () => {
    const opened = await openBus(systemd.bus, () => {});
    if (opened.kind === "away") throw new Error(opened.reason);
    const { bus } = opened;
    const own = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus" };
    const asked = { ...own, interface: "org.freedesktop.DBus", member: "GetConnectionCredentials" };
    const credentials = await bus.call({ ...asked, signature: "s", body: ["org.freedesktop.DBus"] });
    expect(credentials).toMatchObject({
      kind: "reply",
      body: [expect.arrayContaining([["UnixUserID", { signature: "u", value: 0 }]])],
    });
    // All of a unit's properties: structs, arrays, variants, 64-bit numbers.
    const everything = await bus.call({
      destination: "org.freedesktop.systemd1",
      path: "/org/freedesktop/systemd1/unit/basic_2etarget",
      interface: "org.freedesktop.DBus.Properties",
      member: "GetAll",
      signature: "s",
      body: ["org.freedesktop.systemd1.Unit"],
    });
    expect(everything).toMatchObject({
      kind: "reply",
      body: [expect.arrayContaining([["ActiveState", { signature: "s", value: "active" }]])],
    });
    bus.close();
  });
});

test("what has found no bus when its time is over does not turn to systemctl any more", async () => {
  const [bus, systemctl, asked] = [path.join(gates, "bus"), path.join(gates, "systemctl"), path.join(gates, "asked")];
  writeFileSync(systemctl, `#!/bin/sh\ntouch ${asked}\n`, { mode: 0o755 });
  const connections: Socket[] = [];
  const server = createServer((connection) => connections.push(connection)).listen(bus);
  const said: string[] = [];
  const systemd = { bus, dropIns: gates, ownUnit: undefined };
  const options = { runDirectory: gates, paths: { ...USUAL_PATHS, systemctl }, systemd, log: said.push.bind(said) };
  const resource = { id: "unit", class: "systemd", type: "good" };
  const run = { callId: 1, resource, instance: "unit", intervalMs: 0, timeoutMs: 200, parameters: {}, environment: {} };
  const over = new Promise<Finished>((resolve) =>
    createAgentRunner(options, resolve).run({ ...run, operation: "start" }),
  );
  await expect.poll(() => connections).toHaveLength(1);
  await sleep(run.timeoutMs * 2);
  for (const connection of connections) connection.destroy();
  expect((await over).outcome).toEqual({ kind: "timeout" });
  expect([existsSync(asked), said]).toEqual([false, []]);
  server.close();
});

test("our own unit is known by its cgroup", () => {
  expect(unitOfCgroup("0::/system.slice/gemel.service\n")).toBe("gemel.service");
  expect(unitOfCgroup("12:cpu:/\n1:name=systemd:/system.slice/gemel.service\n0::/\n")).toBe("gemel.service");
  expect(unitOfCgroup("0::/user.slice/user-0.slice/session-1.scope\n")).toBeUndefined();
  expect(existsSync("/proc/self/cgroup") && unitOfCgroup(readFileSync("/proc/self/cgroup", "utf8"))).not.toBe("");
});
