/**
 * Runs the operations that the executor core orders: agents of other programs as child processes, our own in process,
 * fencing devices through the function that the manager gives. Every run ends, in time, with one `finished` event.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { entryOf } from "../../base/record.ts";
import { printXml } from "../../base/xml.ts";
import type { ResourceGroups } from "../../hw/edge/cgroup.ts";
import { killLeftOvers, type ProcessResult, runProcess } from "../../hw/edge/child-process.ts";
import type { AttributeUpdate, ExecutorEvent, OperationRun, Outcome } from "../core/executor/types.ts";
import { type BuiltInAgent, noteDirectory, OCF } from "./agents/contract.ts";
import { BUILT_IN_AGENTS } from "./agents/index.ts";
import { metadataXml } from "./agents/metadata.ts";
import { startInGroup, stopInGroup } from "./left-behind.ts";
import { behindLingering, ownerOf } from "./lingering-operations.ts";
import { type AgentPaths, findProgram, USUAL_PATHS, unitOf } from "./resource-agent-classes.ts";
import { operateUnit, type SystemdOptions, usualSystemd } from "./systemd-units.ts";

/** How one run ended; the `finished` event without its call and times. */
export interface RunEnd {
  readonly outcome: Outcome;
  readonly exitReason: string;
  readonly output: string;
  readonly attributes: readonly AttributeUpdate[];
}

export interface AgentOptions {
  /** Of this node; short-lived files of agents go below it. */
  readonly runDirectory: string;
  readonly paths?: AgentPaths;
  /** Where a built-in agent of the same name exists, it runs in place of `ocf:heartbeat:` (and `ocf:linbit:`). */
  readonly replacesHeartbeat?: boolean;
  /** A cgroup for each resource, where the machine has them. */
  readonly groups?: ResourceGroups;
  /** Where systemd is, when not where it usually is. */
  readonly systemd?: SystemdOptions;
  /** Runs operations of class `stonith`. */
  readonly fencing?: (run: OperationRun, signal: AbortSignal) => Promise<RunEnd>;
  /** See `AgentCall`. */
  readonly node?: string;
  readonly isDrbdCurrent?: (resource: string) => boolean;
  readonly tellLease?: (lock: string, untilMs: number | undefined) => void;
  /** Added to what every agent process finds. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
}

export type Finished = Extract<ExecutorEvent, { kind: "finished" }>;

export interface AgentRunner {
  readonly run: (run: OperationRun) => void;
  readonly kill: (callId: number) => void;
  /** Ends whatever still runs, and resolves when it has ended. */
  readonly close: () => Promise<void>;
}

/** How long an agent in process may take to notice its timeout before we go on without it. */
const ABORT_GRACE_MS = 3_000;
export const AGENT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface Running {
  readonly done: Promise<RunEnd>;
  readonly kill: () => void;
}

const plain = (outcome: Outcome, exitReason = "", output = ""): RunEnd => ({
  outcome,
  exitReason,
  output,
  attributes: [],
});

function processOutcome({ end, output }: ProcessResult, codeOf: (code: number, output: string) => number): Outcome {
  switch (end.kind) {
    case "exit":
      return { kind: "exit", code: codeOf(end.code, output) };
    case "signal":
      return { kind: "error", reason: `ended by ${end.signal}` };
    case "timeout":
    case "killed":
      return { kind: end.kind };
    case "not-started":
      return end.code === "ENOENT" || end.code === "EACCES"
        ? { kind: "not-installed", reason: end.reason }
        : { kind: "error", reason: end.reason };
  }
}

const EXIT_REASON = "ocf-exit-reason:";

/** Standard error of an agent, and what stands in it as the reason; the last one counts. */
function splitReason(errors: string): { readonly errors: string; readonly exitReason: string } {
  const lines = errors.split("\n");
  const last = lines.findLast((line) => line.includes(EXIT_REASON)) ?? EXIT_REASON;
  return {
    errors: lines.filter((line) => !line.includes(EXIT_REASON)).join("\n"),
    exitReason: last.slice(last.indexOf(EXIT_REASON) + EXIT_REASON.length).trim(),
  };
}

