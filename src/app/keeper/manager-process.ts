/**
 * The manager as the keeper's child: started, asked whether it lives, started again when it ends or hangs.
 * The resources run on meanwhile. A manager that keeps failing makes the keeper stop feeding the watchdog: a node that
 * cannot be managed must end where its peer can take over.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { check } from "../../base/check.ts";
import {
  ASK_EVERY_MS,
  beginListening,
  endsLately,
  isTooSilent,
  NO_RESTARTS,
  noteAnswer,
  noteEnd,
  noteQuestion,
  noteSteady,
  noteWord,
} from "../../cluster/core/keeper/manager-care.ts";
import type { KeeperReport } from "../../cluster/core/keeper/report.ts";
import type { Vitals } from "../../cluster/core/keeper/vitals.ts";
import type { MembershipView } from "../../cluster/core/membership/view.ts";
import { createFrameReader, encodeFrame, type ToKeeper, type ToManager } from "../keeper-pipe.ts";
import type { Log } from "./log.ts";

/** The stop is tried again in a new manager so many times. */
const STOPS_MAX = 3;
/** What may wait in the pipe; datagrams beyond are dropped as by a network, and the manager resends. */
const PIPE_BACKLOG_MAX = 1024 * 1024;
/** EX_CONFIG of sysexits.h: a restart would end the same way. */
const CONFIGURATION_REFUSED = 78;

export interface ManagerProcess {
  vitals(): ManagerVitals;
  report(report: KeeperReport): void;
  showView(view: MembershipView): void;
  passDatagram(from: string, bytes: Uint8Array): void;
  /** Asks for an orderly stop, again after each restart, until it says `stopped`. */
  stop(): void;
  /** Ends it and starts it with its next session, for nobody's fault; only while nothing was begun by it. */
  renew(): void;
  /** At once, without a word. */
  kill(): void;
}

export type ManagerVitals = Pick<Vitals, "managerAnsweredAtMs" | "managerComplaint" | "managerEnds">;

export interface ManagerEvents {
  readonly onFrame: (frame: ToKeeper) => void;
  /** The manager will not run with this configuration, and has never run: there is nothing to stop. */
  readonly onRefused: () => void;
  /** It keeps ending while it should stop everything: nobody knows what still runs here. */
  readonly onStopFailed: () => void;
}

interface Command {
  readonly file: string;
  readonly argv: readonly string[];
  /** A manager that takes this long for one turn of its loop hangs. */
  readonly silentMaxMs: number;
  /** The session of the n-th start, from 1. */
  readonly sessionOf: (start: number) => number;
}

/** By its type complete: a kind that is missing here would be dropped in silence. */
const FROM_MANAGER: Readonly<Record<ToKeeper["kind"], true>> = {
  pong: true,
  send: true,
  "peer-fenced": true,
  "peer-accepted": true,
  "peer-declared-lost": true,
  "self-fence": true,
  stopped: true,
  "lock-lease": true,
};

function isToKeeper(frame: ToKeeper | ToManager): frame is ToKeeper {
  return Object.hasOwn(FROM_MANAGER, frame.kind);
}

function isSocket(stream: unknown): stream is Socket {
  return typeof stream === "object" && stream !== null && "writableLength" in stream;
}

