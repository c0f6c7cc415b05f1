/** What `gemel simulate` shows of one CIB: graph, picture, report of a simulated run, scores. */
import { printXml, type XmlElement } from "../../base/xml.ts";
import { failureInDetail, failuresOf } from "../../cluster/core/monitor/operations.ts";
import { formatDate } from "../../cluster/core/scheduler/facts/dates.ts";
import type { Facts } from "../../cluster/core/scheduler/facts/model.ts";
import { readFacts } from "../../cluster/core/scheduler/facts/read-facts.ts";
import { attributeLines, failCountLines } from "../../cluster/core/scheduler/print/node-lines.ts";
import { picture } from "../../cluster/core/scheduler/print/picture.ts";
import { scoreLines, utilizationLines } from "../../cluster/core/scheduler/print/score-lines.ts";
import {
  type OperationSpec,
  PRETENCE,
  type SimulatedRun,
  simulateRun,
} from "../../cluster/core/scheduler/print/simulated-run.ts";
import { statusReport } from "../../cluster/core/scheduler/print/status-report.ts";
import { summaryLines } from "../../cluster/core/scheduler/print/summary-lines.ts";
import { transitionXml } from "../../cluster/core/scheduler/print/transition-xml.ts";
import { work } from "../../cluster/core/scheduler/schedule.ts";
import type { Worked } from "../../cluster/core/scheduler/worked.ts";
import { ctime } from "../ctime.ts";
import { zoneAt } from "../zone.ts";

export interface SimulatedCase {
  readonly exp: string;
  readonly dot: string;
  readonly summary: string;
  readonly scores: string;
}

/** Which parts of the report are wanted. */
export interface ReportParts {
  /** Nothing but what was asked for by its own option. */
  readonly quiet: boolean;
  readonly transition: boolean;
  readonly run: boolean;
  readonly scores: boolean;
  readonly utilization: boolean;
  readonly attributes: boolean;
  readonly failCounts: boolean;
}

export const WHOLE_REPORT: ReportParts = {
  quiet: false,
  transition: true,
  run: true,
  scores: false,
  utilization: false,
  attributes: false,
  failCounts: false,
};

/** What is reported on: the CIB as it came, as it is judged, and how that went. */
export interface Simulation {
  readonly cib: XmlElement;
  readonly time: string | undefined;
  /** What was injected into `cib` before `worked` was worked out; `undefined` when nothing was. */
  readonly injected?: { readonly cib: XmlElement; readonly lines: readonly string[] } | undefined;
  readonly worked: Worked;
  readonly failures?: readonly OperationSpec[];
}

function clockLine({ cib, time }: Simulation): string[] {
  if (time !== undefined) return [`Setting effective cluster time: ${time}`];
  const executed = cib.attributes["execution-date"];
  return executed === undefined ? [] : [`Using the original execution date of: ${formatDate(Number(executed))}`];
}

/** The facts before any pass could mark them: tickets and fencing decisions add to what is known of nodes. */
export const factsOf = (cib: XmlElement, { facts }: Worked) =>
  readFacts(cib, facts.nowSeconds * 1000, facts.ruleContext);

/** As crm_simulate -c has them: with their codes, and the time in the zone of whoever looks. */
function failureLines(facts: Facts): string[] {
  const lines = failuresOf(facts).map((failure) => `    * ${failureInDetail(failure, { ctime })}`);
  return lines.length === 0 ? [] : ["  * Failed Resource Actions:", ...lines, ""];
}

const bulleted = (lines: readonly string[]) => lines.map((line) => `  * ${line}`);

function statusPart(facts: Facts, heading: string, parts: ReportParts): string[] {
  return [
    statusReport(facts, heading, heading.startsWith("Current")),
    ...(parts.attributes ? [attributeLines(facts).join("\n"), ""] : []),
    ...(parts.failCounts ? [failCountLines(facts).join("\n"), "", ...failureLines(facts)] : []),
  ];
}

function scoresPart({ worked }: Simulation, { scores, utilization }: ReportParts): string[] {
  if (!scores && !utilization) return [];
  const heading = [...(scores ? ["Assignment Scores"] : []), ...(utilization ? ["Utilization Information"] : [])];
  const lines = [...(utilization ? utilizationLines(worked) : []), ...(scores ? scoreLines(worked) : [])];
  return [`${heading.join(" and ")}:`, ...bulleted(lines), ""];
}

/** With --quiet only what an option of its own asked for. */
function quietReport({ worked }: Simulation, { scores, utilization }: ReportParts): string {
  const lines = [...(utilization ? utilizationLines(worked) : []), ...(scores ? scoreLines(worked) : [])];
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

/** The text report: before, what would be done, how it would go, after. */
export function reportOf(simulation: Simulation, parts: ReportParts, done?: SimulatedRun): string {
  if (parts.quiet) return quietReport(simulation, parts);
  const { cib, injected, worked } = simulation;
  const clock = clockLine(simulation);
  const lines = [...clock, ...statusPart(factsOf(cib, worked), "Current cluster status", parts)];
  // As the peer has it: quorum alone is no modification worth a heading.
  if (injected?.lines.some((line) => !line.startsWith("Setting quorum")))
    lines.push("Performing Requested Modifications:", ...bulleted(injected.lines), ...clock, "");
  lines.push(...scoresPart(simulation, parts));
  if (parts.transition) lines.push("Transition Summary:", ...bulleted(summaryLines(worked)), "");
  if (done === undefined) return lines.join("\n");
  const told = done.lines.map((line) => (line.startsWith(PRETENCE) ? line : `  * ${line}`));
  lines.push("Executing Cluster Transition:", ...told);
  lines.push(...clock, "", ...statusPart(factsOf(done.cib, worked), "Revised Cluster Status", parts), "");
  return lines.join("\n");
}

/** Plays the transition through on the CIB that was judged. */
export function runOf({ cib, injected, worked, failures = [] }: Simulation): SimulatedRun {
  return simulateRun(injected?.cib ?? cib, worked, failures);
}

export const graphText = (worked: Worked): string => printXml(transitionXml(worked.facts, worked.graph));
export const pictureText = ({ graph }: Worked, isWhole = false): string => picture(graph, isWhole);

/** All four outputs of one case, as the reference cases have them. */
export function simulateCase(cib: XmlElement, nowWallMs: number, time: string | undefined): SimulatedCase {
  const simulation: Simulation = { cib, time, worked: work(cib, nowWallMs, zoneAt(nowWallMs), true) };
  return {
    exp: graphText(simulation.worked),
    dot: pictureText(simulation.worked),
    summary: reportOf(simulation, WHOLE_REPORT, runOf(simulation)),
    scores: quietReport(simulation, { ...WHOLE_REPORT, scores: true }),
  };
}