function startProcess(run: OperationRun, options: AgentOptions): Running {
  const paths = options.paths ?? USUAL_PATHS;
  const found = findProgram(run, paths);
  if (found.kind === "not-installed") return { done: Promise.resolve(plain(found)), kill: () => {} };
  const { program } = found;
  const environment = {
    PATH: AGENT_PATH,
    LC_ALL: "C",
    HOME: "/",
    OCF_ROOT: paths.ocfRoot,
    HA_RSCTMP: path.join(options.runDirectory, "resource-agents"),
    ...options.environment,
    ...run.environment,
  };
  try {
    mkdirSync(environment.HA_RSCTMP, { recursive: true });
  } catch (error) {
    // An agent that needs it will say so.
    options.log?.(`${environment.HA_RSCTMP} cannot be made: ${String(error)}`);
  }
  const { file, argv } = program;
  const noteIn = noteDirectory(options.runDirectory);
  const group = options.groups?.beginOperation(run.resource.id, run.callId);
  const limits = { timeoutMs: run.timeoutMs, noteIn, tell: options.log };
  const order = { file, argv, environment, ...limits, ...ownerOf(run.operation, run.instance) };
  const child = runProcess(group === undefined ? order : { ...order, group });
  const done = child.done.then((result) => {
    const outcome = processOutcome(result, program.codeOf);
    const isBad = outcome.kind !== "exit" || outcome.code !== OCF.success;
    const said = splitReason(result.errors);
    // An agent that gave no reason has often said something all the same; its last line is better than nothing.
    const lastWords = isBad && run.intervalMs === 0 ? (said.errors.split("\n").at(-1) ?? "").slice(0, 200) : "";
    const exitReason = [said.exitReason, result.stuck, lastWords].find((text) => text !== "") ?? "";
    return plain(outcome, exitReason, [result.output, said.errors].filter((text) => text !== "").join("\n"));
  });
  return { done, kill: child.kill };
}

/** Bounds work that only hopefully listens to its signal. */
function bounded(timeoutMs: number, work: (signal: AbortSignal) => Promise<RunEnd>): Running {
  const abort = new AbortController();
  let why: "timeout" | "killed" | undefined;
  let isOver = false;
  const timers: NodeJS.Timeout[] = [];
  const done = new Promise<RunEnd>((resolve) => {
    const end = (kind: "timeout" | "killed") => {
      if (why !== undefined || isOver) return;
      why = kind;
      abort.abort(kind);
      timers.push(setTimeout(() => resolve(plain({ kind })), ABORT_GRACE_MS));
    };
    // Behind a turn of the loop: what was done while this process stood still was done in time.
    timers.push(setTimeout(() => setImmediate(() => end("timeout")), timeoutMs));
    abort.signal.addEventListener("abort", () => end("killed"));
    work(abort.signal).then(
      // What it says after the end is at best why it took so long.
      (value) => resolve(why === undefined ? value : { ...plain({ kind: why }), exitReason: value.exitReason }),
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        resolve(plain(why === undefined ? { kind: "error", reason } : { kind: why }));
      },
    );
  });
  return {
    done: done.finally(() => {
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
    }),
    kill: () => abort.abort("killed"),
  };
}

function startBuiltIn(agent: BuiltInAgent, run: OperationRun, options: AgentOptions): Running {
  if (run.operation === "meta-data") {
    return {
      done: Promise.resolve(plain({ kind: "exit", code: 0 }, "", printXml(metadataXml(agent)))),
      kill: () => {},
    };
  }
  const { operation, instance, parameters, environment, timeoutMs } = run;
  const missing = agent.parameters.filter(
    ({ name, required }) => required === true && (entryOf(parameters, name) ?? "") === "",
  );
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(", ");
    const outcome: Outcome = { kind: "exit", code: OCF.notConfigured };
    return { done: Promise.resolve(plain(outcome, `parameter ${names} is missing`)), kill: () => {} };
  }
  return bounded(timeoutMs, async (signal) => {
    const { runDirectory, node, isDrbdCurrent, tellLease } = options;
    const answer = await agent.operate({
      operation,
      instance,
      parameters,
      environment,
      timeoutMs,
      signal,
      runDirectory,
      ...(node === undefined ? {} : { node }),
      ...(isDrbdCurrent === undefined ? {} : { isDrbdCurrent }),
      ...(tellLease === undefined ? {} : { tellLease }),
    });
    const attributes = answer.attributes ?? [];
    return { outcome: { kind: "exit", code: answer.code }, exitReason: answer.reason, output: "", attributes };
  });
}

