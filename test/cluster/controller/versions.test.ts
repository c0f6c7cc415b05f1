/** Managers of two versions: what is said is what both understand, and what a later one says does no harm. */
import { describe, expect, test } from "vitest";
import type { StatusChange } from "../../../src/cluster/core/cib-store/types.ts";
import { nodeState } from "../../../src/cluster/core/controller/cib-read.ts";
import { type NodeMessage, nodeCib } from "../../../src/cluster/core/controller/node-core.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";
import { SPOKEN } from "../../../src/cluster/core/spoken.ts";
import { Cluster, honestAgent, obedientFence, type World } from "./pair.ts";

const CONFIGURATION = `
  <crm_config><cluster_property_set id="o"><nvpair id="o-l" name="shutdown-lock" value="true"/></cluster_property_set>
  </crm_config>
  <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources>
    <primitive id="ip" class="ocf" provider="gemel" type="Dummy"/>
    <primitive id="web" class="ocf" provider="gemel" type="Dummy"/>
    <primitive id="device" class="stonith" type="external/ipmi"/>
  </resources>
  <constraints><rsc_location id="l" rsc="ip" node="bravo" score="100"/>
    <rsc_location id="m" rsc="web" node="bravo" score="100"/></constraints>`;
const SPEAKERS = ["alpha", "bravo"];

/** `versions`: of who does not speak ours; `undefined` is a manager from before there were versions. */
function start(versions: Record<string, number | undefined>): Cluster {
  const say: World["say"] = (from, message) => {
    if (!Object.hasOwn(versions, from) || message.room !== "controller" || message.message.kind !== "hello")
      return message;
    const { speaks: _ours, ...hello } = message.message.hello;
    const speaks = versions[from];
    return {
      room: "controller",
      message: { kind: "hello", hello: { ...hello, ...(speaks === undefined ? {} : { speaks }) } },
    };
  };
  const cluster = new Cluster(SPEAKERS, CONFIGURATION, { schedule, agent: honestAgent, fence: obedientFence, say });
  cluster.run(5_000);
  return cluster;
}

function changesTo(cluster: Cluster, node: string): readonly StatusChange[] {
  return cluster.sent.flatMap(({ to, message }) =>
    to === node && message.room === "cib" && message.message.kind === "cib-status" ? message.message.changes : [],
  );
}

const errors = (cluster: Cluster) => cluster.log.filter((line) => line.includes("error"));

/** It leaves with a lock of the present version, and comes back as `versions` says it speaks from then on. */
function leaveAndReturn(cluster: Cluster, node: string): void {
  expect(cluster.whereRuns("ip")).toEqual([node]);
  cluster.feed(node, { kind: "stop", hasForerunner: false });
  cluster.run(20_000);
  expect(cluster.whereRuns("ip")).toEqual([]);
  cluster.boot(node);
  cluster.tellViews();
  cluster.run(20_000);
}

describe("an older manager", () => {
  test("is never told the end of a lock in a word that came later: it would end itself", () => {
    const versions: Record<string, number | undefined> = {};
    const cluster = start(versions);
    versions["bravo"] = undefined;
    leaveAndReturn(cluster, "bravo");
    expect(["ip", "web"].map((id) => cluster.whereRuns(id))).toEqual([["bravo"], ["bravo"]]);
    expect(changesTo(cluster, "bravo").map(({ kind }) => kind)).toContain("delete-history");
    expect(changesTo(cluster, "bravo").map(({ kind }) => kind)).not.toContain("end-lock");
    const [ours, theirs] = SPEAKERS.map((name) => nodeState(nodeCib(cluster.machine(name).state), "bravo"));
    expect(JSON.stringify(ours)).not.toContain("shutdown-lock");
    expect(JSON.stringify(ours)).toContain("ip_last_0");
    expect(theirs).toEqual(ours);
  });

  test("that is not told of is the only reason for it: a pair of ours says it shortly", () => {
    const cluster = start({});
    leaveAndReturn(cluster, "bravo");
    expect(changesTo(cluster, "bravo").map(({ kind }) => kind)).toContain("end-lock");
  });
});

