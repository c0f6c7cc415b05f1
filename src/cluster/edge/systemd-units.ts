/**
 * Resources of class `systemd`: units of systemd, asked over D-Bus. An operation is done when its job is, as the signal
 * JobRemoved tells; its result and the unit's own state then say what came of it. While it is ours a unit has a
 * drop-in: systemd does not restart it behind our back, and when the machine goes down it is stopped after us, who stop
 * it in order. Not to be assumed: that a signal arrives (systemd may execute itself anew meanwhile), so the job is
 * looked at now and then as well.
 * Facts: org.freedesktop.systemd1(5); systemd.unit(5), "Before="; reference/crm-tools.md, section 6.
 */
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { entryOf } from "../../base/record.ts";
import type { BusMessage } from "../../hw/core/bus/message.ts";
import type { BusValue } from "../../hw/core/bus/value.ts";
import { type Bus, type BusAnswer, matchSignals, openBus, SYSTEM_BUS } from "../../hw/edge/message-bus.ts";
import { OCF } from "./agents/contract.ts";

export interface SystemdOptions {
  /** The socket of the bus on which systemd is. */
  readonly bus: string;
  /** Where drop-ins go that last until the next boot. */
  readonly dropIns: string;
  /** The unit that we ourselves run in; undefined when systemd has not started us. */
  readonly ownUnit: string | undefined;
}

export type UnitEnd =
  | { readonly kind: "done"; readonly code: number; readonly reason: string }
  /** There is no bus, or no systemd on it: nothing was done. */
  | { readonly kind: "away"; readonly reason: string };

const SYSTEMD = { destination: "org.freedesktop.systemd1", path: "/org/freedesktop/systemd1" };
const MANAGER = { ...SYSTEMD, interface: "org.freedesktop.systemd1.Manager" };
const PROPERTIES = "org.freedesktop.DBus.Properties";
const UNIT = "org.freedesktop.systemd1.Unit";
const SERVICE = "org.freedesktop.systemd1.Service";
/** A signal that was lost is made up for by a look. */
const LOOK_MS = 1_000;
/** On its way up or down a unit is neither. */
const UNSETTLED = new Set(["activating", "deactivating", "reloading"]);
const UNSETTLED_LOOK_MS = 200;
const ABSENT = new Set(["org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.DBus.Error.FileNotFound"]);
/** As others write it on the bus while systemd is not on it (yet). */
const NOBODY = new Set(["org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"]);
/** What was asked is lost: its recipient has left the bus, as systemd does while it executes itself anew. */
const LOST = "org.freedesktop.DBus.Error.NoReply";
/** It takes a tenth of a second; on a starved machine, and with many units, much longer. */
const RETURNS_MS = 10_000;
const RETRY_MS = 200;
const DROP_IN = "50-gemel.conf";
/** Who starts what we stop may do so again. */
const STOP_TRIES_MAX = 10;
const JOBS: Readonly<Record<string, string>> = {
  start: "StartUnit",
  stop: "StopUnit",
  restart: "RestartUnit",
  reload: "ReloadUnit",
};

/** The service that this process runs in, by its cgroup. */
export function unitOfCgroup(text: string): string | undefined {
  return /\/([^/\n]+\.service)$/m.exec(text)?.[1];
}

export function usualSystemd(): SystemdOptions {
  let own = "";
  try {
    own = readFileSync("/proc/self/cgroup", "utf8");
  } catch {
    // Without cgroups there is no systemd either.
  }
  return { bus: SYSTEM_BUS, dropIns: "/run/systemd/system", ownUnit: unitOfCgroup(own) };
}

/** The question has got lost, and may be asked again: every job is one that can be asked for twice. */
type Attempt = UnitEnd | { readonly kind: "lost"; readonly reason: string };
type Trouble = Exclude<BusAnswer, { readonly kind: "reply" }>;

interface Work {
  readonly bus: Bus;
  readonly unit: string;
  readonly options: SystemdOptions;
  readonly signal: AbortSignal;
  /** Results of the jobs that have ended since we listen. */
  readonly ended: Map<string, string>;
  /** Called with every job that ends. */
  wake: () => void;
}

/** Thrown with the answer as its cause, and judged once, at the end. */
const trouble = (answer: Trouble) => new Error(answer.reason, { cause: answer });

function troubleOf(error: unknown): Trouble | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === "object" && cause !== null && "kind" in cause ? (cause as Trouble) : undefined;
}

function bodyOf(answer: BusAnswer): readonly BusValue[] {
  if (answer.kind === "reply") return answer.body;
  throw trouble(answer);
}

/** Of a property that is a text; empty for any other. */
function textOf(answer: BusAnswer): string {
  const [value] = bodyOf(answer);
  return typeof value === "object" && "value" in value && typeof value.value === "string" ? value.value : "";
}

/** Everything that is asked here is answered by a path, or by nothing. */
async function ask(work: Work, member: string, signature = "", ...body: BusValue[]): Promise<string> {
  const [first] = bodyOf(await work.bus.call({ ...MANAGER, member, signature, body }));
  return typeof first === "string" ? first : "";
}

