/**
 * What must hold after every round, judged by the world beside what the nodes say of it: one DC and quorum for those
 * that run, one configuration, every resource where it should be and nowhere twice, groups together, nothing left over,
 * no crash, no change of the configuration lost. Every breach is told, not only the first.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { StatusReport } from "../../../src/app/control-protocol.ts";
import { sha256 } from "../../../src/app/manager/black-box.ts";
import { NODE_TOOLS } from "../../../src/app/manager/manager.ts";
import { childOf, childrenOf, parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { stepNode } from "../../../src/cluster/core/controller/node-core.ts";
import { replay, type Step } from "../../../src/cluster/core/journal/replay.ts";
import type { Cluster } from "./cluster.ts";
import { FRONT, NODES, type NodeName, SINGLES } from "./configuration.ts";
import { LEDGER_NODE } from "./ledger.ts";

const LOOK_MS = 200;
/** A crashed node's resources come back after its boot, its fencing and the others' waits; on a busy machine late. */
export const SETTLE_MAX_MS = 300_000;
/** Words of a program that has met its own fault. */
const CRASH = /the keeper ended|invariant|AssertionError|TypeError|RangeError|ReferenceError|this is a fault of gemel/;

type Statuses = ReadonlyMap<NodeName, StatusReport>;

const up = (cluster: Cluster): readonly NodeName[] => NODES.filter((node) => cluster.wanted.has(node));
export const hasMajority = (cluster: Cluster): boolean => 2 * cluster.wanted.size > NODES.length;

async function statuses(cluster: Cluster): Promise<Statuses> {
  const found = await Promise.all(up(cluster).map(async (node) => [node, await cluster.status(node)] as const));
  return new Map(found.flatMap(([node, status]) => (status === undefined ? [] : [[node, status] as const])));
}

/** Whether the nodes agree with each other and have nothing more to do. */
function unsettled(cluster: Cluster, all: Statuses): string | undefined {
  for (const node of up(cluster)) {
    const status = all.get(node);
    if (status === undefined) return `${node} does not answer`;
    if (status.dc === undefined) return `${node} knows no DC`;
    if (status.dc !== [...all.values()][0]?.dc) return "the nodes follow different DCs";
    if (status.transition.isRunning) return `${node} sees a transition running`;
    for (const { name, state } of status.nodes) {
      const isUp = cluster.wanted.has(name as NodeName);
      if (isUp && state !== "online" && state !== "maintenance") return `${node} says ${name} is ${state}`;
      // Whoever starts beside nodes that just leave has never heard of them, and without a majority cannot find out.
      const isKnown = state === "offline" || (state === "unclean" && !hasMajority(cluster));
      if (!isUp && !isKnown) return `${node} says that stopped ${name} is ${state}`;
    }
  }
  return undefined;
}

function worldBreaches(cluster: Cluster, isServing: boolean): readonly string[] {
  const breaches: string[] = [];
  const worlds = new Map(NODES.map((node) => [node, cluster.world(node)]));
  const on = (id: string) => NODES.filter((node) => worlds.get(node)?.has(id) === true);
  for (const id of SINGLES) {
    const places = on(id);
    if (places.length !== (isServing ? 1 : 0)) breaches.push(`${id} runs on [${places.join(", ")}]`);
  }
  const promoted = NODES.filter((node) => worlds.get(node)?.get("mirror-state") === "Promoted");
  if (promoted.length !== (isServing ? 1 : 0)) breaches.push(`mirror is promoted on [${promoted.join(", ")}]`);
  for (const id of ["mirror-state", "everywhere-dummy"])
    if (on(id).join() !== (isServing ? up(cluster).join() : ""))
      breaches.push(`${id} runs on [${on(id).join(", ")}], up are [${up(cluster).join(", ")}]`);
  const front = new Set(FRONT.flatMap(on));
  if (isServing && (front.size !== 1 || !promoted.every((node) => front.has(node))))
    breaches.push(`front is on [${[...front].join(", ")}] and the promoted mirror on [${promoted.join(", ")}]`);
  return breaches;
}

function statusBreaches(cluster: Cluster, all: Statuses): readonly string[] {
  const breaches: string[] = [];
  for (const [teller, status] of all) {
    if (status.hasQuorum !== hasMajority(cluster)) breaches.push(`${teller} says quorum: ${status.hasQuorum}`);
    for (const { id, agent, active } of status.resources) {
      if (agent.startsWith("stonith:")) continue;
      for (const node of NODES) {
        const role = cluster.world(node).get(id);
        const told = active.find((one) => one.node === node)?.role;
        if (told !== role)
          breaches.push(`${teller} says ${id} on ${node} is ${told ?? "stopped"}; it is ${role ?? "stopped"}`);
      }
    }
  }
  return breaches;
}

