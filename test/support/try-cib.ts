/** Everything that may be asked of a CIB, for fuzzing: decision, graph, report of a run, checks, sometimes a proof. */
import { cibOfText } from "../../src/app/commands/cib-input.ts";
import { type ReportParts, runOf, simulateCase, WHOLE_REPORT } from "../../src/app/commands/simulate-report.ts";
import { xmlReport } from "../../src/app/commands/simulate-xml.ts";
import { childOf, printXml, type XmlElement } from "../../src/base/xml.ts";
import { findStructuralErrors, verifyCib } from "../../src/cib/schema/verify.ts";
import { upgradeCib } from "../../src/cib/upgrade/to-three.ts";
import { schedule, work } from "../../src/cluster/core/scheduler/schedule.ts";
import { prove } from "../../src/cluster/core/scheduler/why/prove.ts";
import { proofText } from "../../src/cluster/core/scheduler/why/why-text.ts";
import { NOW_SECONDS, randomNumbers } from "./random-cib/draw.ts";

/** A proof costs as much as a hundred decisions. */
const PROOF_EVERY = 200;
const TEXT_EVERY = 10;
const OLD_EVERY = 7;
const PROOF_BYTES_MAX = 40_000;
/** Many errors in a row look alike: the first line and where it came from tell them apart. */
const STACK_LINES = 3;

const SPOILERS = [
  "<",
  ">",
  "&",
  "&#0;",
  '"',
  "<!DOCTYPE x>",
  "<![CDATA[",
  "]]>",
  "<!--",
  "\u0000",
  "</cib>",
  "<a ".repeat(300),
];

/** The text with a piece cut out of it and something else put in. */
function spoilText(text: string, seed: number): string {
  const next = randomNumbers(seed);
  const at = Math.floor(next() * text.length);
  const length = next() < 0.5 ? 0 : Math.floor(next() * 200);
  return text.slice(0, at) + (SPOILERS[Math.floor(next() * SPOILERS.length)] ?? "") + text.slice(at + length);
}

const ALL: ReportParts = { ...WHOLE_REPORT, scores: true, utilization: true, attributes: true, failCounts: true };

/** As if it were of an old schema, and its report as XML. */
function tryAsOld(cib: XmlElement, nowWallMs: number): void {
  const old = { ...cib, attributes: { ...cib.attributes, "validate-with": "pacemaker-1.3" } };
  const upgraded = upgradeCib(old);
  const simulation = { cib: upgraded, time: undefined, worked: work(upgraded, nowWallMs, {}, true) };
  printXml(xmlReport(simulation, ALL, runOf(simulation), "fuzz"));
}

/** What went wrong, or `undefined`. */
export function tryCib(cib: XmlElement, seed: number): string | undefined {
  try {
    const nowWallMs = NOW_SECONDS * 1000;
    schedule(cib, nowWallMs);
    simulateCase(cib, nowWallMs, undefined);
    verifyCib(cib);
    findStructuralErrors(cib);
    if (seed % TEXT_EVERY === 0) cibOfText(spoilText(printXml(cib), seed), "fuzz");
    if (seed % OLD_EVERY === 0) tryAsOld(cib, nowWallMs);
    if (seed % PROOF_EVERY !== 0 || JSON.stringify(cib).length > PROOF_BYTES_MAX) return undefined;
    const [resource] = childOf(childOf(cib, "configuration"), "resources")?.children ?? [];
    const proof = prove(cib, nowWallMs, resource?.attributes["id"] ?? "r1");
    if (proof !== undefined) proofText(proof, "ja");
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    return (error.stack ?? error.message).split("\n").slice(0, STACK_LINES).join(" ");
  }
}
