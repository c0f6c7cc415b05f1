/**
 * What still runs of a resource beside what its agent says, by the resource's own cgroup: nobody outside it is touched.
 * A stop that fails goes up a ladder before its node is fenced for it. A stop that succeeds may leave something as
 * well. Of a service that has failed these are pieces which its agent does not find any more (workers whose master was
 * killed): they are ended, for they would hold the port here, or go on writing while it runs elsewhere. Of a sound one
 * they may be meant to stay (a helper that others use): they are told, and ended only where a start fails beside them.
 * Why: docs/decisions/left-behind.md. Not to be assumed: that there are cgroups; without them nothing is done here.
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { GroupProcess, ResourceGroups } from "../../hw/edge/cgroup.ts";
import type { OperationRun } from "../core/executor/types.ts";
import { OCF } from "./agents/contract.ts";
import type { RunEnd, Running } from "./resource-agent.ts";

interface Place {
  readonly groups?: ResourceGroups;
  readonly log?: (line: string) => void;
}

type Begin = (run: OperationRun) => Running;

/** What is left to a stop that is tried again; nothing of the resource runs any more. */
const SECOND_STOP_MAX_MS = 10_000;
/** A start that is tried again needs some time to be worth it. */
const SECOND_START_MIN_MS = 1_000;
/** What has something to write down does it now; a takeover waits for it. */
const TERM_WAIT_MS = 1_000;
/** A process that KILL does not end within this time hangs in the kernel. */
const KILL_WAIT_MS = 2_000;
/** An agent that waits for the main process alone answers while the others are on their way out. */
const LEAVE_WAIT_MS = 100;
const LOOK_MS = 20;
const NAMED_MAX = 5;

export function nameProcesses(processes: readonly GroupProcess[]): string {
  const named = processes.slice(0, NAMED_MAX).map(({ pid, command }) => `${pid} (${command})`);
  const more = processes.length > NAMED_MAX ? ` and ${processes.length - NAMED_MAX} more` : "";
  return `process ${named.join(", ")}${more}`;
}

const isDone = ({ outcome }: RunEnd) => outcome.kind === "exit" && outcome.code === OCF.success;
const hasFailed = ({ outcome }: RunEnd) =>
  outcome.kind === "timeout" || (outcome.kind === "exit" && outcome.code !== OCF.success);
const joined = (...words: readonly string[]) => words.filter((word) => word !== "").join("; ");

/** Agents look for the process itself, which is there until its parent has taken note of its end. */
const isThere = ({ pid }: GroupProcess) => existsSync(`/proc/${pid}`);

async function waitWhile(isSo: () => boolean, maxMs: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < maxMs && isSo(); waitedMs += LOOK_MS) await sleep(LOOK_MS);
}

const waitUntilGone = (processes: readonly GroupProcess[], maxMs: number) =>
  waitWhile(() => processes.some(isThere), maxMs);

/** Those of them that are in the group of the resource now. */
function stillOf(groups: ResourceGroups, resource: string, processes: readonly GroupProcess[]) {
  const now = new Set(groups.processes(resource).map(({ pid }) => pid));
  return processes.filter(({ pid }) => now.has(pid));
}

/** TERM, then KILL; answers with those that not even KILL has ended. */
async function endProcesses(groups: ResourceGroups, resource: string, processes: readonly GroupProcess[]) {
  groups.signal(resource, processes, "SIGTERM");
  await waitWhile(() => stillOf(groups, resource, processes).length > 0, TERM_WAIT_MS);
  groups.signal(resource, processes, "SIGKILL");
  await waitUntilGone(processes, KILL_WAIT_MS);
  return stillOf(groups, resource, processes);
}

const HANGS = "hangs in the kernel: what it was to do may still be done";