/** The configuration that each node holds; undefined where it does not answer. */
async function configurations(cluster: Cluster): Promise<ReadonlyMap<NodeName, string>> {
  const found = new Map<NodeName, string>();
  for (const node of up(cluster)) {
    const reply = await cluster.ask(node, { kind: "cib-query", section: "configuration" });
    if (reply.kind === "answer") found.set(node, reply.value.xml);
  }
  return found;
}

function ledgerOf(configuration: string): ReadonlyMap<string, number> {
  const read = parseXml(configuration);
  const root: XmlElement | undefined = read.kind === "xml" ? read.root : undefined;
  const node = childrenOf(childOf(root, "nodes"), "node").find(({ attributes }) => attributes.uname === LEDGER_NODE);
  const pairs = childrenOf(childOf(node, "instance_attributes"), "nvpair");
  return new Map(pairs.map(({ attributes }) => [attributes.name ?? "", Number(attributes.value)]));
}

async function configurationBreaches(
  cluster: Cluster,
  acknowledged: ReadonlyMap<string, number>,
): Promise<readonly string[]> {
  const found = await configurations(cluster);
  const hash = (text: string) => sha256(text).slice(0, 8);
  const kinds = new Map([...found].map(([node, text]) => [node, hash(text)]));
  const breaches: string[] = [];
  if (new Set(kinds.values()).size > 1)
    breaches.push(`configurations differ: ${[...kinds].map(([node, kind]) => `${node} ${kind}`).join(", ")}`);
  for (const [node, text] of found) {
    const held = ledgerOf(text);
    for (const [name, number] of acknowledged)
      if ((held.get(name) ?? 0) < number)
        breaches.push(`${node} has lost the acknowledged ${name}=${number}: it holds ${held.get(name) ?? "nothing"}`);
  }
  return breaches;
}

function leftoverBreaches(cluster: Cluster): readonly string[] {
  return NODES.flatMap((node) => {
    const processes = cluster.processes(node);
    const count = (kind: string) => processes.filter((one) => one.kind === kind).length;
    const wanted = cluster.wanted.has(node) ? 1 : 0;
    const daemons = [...cluster.world(node).keys()].filter((id) => id.includes("writer")).length;
    const breaches: string[] = [];
    if (count("keeper") !== wanted || count("manager") !== wanted)
      breaches.push(`${node} has ${count("keeper")} keepers and ${count("manager")} managers`);
    if (count("daemon") !== daemons) breaches.push(`${node} has ${count("daemon")} daemons for ${daemons} writers`);
    return breaches;
  });
}

/** Whether all that each node has decided so far is decided the same again from its black box. */
export function replayBreaches(cluster: Cluster): readonly string[] {
  const step: Step = (state, event, now) => stepNode(state, event, now, NODE_TOOLS);
  return NODES.flatMap((node) => {
    const segments = cluster.journal(node);
    const { kind, atSegment, atLine, reason } = replay(segments, { step, hash: sha256 });
    return kind === "same" ? [] : [`the journal of ${node}, segment ${atSegment}, line ${atLine}: ${reason}`];
  });
}

/** Waits until the cluster is at rest and everything is in its place; what is still wrong at the end is told. */
export async function audit(
  cluster: Cluster,
  acknowledged: ReadonlyMap<string, number>,
  logLengths: ReadonlyMap<NodeName, number>,
  violationsBefore: number,
): Promise<readonly string[]> {
  const startedAtMs = performance.now();
  let breaches: readonly string[] = ["never looked"];
  while (breaches.length > 0 && performance.now() - startedAtMs < SETTLE_MAX_MS) {
    await sleep(LOOK_MS);
    const all = await statuses(cluster);
    const waiting = unsettled(cluster, all);
    breaches =
      waiting === undefined
        ? [
            ...worldBreaches(cluster, hasMajority(cluster)),
            ...statusBreaches(cluster, all),
            ...leftoverBreaches(cluster),
            ...(await configurationBreaches(cluster, acknowledged)),
          ]
        : [waiting, ...worldBreaches(cluster, hasMajority(cluster))];
  }
  const crashes = NODES.flatMap((node) =>
    cluster
      .log(node)
      .slice(logLengths.get(node) ?? 0)
      .split("\n")
      .filter((line) => CRASH.test(line))
      .map((line) => `${node} says: ${line}`),
  );
  return [...breaches, ...crashes, ...cluster.violations().slice(violationsBefore)];
}
