/**
 * The client side of the control socket, for commands, DRBD's handlers and the lab.
 * A manager that is not there is a value (`unreachable`), never an exception: whoever asks must have a word for it.
 */
import { createConnection, type Socket } from "node:net";
import path from "node:path";
import process from "node:process";
import { formatProblem, type Problem } from "../base/problem.ts";
import { parseArgs } from "./arguments.ts";
import {
  type AnswerLine,
  CONTROL_SOCKET,
  CONTROL_VERSION,
  type ControlAnswers,
  type ControlRequest,
  LINE_LENGTH_MAX,
  type RequestKind,
  RUN_DIRECTORY,
  type StatusReport,
} from "./control-protocol.ts";
import { unansweredText, whoServes } from "./installation.ts";

export type ControlReply<Value> =
  /** `cautions`: it was done, and may not stay so, or takes down more than its words say. */
  | { readonly kind: "answer"; readonly value: Value; readonly cautions?: readonly Problem[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] }
  | { readonly kind: "unreachable"; readonly reason: string };

/** Long enough for a loaded node, short enough for a person. Requests that wait by their nature name their own. */
const ANSWER_WAIT_MS = 10_000;
/** For a change to be on all disks: the manager itself gives up after 30 s, and says what is known of it then. */
const COMMIT_WAIT_MS = 35_000;
const CHANGES: readonly RequestKind[] = [
  "cib-apply",
  "config-confirm",
  "attribute",
  "node",
  "resource",
  "resource-fail",
];

export function answerWaitMs({ kind }: ControlRequest): number {
  return CHANGES.includes(kind) ? COMMIT_WAIT_MS : ANSWER_WAIT_MS;
}

/** The socket of the node whose run directory is given, or named by GEMEL_RUN, or the usual one. */
export function controlSocketPath(runDirectory?: string): string {
  return path.join(runDirectory ?? process.env.GEMEL_RUN ?? RUN_DIRECTORY, CONTROL_SOCKET);
}

/** Calls `onLine` for each whole line; destroys the socket when a line outgrows the limit. */
export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      if (line.trim() !== "") onLine(line);
    }
    if (rest.length > LINE_LENGTH_MAX) socket.destroy(new Error(`a line longer than ${LINE_LENGTH_MAX} characters`));
  });
}

function why(error: NodeJS.ErrnoException, socketPath: string): string {
  if (error.code === "ENOENT" || error.code === "ECONNREFUSED")
    return `no manager answers at ${socketPath}: ${unansweredText(whoServes(path.dirname(socketPath)))}`;
  if (error.code === "EACCES") return `${socketPath} is closed to this user; be root, or in the group haclient`;
  return error.message;
}

/** How a manager begins to say that a change may yet come into force. */
export const UNCONFIRMED = "not known whether it will hold";
const NOT_SENT = ["no manager answers at ", "is closed to this user"];

/** What was asked may be done, or be done later: it was sent, and nobody has said what became of it. */
export function isUnsure(reply: Exclude<ControlReply<unknown>, { kind: "answer" }>): boolean {
  if (reply.kind === "unreachable") return !NOT_SENT.some((words) => reply.reason.includes(words));
  return reply.problems.some(({ reason }) => reason.startsWith(UNCONFIRMED));
}

/** A connection was taken, by the kernel at least. */
const silence = (waitMs: number, socketPath: string) =>
  `no answer within ${waitMs} ms: ${unansweredText(whoServes(path.dirname(socketPath)))}`;

const NOT_JSON = "the manager answered something that is no line of its protocol";

/** The manager and this client come from one program, and the version says so; undefined for what is no answer. */
function readAnswer(line: string): AnswerLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "kind" in value ? (value as AnswerLine) : undefined;
  } catch {
    return undefined;
  }
}

/** Who sits at the terminal: for histories, not for rights. */
function whoAsks(): string {
  return process.env.SUDO_USER ?? process.env.USER ?? "root";
}

