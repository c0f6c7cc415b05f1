/**
 * Two living nodes that lose each other while both boards answer: exactly one survives, the one that serves. Real
 * processes in namespaces, real ipmi_sim boards; what a board switches off is killed. Needs root.
 * GEMEL_RACES=20 runs as many rounds; the sides change after each.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { ADDRESS, NODES, type NodeName, type NodePair, openNodePair } from "../app/node-pair.ts";
import { type IpmiSim, startIpmiSim } from "../support/ipmi-sim.ts";
import { skips } from "../support/skip.ts";

const ROUNDS = Number(process.env["GEMEL_RACES"] ?? 2);
const ROUND_MAX_MS = 90_000;
const isRoot = process.getuid?.() === 0;
/** The client's own address, where the boards listen: it is reached without the cable between the nodes. */
const BOARDS = "198.18.3.9";

let pair: NodePair | undefined;
const boards = new Map<NodeName, IpmiSim>();
let electrician: NodeJS.Timeout | undefined;

afterEach(async () => {
  clearInterval(electrician);
  await pair?.close();
  for (const board of boards.values()) await board.stop();
});

const other = (node: NodeName): NodeName => (node === "alpha" ? "bravo" : "alpha");

function configuration(): string {
  const devices = NODES.map((node) => {
    const login = `host=${BOARDS} port=${boards.get(node)?.port} user=admin secret=board pcmk_host_list=${node}`;
    return `primitive fence-${node} stonith:ipmi-lan params ${login} settle_time=200ms answer_time=2s
location fence-${node}-elsewhere fence-${node} -inf: ${node}`;
  });
  return `primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service op monitor interval=5s
${devices.join("\n")}
property no-quorum-policy=ignore stonith-enabled=true stonith-action=off
`;
}

async function start(): Promise<NodePair> {
  const opened = openNodePair({ times: ["keepalive 200ms", "deadtime 2s", "initdead 10s"], configuration: "" });
  pair = opened;
  for (const node of NODES) {
    const launch = (file: string, argv: readonly string[]) => opened.client(file, ...argv);
    boards.set(node, await startIpmiSim({ machine: "file", address: BOARDS, launch }));
  }
  writeFileSync(path.join(opened.folder, "cluster.crm"), configuration());
  writeFileSync(path.join(opened.folder, "secrets"), "board=adminpw\n", { mode: 0o600 });
  for (const node of NODES) opened.start(node);
  electrician = setInterval(() => {
    for (const node of NODES) if (boards.get(node)?.power() === "off") opened.powerOff(node);
  }, 20);
  return opened;
}

async function whole(opened: NodePair): Promise<NodeName> {
  await opened.until("one node serves and both are online", async () => {
    const status = await opened.status("bravo");
    const isUp = NODES.filter((node) => opened.hasAddress(node)).length === 1;
    return isUp && status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
  });
  return opened.hasAddress("alpha") ? "alpha" : "bravo";
}

async function changeSides(opened: NodePair, from: NodeName): Promise<void> {
  expect(opened.gemel(from, "crm", "node", "standby", from).code).toBe(0);
  await opened.until("the other side serves", () => opened.hasAddress(other(from)) && !opened.hasAddress(from));
  expect(opened.gemel(from, "crm", "node", "online", from).code).toBe(0);
  await whole(opened);
}

test.skipIf(skips(!isRoot, "it needs root"))(
  `${ROUNDS} races after a cut between living nodes: each ends with one survivor, the node that serves`,
  { timeout: ROUNDS * ROUND_MAX_MS },
  async () => {
    const opened = await start();
    const powers = () => NODES.map((node) => `${node} ${boards.get(node)?.power()}`);
    for (let round = 1; round <= ROUNDS; round++) {
      const first = await whole(opened);
      const loser = other(first);
      expect((await opened.status(first))?.fencing.race.order[0]).toBe(first);
      opened.heart("down");
      await opened.until("somebody is off", () => powers().some((line) => line.endsWith("off")));
      await opened.until(`${first} knows it`, () =>
        opened.gemel(first, "fence", "history").output.includes(`off of ${loser}: confirmed`),
      );
      expect(powers(), `round ${round}`).toEqual(NODES.map((node) => `${node} ${node === loser ? "off" : "on"}`));
      expect(opened.hasAddress(first)).toBe(true);
      opened.heart("up");
      boards.get(loser)?.setPower("on");
      opened.start(loser);
      expect(await whole(opened)).toBe(first);
      await changeSides(opened, first);
    }
    expect(opened.log("alpha") + opened.log("bravo")).toContain("before it fences");
  },
);
