/**
 * What everybody's status display wants to know of the DC. That a transition begins or has ended, what is blocked and
 * what holds the DC up is told at once: whoever waits for the cluster to come to rest goes by it. How far a transition
 * has come is told now and then: a report names all that is under way, and one for each action would be, of many
 * resources, most of what the links carry.
 */
import { inFlight } from "../transition/run.ts";
import { broadcast, setLead, type Turn } from "./turn.ts";
import type { DcReport, Lead } from "./types.ts";

/** People look once a second at most. */
const PROGRESS_MS = 500;

function dcReport({ run, summary, blocked, heldUp }: Lead): DcReport {
  return {
    number: run?.number ?? 0,
    isRunning: run !== undefined && !run.finished,
    actionCount: run?.phases.length ?? 0,
    doneCount: run?.phases.filter((phase) => phase === "succeeded").length ?? 0,
    inFlight: run === undefined ? [] : inFlight(run),
    summary,
    blocked,
    ...(heldUp?.isTold === true ? { heldUp: heldUp.why } : {}),
  };
}

/** Whether the transition has only come further: while it runs nothing new is decided, so what it is stays. */
const isProgress = (before: DcReport, after: DcReport): boolean =>
  before.isRunning && after.isRunning && before.number === after.number && before.heldUp === after.heldUp;

/** At most once a step; our own displays see everything at once. */
export function tellReport(turn: Turn): void {
  const { lead } = turn.state;
  if (lead?.reportDue !== true) return;
  const report = dcReport(lead);
  turn.state = { ...turn.state, dcReport: report };
  const { nowMs } = turn.now;
  const { told } = lead;
  if (told !== undefined && nowMs < told.atMs + PROGRESS_MS && isProgress(told.report, report)) return;
  setLead(turn, { reportDue: false, told: { report, atMs: nowMs } });
  broadcast(turn, { kind: "dc-report", report });
}

/** When progress that was held back is to be told. */
export const reportWakeAtMs = ({ reportDue, told }: Lead): number | undefined =>
  reportDue && told !== undefined ? told.atMs + PROGRESS_MS : undefined;