describe("a word of a later version", () => {
  const later = (message: unknown) => message as NodeMessage;
  const feed = (cluster: Cluster, to: string, from: string, message: unknown) =>
    cluster.feed(to, { kind: "message", from, message: later(message) });
  const told = (cluster: Cluster, word: string) => cluster.log.filter((line) => line.includes(`said "${word}"`));

  test.each([
    ["controller", "sing", "alpha", "bravo"],
    ["controller", "sing", "bravo", "alpha"],
    ["cib", "cib-sing", "alpha", "bravo"],
    ["cib", "cib-sing", "bravo", "alpha"],
  ])("(%s: %s) to %s from %s is told once and left alone", (room, kind, to, from) => {
    const cluster = start({});
    for (let round = 0; round < 3; round += 1) feed(cluster, to, from, { room, message: { kind } });
    expect(told(cluster, kind)).toHaveLength(1);
    cluster.run(5_000);
    expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
  });

  test("in the DC's status is answered by asking for the whole of it", () => {
    const cluster = start({});
    const { statusRound: round, sequence } = cluster.machine("bravo").state.store;
    const changes = [{ kind: "paint", node: "alpha" }];
    const message = { kind: "cib-status", round, sequence: sequence + 1, numUpdates: 99, changes };
    const before = cluster.sent.length;
    feed(cluster, "bravo", "alpha", { room: "cib", message });
    cluster.run(1_000);
    const kinds = cluster.sent.slice(before).map((one) => one.message.message.kind);
    expect(kinds).toContain("cib-status-ask");
    expect(kinds).toContain("cib-status-whole");
    expect(told(cluster, "paint")).toHaveLength(1);
  });

  test("in a member's report is passed over, and what stands beside it is taken", () => {
    const cluster = start({});
    const { generation } = cluster.machine("bravo").state.store;
    const known = { kind: "set-attribute", node: "bravo", name: "colour", value: "red" };
    const changes = [{ kind: "paint", node: "bravo" }, known];
    feed(cluster, "alpha", "bravo", {
      room: "cib",
      message: { kind: "cib-report", generation, first: 1_000, changes },
    });
    cluster.run(1_000);
    expect(JSON.stringify(nodeState(nodeCib(cluster.machine("alpha").state), "bravo"))).toContain("colour");
    expect(told(cluster, "paint")).toHaveLength(1);
  });
});

/** Its first view, before anybody is heard: of itself, whose DC it becomes. */
function comeUp(cluster: Cluster, self: string): void {
  const { generation } = cluster.machine(self);
  const peers = SPEAKERS.filter((name) => name !== self).map((name) => {
    return { name, phase: "awaited", generation: 0, returned: false } as const;
  });
  const here = { self, generation, epoch: 1, members: [self], agreed: true, peers, links: [] };
  cluster.feed(self, { kind: "view", view: { ...here, settled: false, quorate: true } });
}

describe("a manager two versions away is a stranger", () => {
  const stranger = SPOKEN + 2;

  test("that comes to a cluster that stands: it is told which side to update, goes, and is not fenced", () => {
    const versions: Record<string, number | undefined> = {};
    const cluster = start(versions);
    cluster.feed("bravo", { kind: "stop", hasForerunner: false });
    cluster.run(20_000);
    // Seen from the one that comes, the others are far ahead of it.
    versions["alpha"] = stranger;
    cluster.boot("bravo");
    comeUp(cluster, "bravo");
    cluster.tellViews();
    cluster.run(10_000);
    expect(errors(cluster).join("\n")).toContain("update bravo, or put alpha back");
    expect(cluster.machine("bravo").left).toBe(true);
    expect(cluster.machine("alpha").left).toBe(false);
    cluster.run(120_000);
    expect(cluster.fenced).toEqual([]);
  });

  test.each([
    ["stays with a newer one", SPOKEN + 2, false],
    ["goes from an older one", SPOKEN - 2, true],
  ])("of two that start together one %s", (_what, theirs, goes) => {
    const cluster = start({ bravo: theirs });
    for (const name of SPEAKERS) {
      cluster.boot(name);
      comeUp(cluster, name);
    }
    cluster.tellViews();
    cluster.run(5_000);
    expect(cluster.machine("alpha").left).toBe(goes);
    expect(errors(cluster).join("\n")).toContain(`speaks version ${theirs}, this one ${SPOKEN}`);
  });

  test("one that has something running stays, and says so", () => {
    const cluster = start({});
    cluster.feed("bravo", {
      kind: "message",
      from: "alpha",
      message: {
        room: "controller",
        message: { kind: "hello", hello: { incarnation: "x", dc: "alpha", hasDecided: true, speaks: stranger } },
      },
    });
    expect(cluster.machine("bravo").left).toBe(false);
    expect(errors(cluster).join("\n")).toContain("speaks version 4");
  });

  test("one version apart is none", () => {
    const cluster = start({ bravo: SPOKEN + 1 });
    expect(cluster.whereRuns("ip")).toEqual(["bravo"]);
    expect(errors(cluster)).toEqual([]);
  });
});
