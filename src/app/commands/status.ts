/**
 * `gemel status [--json] [--watch] [--lang en|ja]`: what runs where and since when, what is wrong, what to do now.
 * Exit codes: 0 all is well; 1 there are problems; 64 a wrong call; 69 no manager answers.
 */
import process from "node:process";
import { type Language, languageOf } from "../../base/language.ts";
import { ROW_OF } from "../../cluster/core/advice/codes.ts";
import { textOf } from "../../cluster/core/advice/texts.ts";
import { readCommandLine, watchStatus } from "../control-client.ts";
import type { ResourceStatus, StatusProblem, StatusReport } from "../control-protocol.ts";
import { askOrTell, EXIT, wrongCall } from "./ask.ts";
import { keeperLines, linkWords } from "./keeper-lines.ts";

const FLAGS = { json: { type: "boolean" }, watch: { type: "boolean" }, lang: { type: "string" } } as const;
const USAGE = "gemel status [--json] [--watch] [--lang en|ja] [--run DIR]";

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
  { atWallMs: nowWallMs, nodes }: StatusReport,
): string {
  const indent = "  ".repeat(parents.length);
  const where = active.map(({ node, role, sinceWallMs }) => {
    const since = sinceWallMs === undefined ? "" : ` for ${span(nowWallMs - sinceWallMs)}`;
    // What a node that is not known to be off last told of itself: it may be so, or no longer.
    const isUnclean = nodes.some(({ name, state }) => name === node && state === "unclean");
    return `${role} on ${node}${since}${isUnclean ? " (UNCLEAN)" : ""}`;
  });
  const notes = [
    ...(isManaged ? [] : ["unmanaged"]),
    ...failCounts.map(({ node, count }) => `failed ${count} times on ${node}`),
  ];
  const noted = notes.length === 0 ? "" : `  [${notes.join(", ")}]`;
  return `  ${(indent + id).padEnd(20)} ${(where.join("; ") || "stopped").padEnd(34)} ${agent}${noted}`;
}

function resourceLines(report: StatusReport): string[] {
  let shown: readonly string[] = [];
  return report.resources.flatMap((resource) => {
    const parents = resource.parents.toReversed();
    const headings = parents.flatMap(({ id, kind }, depth) =>
      shown[depth] === id ? [] : [`  ${"  ".repeat(depth)}${id} (${kind})`],
    );
    shown = parents.map(({ id }) => id);
    return [...headings, resourceLine(resource, report)];
  });
}

const HEADINGS: Readonly<Record<Language, { readonly none: string; readonly some: string }>> = {
  en: { none: "No problems.", some: "Problems, and what to do now:" },
  ja: { none: "問題なし。", some: "問題と対処:" },
};
const SEVERITIES: Readonly<Record<Language, Readonly<Record<StatusProblem["severity"], string>>>> = {
  en: { error: "error", warning: "warning" },
  ja: { error: "エラー", warning: "警告" },
};

/** The texts are made here, in the reader's language; a manager of a later version may know codes that we do not. */
export function problemLines(problems: readonly StatusProblem[], language: Language): string[] {
  if (problems.length === 0) return [HEADINGS[language].none];
  const lines = problems.flatMap((problem) => {
    const { severity, code, values } = problem;
    const { what, doNow } = Object.hasOwn(ROW_OF, code) ? textOf(language, code, values) : problem;
    return [`  ${SEVERITIES[language][severity]}: ${what}`, `    -> ${doNow}`];
  });
  return [HEADINGS[language].some, ...lines];
}

/** Manual overrides, each with its owner, its end and why. */
function leaseLines({ leases, atWallMs }: StatusReport): string[] {
  if (leases.length === 0) return [];
  const lines = leases.map(({ kind, subject, endWallMs, owner, reason }) => {
    const end = endWallMs === undefined ? "for ever" : `for another ${span(endWallMs - atWallMs)}`;
    return `  ${kind} ${subject}: ${end}, by ${owner}${reason === "" ? "" : ` (${reason})`}`;
  });
  return ["Manual overrides:", ...lines];
}

/** Who would win, while there is a race to win and nobody has begun it. */
function raceLines({ race: { order, delayMs } }: StatusReport["fencing"]): string[] {
  const [first, ...others] = order;
  if (first === undefined || others.length === 0) return [];
  const told = delayMs > 0 ? `${others.join(", ")} waits ${delayMs / 1000} s` : "nobody waits, and both may die";
  return [`  if the nodes lose each other: ${first} fences first; ${told}`];
}