export function startManager(command: Command, events: ManagerEvents, log: Log): ManagerProcess {
  let child: ChildProcess | undefined;
  let pipe: Socket | undefined;
  let view: MembershipView | undefined;
  let viewWaits = false;
  let stopping = false;
  let stoppingSinceMs = 0;
  let stopped = false;
  let starts = 0;
  let answered = 0;
  let everAnswered = false;
  let pings = 0;
  // One that is killed and does not go, or hangs at each start, never answers: see core/keeper/vitals.ts.
  let silence = beginListening(performance.now());
  let complaint: string | undefined;
  let restarts = NO_RESTARTS;
  let restart: NodeJS.Timeout | undefined;
  let stops = 0;
  let isRenewed = false;
  let hasForerunner = false;

  function put(frame: ToManager): void {
    if (pipe !== undefined && !pipe.destroyed) pipe.write(encodeFrame(frame));
  }

  function putView(): void {
    if (view === undefined || pipe === undefined) return;
    // The newest view is put when the pipe has room again: older ones tell nothing.
    viewWaits = pipe.writableNeedDrain;
    if (!viewWaits) put({ kind: "view", view });
  }

  function putStop(): void {
    stops += 1;
    put({ kind: "stop", alreadyMs: performance.now() - stoppingSinceMs });
  }

  function onFrame(frame: ToKeeper): void {
    silence = frame.kind === "pong" ? noteAnswer(silence) : noteWord(silence);
    if (frame.kind === "pong") {
      answered += 1;
      everAnswered = true;
      complaint = frame.complaint;
    }
    if (frame.kind === "stopped") stopped = true;
    events.onFrame(frame);
  }

  function onEnd(code: number | null, signal: string | null): void {
    child = undefined;
    pipe = undefined;
    if (stopped) return;
    if (isRenewed) {
      isRenewed = false;
      start();
      return;
    }
    hasForerunner = true;
    if (code === CONFIGURATION_REFUSED && !everAnswered) {
      events.onRefused();
      return;
    }
    if (stopping && stops >= STOPS_MAX) {
      events.onStopFailed();
      return;
    }
    const nowMs = performance.now();
    const { backoffMs } = restarts;
    restarts = noteEnd(restarts, nowMs);
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    log.say("error", `the manager ended ${how}; it is started again in ${backoffMs} ms`);
    restart = setTimeout(start, backoffMs);
  }

  function start(): void {
    starts += 1;
    answered = 0;
    silence = noteWord(silence);
    child = spawn(command.file, command.argv, { stdio: ["ignore", "inherit", "inherit", "pipe"] });
    const [, , , stream] = child.stdio;
    check(isSocket(stream), "the manager has no pipe");
    pipe = stream;
    child.on("error", (error) => log.say("error", `the manager cannot be started: ${error.message}`));
    child.on("exit", onEnd);
    const reader = createFrameReader();
    stream.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) if (isToKeeper(frame)) onFrame(frame);
    });
    stream.on("error", () => stream.destroy());
    stream.on("drain", () => {
      if (viewWaits) putView();
    });
    giveUpProtection(child.pid);
    put({ kind: "start", session: command.sessionOf(starts), hasForerunner });
    putView();
    if (stopping) putStop();
    ask();
  }

  function ask(): void {
    silence = noteQuestion(silence, performance.now());
    if (child === undefined) return;
    if (isTooSilent(silence, answered > 0, command.silentMaxMs)) {
      log.say("error", `the manager has not answered for ${Math.round(silence.silentMs)} ms: it is killed`);
      silence = noteWord(silence);
      child.kill("SIGKILL");
      return;
    }
    if (answered > 10) restarts = noteSteady(restarts);
    pings += 1;
    put({ kind: "ping", number: pings });
  }

  start();
  setInterval(ask, ASK_EVERY_MS).unref();
  return {
    vitals: () => ({
      managerAnsweredAtMs: performance.now() - silence.unansweredMs,
      managerComplaint: complaint,
      managerEnds: endsLately(restarts, performance.now()),
    }),
    report(report) {
      if (pipe !== undefined && pipe.writableLength < PIPE_BACKLOG_MAX) put({ kind: "report", report });
    },
    showView(next) {
      view = next;
      putView();
    },
    passDatagram(from, bytes) {
      if (pipe !== undefined && pipe.writableLength < PIPE_BACKLOG_MAX) put({ kind: "datagram", from, bytes });
    },
    stop() {
      if (stopping) return;
      stopping = true;
      stoppingSinceMs = performance.now();
      if (child !== undefined) putStop();
      else {
        clearTimeout(restart);
        start();
      }
    },
    renew() {
      if (child === undefined) return;
      isRenewed = true;
      child.kill("SIGKILL");
    },
    kill() {
      stopped = true;
      clearTimeout(restart);
      child?.kill("SIGKILL");
    },
  };
}

/** The keeper's protection from the out-of-memory killer is not for the manager, nor for what the agents start. */
function giveUpProtection(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, "0");
  } catch {
    // It has ended already, or /proc is not ours to write: nothing depends on it.
  }
}
