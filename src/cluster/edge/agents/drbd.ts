/**
 * ocf:gemel:drbd: one DRBD resource as a promotable clone. DRBD itself decides who may be Primary; this agent asks,
 * reads back and explains. Every drbdadm runs as a child: `primary` waits in the kernel for the fence-peer handler,
 * which asks our own manager, so nothing here may wait for it in the event loop.
 * Facts: reference/storage.md, sections 2 to 5 and 7 (exit codes, roles, scores).
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { formatProblem, type Problem } from "../../../base/problem.ts";
import { entryOf } from "../../../base/record.ts";
import { checkDrbdResource, parseDrbdConfiguration } from "../../../storage/core/drbd-configuration.ts";
import {
  type DrbdLook,
  type DrbdResource,
  localDisk,
  peerDisk,
  readDrbdLook,
} from "../../../storage/core/drbd-events.ts";
import { promotionOf } from "../../../storage/core/promotion.ts";
import { type AgentAnswer, type AgentCall, type BuiltInAgent, failed, OCF, succeeded } from "./contract.ts";
import { runTool, type ToolEnd } from "./tool.ts";

export type Tool = (call: AgentCall, file: string, argv: readonly string[]) => Promise<ToolEnd>;

/**
 * 8.4 may refuse a promotion (-7) at the very moment at which its handler has got the proof, and allow the next one
 * (seen on 6.1): the first retries come quickly.
 */
const RETRIES_MS = [50, 100, 250];
const RETRY_MS = 500;
/** So long a start waits for the peer, so that the first score is a good one; without a peer it goes on. */
const CONNECT_WAIT_MS = 5_000;
const CONNECT_POLL_MS = 250;
/** Left at the end of the timeout to say what went wrong. */
const REPORT_MS = 1_000;
/** An answer that does not come to its end is asked for again; so is "absent", which ends a service, once. */
const LOOKS_MAX = 4;
const LOOK_AGAIN_MS = 200;
/** Is there while DRBD's module is loaded, 8.4 and 9 alike. */
const MODULE_FILE = "/proc/drbd";

interface Context {
  readonly call: AgentCall;
  readonly tool: Tool;
  readonly name: string;
  readonly endsAtMs: number;
  readonly isLoaded: () => boolean;
}

async function look({ call, tool, name, isLoaded }: Context): Promise<DrbdLook> {
  const look = readDrbdLook(name, await tool(call, "drbdsetup", ["events2", "--now", "--statistics", name]));
  // A tool that fails proves nothing, but without the module nothing can run.
  return look.kind === "unknown" && !isLoaded() ? { kind: "absent" } : look;
}

async function observe(context: Context): Promise<DrbdLook> {
  const { signal } = context.call;
  let last = await look(context);
  for (let looks = 1; looks < LOOKS_MAX && last.kind !== "there" && context.isLoaded(); looks += 1) {
    if (signal.aborted || performance.now() + LOOK_AGAIN_MS > context.endsAtMs) break;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
    const again = await look(context);
    if (again.kind === "absent" && last.kind === "absent") break;
    last = again;
  }
  return last;
}

const judgePromotion = ({ isDrbdCurrent }: AgentCall, resource: DrbdResource) =>
  promotionOf(resource, isDrbdCurrent?.(resource.name) === true);

/** The promotion score on this node, as an update of the attribute that the scheduler reads. */
function score({ call }: Context, resource: DrbdResource | undefined): Pick<AgentAnswer, "attributes"> {
  const value = resource === undefined ? undefined : judgePromotion(call, resource).score;
  const name = `master-${call.instance}`;
  return { attributes: [value === undefined ? { name } : { name, value: String(value) }] };
}

function judge(context: Context, resource: DrbdResource): AgentAnswer {
  const scored = score(context, resource);
  if (resource.role !== "Primary") {
    const { reason } = judgePromotion(context.call, resource);
    return { code: OCF.success, reason, ...scored };
  }
  const disk = localDisk(resource);
  const remote = Object.values(resource.connections).some((connection) => peerDisk(connection) === "UpToDate");
  if (disk !== "UpToDate" && !remote)
    return { code: OCF.failedPromoted, reason: `no good data: the disk here is ${disk}`, ...scored };
  const frozen = resource.suspended === "no" ? "" : `I/O is frozen (${resource.suspended})`;
  return { code: OCF.runningPromoted, reason: frozen, ...scored };
}

async function monitor(context: Context): Promise<AgentAnswer> {
  const observed = await observe(context);
  switch (observed.kind) {
    case "there":
      return judge(context, observed.resource);
    case "absent":
      return { code: OCF.notRunning, reason: "", ...score(context, undefined) };
    case "unknown":
      return failed(observed.reason);
  }
}