async function property(work: Work, unitPath: string, name: string, from = UNIT): Promise<string> {
  const { destination } = SYSTEMD;
  const call = {
    destination,
    path: unitPath,
    interface: PROPERTIES,
    member: "Get",
    signature: "ss",
    body: [from, name],
  };
  return textOf(await work.bus.call(call));
}

/** Loads the unit if it is not; there is an object for one without a file as well. */
async function unitPath(work: Work): Promise<string> {
  return await ask(work, "LoadUnit", "s", work.unit);
}

/** The state in which the unit comes to rest. Rejects when the operation's time is over before. */
async function settledState(work: Work): Promise<string> {
  const at = await unitPath(work);
  for (;;) {
    const state = await property(work, at, "ActiveState");
    if (!UNSETTLED.has(state)) return state;
    await sleep(UNSETTLED_LOOK_MS, undefined, { signal: work.signal });
  }
}

/**
 * When the machine goes down the unit's stop waits for us, who go before it, and we wait for it: then it may go first.
 * Not before: what needs it would not be stopped with it. Fact: org.freedesktop.systemd1(5), "ignore-dependencies".
 */
async function letPass(work: Work): Promise<void> {
  const { ownUnit } = work.options;
  if (ownUnit === undefined) return;
  const own = await ask(work, "LoadUnit", "s", ownUnit);
  if ((await property(work, own, "ActiveState")) !== "deactivating") return;
  await ask(work, "StopUnit", "ss", work.unit, "ignore-dependencies");
}

/** `gone`: the job is no more, and nobody has told how it ended. `waits`: called while others go before it. */
async function jobResult(work: Work, job: string, waits: () => Promise<void>): Promise<string> {
  for (;;) {
    const result = work.ended.get(job);
    if (result !== undefined) return result;
    // What ends while this is set up is in `ended`, and the look is short.
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      work.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    work.signal.throwIfAborted();
    if (work.ended.has(job)) continue;
    const call = { destination: SYSTEMD.destination, path: job, interface: PROPERTIES, member: "Get" };
    const looked = await work.bus.call({ ...call, signature: "ss", body: ["org.freedesktop.systemd1.Job", "State"] });
    if (looked.kind === "gone") throw trouble(looked);
    if (looked.kind === "error" && !work.ended.has(job)) return "gone";
    if (looked.kind === "reply" && textOf(looked) === "waiting") await waits();
  }
}

const dropInFolder = ({ options, unit }: Work) => path.join(options.dropIns, `${unit}.d`);

async function ownDropIn(work: Work): Promise<void> {
  const { ownUnit } = work.options;
  // Stopped in the reverse order of the start: we first, and with us, in our order, the unit.
  const order = ownUnit === undefined ? "" : `Before=${ownUnit}\n`;
  const folder = dropInFolder(work);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const text = `# While gemel runs this unit.\n[Unit]\n${order}\n[Service]\nRestart=no\n`;
  writeFileSync(path.join(folder, DROP_IN), text, { mode: 0o644 });
  await ask(work, "Reload");
}

async function dropDropIn(work: Work): Promise<void> {
  const folder = dropInFolder(work);
  rmSync(path.join(folder, DROP_IN), { force: true });
  try {
    rmdirSync(folder);
  } catch {
    // Never there, or others have something in it.
  }
  await ask(work, "Reload");
}

/** Resolves with what became of the job, and the state in which the unit has come to rest. */
async function doJob(work: Work, operation: string): Promise<{ readonly result: string; readonly state: string }> {
  const job = await ask(work, entryOf(JOBS, operation) ?? "StartUnit", "ss", work.unit, "replace");
  const waits = () => (operation === "stop" ? letPass(work) : Promise.resolve());
  await waits();
  const result = await jobResult(work, job, waits);
  return { result, state: await settledState(work) };
}

/** Under these systemd ends every process of the unit; under the others some are meant to stay. */
const ENDS_ALL = new Set(["control-group", "mixed"]);

/** What systemd could not end: the unit has failed, and its processes may go on writing. Empty when there are none. */
async function leftRunning(work: Work): Promise<string> {
  const { unit } = work;
  if (!unit.endsWith(".service") || !ENDS_ALL.has(await property(work, await unitPath(work), "KillMode", SERVICE)))
    return "";
  const call = { ...MANAGER, member: "GetUnitProcesses", signature: "s", body: [unit] };
  const [processes] = bodyOf(await work.bus.call(call));
  const rows = Array.isArray(processes) ? processes.filter((row) => Array.isArray(row)) : [];
  return rows.map(([, pid, command]) => `${String(pid)} (${String(command)})`).join(", ");
}

/** The unit is down: what cannot be tidied up behind it is told, and is no reason to fence the node. */
async function tidyUp(work: Work): Promise<string> {
  try {
    await dropDropIn(work);
    return "";
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `${work.unit} is stopped; its drop-in ${DROP_IN} is not taken back: ${reason}`;
  }
}

