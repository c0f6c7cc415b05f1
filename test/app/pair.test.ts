/** Two real nodes in network namespaces: what a pair does from its start to its stop. Needs root. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { expect, type TestContext, test, vi } from "vitest";
import type { StatusReport } from "../../src/app/control-protocol.ts";
import { skips } from "../support/skip.ts";
import {
  ADDRESS,
  LOSING_TIMES,
  NODES,
  type NodeName,
  type NodePair,
  openNodePair,
  PATIENT_TIMES,
} from "./node-pair.ts";

// Two whole nodes on a machine that may be busy with emulated ones.
vi.setConfig({ maxConcurrency: 2 });
const asRoot = test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces")).concurrent;

const CONFIGURATION = `
primitive state ocf:gemel:Stateful op monitor interval=5s role=Master op monitor interval=6s role=Slave \\
    op start timeout=20s op stop timeout=20s
ms mirror state meta master-max=1
primitive dummy ocf:gemel:Dummy op monitor interval=5s op start timeout=20s op stop timeout=20s
primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service op monitor interval=5s \\
    op start timeout=20s op stop timeout=20s
group service dummy ip
colocation service-with-mirror inf: service mirror:Master
order mirror-first inf: mirror:promote service:start
property no-quorum-policy=ignore
`;
const WITHOUT_FENCING = `${CONFIGURATION}property stonith-enabled=false\n`;

const runsOn = (status: StatusReport | undefined, resource: string) =>
  status?.resources.find(({ id }) => id === resource)?.active.filter(({ role }) => role !== "Unpromoted") ?? [];

/** `run`: the test that it is for, side by side with another one. */
async function startPair(run: TestContext, configuration: string, times: readonly string[]): Promise<NodePair> {
  const pair = openNodePair({ times, configuration });
  run.onTestFinished(() => pair.close());
  for (const node of NODES) pair.start(node);
  await pair.until("the address is up on one node, and the pair is idle", async () => {
    const status = await pair.status("bravo");
    const up = NODES.filter((node) => pair.hasAddress(node)).length === 1;
    return up && status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
  });
  return pair;
}

const active = (pair: NodePair): NodeName => (pair.hasAddress("alpha") ? "alpha" : "bravo");
const other = (node: NodeName): NodeName => (node === "alpha" ? "bravo" : "alpha");

/** Does the virtual address answer the client? */
function answers(pair: NodePair): Promise<boolean> {
  return new Promise((resolve) => {
    pair.client("ping", "-n", "-c", "1", "-W", "1", ADDRESS).on("exit", (code) => resolve(code === 0));
  });
}

asRoot("the active node is cut off and killed: the other one serves, both see it", async (run) => {
  const pair = await startPair(run, WITHOUT_FENCING, LOSING_TIMES);
  await pair.until("the address answers", () => answers(pair));
  const dead = active(pair);
  const alive = other(dead);
  pair.cut(dead);
  await pair.until("the other has the address", () => pair.hasAddress(alive));
  await pair.until("the address answers again", () => answers(pair));
  const status = await pair.status(alive);
  expect(runsOn(status, "ip").map(({ node }) => node)).toEqual([alive]);
  expect(runsOn(status, "state")).toMatchObject([{ node: alive, role: "Promoted" }]);
  expect(status?.problems.map(({ what }) => what).join("\n")).toContain("fencing is disabled");
  expect(pair.log(alive)).toContain("FENCING IS DISABLED");
  // The running cluster is asked by its socket, as an operator would.
  expect(pair.gemel(alive, "why", "ip", dead, "--lang", "en")).toMatchObject({
    code: 0,
    output: expect.stringMatching(new RegExp(`^ip is Started on ${alive}\\n {2}${dead}: `)),
  });
  const proof: unknown = JSON.parse(pair.gemel(alive, "why", "ip", "--json").output);
  expect(proof).toMatchObject({ resource: "ip", conclusion: expect.anything(), citations: expect.any(Array) });
  expect(pair.gemel(alive, "why", "nothing")).toMatchObject({
    code: 68,
    output: expect.stringContaining("there is no resource nothing"),
  });
  expect(pair.gemel(alive, "simulate", "-LS", "-u", dead).output).toContain(`Online: [ alpha bravo ]`);
});