interface Judgement {
  /** What forbids the start; undefined when nothing does. */
  readonly fault?: string;
  /** What an operator has to know of a start that nothing forbids. */
  readonly caution: string;
}

async function judgeConfiguration({ call, tool, name }: Context): Promise<Judgement> {
  const { code, output, reason } = await tool(call, "drbdadm", ["dump", name]);
  if (code !== 0) return { fault: `drbdadm dump ${name}: ${reason}`, caution: "" };
  const read = parseDrbdConfiguration(output);
  if (read.kind === "unreadable")
    return { fault: `drbdadm dump ${name}, line ${read.line}: ${read.reason}`, caution: "" };
  const isOfField = call.environment["OCF_RESOURCE_PROVIDER"] === "linbit";
  const { problems } = checkDrbdResource(read.statements, name, "drbdadm dump", isOfField);
  const told = (wanted: Problem["severity"]) =>
    problems.filter(({ severity }) => severity === wanted).map(formatProblem);
  const errors = told("error");
  return { caution: told("warning").join("; "), ...(errors.length === 0 ? {} : { fault: errors.join("; ") }) };
}

/** Neither side of the data is in doubt: nothing to wait for. */
function isSettled(resource: DrbdResource): boolean {
  const connections = Object.values(resource.connections);
  return connections.length > 0 && connections.every((connection) => peerDisk(connection) !== "DUnknown");
}

async function waitForPeer(context: Context): Promise<DrbdLook> {
  const untilMs = Math.min(performance.now() + CONNECT_WAIT_MS, context.endsAtMs);
  for (;;) {
    const observed = await observe(context);
    if (observed.kind !== "there" || isSettled(observed.resource) || performance.now() > untilMs) return observed;
    await sleep(CONNECT_POLL_MS, undefined, { signal: context.call.signal });
  }
}

/** Whatever of it is there serves nobody: no role, or no disk. */
async function isNotServing(context: Context): Promise<boolean> {
  const observed = await observe(context);
  return observed.kind === "absent" || (observed.kind === "there" && localDisk(observed.resource) === "Diskless");
}

async function start(context: Context): Promise<AgentAnswer> {
  const { call, tool, name } = context;
  // One look will do: `up` of what is up after all says so, and it is looked for again before anything is taken down.
  // Neither question changes anything: they are asked together.
  const [{ fault, caution }, before] = await Promise.all([judgeConfiguration(context), look(context)]);
  if (fault !== undefined) return failed(fault, OCF.notConfigured);
  // What runs already may run under another configuration than the one that has just been judged.
  const up = await tool(call, "drbdadm", [before.kind === "there" ? "adjust" : "up", name]);
  if (up.code !== 0) {
    // `up` without metadata leaves half a resource, which the next `up` would stumble over.
    if (before.kind === "absent" && (await isNotServing(context))) await tool(call, "drbdadm", ["down", name]);
    return failed(`drbdadm up ${name}: ${up.reason}`);
  }
  const after = await waitForPeer(context);
  if (after.kind !== "there") return failed(`${name} is not there after drbdadm up`);
  return { ...succeeded, reason: caution, ...score(context, after.resource) };
}

/** Repeats what DRBD may refuse for a while, until it is done or the time is over; `done` reads the state back. */
async function insist(
  context: Context,
  argv: readonly string[],
  done: (observed: DrbdLook) => AgentAnswer | undefined,
): Promise<AgentAnswer> {
  const { call, tool, endsAtMs } = context;
  for (let attempt = 0; ; attempt += 1) {
    const { reason } = await tool(call, "drbdadm", argv);
    const answer = done(await observe(context));
    if (answer !== undefined) return answer;
    const retryMs = RETRIES_MS[attempt] ?? RETRY_MS;
    if (call.signal.aborted || performance.now() + retryMs > endsAtMs) return failed(explain(argv, reason));
    await sleep(retryMs, undefined, { signal: call.signal });
  }
}

/** DRBD's own error numbers, said so that an operator knows what is missing. */
const EXPLANATIONS: readonly (readonly [RegExp, string])[] = [
  [/\(-7\)/, "DRBD waits for proof that the peer is off: see the fencing of the peer"],
  [/\(-1\)/, "the peer is Primary"],
  [/\(-2\)/, "there are no good data here: start the peer, or confirm the loss of what it has written since"],
  [/\(-12\)/, "the device is open: somebody still uses it"],
];

