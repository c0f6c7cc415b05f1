/**
 * A pair of real nodes with boards on which each row of docs/operations/what-to-do.md can be provoked: a service that
 * fails to order, an address, a ping target, a disk of each node, two links, two boards.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { StatusProblem, StatusReport } from "../../../src/app/control-protocol.ts";
import { ADDRESS, NODES, type NodeName, type NodePair, openNodePair } from "../../app/node-pair.ts";
import { type IpmiSim, startIpmiSim } from "../ipmi-sim.ts";

const AGENTS = path.resolve(import.meta.dirname, "ocf");
/** Where the boards listen: the client's end of the service network. */
const BOARD_ADDRESS = "198.18.3.9";
export const PING_TARGET = "198.18.3.10";
/** Of every monitor here: within one of them the diagnosis has to stand. */
export const MONITOR_MS = 3_000;
export const DEADTIME_MS = 3_000;
export const INITDEAD_MS = 5_000;
const SECONDS = MONITOR_MS / 1000;

export interface Stage {
  readonly pair: NodePair;
  readonly boards: Readonly<Record<NodeName, IpmiSim>>;
  /** Lets the service's action end with that code on that node; undefined: well again. */
  readonly order: (node: NodeName, action: "start" | "stop" | "monitor" | "probe", code: number | undefined) => void;
  /** Whether the service runs there, by the world; `pretend` makes it so behind the cluster's back. */
  readonly pretend: (node: NodeName, runs: boolean) => void;
  readonly disk: (node: NodeName, isThere: boolean) => void;
  /** Cuts or joins both links between the nodes; both go on to reach the boards. */
  readonly links: (state: "up" | "down") => void;
  /** Runs `gemel ...` at that node; throws with what it said when it fails. */
  readonly tell: (node: NodeName, ...argv: readonly string[]) => string;
  /** Where the service stands. */
  readonly active: () => Promise<NodeName>;
  /** Both online, the service on one of them, nothing under way. */
  readonly rest: () => Promise<void>;
  readonly problem: (asked: NodeName, code: string) => Promise<StatusProblem | undefined>;
  readonly close: () => Promise<void>;
}

export const otherOf = (node: NodeName): NodeName => (node === "alpha" ? "bravo" : "alpha");

function configurationText(folder: string, boards: Readonly<Record<NodeName, IpmiSim>>): string {
  const times = "op start timeout=20s op stop timeout=20s on-fail=block";
  const looks = `op monitor interval=${SECONDS}s timeout=20s`;
  const perNode = NODES.flatMap((node) => [
    `primitive fence-${node} stonith:ipmi-lan params host=${BOARD_ADDRESS} port=${boards[node].port} user=admin` +
      ` secret=board pcmk_host_list=${node} settle_time=100ms answer_time=2s`,
    `location fence-${node}-elsewhere fence-${node} -inf: ${node}`,
    `primitive disk-${node} ocf:gemel:diskd params write_dir=${path.join(folder, `disk-${node}`)} ${looks}`,
    `location disk-${node}-here disk-${node} rule -inf: #uname ne ${node}`,
  ]);
  return `${[
    `primitive db ocf:advice:service params orders=${path.join(folder, "orders")} ${looks}` +
      ` op monitor interval=${SECONDS + 1}s role=Stopped timeout=20s ${times} meta multiple-active=block`,
    `primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service ${looks} ${times}`,
    "group service db ip",
    `primitive net ocf:gemel:ping params name=default_ping_set host_list=${PING_TARGET} multiplier=100 ${looks}`,
    "clone clnNet net",
    ...perNode,
    "property stonith-enabled=true no-quorum-policy=ignore cluster-recheck-interval=60s",
    "rsc_defaults resource-stickiness=100",
  ].join("\n")}\n`;
}

