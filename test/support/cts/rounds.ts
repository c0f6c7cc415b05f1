/**
 * The rounds: each does one thing to the cluster and says what went wrong while it was done; the audits come after it.
 * They are Pacemaker's lab tests by what they do (reference/product.md, section 6), and the deaths of our processes.
 */
import { rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ControlRequest } from "../../../src/app/control-protocol.ts";
import type { Chance } from "../../../src/base/chance.ts";
import { SETTLE_MAX_MS } from "./audits.ts";
import type { Cluster, NodeProcess } from "./cluster.ts";
import { ADDRESS, NODES, type NodeName, OTHER_ADDRESS, SINGLES } from "./configuration.ts";

export interface Stage {
  readonly cluster: Cluster;
  readonly chance: Chance;
  /** What happens, for the reader of the run. */
  readonly say: (text: string) => void;
}

/** What must be up before the round begins. */
type Before = "all" | "any";

export interface Round {
  readonly before: Before;
  /** Nodes may be fenced in it. */
  readonly isViolent: boolean;
  readonly run: (stage: Stage) => Promise<readonly string[]>;
}

const LOOK_MS = 100;
/** After 30 s the cluster says at least that it does not know. */
const ANSWER_MS = 35_000;
/** An orderly stop waits for the resources, and for a DC that may be about to leave as well. */
const STOP_MAX_MS = 90_000;

async function until(condition: () => Promise<boolean> | boolean, limitMs = SETTLE_MAX_MS): Promise<boolean> {
  const startedAtMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAtMs > limitMs) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

const up = ({ cluster }: Stage): readonly NodeName[] => NODES.filter((node) => cluster.wanted.has(node));

function pickOf<Value>({ chance }: Stage, values: readonly Value[]): Value {
  const value = values[chance.below(values.length)];
  if (value === undefined) throw new Error("nothing to pick from");
  return value;
}

async function isOnline({ cluster }: Stage, node: NodeName): Promise<boolean> {
  const status = await cluster.status(node);
  const state = status?.nodes.find(({ name }) => name === node)?.state;
  return status?.dc !== undefined && (state === "online" || state === "maintenance");
}

async function start(stage: Stage, nodes: readonly NodeName[]): Promise<readonly string[]> {
  for (const node of nodes) stage.cluster.start(node);
  const late = await Promise.all(
    nodes.map(async (node) => ((await until(() => isOnline(stage, node))) ? [] : [`${node} does not come online`])),
  );
  return late.flat();
}

async function stop({ cluster }: Stage, nodes: readonly NodeName[]): Promise<readonly string[]> {
  const problems = await Promise.all(
    nodes.map(async (node) => {
      const late = sleep(STOP_MAX_MS, "late" as const, { ref: false });
      const code = await Promise.race([cluster.stop(node), late]);
      if (code === "late") {
        for (const { pid } of cluster.processes(node)) cluster.kill(pid);
        return [`the orderly stop of ${node} did not end within ${STOP_MAX_MS / 1000} s`];
      }
      const left = [...cluster.world(node).keys()];
      return [
        ...(code === 0 ? [] : [`the orderly stop of ${node} ended with ${code}`]),
        ...(left.length === 0 ? [] : [`${node} was stopped and left ${left.join(", ")} running`]),
      ];
    }),
  );
  return problems.flat();
}

/** Stopping those without whom there is no majority keeps resources from running: that is no fault. */
const flip = async (stage: Stage): Promise<readonly string[]> => {
  const node = pickOf(stage, NODES);
  const isUp = stage.cluster.wanted.has(node);
  stage.say(`${isUp ? "stop" : "start"} ${node}`);
  return isUp ? await stop(stage, [node]) : await start(stage, [node]);
};

async function ask(stage: Stage, request: ControlRequest): Promise<readonly string[]> {
  const through = pickOf(stage, up(stage));
  // A manager that is busy or just gone is asked again, as a person would.
  let said = "";
  const done = await until(async () => {
    const reply = await stage.cluster.ask(through, request, ANSWER_MS);
    if (reply.kind === "answer") return true;
    said = reply.kind === "refused" ? JSON.stringify(reply.problems) : reply.reason;
    return false;
  }, 2 * ANSWER_MS);
  return done ? [] : [`${request.kind} through ${through}: ${said}`];
}