/** Why there was no bus, by resource, as last told: a monitor must not fill the log with it. */
const toldAway = new Map<string, string>();

/** By systemctl only where systemd cannot be asked over the bus, and never in silence. */
function startUnit(unit: string, run: OperationRun, options: AgentOptions): Running {
  return bounded(run.timeoutMs, async (signal) => {
    const end = await operateUnit(run.operation, unit, signal, options.systemd ?? usualSystemd());
    const { id } = run.resource;
    // What was given up may have been ended since, by an operation that follows: nothing of it may be begun now.
    signal.throwIfAborted();
    if (end.kind === "done") {
      toldAway.delete(id);
      return plain({ kind: "exit", code: end.code }, end.reason);
    }
    if (toldAway.get(id) !== end.reason)
      options.log?.(`${id}: systemd is not on the bus (${end.reason}), so systemctl is asked for ${unit}`);
    toldAway.set(id, end.reason);
    const program = startProcess(run, options);
    signal.addEventListener("abort", program.kill);
    return await program.done;
  });
}

/** Agents of others that ours can stand in for: same parameters, same meaning. */
const REPLACED: Readonly<Record<string, readonly string[]>> = {
  heartbeat: ["Filesystem", "IPaddr2", "Route"],
  linbit: ["drbd"],
};

function builtInFor({ resource, parameters }: OperationRun, options: AgentOptions): BuiltInAgent | undefined {
  if (resource.class !== "ocf" || !Object.hasOwn(BUILT_IN_AGENTS, resource.type)) return undefined;
  const agent = entryOf(BUILT_IN_AGENTS, resource.type);
  const provider = resource.provider ?? "heartbeat";
  if (provider === "gemel") return agent;
  const replaces = options.replacesHeartbeat === true && entryOf(REPLACED, provider)?.includes(resource.type) === true;
  // What ours cannot do the other one shall do, where it is installed.
  return replaces && agent?.lacks?.(parameters) === undefined ? agent : undefined;
}

function start(run: OperationRun, options: AgentOptions): Running {
  const builtIn = builtInFor(run, options);
  if (builtIn !== undefined) return startBuiltIn(builtIn, run, options);
  const unit = unitOf(run, options.paths ?? USUAL_PATHS);
  if (unit !== undefined) return startUnit(unit, run, options);
  if (run.resource.class !== "stonith") {
    const begin = (one: OperationRun) => startProcess(one, options);
    if (run.operation === "stop") return stopInGroup(run, options, begin);
    return run.operation === "start" ? startInGroup(run, options, begin) : begin(run);
  }
  const { fencing } = options;
  if (fencing !== undefined) return bounded(run.timeoutMs, (signal) => fencing(run, signal));
  const reason = "fencing devices are not run here";
  return { done: Promise.resolve(plain({ kind: "not-installed", reason })), kill: () => {} };
}

/** Operations of an earlier start of the program that still run are ended first: nobody waits for them any more. */
export function createAgentRunner(options: AgentOptions, onFinished: (event: Finished) => void): AgentRunner {
  for (const pid of killLeftOvers(noteDirectory(options.runDirectory))) {
    options.log?.(`ended process group ${pid} of an operation that an earlier manager had started`);
  }
  const inGroups = options.groups?.killLeftOvers() ?? 0;
  if (inGroups > 0) options.log?.(`ended ${inGroups} processes of operations that an earlier manager had started`);
  const running = new Map<number, Running>();
  return {
    run(ordered) {
      const { callId } = ordered;
      const startedAtMs = performance.now();
      const begun = behindLingering(ordered, options.log, (run) => start(run, options));
      running.set(callId, begun);
      void begun.done.then((end) => {
        running.delete(callId);
        onFinished({
          kind: "finished",
          callId,
          ...end,
          execMs: performance.now() - startedAtMs,
          endedWallMs: Date.now(),
        });
      });
    },
    kill: (callId) => running.get(callId)?.kill(),
    async close() {
      const all = [...running.values()];
      for (const one of all) one.kill();
      await Promise.all(all.map(({ done }) => done));
    },
  };
}
