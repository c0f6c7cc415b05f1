/**
 * What an operator should know, most urgent first, each with the command or the deed that helps.
 * The 20 rows of the how-to table (docs of issue 6) grow from here; these are the rows of the first slice.
 */
import type { BlockedAction } from "../../cluster/core/scheduler/decision.ts";
import { reasonText } from "../../cluster/core/scheduler/reason-text.ts";
import type { DrbdStatus, ResourceStatus, StatusProblem, StatusReport } from "../control-protocol.ts";

type Report = Omit<StatusReport, "problems">;

/** What has been tried so far to prove that the node is off. */
function fencingStory({ fencing, atWallMs }: Report, node: string): string {
  const rounds = fencing.history.filter(({ target }) => target === node);
  const failed = rounds.slice(rounds.findLastIndex(({ outcome }) => outcome === "confirmed") + 1);
  const last = failed.findLast(({ outcome }) => outcome !== "running");
  const runs = failed.some(({ outcome }) => outcome === "running") ? "; a fencing is under way" : "";
  if (last === undefined) return runs;
  const agoS = Math.max(0, Math.round((atWallMs - last.atWallMs) / 1000));
  return `; the last fencing, ${agoS} s ago, was ${last.outcome}: ${last.reason}${runs}`;
}

function nodeProblems(report: Report): StatusProblem[] {
  const { nodes, dc } = report;
  const problems: StatusProblem[] = [];
  if (dc === undefined)
    problems.push({ severity: "error", what: "there is no DC: nothing is decided", doNow: "look at `gemel log`" });
  for (const { name, state, membership } of nodes) {
    if (state === "unclean") {
      problems.push({
        severity: "error",
        what: `${name} is lost and not known to be off, so nothing of it is taken over${fencingStory(report, name)}`,
        doNow:
          `mend what the fencing names: it is tried again by itself; or switch ${name} off by hand, ` +
          `see that it is off, and run \`gemel fence confirm ${name}\``,
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

/** Of a node that is no member every link is down, and its own problem says so. */
function linkProblems({ links, nodes }: Report): StatusProblem[] {
  const isMember = (peer: string) => nodes.some(({ name, membership }) => name === peer && membership === "member");
  return links
    .filter(({ state, peer }) => state !== "up" && isMember(peer))
    .map(({ name, peer, state }) => ({
      severity: "warning",
      what: `link ${name} to ${peer} is ${state}`,
      doNow: "look at the cable, the card and the switch; the link heals by itself",
    }));
}

/** The outermost thing that holds it, by which operators know it. */
const holderOf = ({ id, parents }: ResourceStatus): string => parents.at(-1)?.id ?? id;

/** What should serve and does not: never without a word, whatever the reason is. */
function serviceProblems({ resources, transition, isSettled }: Report): StatusProblem[] {
  if (transition.isRunning || !isSettled) return [];
  const wanted = resources.filter(({ agent, isWanted }) => isWanted && !agent.startsWith("stonith:"));
  const isPromotable = ({ parents }: ResourceStatus) => parents.some(({ kind }) => kind === "promotable");
  const idle = wanted.filter(({ active }) => active.length === 0);
  const unpromoted = wanted.filter(
    (one) => isPromotable(one) && one.active.length > 0 && !one.active.some(({ role }) => role === "Promoted"),
  );
  const doNow = "see the other lines here and `gemel log`; when the cause is mended it starts by itself";
  return [
    ...[...new Set(unpromoted.map(holderOf))].map((holder) => `${holder} is promoted nowhere`),
    ...[...new Set(idle.map(holderOf))].map((holder) => {
      const members = idle.filter((one) => holderOf(one) === holder).map(({ id }) => id);
      return members.length === 1 && members[0] === holder
        ? `${holder} runs nowhere`
        : `${holder} does not serve: ${members.join(", ")} run${members.length === 1 ? "s" : ""} nowhere`;
    }),
  ].map((what) => ({ severity: "error", what, doNow }));
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
      what: `${key}${node === undefined ? "" : ` on ${node}`} is blocked: ${reasonText(reason)}`,
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

function drbdAdvice({ resource, disk, connection, replication, isSuspended }: DrbdStatus): string {
  if (connection === "StandAlone")
    return (
      "the two sides may have split: compare the data; then, on the side that shall lose its own: " +
      `drbdadm connect --discard-my-data ${resource}`
    );
  if (disk === "Diskless" || disk === "Failed")
    return `this node works on the peer's disk: mend or replace its own, then run \`drbdadm attach ${resource}\` here`;
  if (disk !== "UpToDate" && connection !== "Connected")
    return (
      "start the peer: this node's data may be old. Only if the peer's data are lost for good, and with them what it " +
      `wrote alone: \`drbdadm primary --force ${resource}\` here`
    );
  if (isSuspended) return "it goes on as soon as the peer is proven to be off, or is back";
  if (replication.startsWith("Sync")) return "it is being synchronised: wait";
  return "it heals by itself once the peer is back; look at the peer and the replication link";
}

function drbdProblems({ drbd }: Report): StatusProblem[] {
  return drbd
    .filter(({ disk, connection, isSuspended }) => isSuspended || disk !== "UpToDate" || connection !== "Connected")
    .map((one) => {
      const { resource, role, disk, connection, isSuspended, outOfSyncKib } = one;
      return {
        severity: disk !== "UpToDate" && connection !== "Connected" ? "error" : "warning",
        what:
          `DRBD ${resource}: ${role}, disk ${disk}, ${connection}` +
          `${outOfSyncKib > 0 ? `, ${outOfSyncKib} KiB out of sync` : ""}${isSuspended ? ", I/O is frozen" : ""}`,
        doNow: drbdAdvice(one),
      };
    });
}

/** Errors before warnings; within them keeper, nodes, fencing, resources, storage, links. */
export function findProblems(report: Report, blocked: readonly BlockedAction[]): readonly StatusProblem[] {
  const all = [
    ...keeperProblems(report),
    ...nodeProblems(report),
    ...fencingProblems(report),
    ...serviceProblems(report),
    ...resourceProblems(report, blocked),
    ...drbdProblems(report),
    ...linkProblems(report),
  ];
  return [...all.filter(({ severity }) => severity === "error"), ...all.filter(({ severity }) => severity !== "error")];
}