/** By device: when it was last seen to work, by the node that saw it longest ago, and until when that counts. */
export function proofLines({ fencing, atWallMs }: Pick<StatusReport, "fencing" | "atWallMs">): string[] {
  const devices = [...new Set(fencing.proofs.map(({ device }) => device))];
  return devices.map((device) => {
    const own = fencing.proofs.filter((proof) => proof.device === device);
    const bad = own.find(({ state }) => state === "expired") ?? own.find(({ state }) => state === "failing");
    const unseen = own.find(({ provenWallMs }) => provenWallMs === undefined);
    const [oldest] = own.toSorted((left, right) => (left.provenWallMs ?? 0) - (right.provenWallMs ?? 0));
    const { node = "", provenWallMs, expiresWallMs } = bad ?? unseen ?? oldest ?? {};
    const seen = provenWallMs === undefined ? "not seen yet" : `seen well ${span(atWallMs - provenWallMs)} ago`;
    const leftMs = expiresWallMs === undefined ? undefined : expiresWallMs - atWallMs;
    const counts = leftMs === undefined ? "" : leftMs > 0 ? `, counts for another ${span(leftMs)}` : ", TOO OLD";
    const failing = bad?.state === "failing" ? ", FAILING NOW" : bad?.state === "expired" ? ", NOT PROVEN" : "";
    const switched = Math.max(0, ...own.map(({ switchedWallMs = 0 }) => switchedWallMs));
    const really = switched === 0 ? "" : `; really switched ${span(atWallMs - switched)} ago`;
    return `  ${device} by ${node}: ${seen}${counts}${failing}${really}`;
  });
}

/** What is under way; an unproven death comes first, whether a fencing runs just now or waits for its next try. */
function workWord({ nodes, transition }: StatusReport): string {
  const unclean = nodes.filter(({ state }) => state === "unclean").map(({ name }) => name);
  const waiting = unclean.length === 0 ? "" : `WAITING for the proof that ${unclean.join(", ")} is off`;
  if (!transition.isRunning) return waiting === "" ? "idle" : waiting;
  const { number, doneCount, actionCount, inFlight } = transition;
  const running = inFlight.length === 0 ? "" : `, running ${inFlight.join(", ")}`;
  return `${waiting === "" ? "" : `${waiting}; `}transition ${number}: ${doneCount} of ${actionCount} done${running}`;
}

/** The whole report for a person. */
export function printStatus(report: StatusReport, language: Language): string {
  const { dc, hasQuorum, isSettled, cibVersion, drbd, fencing, problems, atWallMs } = report;
  const work = workWord(report);
  const lines = [
    `DC: ${dc ?? "none"}, ${hasQuorum ? "with" : "WITHOUT"} quorum; CIB ${cibVersion}; ` +
      `${isSettled ? work : "waiting for the other nodes"}`,
    "Nodes:",
    ...nodeLines(report),
    ...(report.keeper === undefined ? [] : keeperLines(report.keeper)),
    "Resources:",
    ...resourceLines(report),
    ...leaseLines(report),
  ];
  for (const { resource, role, disk, connection, peerRole, peerDisk, replication, outOfSyncKib, isSuspended } of drbd)
    lines.push(
      `DRBD ${resource}: ${role}/${disk} here, ${peerRole}/${peerDisk} at the peer, ${connection}, ${replication}` +
        `${outOfSyncKib > 0 ? `, ${outOfSyncKib} KiB out of sync` : ""}${isSuspended ? ", I/O FROZEN" : ""}`,
    );
  const devices = fencing.devices.map(({ id, targets }) => `${id} (${targets.join(", ") || "any"})`).join(", ");
  lines.push(`Fencing: ${fencing.isEnabled ? `enabled; ${devices || "no device"}` : "DISABLED by configuration"}`);
  if (fencing.isEnabled) lines.push(...raceLines(fencing), ...proofLines(report));
  for (const { target, action, outcome, atWallMs: at } of fencing.history.slice(-3))
    lines.push(`  ${action} of ${target}: ${outcome}, ${span(atWallMs - at)} ago`);
  lines.push(...problemLines(problems, language));
  return `${lines.join("\n")}\n`;
}

function watch(socketPath: string, json: boolean, language: Language): Promise<number> {
  return new Promise((resolve) => {
    watchStatus(
      socketPath,
      (status) => {
        if (json) process.stdout.write(`${JSON.stringify(status)}\n`);
        else process.stdout.write(`\u001b[H\u001b[J${printStatus(status, language)}`);
      },
      (reason) => {
        process.stderr.write(`gemel status: ${reason}\n`);
        resolve(EXIT.unreachable);
      },
    );
  });
}

export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("gemel status", called.reason, USAGE);
  const { socketPath, flags } = called;
  const { lang, json, watch: isWatching } = flags;
  if (lang !== undefined && lang !== "en" && lang !== "ja")
    return wrongCall("gemel status", `--lang ${String(lang)} is not spoken`, USAGE);
  const language = languageOf(lang ?? process.env.LC_ALL ?? process.env.LC_MESSAGES ?? process.env.LANG);
  if (isWatching === true) return await watch(socketPath, json === true, language);
  const asked = await askOrTell("gemel status", socketPath, { kind: "status" });
  if (asked.kind === "failed") return asked.exitCode;
  const report = asked.value;
  process.stdout.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : printStatus(report, language));
  return report.problems.some(({ severity }) => severity === "error") ? 1 : 0;
}
