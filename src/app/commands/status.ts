/**
 * `gemel status [--json] [--watch] [--lang en|ja]`: what runs where and since when, what is wrong, what to do now.
 * On a terminal its lines are folded to the columns, and --watch draws in place; what is piped stays as it is.
 * Exit codes: 0 all is well; 1 there are problems; 64 a wrong call; 69 no manager answers.
 */
import process from "node:process";
import { columnsOf, padColumns } from "../../base/fold.ts";
import type { Language } from "../../base/language.ts";
import { ROW_OF } from "../../cluster/core/advice/codes.ts";
import { textOf } from "../../cluster/core/advice/texts.ts";
import { askControl, readCommandLine, watchStatus } from "../control-client.ts";
import type { ResourceStatus, StatusProblem, StatusReport } from "../control-protocol.ts";
import { inLanguage, tellProblem } from "../japanese/translate.ts";
import { type Colour, fitted, isScreen, type Picture, runLiveView } from "../live-view.ts";
import { operatorsLanguage } from "../operators-language.ts";
import { askOrTell, EXIT, wrongCall } from "./ask.ts";
import { keeperLines, linkWords } from "./keeper-lines.ts";
import { STATUS_WORDS, type StatusWords, spanText } from "./status-words.ts";

const FLAGS = { json: { type: "boolean" }, watch: { type: "boolean" }, lang: { type: "string" } } as const;
const USAGE = "gemel status [--json] [--watch] [--lang en|ja] [--run DIR]";

function nodeLines({ nodes, links, self, keeper }: StatusReport, words: StatusWords): string[] {
  return nodes.map(({ name, state, membership, isDc, attributes }) => {
    const marks = [isDc ? "DC" : "", name === self ? words.thisNode : "", membership === "member" ? "" : membership];
    const told = marks.filter((mark) => mark !== "" && mark !== "self").join(", ");
    const paths = links
      .filter(({ peer }) => peer === name)
      .map((link) => {
        const told = keeper === undefined ? "" : linkWords(keeper, link.name, name, words);
        return words.link(`${link.name} ${link.state}${told === "" ? "" : ` (${told})`}`);
      });
    const scores = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
    return [`  ${name.padEnd(12)} ${state.padEnd(12)} ${told}`, ...paths.map((text) => `    ${text}`)]
      .concat(scores.length === 0 ? [] : [`    ${scores.join(" ")}`])
      .join("\n");
  });
}

/** Wider ones push their own line out, not all of them. */
const NAME_COLUMNS = 20;
const PLACE_COLUMNS = 34;

interface ResourceRow {
  readonly name: string;
  readonly where: string;
  readonly rest: string;
}

function resourceRow(
  { id, agent, parents, active, isManaged, heldBy, failCounts }: ResourceStatus,
  { atWallMs: nowWallMs, nodes }: StatusReport,
  words: StatusWords,
): ResourceRow {
  const where = active.map(({ node, role, sinceWallMs }) => {
    const since = sinceWallMs === undefined ? undefined : spanText(nowWallMs - sinceWallMs, words);
    // What a node that is not known to be off last told of itself: it may be so, or no longer.
    const isUnclean = nodes.some(({ name, state }) => name === node && state === "unclean");
    return `${words.place(role, node, since)}${isUnclean ? " (UNCLEAN)" : ""}`;
  });
  const notes = [
    ...(heldBy === undefined ? (isManaged ? [] : [words.unmanaged]) : [words.held[heldBy]]),
    ...failCounts.map(({ node, count }) => words.failed(String(count), node)),
  ];
  const noted = notes.length === 0 ? "" : `  [${notes.join(", ")}]`;
  const name = `${"  ".repeat(parents.length)}${id}`;
  return { name, where: where.join("; ") || words.stopped, rest: `${agent}${noted}` };
}

/** As wide as the widest of them needs it, so that all of it fits where it can. */
function widthOf(texts: readonly string[], columnsMax: number): number {
  return Math.max(0, ...texts.map(columnsOf).filter((columns) => columns <= columnsMax));
}

function resourceLines(report: StatusReport, words: StatusWords): string[] {
  let shown: readonly string[] = [];
  const rows = report.resources.map((resource) => resourceRow(resource, report, words));
  const nameColumns = widthOf(
    rows.map(({ name }) => name),
    NAME_COLUMNS,
  );
  const placeColumns = widthOf(
    rows.map(({ where }) => where),
    PLACE_COLUMNS,
  );
  return report.resources.flatMap((resource, index) => {
    const parents = resource.parents.toReversed();
    const headings = parents.flatMap(({ id, kind }, depth) =>
      shown[depth] === id ? [] : [`  ${"  ".repeat(depth)}${id} (${kind})`],
    );
    shown = parents.map(({ id }) => id);
    const { name = "", where = "", rest = "" } = rows[index] ?? {};
    return [...headings, `  ${padColumns(name, nameColumns)} ${padColumns(where, placeColumns)} ${rest}`];
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

function adviceOf(problem: StatusProblem, language: Language): { readonly what: string; readonly doNow: string } {
  const { code, values } = problem;
  // Reasons among the values come from the cores, which speak English.
  const told = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, inLanguage(text, language)]));
  return Object.hasOwn(ROW_OF, code) ? textOf(language, code, told) : problem;
}

