/**
 * One session of the crm shell: the running configuration as it was fetched, the working copy that its commands
 * change, and the commit. The manager and the terminal are handed in, so that tests need neither.
 */
import { formatProblem, type Problem } from "../../base/problem.ts";
import { childOf, parseXml, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { verifyCib } from "../../cib/schema/verify.ts";
import { askCib } from "../cib-door.ts";
import type { ControlReply } from "../control-client.ts";
import type { ControlAnswers, ControlRequest, RequestKind, StatusReport } from "../control-protocol.ts";
import { inOperatorsWords, tellProblem } from "../japanese/translate.ts";
import { waitText, withProgress } from "../progress.ts";
import { type Transport, waitUntilSettled } from "../settle.ts";
import type { PastDecisions } from "./past-decisions.ts";
import { newFailures } from "./reached.ts";

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The whole of a file, `-` for standard input; undefined when it cannot be read (told already). */
  readonly readText: (file: string) => string | undefined;
  /** False when it cannot be written (told already). */
  readonly writeText: (file: string, text: string) => boolean;
  /** The text after an editor has been over it; undefined when there was none. */
  readonly edit: (text: string) => string | undefined;
}

export interface Session {
  readonly transport: Transport;
  readonly socketPath: string;
  readonly terminal: Terminal;
  /** `crm -F`: commit in spite of another's change in between. Errors of the configuration are never forced. */
  readonly isForced: boolean;
  /** `crm -w`: a change is done when its transition is. */
  readonly isWaiting: boolean;
  /** `crm -R`: the command of the field that does the same is told first. */
  readonly isEchoing: boolean;
  running: { readonly configuration: XmlElement; readonly version: string } | undefined;
  working: XmlElement | undefined;
  /** Level cibstatus: the file that it began with, the running cluster without one, and what is thought otherwise. */
  readonly supposed: { file: string | undefined; flags: readonly string[] };
  /** Reasons of what was told already: a warning is told when it is typed, and not again when that is committed. */
  readonly told: Set<string>;
  /** Level history: what is looked at, and of when. */
  readonly history: HistorySettings;
  /** Level template: the configuration that its words mean when they name none. */
  chosenTemplate: string | undefined;
}

export interface HistorySettings {
  /** As they were typed: a length of time counts from now on, whenever that is. */
  from: string | undefined;
  to: string | undefined;
  /** A report, its directory, or a black box; undefined: the cluster. */
  source: string | undefined;
  excluded: readonly string[];
  /** 0: what was wrong; 1: everything. */
  detail: 0 | 1;
  /** What was made of the black box a moment ago, and of which wishes; `refresh` drops it. */
  read: { readonly meant: string; readonly atMs: number; readonly past: PastDecisions } | undefined;
}

export const wholeHistory = (source?: string): HistorySettings => ({
  from: undefined,
  to: undefined,
  source,
  excluded: [],
  detail: 1,
  read: undefined,
});

export function openSession(
  socketPath: string,
  terminal: Terminal,
  flags: { readonly isForced?: boolean; readonly isWaiting?: boolean; readonly isEchoing?: boolean } = {},
  transport: Transport = askCib,
): Session {
  const { isForced = false, isWaiting = false, isEchoing = false } = flags;
  const flagged = { isForced, isWaiting, isEchoing };
  const supposed = { file: undefined, flags: [] };
  const begun = { running: undefined, working: undefined, chosenTemplate: undefined };
  return { transport, socketPath, terminal, ...flagged, ...begun, supposed, history: wholeHistory(), told: new Set() };
}

export async function askManager<Kind extends RequestKind>(
  session: Session,
  request: ControlRequest & { readonly kind: Kind },
  waitMs?: number,
): Promise<ControlReply<ControlAnswers[Kind]>> {
  const asked = session.transport<Kind>(session.socketPath, request, waitMs);
  const reply = await withProgress("crm", waitText(request), asked, session.terminal.err);
  if (reply.kind === "answer") tellProblems(session, reply.cautions ?? []);
  return reply;
}

