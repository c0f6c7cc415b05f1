/**
 * A pair whose nodes lose each other and keep their boards: both want the other dead. Exactly one may survive, the
 * active one, every time. The boards are `ipmi_sim`, the nodes real processes with full managers.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createChance } from "../../../src/base/chance.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { ADDRESS, type NodeName } from "./configuration.ts";

export const PAIR = ["alpha", "bravo"] as const satisfies readonly NodeName[];
/** Deadtime, the wait of the passive side, the shot, on a busy machine. */
const DECIDED_MS = 120_000;
/** Longer than the passive side waits: a second shot would have come by then. */
const AFTERMATH_MS = 8_000;
const READY_MS = 120_000;
const LOOK_MS = 200;

function configuration(claims: string, board: (node: NodeName) => string): string {
  const devices = PAIR.flatMap((node) => [
    `primitive fence-${node} stonith:ipmi-lan params host=${board(node)} user=admin secret=board` +
      ` pcmk_host_list=${node} settle_time=100ms answer_time=5s`,
    `location fence-${node}-elsewhere fence-${node} -inf: ${node}`,
  ]);
  return `${[
    `primitive writer ocf:cts:writer params claims=${claims} op monitor interval=5s timeout=40s` +
      " op start timeout=40s op stop timeout=40s",
    `primitive address ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service`,
    "group service writer address",
    ...devices,
    "property stonith-enabled=true stonith-action=off cluster-recheck-interval=60s",
    "rsc_defaults resource-stickiness=100",
  ].join("\n")}\n`;
}

/** Nobody switches on what was switched off, until the round says so. */
export function openPair(): Promise<Cluster> {
  const lines = ["watchdog none", "self-fencing exit"];
  return openCluster(createChance(1).next, { nodes: PAIR, configuration, lines, personMs: Infinity });
}

async function until<Value>(what: string, look: () => Promise<Value | undefined>, limitMs: number): Promise<Value> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > untilMs) throw new Error(`${what}: not within ${limitMs / 1_000} s`);
    await sleep(LOOK_MS);
  }
}

/** Where the service runs, once both nodes are members and nothing is left to be done. */
function settled(cluster: Cluster): Promise<NodeName> {
  return until(
    "both are members and the service runs",
    async () => {
      for (const node of PAIR) {
        const status = await cluster.status(node);
        const isWhole = status?.nodes.every(({ membership }) => membership === "member" || membership === "self");
        if (status === undefined || isWhole !== true || !status.hasQuorum || status.transition.isRunning) return;
        if (status.fencing.proofs.some(({ state }) => state === "failing" || state === "expired")) return;
      }
      const active = PAIR.filter((node) => cluster.world(node).get("writer") !== undefined);
      return active.length === 1 && cluster.world(active[0] ?? "alpha").has("address") ? active[0] : undefined;
    },
    READY_MS,
  );
}

/** The service goes to the other side, by an operator's standby, so that not always the same node is the active one. */
async function change(cluster: Cluster, from: NodeName): Promise<NodeName> {
  await cluster.ask(from, { kind: "node", node: from, action: "standby" });
  const to = PAIR.find((node) => node !== from) ?? from;
  await until(`the service goes to ${to}`, async () => (cluster.world(to).has("address") ? true : undefined), READY_MS);
  await cluster.ask(from, { kind: "node", node: from, action: "online" });
  return await settled(cluster);
}

export interface Split {
  readonly active: NodeName;
  /** Told by both, before anything happened. */
  readonly announced: readonly (string | undefined)[];
  readonly survivors: readonly NodeName[];
  /** How often each board has taken the power in this round. */
  readonly shots: readonly number[];
  readonly violations: readonly string[];
  /** From the cut until the loser's board had taken its power. */
  readonly decidedMs: number;
  /** Where the service runs afterwards. */
  readonly service: readonly NodeName[];
}

/** Starts both where they do not run, cuts them off from each other, and tells what became of it. */
export async function playSplit(cluster: Cluster, changesSides: boolean): Promise<Split> {
  for (const node of PAIR) if (!cluster.wanted.has(node) || cluster.board(node).power() === "off") cluster.start(node);
  const before = await settled(cluster);
  const active = changesSides ? await change(cluster, before) : before;
  const statuses = await Promise.all(PAIR.map((node) => cluster.status(node)));
  const announced = statuses.map((status) => status?.fencing.race.order[0]);
  const fencings = () => PAIR.map((node) => cluster.fencings(node));
  const shotsBefore = fencings();
  const cutAtMs = performance.now();
  cluster.network.divide([["alpha"], ["bravo"]]);
  const isOff = (node: NodeName) => cluster.board(node).power() === "off";
  await until("one board has taken the power", async () => (PAIR.some(isOff) ? true : undefined), DECIDED_MS);
  const decidedMs = performance.now() - cutAtMs;
  await sleep(AFTERMATH_MS);
  const survivors = PAIR.filter((node) => !isOff(node));
  const service = PAIR.filter((node) => cluster.world(node).has("writer"));
  const shots = fencings().map((count, at) => count - (shotsBefore[at] ?? 0));
  cluster.network.divide([]);
  return { active, announced, survivors, shots, violations: cluster.violations(), decidedMs, service };
}

/** What was not as it must be; empty: exactly one survivor, the active one, as both had announced. */
export function breachesOf({ active, announced, survivors, shots, violations, service }: Split): readonly string[] {
  const breaches: string[] = [];
  if (survivors.length !== 1 || survivors[0] !== active)
    breaches.push(`${survivors.join(", ") || "nobody"} survived, ${active} was active`);
  if (announced.some((node) => node !== active)) breaches.push(`announced was ${announced.join(", ")}, not ${active}`);
  // The loser's may be told twice: a board that is busy with its machine's end answers late, and is asked again.
  const atActive = shots[active === PAIR[0] ? 0 : 1] ?? 0;
  if (atActive > 0) breaches.push(`the board of ${active}, the active one, has taken its power ${atActive} times`);
  if (service.length !== 1 || service[0] !== active)
    breaches.push(`the service runs on ${service.join(", ") || "nobody"}`);
  return [...breaches, ...violations];
}
