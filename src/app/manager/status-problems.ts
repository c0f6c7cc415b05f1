/**
 * What an operator should know, most urgent first, each with the command or the deed that helps.
 * The 20 rows of the how-to table (docs of issue 6) grow from here; these are the rows of the first slice.
 */
import type { BlockedAction } from "../../cluster/core/scheduler/decision.ts";
import type { StatusProblem, StatusReport } from "../control-protocol.ts";

type Report = Omit<StatusReport, "problems">;

function nodeProblems({ nodes, fencing, dc }: Report): StatusProblem[] {
  const problems: StatusProblem[] = [];
  if (dc === undefined)
    problems.push({ severity: "error", what: "there is no DC: nothing is decided", doNow: "look at `gemel log`" });
  for (const { name, state, membership } of nodes) {
    if (state === "unclean") {
      const open = fencing.history.findLast(({ target }) => target === name);
      const told = open === undefined ? "" : `; last fencing: ${open.outcome} ${open.evidence}`;
      problems.push({
        severity: "error",
        what: `${name} is lost and not known to be off, so nothing of it is taken over${told}`,
        doNow: `wait for the fencing; or switch ${name} off by hand, then run \`gemel fence confirm ${name}\``,
      });
    } else if (state === "offline") {
      problems.push({
        severity: "warning",
        what: `${name} is offline (${membership}): there is no second node to take over`,
        doNow: `look at the power, the cables and the log of ${name}; then start it`,
      });
    } else if (state === "standby" || state === "maintenance") {
      const doNow = state === "standby" ? `crm node online ${name}` : `crm node ready ${name}`;
      problems.push({ severity: "warning", what: `${name} is in ${state}`, doNow: `when the work is done: ${doNow}` });
    }
  }
  return problems;
}

function linkProblems({ links }: Report): StatusProblem[] {
  return links
    .filter(({ state }) => state !== "up")
    .map(({ name, peer, state }) => ({
      severity: "warning",
      what: `link ${name} to ${peer} is ${state}`,
      doNow: "look at the cable, the card and the switch; the link heals by itself",
    }));
}

/** Beyond this share of deadtime a busier day looks like death. */
const SILENCE_SHARE = 0.75;

function keeperProblems({ keeper, self }: Report): StatusProblem[] {
  if (keeper === undefined) return [];
  const { ailment, silence, deadtimeMs, lateness } = keeper;
  const problems: StatusProblem[] = [];
  if (ailment !== undefined)
    problems.push({
      severity: "error",
      what: `${self} is sick and its watchdog is not fed: ${ailment}`,
      doNow: `it ends by itself; move what it runs while there is time: crm node standby ${self}`,
    });
  if (silence.worstMs > SILENCE_SHARE * deadtimeMs)
    problems.push({
      severity: "warning",
      what: `a living node was silent for ${Math.round(silence.worstMs)} ms, deadtime is ${deadtimeMs} ms`,
      doNow: `raise deadtime on all nodes, or find what delays it (beats here: 1 of 100 is ${lateness.p99Ms} ms late)`,
    });
  return problems;
}

function resourceProblems({ failures, resources }: Report, blocked: readonly BlockedAction[]): StatusProblem[] {
  const problems = failures.map(({ node, resource, operation, code, status, exitReason }): StatusProblem => {
    const why = exitReason === "" ? "" : `: ${exitReason}`;
    return {
      severity: "warning",
      what: `${resource}: ${operation} failed on ${node} (rc=${code}, ${status})${why}`,
      doNow: `mend the cause, then: crm resource cleanup ${resource} ${node}`,
    };
  });
  for (const { id, active, parents } of resources) {
    if (active.length > 1 && parents.every(({ kind }) => kind === "group"))
      problems.push({
        severity: "error",
        what: `${id} is active on ${active.map(({ node }) => node).join(" and ")}`,
        doNow: "stop the writers on one of them at once, and look at `gemel log`",
      });
  }
  for (const { key, node, reason } of blocked)
    problems.push({
      severity: "error",
      what: `${key}${node === undefined ? "" : ` on ${node}`} is blocked: ${reason.code}`,
      doNow: "mend the cause, then: crm resource cleanup RESOURCE NODE",
    });
  return problems;
}

function fencingProblems({ fencing, nodes }: Report): StatusProblem[] {
  if (nodes.length < 2) return [];
  if (!fencing.isEnabled)
    return [
      {
        severity: "error",
        what: "fencing is disabled by configuration: after a cut of all links both nodes may write",
        doNow: "configure a fencing device for each node, then: crm configure property stonith-enabled=true",
      },
    ];
  return nodes
    .filter(({ name }) => !fencing.devices.some(({ targets }) => targets.length === 0 || targets.includes(name)))
    .map(({ name }) => ({
      severity: "error",
      what: `no fencing device can fence ${name}: its resources could never be taken over`,
      doNow: `configure a fencing device for ${name}`,
    }));
}

function drbdProblems({ drbd }: Report): StatusProblem[] {
  return drbd
    .filter(({ disk, connection, isSuspended }) => isSuspended || disk !== "UpToDate" || connection !== "Connected")
    .map(({ resource, role, disk, connection, isSuspended, outOfSyncKib }) => ({
      severity: "warning",
      what:
        `DRBD ${resource}: ${role}, disk ${disk}, ${connection}` +
        `${outOfSyncKib > 0 ? `, ${outOfSyncKib} KiB out of sync` : ""}${isSuspended ? ", I/O is frozen" : ""}`,
      doNow:
        connection === "StandAlone"
          ? "the two sides may have split: compare the data; then, on the side that shall lose its own: " +
            `drbdadm connect --discard-my-data ${resource}`
          : "it heals by itself once the peer is back; look at the peer and the replication link",
    }));
}

/** Errors before warnings; within them keeper, nodes, fencing, resources, storage, links. */
export function findProblems(report: Report, blocked: readonly BlockedAction[]): readonly StatusProblem[] {
  const all = [
    ...keeperProblems(report),
    ...nodeProblems(report),
    ...fencingProblems(report),
    ...resourceProblems(report, blocked),
    ...drbdProblems(report),
    ...linkProblems(report),
  ];
  return [...all.filter(({ severity }) => severity === "error"), ...all.filter(({ severity }) => severity !== "error")];
}