function explain(argv: readonly string[], reason: string): string {
  const found = EXPLANATIONS.find(([pattern]) => pattern.test(reason));
  const words = `drbdadm ${argv.join(" ")}: ${reason}`;
  return found === undefined ? words : `${found[1]} (${words})`;
}

function promote(context: Context): Promise<AgentAnswer> {
  return insist(context, ["primary", context.name], (observed) => {
    if (observed.kind === "absent") return { code: OCF.notRunning, reason: `${context.name} is not started` };
    if (observed.kind === "unknown") return undefined;
    const { resource } = observed;
    if (resource.role === "Primary") return { ...succeeded, ...score(context, resource) };
    const { score: value, reason } = judgePromotion(context.call, resource);
    // Waiting makes no good data: the scheduler shall look for another node at once.
    return value === undefined ? { ...failed(reason), ...score(context, resource) } : undefined;
  });
}

function demote(context: Context): Promise<AgentAnswer> {
  return insist(context, ["secondary", context.name], (observed) => {
    if (observed.kind === "absent") return { code: OCF.notRunning, reason: `${context.name} is not started` };
    if (observed.kind === "unknown" || observed.resource.role !== "Secondary") return undefined;
    return { ...succeeded, ...score(context, observed.resource) };
  });
}

async function stop(context: Context): Promise<AgentAnswer> {
  const gone: AgentAnswer = { ...succeeded, ...score(context, undefined) };
  // Without the module nothing is there to be taken down, and drbdadm might load it.
  if (!context.isLoaded() && (await look(context)).kind === "absent") return gone;
  // Not looked for before: `down` of what is not there changes nothing, and what counts is what is seen afterwards.
  const { code } = await context.tool(context.call, "drbdadm", ["down", context.name]);
  // One look proves what drbdadm says as well; where that one failed, it takes more.
  const after = code === 0 ? await look(context) : await observe(context);
  if (after.kind === "absent") return gone;
  return insist(context, ["down", context.name], ({ kind }) => (kind === "absent" ? gone : undefined));
}

/** Before an operation there is nothing new to see, and a takeover waits for the answer. */
async function notify(context: Context): Promise<AgentAnswer> {
  if (context.call.environment["OCF_RESKEY_CRM_meta_notify_type"] === "pre") return succeeded;
  const observed = await observe(context);
  return observed.kind === "there" ? { ...succeeded, ...score(context, observed.resource) } : succeeded;
}

async function validate(context: Context): Promise<AgentAnswer> {
  const { fault, caution } = await judgeConfiguration(context);
  return fault === undefined ? { ...succeeded, reason: caution } : failed(fault, OCF.notConfigured);
}

const OPERATIONS: Readonly<Record<string, (context: Context) => Promise<AgentAnswer>>> = {
  start,
  stop,
  monitor,
  status: monitor,
  promote,
  demote,
  notify,
  "validate-all": validate,
};

/** A name that DRBD accepts; it stands on command lines. */
const NAME = /^[A-Za-z0-9_][-A-Za-z0-9_.]*$/;

export function createDrbdAgent(tool: Tool, isLoaded: () => boolean = () => existsSync(MODULE_FILE)): BuiltInAgent {
  return {
    type: "drbd",
    shortdesc: "A DRBD resource, promoted only with good data and a peer that is proven off or connected",
    parameters: [
      { name: "drbd_resource", required: true, unique: true, content: "string", shortdesc: "Name of the resource" },
    ],
    actions: [
      { name: "start", timeout: "240s" },
      { name: "stop", timeout: "100s" },
      { name: "promote", timeout: "90s" },
      { name: "demote", timeout: "90s" },
      { name: "notify", timeout: "90s" },
      { name: "monitor", timeout: "20s", interval: "20s", role: "Unpromoted" },
      { name: "monitor", timeout: "20s", interval: "10s", role: "Promoted" },
      { name: "validate-all", timeout: "20s" },
      { name: "meta-data", timeout: "5s" },
    ],
    operate(call) {
      const { drbd_resource: name = "" } = call.parameters;
      const operation = entryOf(OPERATIONS, call.operation);
      if (operation === undefined)
        return Promise.resolve(failed(`operation ${call.operation} is not known`, OCF.unimplemented));
      if (!NAME.test(name)) return Promise.resolve(failed(`drbd_resource "${name}" is no name`, OCF.notConfigured));
      const endsAtMs = performance.now() + Math.max(call.timeoutMs - REPORT_MS, REPORT_MS);
      return operation({ call, tool, name, endsAtMs, isLoaded });
    },
  };
}

export const drbd = createDrbdAgent(runTool);
