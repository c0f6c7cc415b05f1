/**
 * `crm_mon [-1] [-f] [-A] [-r] [-n]`: the cluster as crm_mon of Pacemaker 2.1 prints it, for eyes and parsers that
 * know it. Written from the layout of reference crm-tools.md, section 4, and from black-box runs of crm_mon.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { readCommandLine } from "../control-client.ts";
import type { ResourceStatus, StatusReport } from "../control-protocol.ts";
import { askOrTell, wrongCall } from "./ask.ts";

const USAGE = "crm_mon [-1] [-f] [-A] [-r] [-n] [-o] [--run DIR]";
const FLAGS = {
  "one-shot": { type: "boolean", short: "1" },
  failcounts: { type: "boolean", short: "f" },
  "show-node-attributes": { type: "boolean", short: "A" },
  inactive: { type: "boolean", short: "r" },
  "group-by-node": { type: "boolean", short: "n" },
  operations: { type: "boolean", short: "o" },
} as const;
const INTERVAL_MS = 2_000;

/** `Thu Dec  1 16:55:21 2011`, as ctime(3). */
export function ctime(wallMs: number): string {
  const at = new Date(wallMs);
  const day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][at.getDay()];
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${months[at.getMonth()]} ${String(at.getDate()).padStart(2)}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day} ${date} ${time} ${at.getFullYear()}`;
}

function nodeList({ nodes }: StatusReport): string[] {
  const named = (state: string) => nodes.filter((node) => node.state === state).map(({ name }) => name);
  const lines = nodes.flatMap(({ name, state, membership }) => {
    if (state === "unclean") return [`  * Node ${name}: UNCLEAN (${membership === "member" ? "online" : "offline"})`];
    if (state === "pending" || state === "standby" || state === "maintenance") return [`  * Node ${name}: ${state}`];
    return [];
  });
  const [online, offline] = [named("online"), named("offline")];
  if (online.length > 0) lines.push(`  * Online: [ ${online.join(" ")} ]`);
  if (offline.length > 0) lines.push(`  * OFFLINE: [ ${offline.join(" ")} ]`);
  return lines;
}

/** `ocf:heartbeat:IPaddr2` as crm_mon of 2.1 writes it. */
function primitiveLine(resource: ResourceStatus, indent: string): string {
  const { id, agent, active, isManaged } = resource;
  const where = active.map(({ node, role }) => `${role} ${node}`).join(" ");
  return `${indent}* ${id}\t(${agent}):\t ${where || "Stopped"}${isManaged ? "" : " (unmanaged)"}`;
}

function cloneLines(clone: string, members: readonly ResourceStatus[], promotable: boolean, nodes: string[]): string[] {
  const [first] = members;
  const lines = [`  * Clone Set: ${clone} [${first?.parents[0]?.kind === "group" ? first.parents[0].id : first?.id}]`];
  if (promotable) lines[0] += " (promotable)";
  lines[0] += ":";
  const on = (role: string) => [
    ...new Set(members.flatMap(({ active }) => active.filter((one) => one.role === role).map(({ node }) => node))),
  ];
  const shown = promotable ? (["Promoted", "Unpromoted"] as const) : (["Started"] as const);
  for (const role of shown) if (on(role).length > 0) lines.push(`    * ${role}: [ ${on(role).join(" ")} ]`);
  const stopped = nodes.filter((node) => !members.some(({ active }) => active.some((one) => one.node === node)));
  if (stopped.length > 0) lines.push(`    * Stopped: [ ${stopped.join(" ")} ]`);
  return lines;
}

function resourceLines({ resources, nodes }: StatusReport, withInactive: boolean): string[] {
  const lines: string[] = [];
  const done = new Set<string>();
  for (const resource of resources) {
    const top = resource.parents.at(-1);
    if (top === undefined) {
      if (withInactive || resource.active.length > 0) lines.push(primitiveLine(resource, "  "));
      continue;
    }
    if (done.has(top.id)) continue;
    done.add(top.id);
    const members = resources.filter(({ parents }) => parents.at(-1)?.id === top.id);
    if (!withInactive && members.every(({ active }) => active.length === 0)) continue;
    if (top.kind === "group") {
      lines.push(`  * Resource Group: ${top.id}:`, ...members.map((member) => primitiveLine(member, "    ")));
      continue;
    }
    const names = nodes.map(({ name }) => name);
    lines.push(...cloneLines(top.id, members, top.kind === "promotable", names));
  }
  return lines;
}

function attributeLines({ nodes }: StatusReport): string[] {
  return nodes.flatMap(({ name, attributes, state }) => {
    const entries = Object.entries(attributes).filter(([key]) => key !== "standby" && key !== "maintenance");
    if (entries.length === 0) return [];
    // What an absent node had set says nothing of now.
    const stale = state === "offline" || state === "unclean" ? "\t: stale" : "";
    const lines = entries.map(([key, value]) => `    * ${key.padEnd(32)}\t: ${value.padEnd(10)}${stale}`.trimEnd());
    return [`  * Node: ${name}:`, ...lines];
  });
}

function migrationLines({ resources }: StatusReport): string[] {
  const counts = resources.flatMap(({ id, failCounts }) => failCounts.map((one) => ({ id, ...one })));
  const nodes = [...new Set(counts.map(({ node }) => node))].sort();
  return nodes.flatMap((node) => [
    `  * Node: ${node}:`,
    ...counts
      .filter((one) => one.node === node)
      .map(
        ({ id, count }) =>
          `    * ${id}: migration-threshold=1000000 fail-count=${count.replace("INFINITY", "1000000")}`,
      ),
  ]);
}

/** One picture, without a line feed after its last line. */
export function printMonitor(report: StatusReport, flags: Readonly<Record<string, unknown>>): string {
  const { dc, hasQuorum, atWallMs, program, nodes, resources, failures } = report;
  const instances = resources.reduce((sum, { parents }) => sum + (parents.some(isClone) ? nodes.length : 1), 0);
  const quorum = hasQuorum ? "with" : "WITHOUT";
  const version = program.split(" ")[1];
  const centre = dc === undefined ? "NONE" : `${dc} (version ${version}) - partition ${quorum} quorum`;
  const lines = [
    "Cluster Summary:",
    "  * Stack: gemel",
    `  * Current DC: ${centre}`,
    `  * Last updated: ${ctime(atWallMs)}`,
    `  * ${nodes.length} node${nodes.length === 1 ? "" : "s"} configured`,
    `  * ${instances} resource instance${instances === 1 ? "" : "s"} configured`,
    "",
    "Node List:",
    ...nodeList(report),
    "",
    flags.inactive === true ? "Full List of Resources:" : "Active Resources:",
  ];
  const listed = resourceLines(report, flags.inactive === true);
  lines.push(...(listed.length === 0 ? ["  * No active resources"] : listed));
  if (flags["show-node-attributes"] === true) lines.push("", "Node Attributes:", ...attributeLines(report));
  if (flags.failcounts === true) lines.push("", "Migration Summary:", ...migrationLines(report));
  if (failures.length > 0) lines.push("", "Failed Resource Actions:");
  for (const { resource, operation, node, code, status, callId, atWallMs: at, exitReason } of failures) {
    const [name, interval] = operation.split("_");
    const every = interval === "0" ? "" : `${Number(interval) / 1000}s-interval `;
    const when = at === undefined ? "" : `, last-rc-change='${ctime(at)}'`;
    const why = exitReason === "" ? "" : `, exitreason='${exitReason}'`;
    lines.push(`  * ${resource} ${every}${name} on ${node} '${code}' (${status}): call=${callId}${when}${why}`);
  }
  return lines.join("\n");
}

function isClone({ kind }: ResourceStatus["parents"][number]): boolean {
  return kind !== "group";
}

export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_mon", called.reason, USAGE);
  const { socketPath, flags } = called;
  for (;;) {
    const asked = await askOrTell("crm_mon", socketPath, { kind: "status" });
    if (asked.kind === "failed") return asked.exitCode;
    const text = printMonitor(asked.value, flags);
    if (flags["one-shot"] === true) {
      process.stdout.write(`${text}\n`);
      return 0;
    }
    process.stdout.write(`\u001b[H\u001b[J${text}\n`);
    await sleep(INTERVAL_MS);
  }
}