/** Exit codes as the commands of the field have them (sysexits.h). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 64,
  noInput: 66,
  unavailable: 69,
  cannotCreate: 73,
  config: 78,
} as const;

export function tellProblems({ terminal, told }: Session, problems: readonly Problem[]): void {
  for (const problem of problems) {
    terminal.err(`${tellProblem(problem)}\n`);
    told.add(problem.reason);
  }
}

/** What a request that was not answered comes to; says why on the terminal. */
export function tellReply(session: Session, reply: Exclude<ControlReply<never>, { kind: "answer" }>): number {
  if (reply.kind === "refused") {
    tellProblems(session, reply.problems);
    return EXIT.failed;
  }
  session.terminal.err(`crm: ${inOperatorsWords(reply.reason)}\n`);
  return EXIT.unavailable;
}

export function configurationOf(text: string): XmlElement | undefined {
  const read = parseXml(text);
  if (read.kind === "not-xml") return undefined;
  return read.root.name === "configuration" ? read.root : childOf(read.root, "configuration");
}

/** Fetches the running configuration, once a session; the exit code when that fails. */
export async function fetchRunning(session: Session): Promise<XmlElement | number> {
  if (session.working !== undefined) return session.working;
  const reply = await askManager(session, { kind: "cib-query" });
  if (reply.kind !== "answer") return tellReply(session, reply);
  const configuration = configurationOf(reply.value.xml);
  if (configuration === undefined) {
    session.terminal.err("crm: the manager sent a CIB without a configuration\n");
    return EXIT.failed;
  }
  session.running = { configuration, version: reply.value.version };
  session.working = configuration;
  return configuration;
}

export const asCib = (configuration: XmlElement) => xml("cib", {}, [configuration, xml("status")]);

/** `admin_epoch.epoch` of `admin_epoch.epoch.num_updates`. */
export const configurationVersion = (version: string) => version.split(".").slice(0, 2).join(".");

export function hasChanges({ running, working }: Session): boolean {
  return (
    running !== undefined && working !== undefined && JSON.stringify(running.configuration) !== JSON.stringify(working)
  );
}

/** What the cluster is like, to be compared with later; only where somebody will compare, as `-w` does. */
export async function statusBefore(session: Session, isCompared = session.isWaiting) {
  if (!isCompared) return undefined;
  const reply = await askManager(session, { kind: "status" });
  return reply.kind === "answer" ? reply.value : undefined;
}

/** `-w`: until the cluster has done what was asked of it. What has not come about then is told, and a failure. */
export async function settle(
  session: Session,
  judge: (status: StatusReport) => readonly string[],
  more: { readonly isReached?: (status: StatusReport) => boolean; readonly waitMaxMs?: number } = {},
): Promise<number> {
  const { transport, socketPath, terminal } = session;
  const settled = await waitUntilSettled("crm", socketPath, { transport, tell: terminal.err, ...more });
  if (settled.kind === "no-answer") return tellReply(session, settled.reply);
  const reasons = settled.kind === "settled" ? judge(settled.status) : [settled.reason];
  for (const reason of reasons) terminal.err(`crm: ${inOperatorsWords(reason)}\n`);
  return reasons.length === 0 ? EXIT.done : EXIT.failed;
}

/** Sends the working copy. Errors that the running configuration does not have refuse it, before anything is sent. */
export async function commit(session: Session, isForced = session.isForced): Promise<number> {
  const { working, running, terminal } = session;
  if (working === undefined || running === undefined || !hasChanges(session)) {
    terminal.out("nothing to commit\n");
    return EXIT.done;
  }
  const problems = verifyCib(asCib(working));
  const known = new Set(verifyCib(asCib(running.configuration)).map(formatProblem));
  const fresh = problems.filter((problem) => !known.has(formatProblem(problem)));
  if (fresh.some(({ severity }) => severity === "error")) {
    tellProblems(session, fresh);
    terminal.err("crm: nothing was changed\n");
    return EXIT.failed;
  }
  const base = isForced ? {} : { base: configurationVersion(running.version) };
  const change = { kind: "cib-apply", mode: "replace", xml: printXml(working), door: "crm configure" } as const;
  const before = await statusBefore(session);
  const reply = await askManager(session, { ...change, ...base });
  if (reply.kind !== "answer") {
    const code = tellReply(session, reply);
    if (reply.isOutcomeUnknown === true)
      terminal.err("crm: it is not known whether the change is in force; look with: crm configure show\n");
    else terminal.err("crm: the change is not in force\n");
    return code;
  }
  tellProblems(
    session,
    fresh.filter(({ reason }) => !session.told.has(reason)),
  );
  session.running = { configuration: working, version: reply.value.version };
  return session.isWaiting ? settle(session, (status) => newFailures(before, status)) : EXIT.done;
}