/** `patientMs`: deadtime and initdead where no node is to be lost. */
export async function openStage(patientMs?: number): Promise<Stage> {
  const [deadtimeMs, initdeadMs] = [patientMs ?? DEADTIME_MS, patientMs ?? INITDEAD_MS];
  const times = ["keepalive 200ms", `deadtime ${deadtimeMs}ms`, `initdead ${initdeadMs}ms`, `agents ${AGENTS}`];
  const spare = "link spare udp alpha=198.18.3.1:694 bravo=198.18.3.2:694";
  const pair = openNodePair({ times: [...times, spare], configuration: "property stonith-enabled=true\n" });
  const place = (name: string) => path.join(pair.folder, name);
  const cutsPower = (node: NodeName) => {
    const script = `#!/bin/sh\nfor pid in $(ip netns pids ${pair.space(node)}); do kill -9 $pid; done 2>/dev/null
ip -n ${pair.space(node)} addr del ${ADDRESS}/24 dev service 2>/dev/null\nrm -f ${place(`orders/${node}.runs`)}\n`;
    writeFileSync(place(`${node}/cut-power`), script, { mode: 0o755 });
    return place(`${node}/cut-power`);
  };
  const board = (node: NodeName) =>
    startIpmiSim({
      machine: "file",
      address: BOARD_ADDRESS,
      launch: (file, argv) => pair.client(file, ...argv),
      cutsPower: cutsPower(node),
    });
  const boards = { alpha: await board("alpha"), bravo: await board("bravo") };
  mkdirSync(place("orders"));
  for (const node of NODES) mkdirSync(place(`disk-${node}`));
  writeFileSync(place("secrets"), "board=adminpw\n", { mode: 0o600 });
  writeFileSync(place("cluster.crm"), configurationText(pair.folder, boards));
  pair.clientAddress("add", `${PING_TARGET}/24`);

  const runsOn = (status: StatusReport | undefined) =>
    status?.resources.find(({ id }) => id === "db")?.active.map(({ node }) => node as NodeName) ?? [];
  const stage: Stage = {
    pair,
    boards,
    order(node, action, code) {
      const file = place(`orders/${node}.${action}`);
      if (code === undefined) rmSync(file, { force: true });
      else writeFileSync(file, `${code}\n`);
    },
    pretend(node, runs) {
      if (runs) writeFileSync(place(`orders/${node}.runs`), "");
      else rmSync(place(`orders/${node}.runs`), { force: true });
    },
    disk(node, isThere) {
      if (isThere) mkdirSync(place(`disk-${node}`), { recursive: true });
      else rmSync(place(`disk-${node}`), { recursive: true });
    },
    links(state) {
      pair.heart(state);
      const verb = state === "down" ? "add" : "del";
      for (const [index, node] of NODES.entries()) {
        const peer = `198.18.3.${2 - index}/32`;
        execFileSync("ip", ["-n", pair.space(node), "route", verb, "blackhole", peer]);
      }
    },
    tell(node, ...argv) {
      const { code, output } = pair.gemel(node, ...argv);
      if (code !== 0) throw new Error(`gemel ${argv.join(" ")} at ${node} ended with ${code}: ${output}`);
      return output;
    },
    async active() {
      const [node] = runsOn((await pair.status("alpha")) ?? (await pair.status("bravo")));
      if (node === undefined) throw new Error("the service runs nowhere");
      return node;
    },
    async rest() {
      await pair.until("the pair is at rest", async () => {
        const both = await Promise.all(NODES.map((node) => pair.status(node)));
        return both.every(
          (status) =>
            status?.nodes.every(({ state }) => state === "online") === true &&
            !status.transition.isRunning &&
            runsOn(status).length === 1,
        );
      });
    },
    problem: async (asked, code) => (await pair.status(asked))?.problems.find((one) => one.code === code),
    async close() {
      for (const node of NODES) await boards[node].stop();
      await pair.close();
    },
  };
  for (const node of NODES) pair.start(node);
  try {
    await stage.rest();
  } catch (error) {
    await stage.close();
    throw error;
  }
  return stage;
}
