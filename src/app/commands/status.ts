/**
 * `gemel status [--json] [--watch]`: what runs where and since when, what is wrong, and what to do now.
 * Exit codes: 0 all is well; 1 there are problems; 64 a wrong call; 69 no manager answers.
 */
import process from "node:process";
import { readCommandLine, watchStatus } from "../control-client.ts";
import type { ResourceStatus, StatusReport } from "../control-protocol.ts";
import { askOrTell, EXIT, wrongCall } from "./ask.ts";
import { keeperLines, linkWords } from "./keeper-lines.ts";

const USAGE = "gemel status [--json] [--watch] [--run DIR]";

/** `3 min`, `2 h 5 min`, `4 d`. */
export function span(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

function nodeLines({ nodes, links, self, keeper }: StatusReport): string[] {
  return nodes.map(({ name, state, membership, isDc, attributes }) => {
    const marks = [isDc ? "DC" : "", name === self ? "this node" : "", membership === "member" ? "" : membership];
    const told = marks.filter((mark) => mark !== "" && mark !== "self").join(", ");
    const paths = links
      .filter(({ peer }) => peer === name)
      .map((link) => {
        const words = keeper === undefined ? "" : linkWords(keeper, link.name, name);
        return `${link.name} ${link.state}${words === "" ? "" : ` (${words})`}`;
      });
    const scores = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
    return [`  ${name.padEnd(12)} ${state.padEnd(12)} ${told}`, ...paths.map((text) => `    link ${text}`)]
      .concat(scores.length === 0 ? [] : [`    ${scores.join(" ")}`])
      .join("\n");
  });
}

function resourceLine(
  { id, agent, parents, active, isManaged, failCounts }: ResourceStatus,
  nowWallMs: number,
): string {
  const indent = "  ".repeat(parents.length);
  const where = active.map(({ node, role, sinceWallMs }) => {
    const since = sinceWallMs === undefined ? "" : ` for ${span(nowWallMs - sinceWallMs)}`;
    return `${role} on ${node}${since}`;
  });
  const notes = [
    ...(isManaged ? [] : ["unmanaged"]),
    ...failCounts.map(({ node, count }) => `failed ${count} times on ${node}`),
  ];
  const noted = notes.length === 0 ? "" : `  [${notes.join(", ")}]`;
  return `  ${(indent + id).padEnd(20)} ${(where.join("; ") || "stopped").padEnd(34)} ${agent}${noted}`;
}

function resourceLines({ resources, atWallMs }: StatusReport): string[] {
  let shown: readonly string[] = [];
  return resources.flatMap((resource) => {
    const parents = resource.parents.toReversed();
    const headings = parents.flatMap(({ id, kind }, depth) =>
      shown[depth] === id ? [] : [`  ${"  ".repeat(depth)}${id} (${kind})`],
    );
    shown = parents.map(({ id }) => id);
    return [...headings, resourceLine(resource, atWallMs)];
  });
}

/** Who would win, while there is a race to win and nobody has begun it. */
function raceLines({ race: { order, delayMs } }: StatusReport["fencing"]): string[] {
  const [first, ...others] = order;
  if (first === undefined || others.length === 0) return [];
  const told = delayMs > 0 ? `${others.join(", ")} waits ${delayMs / 1000} s` : "nobody waits, and both may die";
  return [`  if the nodes lose each other: ${first} fences first; ${told}`];
}

/** The whole report for a person. */
export function printStatus(report: StatusReport): string {
  const { dc, hasQuorum, isSettled, cibVersion, transition, drbd, fencing, problems, atWallMs } = report;
  const work = transition.isRunning
    ? `transition ${transition.number}: ${transition.doneCount} of ${transition.actionCount} done` +
      (transition.inFlight.length === 0 ? "" : `, running ${transition.inFlight.join(", ")}`)
    : "idle";
  const lines = [
    `DC: ${dc ?? "none"}, ${hasQuorum ? "with" : "WITHOUT"} quorum; CIB ${cibVersion}; ` +
      `${isSettled ? work : "waiting for the other nodes"}`,
    "Nodes:",
    ...nodeLines(report),
    ...(report.keeper === undefined ? [] : keeperLines(report.keeper)),
    "Resources:",
    ...resourceLines(report),
  ];
  for (const { resource, role, disk, connection, peerRole, peerDisk, replication, outOfSyncKib, isSuspended } of drbd)
    lines.push(
      `DRBD ${resource}: ${role}/${disk} here, ${peerRole}/${peerDisk} at the peer, ${connection}, ${replication}` +
        `${outOfSyncKib > 0 ? `, ${outOfSyncKib} KiB out of sync` : ""}${isSuspended ? ", I/O FROZEN" : ""}`,
    );
  const devices = fencing.devices.map(({ id, targets }) => `${id} (${targets.join(", ") || "any"})`).join(", ");
  lines.push(`Fencing: ${fencing.isEnabled ? `enabled; ${devices || "no device"}` : "DISABLED by configuration"}`);
  if (fencing.isEnabled) lines.push(...raceLines(fencing));
  for (const { target, action, outcome, atWallMs: at } of fencing.history.slice(-3))
    lines.push(`  ${action} of ${target}: ${outcome}, ${span(atWallMs - at)} ago`);
  if (problems.length === 0) lines.push("No problems.");
  else lines.push("Problems, and what to do now:");
  for (const { severity, what, doNow } of problems) lines.push(`  ${severity}: ${what}`, `    -> ${doNow}`);
  return `${lines.join("\n")}\n`;
}

function watch(socketPath: string, json: boolean): Promise<number> {
  return new Promise((resolve) => {
    watchStatus(
      socketPath,
      (status) => {
        if (json) process.stdout.write(`${JSON.stringify(status)}\n`);
        else process.stdout.write(`\u001b[H\u001b[J${printStatus(status)}`);
      },
      (reason) => {
        process.stderr.write(`gemel status: ${reason}\n`);
        resolve(EXIT.unreachable);
      },
    );
  });
}

export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, { json: { type: "boolean" }, watch: { type: "boolean" } });
  if (called.kind === "wrong") return wrongCall("gemel status", called.reason, USAGE);
  const { socketPath, flags } = called;
  if (flags.watch === true) return await watch(socketPath, flags.json === true);
  const asked = await askOrTell("gemel status", socketPath, { kind: "status" });
  if (asked.kind === "failed") return asked.exitCode;
  const report = asked.value;
  process.stdout.write(flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : printStatus(report));
  return report.problems.some(({ severity }) => severity === "error") ? 1 : 0;
}