function property(stage: Stage, name: string, value: string): Promise<readonly string[]> {
  const pair = `<nvpair id="cib-bootstrap-options-${name}" name="${name}" value="${value}"/>`;
  const set = `<cluster_property_set id="cib-bootstrap-options">${pair}</cluster_property_set>`;
  const xml = `<configuration><crm_config>${set}</crm_config></configuration>`;
  return ask(stage, { kind: "cib-apply", mode: "update", xml });
}

async function setAddress({ cluster }: Stage, value: string, through: NodeName): Promise<readonly string[]> {
  const isDone = await until(async () => {
    const read = await cluster.ask(through, { kind: "cib-query", section: "resources" }, ANSWER_MS);
    const group = read.kind === "answer" ? /<group id="front".*?<\/group>/s.exec(read.value.xml)?.[0] : undefined;
    if (group === undefined) return false;
    const changed = group.replace(/(name="ip" value=")[^"]*/, `$1${value}`);
    const xml = `<configuration><resources>${changed}</resources></configuration>`;
    const reply = await cluster.ask(through, { kind: "cib-apply", mode: "update", xml }, ANSWER_MS);
    return reply.kind === "answer";
  });
  return isDone ? [] : [`the address could not be changed through ${through}`];
}

const whereIs = ({ cluster }: Stage, id: string) => NODES.find((node) => cluster.world(node).has(id));

/** Breaks a running resource behind the cluster's back; answers what it has broken. */
function breakResource(stage: Stage, id: string, node: NodeName): void {
  const { cluster } = stage;
  const file = path.join(cluster.folder, node, "run/resource-agents", `${id}.pid`);
  rmSync(file, { force: true });
  rmSync(path.join(cluster.folder, "claims", id), { force: true });
}

async function killOne(stage: Stage, kinds: readonly NodeProcess["kind"][]): Promise<readonly string[]> {
  const node = pickOf(stage, up(stage));
  const candidates = stage.cluster.processes(node).filter(({ kind }) => kinds.includes(kind));
  if (candidates.length === 0) return [];
  const victim = pickOf(stage, candidates);
  stage.say(`kill -9 of ${victim.kind} ${victim.pid} on ${node}`);
  stage.cluster.kill(victim.pid);
  return [];
}

