/** From what a manager knows to the list of problems that status shows: joins the report to the core of advice. */
import type { XmlElement } from "../../base/xml.ts";
import { advise } from "../../cluster/core/advice/advise.ts";
import { ROW_OF } from "../../cluster/core/advice/codes.ts";
import type { Situation } from "../../cluster/core/advice/situation.ts";
import { textOf } from "../../cluster/core/advice/texts.ts";
import type { BlockedAction } from "../../cluster/core/scheduler/decision.ts";
import { reasonText } from "../../cluster/core/scheduler/reason-text.ts";
import type { StatusProblem, StatusReport } from "../control-protocol.ts";
import { localFacts } from "../zone.ts";

type Report = Omit<StatusReport, "problems">;

/** The phases that the keeper knows; a node that it does not know has none. */
function phasesOf({ nodes }: Report): Situation["phases"] {
  return Object.fromEntries(
    nodes.flatMap(({ name, membership }) => (membership === "unknown" ? [] : [[name, membership] as const])),
  );
}

function keeperFact({ keeper }: Report): Situation["keeper"] {
  if (keeper === undefined) return undefined;
  const { ailment, tieTrouble, deadtimeMs, silence, lateness } = keeper;
  return {
    deadtimeMs,
    worstSilenceMs: silence.worstMs,
    lateP99Ms: lateness.p99Ms,
    ...(ailment === undefined ? {} : { ailment }),
    ...(tieTrouble === undefined ? {} : { tieTrouble }),
  };
}

/** Of the DC's last word, what only advice is made from. */
export interface Hindrances {
  readonly blocked: readonly BlockedAction[];
  readonly heldUp?: string;
}

export function situationOf(cib: XmlElement, report: Report, { blocked, heldUp }: Hindrances): Situation {
  const { self, atWallMs, dc, isSettled, transition, links, fencing, drbd, nodes } = report;
  const { devices, history, isEnabled } = fencing;
  return {
    facts: localFacts(cib, atWallMs),
    self,
    nowWallMs: atWallMs,
    dc,
    isSettled,
    isBusy: transition.isRunning || history.some(({ outcome }) => outcome === "running"),
    phases: phasesOf(report),
    links,
    fencing: history,
    isFencingEnabled: isEnabled,
    fenceable: nodes
      .filter(({ name }) => devices.some(({ targets }) => targets.length === 0 || targets.includes(name)))
      .map(({ name }) => name),
    proofs: fencing.proofs,
    drbd,
    cibRefusal: report.cibRefusal,
    conflict: report.conflict,
    clocks: report.clocks ?? [],
    alerts: report.alerts ?? [],
    keeper: keeperFact(report),
    heldUp,
    blocked: blocked.map(({ key, node, reason }) => ({
      key,
      reason: reasonText(reason),
      ...(node === undefined ? {} : { node }),
    })),
  };
}

export function findProblems(cib: XmlElement, report: Report, hindrances: Hindrances): readonly StatusProblem[] {
  return advise(situationOf(cib, report, hindrances)).map(({ code, severity, values }) => ({
    severity,
    code,
    row: ROW_OF[code],
    values,
    ...textOf("en", code, values),
  }));
}