asRoot("an active node that stood still for longer than deadtime and goes on: never two writers", async (run) => {
  const pair = await startPair(run, `${CONFIGURATION}primitive person stonith:meatware\n`, LOSING_TIMES);
  const asleep = active(pair);
  const awake = other(asleep);
  const looks: number[] = [];
  const look = setInterval(() => looks.push(NODES.filter((node) => pair.hasAddress(node)).length), 100);
  try {
    pair.signalAll(asleep, "SIGSTOP");
    await pair.until(
      "it is lost",
      async () => (await pair.status(awake))?.fencing.history.at(-1)?.outcome === "running",
    );
    const before = pair.log(asleep).length;
    pair.signalAll(asleep, "SIGCONT");
    expect(await pair.ended(asleep)).toBe(70);
    const woken = pair.log(asleep).slice(before);
    expect(woken).toContain(`self-fencing: ${awake} has declared this node lost`);
    expect(woken).not.toMatch(/start of|promote of/);
    expect(pair.hasAddress(awake)).toBe(false);
    // What ran on is switched off with its machine; only that word lets the other one take over.
    pair.powerOff(asleep);
    // Without a terminal nobody has typed the name: nothing is confirmed, and that is told.
    expect(pair.gemel(awake, "fence", "confirm", asleep)).toMatchObject({ code: 1 });
    expect(pair.gemel(awake, "fence", "confirm", asleep, "--yes", asleep).code).toBe(0);
    await pair.until("the other has the address", () => pair.hasAddress(awake));
    await pair.until("it was looked often enough", () => looks.length > 10);
  } finally {
    clearInterval(look);
  }
  expect(Math.max(...looks)).toBe(1);
});

asRoot("both lose each other and meet again before anybody was fenced: nothing stops, one DC leads", async (run) => {
  const pair = await startPair(run, `${CONFIGURATION}primitive person stonith:meatware\n`, LOSING_TIMES);
  const before = active(pair);
  const since = runsOn(await pair.status("alpha"), "ip")[0]?.sinceWallMs;
  const lengths = NODES.map((node) => pair.log(node).length);
  pair.heart("down");
  await pair.until("each has lost the other", () => NODES.every((node) => pair.log(node).includes("peer-lost")));
  pair.heart("up");
  await pair.until("both are members and idle", async () => {
    const both = await Promise.all(NODES.map((node) => pair.status(node)));
    const [one, second] = both;
    const online = both.every((status) => status?.nodes.every(({ state }) => state === "online") === true);
    return online && one?.dc !== undefined && one.dc === second?.dc && !one.transition.isRunning;
  });
  expect(active(pair)).toBe(before);
  expect(runsOn(await pair.status("alpha"), "ip")).toMatchObject([{ node: before, sinceWallMs: since }]);
  const said = NODES.map((node, index) => pair.log(node).slice(lengths[index])).join("\n");
  expect(said).toMatch(/is given up: (?:alpha|bravo) has come back/);
  expect(said).not.toMatch(/(?:ip|dummy|state)[^\n]*: (?:stop|demote|start|promote) on/);
});

asRoot("who loses its clients hands over; a host that dies for both sides moves nothing", async (run) => {
  const rule = "location best-connected service rule pingd: defined pingd\n";
  // The client's bridge has this address, and a second one that can be taken away from both sides at once.
  const pair = await startPair(run, `${WITHOUT_FENCING}${rule}`, [
    ...PATIENT_TIMES,
    "deadping 3s",
    "ping client 198.18.3.9",
    "ping printer 198.18.3.10",
  ]);
  const scores = async () => {
    const status = await pair.status("alpha");
    return NODES.map((node) => status?.nodes.find(({ name }) => name === node)?.attributes["pingd"]);
  };
  pair.clientAddress("add", "198.18.3.10/24");
  await pair.until("both reach both", async () => (await scores()).join() === "200,200");
  const before = active(pair);
  pair.clientAddress("del", "198.18.3.10/24");
  await pair.until("both have lost the printer", async () => (await scores()).join() === "100,100");
  expect(active(pair)).toBe(before);
  pair.service(before, "down");
  await pair.until("the other has the address", () => pair.hasAddress(other(before)) && !pair.hasAddress(before));
  expect(pair.log(before)).not.toContain("peer-lost");
  expect(pair.log(other(before))).not.toContain("peer-lost");
});

