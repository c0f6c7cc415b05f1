/** The device that is none: a node's own watchdog, by what the membership has proven. */
import { describe, expect, test } from "vitest";
import { parseXml } from "../../src/base/xml.ts";
import { readNodeConfig } from "../../src/cib/node-config.ts";
import { levelsFor } from "../../src/fencing/core/configuration.ts";
import { readFencingConfiguration } from "../../src/fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { provePower } from "../../src/fencing/drivers/prove-power.ts";
import { watchdogDevice } from "../../src/fencing/drivers/watchdog.ts";
import type { PromiseReading, WatchdogPromises } from "../../src/hw/core/watchdog/promise.ts";
import { createVirtualClock } from "../support/virtual-clock.ts";

const TIMES = { answerMs: 1_000, confirmMs: 60_000, pollMs: 250, settleMs: 0 };
const PROMISED = { endsWithinMs: 16_000, waitMs: 16_160 };

async function judge(readAt: (nowMs: number) => PromiseReading, action: "off" | "on" | "status" = "off") {
  const clock = createVirtualClock();
  const declared: string[] = [];
  const promises: WatchdogPromises = {
    read: () => readAt(clock.nowMs()),
    withoutPromise: () => [],
    declareLost: (node) => declared.push(node),
  };
  const device = watchdogDevice(promises, { node: "alpha", confirmMs: TIMES.confirmMs });
  const outcome = await provePower(device, clock, TIMES, action);
  const reading = await device.readPower();
  return { outcome, declared, reading };
}

describe("a node that promised to end", () => {
  test("is off when the membership has proven it, and the certificate has both times", async () => {
    const { outcome, declared, reading } = await judge((nowMs) =>
      nowMs < 10_000 ? { kind: "waiting", ...PROMISED } : { kind: "ended", endsWithinMs: 16_000, quietMs: 16_300 },
    );
    expect(outcome).toEqual({ kind: "confirmed", power: "off" });
    expect(declared).toEqual([]);
    expect(reading).toMatchObject({
      by: "its own watchdog: no majority has heard it for 16.3 s, and it promised to end within 16.0 s",
    });
  });

  test("and is a member is declared lost, once; while it is heard nothing is proven", async () => {
    const { outcome, declared } = await judge(() => ({ kind: "heard", ...PROMISED }));
    expect(outcome).toMatchObject({ kind: "unknown", reason: expect.stringContaining("it is heard") });
    expect(declared).toEqual(["alpha"]);
  });

  test("for longer than the device waits is refused, with what to write", async () => {
    const { outcome } = await judge(() => ({ kind: "waiting", endsWithinMs: 60_000, waitMs: 60_600 }));
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("confirm_time=66s") });
  });

  test("shows no power while all is well, and is never switched on", async () => {
    const status = await judge(() => ({ kind: "heard", ...PROMISED }), "status");
    expect(status.outcome).toEqual({ kind: "confirmed", power: "not-told" });
    expect((await judge(() => ({ kind: "heard", ...PROMISED }), "on")).outcome.kind).toBe("not-done");
  });
});

test("a node that promised nothing is never waited for", async () => {
  const { outcome, declared } = await judge(() => ({ kind: "none", reason: "alpha has not promised to end" }));
  expect(outcome).toEqual({ kind: "not-done", reason: "alpha has not promised to end" });
  expect(declared).toEqual([]);
});

describe("stonith-watchdog-timeout", () => {
  function read(options: Readonly<Record<string, string>>, device = "") {
    const pairs = Object.entries(options).map(
      ([name, value]) => `<nvpair id="${name}" name="${name}" value="${value}"/>`,
    );
    const xml = parseXml(
      `<configuration><crm_config><cluster_property_set id="o">${pairs.join("")}</cluster_property_set></crm_config>` +
        '<nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>' +
        `<resources><primitive id="hand" class="stonith" type="meatware"/>${device}</resources></configuration>`,
    );
    if (xml.kind !== "xml") throw new Error(xml.reason);
    const { configuration, problems } = readFencingConfiguration(xml.root, CATALOGUE);
    const levels = levelsFor(configuration, "alpha", "bravo").map((level) => level.map(({ id }) => id).join());
    return { levels, problems: problems.map(({ place, reason }) => `${place}: ${reason}`).join() };
  }

  test.each(["-1", "10", "30s"])("%s is a device for every node, before people", (timeout) => {
    expect(read({ "stonith-watchdog-timeout": timeout })).toEqual({ levels: ["watchdog", "hand"], problems: "" });
  });

  test("0 is none, and what is no time is said", () => {
    expect(read({ "stonith-watchdog-timeout": "0" }).levels).toEqual(["hand"]);
    expect(read({ "stonith-watchdog-timeout": "soon" }).problems).toContain("stonith-watchdog-timeout: it is soon");
  });

  test("beside one that is written out there is no second one", () => {
    const nvpair = '<nvpair id="l" name="pcmk_host_list" value="alpha bravo"/>';
    const own =
      '<primitive id="dog" class="stonith" type="fence_watchdog">' +
      `<instance_attributes id="a">${nvpair}</instance_attributes></primitive>`;
    expect(read({ "stonith-watchdog-timeout": "-1" }, own).levels).toEqual(["dog", "hand"]);
  });

  test("is refused where a half without quorum starts resources", () => {
    const { levels, problems } = read({ "stonith-watchdog-timeout": "-1", "no-quorum-policy": "ignore" });
    expect(levels).toEqual(["hand"]);
    expect(problems).toContain("nobody may count on its end");
  });
});

describe("quorum-lease", () => {
  const base = ["cluster c", "node a id 1", "node b id 2", "authkeys k", "deadtime 3s", "quorum-lease 10s"];
  const links = (nodes: string) => [
    `link x broadcast device=eth0`,
    `link y broadcast device=eth1`,
    ...nodes.split(","),
  ];
  const third = "node c id 3";
  const watched = "watchdog /dev/watchdog timeout 5s";
  const judgeConfig = (...lines: readonly string[]) => {
    const read = readNodeConfig([...base, ...links("# none"), ...lines].join("\n"), "f");
    return read.kind === "valid" ? "valid" : read.problems.map(({ reason }) => reason).join("; ");
  };

  test.each([
    ["three nodes", [third, watched], "valid"],
    ["a pair with a disk", ["tie-breaker disk /dev/x", watched], "valid"],
    ["a pair", [watched], "two nodes that lose each other have no majority"],
    ["a ping node", [third, watched, "ping g 10.0.0.1", "tie-breaker ping g"], "a ping node may answer both halves"],
    ["no watchdog", [third, "watchdog none", "self-fencing reboot"], "keeps no promise without a watchdog"],
    ["an end of processes", [third, watched, "self-fencing exit"], "leaves running what the agents have started"],
    ["a lease below deadtime", [third, watched, "initdead 60s"], "valid"],
  ])("%s: %s", (_, lines, expected) => {
    expect(judgeConfig(...lines)).toContain(expected);
  });
});