async function stopUnit(work: Work): Promise<UnitEnd> {
  const { unit } = work;
  let { result, state } = await doJob(work, "stop");
  // Somebody else has started it meanwhile, and systemd does what it was told last.
  for (let tries = 1; tries < STOP_TRIES_MAX && result === "canceled" && state === "active"; tries += 1)
    ({ result, state } = await doJob(work, "stop"));
  if (state === "active")
    return { kind: "done", code: OCF.error, reason: `${unit} is active after its job: ${result}` };
  const left = state === "failed" ? await leftRunning(work) : "";
  if (left !== "") return { kind: "done", code: OCF.error, reason: `${unit} is failed, and process ${left} runs on` };
  return { kind: "done", code: OCF.success, reason: await tidyUp(work) };
}

async function runJob(work: Work, operation: string): Promise<UnitEnd> {
  const { unit } = work;
  if (operation === "stop") return await stopUnit(work);
  if (operation === "start") {
    const state = await property(work, await unitPath(work), "LoadState");
    if (state === "not-found") return { kind: "done", code: OCF.notInstalled, reason: `there is no unit ${unit}` };
    if (state === "masked") return { kind: "done", code: OCF.notInstalled, reason: `${unit} is masked` };
    await ownDropIn(work);
  }
  const { result, state } = await doJob(work, operation);
  if (state === "active" && (result === "done" || result === "gone"))
    return { kind: "done", code: OCF.success, reason: "" };
  return { kind: "done", code: OCF.error, reason: `the job of ${unit} is ${result}, the unit ${state}` };
}

async function work(one: Work, operation: string): Promise<UnitEnd> {
  if (operation === "monitor" || operation === "status") {
    const state = await settledState(one);
    const code = state === "active" ? OCF.success : OCF.notRunning;
    return { kind: "done", code, reason: code === OCF.success ? "" : `${one.unit} is ${state}` };
  }
  if (!Object.hasOwn(JOBS, operation))
    return { kind: "done", code: OCF.unimplemented, reason: `systemd knows no ${operation}` };
  return await runJob(one, operation);
}

/** What an error of the bus means: some of them are answers. */
function judge(answer: Trouble, operation: string, unit: string): Attempt {
  const { reason } = answer;
  if (answer.kind === "gone") return { kind: "lost", reason: `the bus: ${reason}` };
  if (answer.name === LOST) return { kind: "lost", reason: `systemd: ${reason}` };
  if (NOBODY.has(answer.name)) return { kind: "away", reason };
  if (!ABSENT.has(answer.name)) return { kind: "done", code: OCF.error, reason: `${answer.name}: ${reason}` };
  if (operation === "stop") return { kind: "done", code: OCF.success, reason: "" };
  const code = operation === "monitor" ? OCF.notRunning : OCF.notInstalled;
  return { kind: "done", code, reason: `${unit}: ${reason}` };
}

async function attempt(
  operation: string,
  unit: string,
  signal: AbortSignal,
  options: SystemdOptions,
): Promise<Attempt> {
  const ended = new Map<string, string>();
  const onSignal = ({ member, body }: BusMessage) => {
    const [, job, , result] = body;
    if (member !== "JobRemoved" || typeof job !== "string" || typeof result !== "string") return;
    ended.set(job, result);
    one?.wake();
  };
  let one: Work | undefined;
  const opened = await openBus(options.bus, onSignal);
  if (opened.kind === "away") return opened;
  const { bus } = opened;
  one = { bus, unit, options, signal, ended, wake: () => {} };
  const abort = () => {
    bus.close();
    one?.wake();
  };
  signal.addEventListener("abort", abort);
  try {
    // It may have come while the bus was opened, unheard: a job made now would outlive the operation.
    signal.throwIfAborted();
    // Before any job is made, so that none can end unheard.
    const rule = `type='signal',sender='${SYSTEMD.destination}',interface='${MANAGER.interface}',member='JobRemoved'`;
    bodyOf(await matchSignals(bus, rule));
    await ask(one, "Subscribe");
    return await work(one, operation);
  } catch (error) {
    signal.throwIfAborted();
    const answer = troubleOf(error);
    if (answer === undefined) throw error;
    return judge(answer, operation, unit);
  } finally {
    signal.removeEventListener("abort", abort);
    bus.close();
  }
}

/**
 * Rejects when `signal` aborts; the job is left to systemd then, and the next operation replaces it. A stop must not
 * fail, and its node be fenced for it, because systemd was being updated at that moment.
 */
export async function operateUnit(
  operation: string,
  unit: string,
  signal: AbortSignal,
  options: SystemdOptions,
): Promise<UnitEnd> {
  let returnsByMs: number | undefined;
  for (;;) {
    const end = await attempt(operation, unit, signal, options);
    if (end.kind === "done") return end;
    if (end.kind === "lost") returnsByMs ??= performance.now() + RETURNS_MS;
    if (returnsByMs === undefined || performance.now() > returnsByMs)
      return end.kind === "away" ? end : { kind: "done", code: OCF.error, reason: end.reason };
    await sleep(RETRY_MS, undefined, { signal });
  }
}