asRoot("nothing is taken over before the fencing, here by a person, is confirmed", async (run) => {
  const pair = await startPair(run, `${CONFIGURATION}primitive person stonith:meatware\n`, LOSING_TIMES);
  const dead = active(pair);
  const alive = other(dead);
  const early = pair.gemel(alive, "fence", "confirm", dead, "--yes", dead);
  expect(early.code).toBe(1);
  pair.cut(dead);
  await pair.until("a person is asked", () => pair.log(alive).includes(`gemel fence confirm ${dead}`));
  const status = await pair.status(alive);
  expect(status?.nodes.find(({ name }) => name === dead)?.state).toBe("unclean");
  expect(status?.problems[0]?.what).toContain("a PERSON is waited for");
  expect(status?.problems[0]?.doNow).toMatch(new RegExp(`^switch ${dead} off by hand.*gemel fence confirm ${dead}`));
  const open = { outcome: "running", awaitsPerson: true, by: `${alive}: the cluster` };
  expect(status?.fencing.history.at(-1)).toMatchObject(open);
  expect(pair.hasAddress(alive)).toBe(false);
  expect(pair.gemel(alive, "fence", "confirm", dead, "--yes", dead).code).toBe(0);
  await pair.until("the other has the address", () => pair.hasAddress(alive));
  // Who, where, and what he did: nobody switches on again what a person has switched off.
  const history = pair.gemel(alive, "fence", "history").output;
  expect(history).toMatch(new RegExp(`off of ${dead}: confirmed by operator on ${alive}, .*root on ${alive}`));
  const after = await pair.status(alive);
  expect(after?.problems.map(({ what }) => what).join()).toMatch(`${dead} has no power: switched off by`);
});

asRoot("a manager that is killed comes back; its resources run on untouched", async (run) => {
  const pair = await startPair(run, WITHOUT_FENCING, PATIENT_TIMES);
  for (const node of NODES) {
    const where = active(pair);
    const since = runsOn(await pair.status(node), "ip")[0]?.sinceWallMs;
    pair.killManager(node);
    await pair.until("it is back", async () => {
      const status = await pair.status(node);
      return status?.dc !== undefined && runsOn(status, "ip").length === 1 && !status.transition.isRunning;
    });
    expect(active(pair)).toBe(where);
    expect(pair.hasAddress(other(where))).toBe(false);
    expect(since).toBeGreaterThan(0);
    expect(pair.log(other(node))).not.toContain("FENCING IS DISABLED");
  }
});

asRoot("operators: standby moves, online does not move back, a wrong configuration is refused whole", async (run) => {
  const pair = await startPair(run, WITHOUT_FENCING, PATIENT_TIMES);
  const first = active(pair);
  expect(pair.gemel(first, "crm", "node", "standby", first).code).toBe(0);
  await pair.until("the other has the address", () => pair.hasAddress(other(first)));
  expect(pair.hasAddress(first)).toBe(false);
  expect(pair.gemel(first, "crm", "node", "online", first).code).toBe(0);
  const before = await pair.status("alpha");
  const wrong = path.join(pair.folder, "wrong.crm");
  writeFileSync(wrong, "primitive x ocf:gemel:Dummy\ngroup g x missing\nlocation l nobody 100: alpha\n");
  const refused = pair.gemel("alpha", "crm", "configure", "load", "update", wrong);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("missing");
  expect(refused.output).toContain("nobody");
  expect((await pair.status("alpha"))?.resources).toHaveLength(before?.resources.length ?? 0);
  const doctor = pair.gemel("bravo", "doctor");
  expect([doctor.code, doctor.output]).toEqual([1, expect.stringContaining("fencing is disabled")]);
  // Both nodes have one clock here: whatever else is found, it is not that.
  expect(doctor.output).not.toMatch(/clock of|its time/);
  const monitor = pair.gemel("bravo", "crm-mon", "-1");
  expect(monitor.code).toBe(0);
  expect(monitor.output).toContain("  * Online: [ alpha bravo ]");
});

asRoot("a node that is stopped hands over first; then the last one stops as well", async (run) => {
  const pair = await startPair(run, WITHOUT_FENCING, PATIENT_TIMES);
  const first = active(pair);
  pair.signal(first, "SIGTERM");
  expect(await pair.ended(first)).toBe(0);
  await pair.until("the other has the address", () => pair.hasAddress(other(first)));
  expect(pair.hasAddress(first)).toBe(false);
  expect(pair.log(other(first))).not.toContain("FENCING IS DISABLED");
  pair.signal(other(first), "SIGTERM");
  expect(await pair.ended(other(first))).toBe(0);
  expect(pair.hasAddress(other(first))).toBe(false);
});

asRoot("a wrong cluster configuration: every problem is told, and the node does not start", async (run) => {
  const pair = openNodePair({
    times: PATIENT_TIMES,
    configuration: "primitive x nonsense\ngroup g y z\nproperty a b\n",
  });
  run.onTestFinished(() => pair.close());
  pair.start("alpha");
  expect(await pair.ended("alpha")).not.toBe(0);
  expect(pair.log("alpha").match(/cluster\.crm:\d+.*error/g)?.length).toBeGreaterThanOrEqual(2);
});