/** Asks one thing and closes. Resolves always, after at most `waitMs`. */
export function askControl<Kind extends RequestKind>(
  socketPath: string,
  request: ControlRequest & { readonly kind: Kind },
  waitMs: number = answerWaitMs(request),
): Promise<ControlReply<ControlAnswers[Kind]>> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath);
    const finish = (reply: ControlReply<ControlAnswers[Kind]>) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reply);
    };
    const giveUp = () => finish({ kind: "unreachable", reason: silence(waitMs, socketPath) });
    const timer = setTimeout(giveUp, waitMs);
    socket.on("error", (error) => finish({ kind: "unreachable", reason: why(error, socketPath) }));
    socket.on("close", () => finish({ kind: "unreachable", reason: "the manager closed the connection" }));
    readLines(socket, (line) => {
      const answer = readAnswer(line);
      if (answer === undefined) finish({ kind: "unreachable", reason: NOT_JSON });
      else if (answer.kind === "answer") {
        const { cautions } = answer;
        const value = answer.value as ControlAnswers[Kind];
        finish({ kind: "answer", value, ...(cautions === undefined ? {} : { cautions }) });
      } else if (answer.kind === "refused") finish({ kind: "refused", problems: answer.problems });
    });
    const named = { by: whoAsks(), ...request };
    socket.write(`${JSON.stringify({ v: CONTROL_VERSION, id: 1, request: named })}\n`);
  });
}

/** Calls `onStatus` at every change until `close` is called or the manager goes; then `onEnd` with the reason. */
export function watchStatus(
  socketPath: string,
  onStatus: (status: StatusReport) => void,
  onEnd: (reason: string) => void,
): { readonly close: () => void } {
  const socket = createConnection(socketPath);
  let reason = "the manager closed the connection";
  socket.on("error", (error) => {
    reason = why(error, socketPath);
  });
  socket.on("close", () => onEnd(reason));
  const giveUp = (because: string) => {
    reason = because;
    socket.destroy();
  };
  readLines(socket, (line) => {
    const answer = readAnswer(line);
    if (answer === undefined) giveUp(NOT_JSON);
    else if (answer.kind === "event") onStatus(answer.status);
    // From the beginning, or later: rights may be taken away.
    else if (answer.kind === "refused") giveUp(answer.problems.map(formatProblem).join("; "));
  });
  socket.write(`${JSON.stringify({ v: CONTROL_VERSION, id: 1, request: { kind: "subscribe" } })}\n`);
  return { close: () => socket.destroy() };
}

export type CommandLine =
  | { readonly kind: "called"; readonly socketPath: string; readonly words: readonly string[]; readonly flags: Flags }
  | { readonly kind: "wrong"; readonly reason: string };
export type Flags = Readonly<Record<string, string | boolean | undefined>>;
export type FlagKinds = Readonly<Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>>;

/** What many tools of the field take: here the output is text, to where the shell sends it. */
const OUTPUT_FLAGS = {
  "output-as": { type: "string" },
  "output-to": { type: "string" },
  "text-fancy": { type: "boolean" },
} as const;

/** Why the output cannot go there, or so. */
export function refuseOutput(flags: Readonly<Record<string, unknown>>): string | undefined {
  const { "output-as": form, "output-to": file } = flags;
  if (form !== undefined && form !== "text")
    return `--output-as=${JSON.stringify(form)}: only text is written here; for programs: gemel status --json`;
  if (file !== undefined && file !== "-") return "--output-to: let the shell do it, as in COMMAND > FILE";
  return undefined;
}

/** Arguments of a command that talks to the manager: its own flags, those of all, `--run DIR`, and so many words. */
export function readCommandLine(
  argv: readonly string[],
  flags: FlagKinds = {},
  wordsMax = Number.POSITIVE_INFINITY,
): CommandLine {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...OUTPUT_FLAGS, ...flags, run: { type: "string" } },
      allowPositionals: true,
    });
    const { run, ...rest } = values;
    const refusal = Object.keys(flags).includes("output-as") ? undefined : refuseOutput(rest);
    if (refusal !== undefined) return { kind: "wrong", reason: refusal };
    // A word that is passed over is one that somebody relies on.
    const tooMuch = positionals[wordsMax];
    if (tooMuch !== undefined) return { kind: "wrong", reason: `"${tooMuch}" is not expected here` };
    const socketPath = controlSocketPath(typeof run === "string" ? run : undefined);
    return { kind: "called", socketPath, words: positionals, flags: rest };
  } catch (error) {
    return { kind: "wrong", reason: error instanceof Error ? error.message : String(error) };
  }
}