/** A stop that has succeeded, by its agent's word, and something is left. */
async function afterStop(end: RunEnd, run: OperationRun, groups: ResourceGroups): Promise<RunEnd> {
  const { id } = run.resource;
  await waitWhile(() => groups.processes(id).length > 0, LEAVE_WAIT_MS);
  const left = groups.processes(id);
  if (left.length === 0) return end;
  const names = nameProcesses(left);
  const told = (word: string): RunEnd => ({ ...end, exitReason: joined(end.exitReason, word) });
  if (run.afterFailure !== true) return told(`stopped, and ${names} of it runs on`);
  await endProcesses(groups, id, left);
  // What they have started meanwhile is in the group as well.
  groups.killResource(id);
  await waitUntilGone(groups.processes(id), KILL_WAIT_MS);
  const hangs = groups.processes(id);
  if (hangs.length === 0) return told(`it had failed, and its stop left ${names} running, which was ended`);
  return { ...told(`${nameProcesses(hangs)} of it ${HANGS}`), outcome: { kind: "exit", code: OCF.error } };
}

/** What the resource still runs is named and killed, and the agent is asked once more to clean up and to say so. */
async function stopAgain(first: RunEnd, run: OperationRun, groups: ResourceGroups, again: Begin): Promise<RunEnd> {
  const { id } = run.resource;
  const left = groups.processes(id);
  groups.killResource(id);
  await waitUntilGone(left, KILL_WAIT_MS);
  const second = await again({ ...run, timeoutMs: Math.min(run.timeoutMs, SECOND_STOP_MAX_MS) }).done;
  const hangs = stillOf(groups, id, left);
  if (hangs.length === 0 && isDone(second)) return second;
  const end = hangs.length === 0 ? "and its stop failed again" : `and ${nameProcesses(hangs)} hangs in the kernel`;
  return { ...first, exitReason: joined(first.exitReason, `${nameProcesses(left)} was killed, ${end}`) };
}

/** Runs `work`; a kill ends whatever `begin` has begun last, and lets it begin nothing more. */
function inTurns(begin: Begin, work: (begin: Begin) => Promise<RunEnd>): Running {
  let current: Running | undefined;
  let isKilled = false;
  const beginNext = (run: OperationRun): Running => {
    const killed: RunEnd = { outcome: { kind: "killed" }, exitReason: "", output: "", attributes: [] };
    if (isKilled) return { done: Promise.resolve(killed), kill: () => {} };
    current = begin(run);
    return current;
  };
  return {
    done: work(beginNext),
    kill() {
      isKilled = true;
      current?.kill();
    },
  };
}

export function stopInGroup(run: OperationRun, { groups, log }: Place, begin: Begin): Running {
  if (groups === undefined) return begin(run);
  return inTurns(begin, async (beginNext) => {
    const { id } = run.resource;
    const first = await beginNext(run).done;
    const left = groups.processes(id);
    if (left.length === 0) return first;
    if (isDone(first)) return await afterStop(first, run, groups);
    if (!hasFailed(first)) return first;
    const why = first.exitReason === "" ? "its stop failed" : first.exitReason;
    log?.(`${id} still runs after its stop (${why}): ${nameProcesses(left)} is killed, and the stop tried again`);
    return await stopAgain({ ...first, exitReason: why }, run, groups, beginNext);
  });
}

/** A start that fails beside what an earlier one has left running: that is ended, and the start tried once more. */
export function startInGroup(run: OperationRun, { groups, log }: Place, begin: Begin): Running {
  const { id } = run.resource;
  const before = groups?.processes(id) ?? [];
  if (groups === undefined || before.length === 0) return begin(run);
  const beganAtMs = performance.now();
  return inTurns(begin, async (beginNext) => {
    const first = await beginNext(run).done;
    const left = stillOf(groups, id, before);
    if (!hasFailed(first) || left.length === 0) return first;
    const names = nameProcesses(left);
    const why = first.exitReason === "" ? "its start failed" : first.exitReason;
    const timeoutMs = run.timeoutMs - (performance.now() - beganAtMs) - TERM_WAIT_MS - KILL_WAIT_MS;
    if (timeoutMs < SECOND_START_MIN_MS) return { ...first, exitReason: `${why}; ${names} of an earlier start runs` };
    log?.(`${id} did not start (${why}): ${names} of an earlier start is ended, and the start tried again`);
    const hangs = await endProcesses(groups, id, left);
    if (hangs.length > 0) return { ...first, exitReason: `${why}; ${nameProcesses(hangs)} of it ${HANGS}` };
    const second = await beginNext({ ...run, timeoutMs }).done;
    const exitReason = joined(second.exitReason, `${names} of an earlier start was in the way, and ended`);
    return { ...second, exitReason };
  });
}