/** The texts are made here, in the reader's language; a manager of a later version may know codes that we do not. */
export function problemLines(problems: readonly StatusProblem[], language: Language): string[] {
  if (problems.length === 0) return [HEADINGS[language].none];
  const lines = problems.flatMap((problem) => {
    const { what, doNow } = adviceOf(problem, language);
    return [`  ${SEVERITIES[language][problem.severity]}: ${what}`, `    -> ${doNow}`];
  });
  return [HEADINGS[language].some, ...lines];
}

/** What is wrong first, before everything that is as it should be: it is read in the night, on a small screen. */
function verdictLines({ problems }: StatusReport, language: Language): string[] {
  const [first] = problems;
  if (first === undefined) return [];
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const { what } = adviceOf(first, language);
  return [STATUS_WORDS[language].verdict(errors, problems.length - errors, what)];
}

/** Manual overrides, each with its owner, its end and why. */
function leaseLines({ leases, atWallMs }: StatusReport, words: StatusWords): string[] {
  if (leases.length === 0) return [];
  const lines = leases.map(({ kind, subject, node, endWallMs, owner, reason }) => {
    const what = node === undefined ? `${kind} ${subject}` : words.overrideFrom(`${kind} ${subject}`, node);
    const left = endWallMs === undefined ? undefined : spanText(endWallMs - atWallMs, words);
    return `  ${words.override(what, left, owner)}${reason === "" ? "" : ` (${reason})`}`;
  });
  return [words.overrides, ...lines];
}

/** Who would win, while there is a race to win and nobody has begun it. */
function raceLines({ race: { order, delayMs } }: StatusReport["fencing"], words: StatusWords): string[] {
  const [first, ...others] = order;
  if (first === undefined || others.length === 0) return [];
  const told = delayMs > 0 ? words.raceDelay(others.join(", "), delayMs / 1000) : words.noDelay;
  return [`  ${words.race(first, told)}`];
}

/** By device: when it was last seen to work, by the node that saw it longest ago, and until when that counts. */
export function proofLines(
  { fencing, atWallMs }: Pick<StatusReport, "fencing" | "atWallMs">,
  words: StatusWords = STATUS_WORDS.en,
): string[] {
  const devices = [...new Set(fencing.proofs.map(({ device }) => device))];
  return devices.map((device) => {
    const own = fencing.proofs.filter((proof) => proof.device === device);
    const bad = own.find(({ state }) => state === "expired") ?? own.find(({ state }) => state === "failing");
    const unseen = own.find(({ provenWallMs }) => provenWallMs === undefined);
    const [oldest] = own.toSorted((left, right) => (left.provenWallMs ?? 0) - (right.provenWallMs ?? 0));
    const { node = "", provenWallMs, expiresWallMs } = bad ?? unseen ?? oldest ?? {};
    const seen = provenWallMs === undefined ? words.unseen : words.seen(spanText(atWallMs - provenWallMs, words));
    const leftMs = expiresWallMs === undefined ? undefined : expiresWallMs - atWallMs;
    const counts = leftMs === undefined ? "" : leftMs > 0 ? words.counts(spanText(leftMs, words)) : words.tooOld;
    const failing = bad?.state === "failing" ? words.failing : bad?.state === "expired" ? words.unproven : "";
    const switched = Math.max(0, ...own.map(({ switchedWallMs = 0 }) => switchedWallMs));
    const really = switched === 0 ? "" : words.switched(spanText(atWallMs - switched, words));
    return `  ${words.proof(device, node, `${seen}${counts}${failing}${really}`)}`;
  });
}

/** What is under way; an unproven death comes first, whether a fencing runs just now or waits for its next try. */
function workWord({ nodes, transition }: StatusReport, words: StatusWords): string {
  const unclean = nodes.filter(({ state }) => state === "unclean").map(({ name }) => name);
  const waiting = unclean.length === 0 ? [] : [words.proofAwaited(unclean.join(", "))];
  const { number, doneCount, actionCount, inFlight, isRunning } = transition;
  const running = isRunning ? [words.transition(number, doneCount, actionCount, inFlight.join(", "))] : [];
  return [...waiting, ...running].join("; ") || words.idle;
}

