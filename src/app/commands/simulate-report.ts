/** What `gemel simulate` shows of one CIB: graph, picture, report of a simulated run, scores. */
import { printXml, type XmlElement } from "../../base/xml.ts";
import { formatDate } from "../../cluster/core/scheduler/facts/dates.ts";
import { readFacts } from "../../cluster/core/scheduler/facts/read-facts.ts";
import { picture } from "../../cluster/core/scheduler/print/picture.ts";
import { scoreLines } from "../../cluster/core/scheduler/print/score-lines.ts";
import { simulateRun } from "../../cluster/core/scheduler/print/simulated-run.ts";
import { statusReport } from "../../cluster/core/scheduler/print/status-report.ts";
import { summaryLines } from "../../cluster/core/scheduler/print/summary-lines.ts";
import { transitionXml } from "../../cluster/core/scheduler/print/transition-xml.ts";
import { work } from "../../cluster/core/scheduler/schedule.ts";
import type { Worked } from "../../cluster/core/scheduler/worked.ts";

export interface SimulatedCase {
  readonly exp: string;
  readonly dot: string;
  readonly summary: string;
  readonly scores: string;
}

/** Which parts of the report are wanted. */
export interface ReportParts {
  readonly status: boolean;
  readonly run: boolean;
  readonly scores: boolean;
}

export const WHOLE_REPORT: ReportParts = { status: true, run: true, scores: false };

function clockLine(cib: XmlElement, time: string | undefined): string[] {
  if (time !== undefined) return [`Setting effective cluster time: ${time}`];
  const executed = cib.attributes["execution-date"];
  return executed === undefined ? [] : [`Using the original execution date of: ${formatDate(Number(executed))}`];
}

/** The facts before any pass could mark them: tickets and fencing decisions add to what is known of nodes. */
const factsOf = (cib: XmlElement, { facts }: Worked) => readFacts(cib, facts.nowSeconds * 1000, undefined);

/** The text report: before, what would be done, how it would go, after. */
export function reportOf(cib: XmlElement, worked: Worked, time: string | undefined, parts: ReportParts): string {
  const clock = clockLine(cib, time);
  const lines = [...clock];
  if (parts.status) lines.push(statusReport(factsOf(cib, worked), "Current cluster status", true));
  if (parts.scores) lines.push("Assignment Scores:", ...scoreLines(worked), "");
  lines.push("Transition Summary:", ...summaryLines(worked).map((line) => `  * ${line}`), "");
  if (!parts.run) return lines.join("\n");
  const { lines: done, cib: after } = simulateRun(cib, worked);
  lines.push("Executing Cluster Transition:", ...done.map((line) => `  * ${line}`), ...clock, "");
  lines.push(statusReport(factsOf(after, worked), "Revised Cluster Status", false), "");
  return lines.join("\n");
}

export const graphText = (worked: Worked): string => printXml(transitionXml(worked.facts, worked.graph));
export const pictureText = (worked: Worked): string => picture(worked.graph);

/** All four outputs of one case, as the reference cases have them. */
export function simulateCase(cib: XmlElement, nowWallMs: number, time: string | undefined): SimulatedCase {
  const worked = work(cib, nowWallMs, {}, true);
  return {
    exp: graphText(worked),
    dot: pictureText(worked),
    summary: reportOf(cib, worked, time, WHOLE_REPORT),
    scores: `\n${scoreLines(worked).join("\n")}\n`,
  };
}