export const ROUNDS: Readonly<Record<string, Round>> = {
  Flip: { before: "any", isViolent: false, run: flip },
  Restart: {
    before: "any",
    isViolent: false,
    async run(stage) {
      const node = pickOf(stage, NODES);
      stage.say(node);
      const first = stage.cluster.wanted.has(node) ? await stop(stage, [node]) : [];
      return [...first, ...(await start(stage, [node]))];
    },
  },
  StartOnebyOne: {
    before: "any",
    isViolent: false,
    async run(stage) {
      const problems = [...(await stop(stage, up(stage)))];
      for (const node of NODES) problems.push(...(await start(stage, [node])));
      return problems;
    },
  },
  SimulStart: {
    before: "any",
    isViolent: false,
    run: async (stage) => [...(await stop(stage, up(stage))), ...(await start(stage, NODES))],
  },
  SimulStop: { before: "all", isViolent: false, run: (stage) => stop(stage, NODES) },
  StopOnebyOne: {
    before: "all",
    isViolent: false,
    async run(stage) {
      const problems: string[] = [];
      for (const node of NODES) problems.push(...(await stop(stage, [node])));
      return problems;
    },
  },
  PartialStart: {
    before: "any",
    isViolent: false,
    async run(stage) {
      const node = pickOf(stage, NODES);
      const problems = stage.cluster.wanted.has(node) ? [...(await stop(stage, [node]))] : [];
      const afterMs = stage.chance.between(100, 8_000);
      stage.say(`${node}, stopped ${afterMs} ms after its start`);
      stage.cluster.start(node);
      await sleep(afterMs);
      problems.push(...(await stop(stage, [node])));
      return problems;
    },
  },
  Standby: {
    before: "all",
    isViolent: false,
    async run(stage) {
      const node = pickOf(stage, NODES);
      stage.say(node);
      const problems = [...(await ask(stage, { kind: "node", node, action: "standby" }))];
      if (!(await until(() => stage.cluster.world(node).size === 0)))
        problems.push(`${node} is in standby and runs ${[...stage.cluster.world(node).keys()].join(", ")}`);
      if (!(await until(() => SINGLES.every((id) => whereIs(stage, id) !== undefined))))
        problems.push(`with ${node} in standby not everything runs elsewhere`);
      return [...problems, ...(await ask(stage, { kind: "node", node, action: "online" }))];
    },
  },
  MaintenanceMode: {
    before: "all",
    isViolent: false,
    async run(stage) {
      const problems = [...(await property(stage, "maintenance-mode", "true"))];
      const node = whereIs(stage, "writer-two");
      if (node === undefined) return [...problems, "writer-two runs nowhere"];
      const daemons = stage.cluster.processes(node).filter(({ kind }) => kind === "daemon");
      for (const { pid } of daemons) stage.cluster.kill(pid);
      await sleep(5_000);
      const restarted = stage.cluster.processes(node).filter(({ kind }) => kind === "daemon");
      if (restarted.length > 0) problems.push("in maintenance mode a resource was started");
      return [...problems, ...(await property(stage, "maintenance-mode", "false"))];
    },
  },
  ResourceRecover: {
    before: "all",
    isViolent: false,
    async run(stage) {
      const id = pickOf(stage, ["writer-two", "writer-three"]);
      const node = whereIs(stage, id);
      if (node === undefined) return [`${id} runs nowhere`];
      stage.say(`${id} on ${node}`);
      const daemons = stage.cluster.processes(node).filter(({ kind }) => kind === "daemon");
      breakResource(stage, id, node);
      for (const { pid } of daemons) stage.cluster.kill(pid);
      const isCounted = async () => {
        const status = await stage.cluster.status(node);
        return (status?.resources.find((one) => one.id === id)?.failCounts.length ?? 0) > 0;
      };
      const counted = (await until(isCounted)) ? [] : [`the failure of ${id} was not counted`];
      const ran = await until(() => whereIs(stage, id) !== undefined);
      const cleaned: string[] = [];
      for (const one of SINGLES)
        cleaned.push(...(await ask(stage, { kind: "resource", resource: one, action: "cleanup" })));
      return [...counted, ...(ran ? [] : [`${id} was not recovered`]), ...cleaned];
    },
  },
  ComponentFail: { before: "all", isViolent: true, run: (stage) => killOne(stage, ["keeper", "manager", "agent"]) },
  /** Ten deaths: of whatever runs of ours, on any node; one on the other's heels, or with time for work between. */
  ProcessesFail: {
    before: "all",
    isViolent: true,
    async run(stage) {
      const killed: string[] = [];
      const pauseMaxMs = stage.chance.happens(50) ? 2_000 : 10_000;
      for (let kills = 0; kills < 10; kills += 1) {
        const nodes = NODES.filter((node) => stage.cluster.processes(node).some(({ kind }) => kind === "manager"));
        const own = nodes.flatMap((node) =>
          stage.cluster.processes(node).flatMap(({ pid, kind }) => (kind === "daemon" ? [] : [{ node, pid, kind }])),
        );
        // All may be dead at this moment.
        const victim = own[stage.chance.below(Math.max(1, own.length))];
        if (victim !== undefined && stage.cluster.kill(victim.pid)) killed.push(`${victim.kind} on ${victim.node}`);
        await sleep(stage.chance.between(0, pauseMaxMs));
      }
      stage.say(killed.join(", "));
      return [];
    },
  },
  ManagerFail: { before: "all", isViolent: false, run: (stage) => killOne(stage, ["manager"]) },
  /** The address is another one by the time that its node's manager is back: the old one must not stay behind. */
  ChangeWhileDown: {
    before: "all",
    isViolent: false,
    async run(stage) {
      const { cluster } = stage;
      const node = whereIs(stage, "address");
      if (node === undefined) return ["address runs nowhere"];
      for (const { pid, kind } of cluster.processes(node)) if (kind === "manager") cluster.kill(pid);
      stage.say(node);
      const others = NODES.filter((one) => one !== node);
      const through = pickOf(stage, others);
      const problems = [...(await setAddress(stage, OTHER_ADDRESS, through))];
      const holders = (address: string) => NODES.filter((one) => cluster.network.hasAddress(one, address));
      if (!(await until(() => holders(OTHER_ADDRESS).length === 1 && holders(ADDRESS).length === 0)))
        problems.push(
          `${ADDRESS} is on [${holders(ADDRESS).join()}], ${OTHER_ADDRESS} on [${holders(OTHER_ADDRESS).join()}]`,
        );
      return [...problems, ...(await setAddress(stage, ADDRESS, through))];
    },
  },
  /** The DC's manager is killed while it moves everything. */
  LeaderFail: {
    before: "all",
    isViolent: true,
    async run(stage) {
      const { cluster, chance } = stage;
      const dc = (await cluster.status(pickOf(stage, up(stage))))?.dc as NodeName | undefined;
      const node = NODES.find((one) => cluster.world(one).has("front-writer"));
      if (dc === undefined || node === undefined) return ["there is no DC or no service before the round"];
      const problems = [...(await ask(stage, { kind: "node", node, action: "standby" }))];
      const afterMs = chance.between(0, 600);
      const kind = chance.happens(50) ? "manager" : "keeper";
      await sleep(afterMs);
      stage.say(`${kind} of the DC ${dc}, ${afterMs} ms after standby of ${node}`);
      for (const one of cluster.processes(dc)) if (one.kind === kind) cluster.kill(one.pid);
      if (!(await until(() => SINGLES.every((id) => whereIs(stage, id) !== undefined && whereIs(stage, id) !== node))))
        problems.push(`not everything has left ${node}`);
      return [...problems, ...(await ask(stage, { kind: "node", node, action: "online" }))];
    },
  },
  /** The keeper dies, as its machine would; the others fence the node, or it is back before. */
  KeeperFail: { before: "all", isViolent: true, run: (stage) => killOne(stage, ["keeper"]) },
  SplitBrain: {
    before: "all",
    isViolent: true,
    async run(stage) {
      const lonely = pickOf(stage, NODES);
      const others = NODES.filter((node) => node !== lonely);
      const forMs = stage.chance.between(500, 20_000);
      stage.say(`${lonely} alone for ${forMs} ms`);
      stage.cluster.network.divide([[lonely], others]);
      await sleep(forMs);
      stage.cluster.network.divide([]);
      return [];
    },
  },
  Stonithd: {
    before: "all",
    isViolent: true,
    async run(stage) {
      const node = pickOf(stage, NODES);
      const by = pickOf(
        stage,
        NODES.filter((one) => one !== node),
      );
      stage.say(`${node} by ${by}`);
      const before = stage.cluster.fencings(node);
      const reply = await stage.cluster.ask(by, { kind: "fence", target: node, action: "reboot" }, 60_000);
      const said = reply.kind === "answer" ? reply.value.outcome : JSON.stringify(reply);
      if (said !== "confirmed") return [`fencing of ${node} through ${by}: ${said}`];
      return stage.cluster.fencings(node) > before ? [] : [`${node} was said to be fenced and was not`];
    },
  },
  Reattach: {
    before: "all",
    isViolent: false,
    async run(stage) {
      const { cluster } = stage;
      const daemons = () => NODES.flatMap((node) => cluster.processes(node)).filter(({ kind }) => kind === "daemon");
      const before = daemons().map(({ pid }) => pid);
      const problems = [...(await property(stage, "maintenance-mode", "true"))];
      for (const node of NODES) {
        const late = sleep(STOP_MAX_MS, "late" as const, { ref: false });
        if ((await Promise.race([cluster.stop(node), late])) !== 0) problems.push(`${node} did not stop in order`);
      }
      problems.push(...(await start(stage, NODES)));
      problems.push(...(await property(stage, "maintenance-mode", "false")));
      const isSettled = async () => (await cluster.status(NODES[0]))?.transition.isRunning === false;
      await until(isSettled);
      await sleep(2_000);
      const after = daemons().map(({ pid }) => pid);
      if (before.join() !== after.join()) problems.push(`daemons were ${before.join(" ")}, are ${after.join(" ")}`);
      return problems;
    },
  },
  ResyncCIB: {
    before: "all",
    isViolent: false,
    async run(stage) {
      const node = pickOf(stage, NODES);
      stage.say(node);
      const problems = [...(await stop(stage, [node]))];
      stage.cluster.forgetCib(node);
      return [...problems, ...(await start(stage, [node]))];
    },
  },
  NearQuorumPoint: {
    before: "any",
    isViolent: false,
    async run(stage) {
      const stopping = NODES.filter((node) => stage.cluster.wanted.has(node) && stage.chance.happens(50));
      const starting = NODES.filter((node) => !stage.cluster.wanted.has(node) && stage.chance.happens(50));
      stage.say(`stop [${stopping.join(", ")}], start [${starting.join(", ")}]`);
      // A node that starts into a cluster without a majority is not online before there is one.
      for (const node of starting) stage.cluster.start(node);
      return await stop(stage, stopping);
    },
  },
};

/** Brings up what the round wants, before it begins. */
export async function prepare(stage: Stage, before: Before): Promise<readonly string[]> {
  const down = NODES.filter((node) => !stage.cluster.wanted.has(node));
  return before === "all" && down.length > 0 ? await start(stage, down) : [];
}