/** All that is neither the verdict nor a problem. */
function bodyLines(report: StatusReport, words: StatusWords): readonly string[] {
  const { dc, hasQuorum, isSettled, cibVersion, drbd, fencing, atWallMs } = report;
  const lines = [
    words.head(dc, hasQuorum, cibVersion, isSettled ? workWord(report, words) : words.awaiting),
    words.nodes,
    ...nodeLines(report, words),
    ...(report.keeper === undefined ? [] : keeperLines(report.keeper, words)),
    words.resources,
    ...resourceLines(report, words),
    ...leaseLines(report, words),
  ];
  for (const { resource, role, disk, connection, peerRole, peerDisk, replication, outOfSyncKib, isSuspended } of drbd)
    lines.push(
      words.drbd(resource, `${role}/${disk}`, `${peerRole}/${peerDisk}`, `${connection}, ${replication}`) +
        `${outOfSyncKib > 0 ? words.outOfSync(outOfSyncKib) : ""}${isSuspended ? words.frozen : ""}`,
    );
  const devices = fencing.devices.map(({ id, targets }) => `${id} (${targets.join(", ") || "any"})`).join(", ");
  lines.push(words.fencing(fencing.isEnabled ? devices || words.noDevice : undefined));
  if (fencing.isEnabled) lines.push(...raceLines(fencing, words), ...proofLines(report, words));
  for (const { target, action, outcome, atWallMs: at } of fencing.history.slice(-3))
    lines.push(`  ${words.fenced(action, target, outcome, spanText(atWallMs - at, words))}`);
  return lines;
}

/** The whole report for a person: what to do stands last, where the cursor is. */
export function printStatus(report: StatusReport, language: Language): string {
  const body = bodyLines(report, STATUS_WORDS[language]);
  return `${[...verdictLines(report, language), ...body, ...problemLines(report.problems, language)].join("\n")}\n`;
}

/** For a screen that is read from its top, and may end before the report does. */
export function printScreen(report: StatusReport, language: Language): string {
  const body = bodyLines(report, STATUS_WORDS[language]);
  return [...verdictLines(report, language), ...problemLines(report.problems, language), ...body].join("\n");
}

function colourOfLine(line: string, language: Language): Colour | undefined {
  const { error, warning } = SEVERITIES[language];
  if (line.startsWith(`  ${error}: `)) return "bad";
  return line.startsWith(`  ${warning}: `) ? "warn" : undefined;
}

/** Ages grow, too, while nothing changes. */
const REDRAWN_EVERY_MS = 5000;

function watchOnScreen(socketPath: string, language: Language): Promise<number> {
  const words = STATUS_WORDS[language];
  const picture = async (): Promise<Picture> => {
    const reply = await askControl(socketPath, { kind: "status" });
    if (reply.kind === "answer") return { kind: "picture", text: printScreen(reply.value, language) };
    const reason = reply.kind === "refused" ? reply.problems.map(tellProblem).join("; ") : reply.reason;
    return { kind: "none", reason: inLanguage(reason, language) };
  };
  const colourOf = (line: string) => colourOfLine(line, language);
  const view = { socketPath, everyMs: REDRAWN_EVERY_MS, picture, colourOf };
  return runLiveView({ ...view, oldText: words.old, footText: words.foot });
}

/** For programs: a report at each change, until the manager goes. */
function watchAsStream(socketPath: string, json: boolean, language: Language): Promise<number> {
  return new Promise((resolve) => {
    watchStatus(
      socketPath,
      (status) => process.stdout.write(json ? `${JSON.stringify(status)}\n` : `${printStatus(status, language)}\n`),
      (reason) => {
        process.stderr.write(`gemel status: ${reason}\n`);
        resolve(EXIT.unreachable);
      },
    );
  });
}

export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS, 0);
  if (called.kind === "wrong") return wrongCall("gemel status", called.reason, USAGE);
  const { socketPath, flags } = called;
  const { lang, json, watch: isWatching } = flags;
  if (lang !== undefined && lang !== "en" && lang !== "ja")
    return wrongCall("gemel status", `--lang ${String(lang)} is not spoken`, USAGE);
  const language = lang ?? operatorsLanguage();
  if (isWatching === true && (json === true || !isScreen()))
    return await watchAsStream(socketPath, json === true, language);
  const asked = await askOrTell("gemel status", socketPath, { kind: "status" });
  if (asked.kind === "failed") return asked.exitCode;
  if (isWatching === true) return await watchOnScreen(socketPath, language);
  const report = asked.value;
  const text = json === true ? `${JSON.stringify(report, null, 2)}\n` : fitted(printStatus(report, language));
  process.stdout.write(text);
  return report.problems.some(({ severity }) => severity === "error") ? 1 : 0;
}
