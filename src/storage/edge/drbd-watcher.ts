/**
 * Follows DRBD's state by `drbdsetup events2`, which tells every change within milliseconds. When the stream ends
 * (no module yet, tool killed) the state is unknown until a new stream has told it in whole.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { type DrbdEvent, type DrbdState, parseDrbdEvent, stepDrbdState } from "../core/drbd-events.ts";

/** A missing module or tool stays missing for long; a killed tool comes back soon enough for a status. */
const RESTART_MS = 2_000;
/** No line of events2 is that long; more is not its output. */
const LINE_LENGTH_MAX = 64 * 1024;

export interface DrbdWatch {
  /** undefined: not known now. */
  readonly state: () => DrbdState | undefined;
  readonly close: () => void;
}

export interface DrbdListener {
  /** After each change, once the whole state is known; undefined when it is no longer known. */
  readonly onState: (state: DrbdState | undefined) => void;
  /** Each line that says something; for the log, and for handlers that the kernel calls. */
  readonly onEvent?: (event: DrbdEvent) => void;
}

export function watchDrbd({ onState, onEvent }: DrbdListener, command = "drbdsetup"): DrbdWatch {
  let building: DrbdState = {};
  let settled = false;
  let closed = false;
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;

  const readLine = (line: string) => {
    const event = parseDrbdEvent(line);
    if (event === undefined) return;
    if (event.kind === "renamed") {
      child?.kill("SIGKILL");
      return;
    }
    if (event.kind === "settled") settled = true;
    const before = building;
    building = stepDrbdState(building, event);
    onEvent?.(event);
    if (settled && (before !== building || event.kind === "settled")) onState(building);
  };

  const start = () => {
    building = {};
    settled = false;
    let rest = "";
    const started = spawn(command, ["events2", "--statistics"], { stdio: ["ignore", "pipe", "ignore"] });
    child = started;
    started.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = (lines.pop() ?? "").slice(0, LINE_LENGTH_MAX);
      for (const line of lines) readLine(line);
    });
    const ended = () => {
      if (child !== started) return;
      child = undefined;
      if (settled && !closed) onState(undefined);
      settled = false;
      if (!closed) timer = setTimeout(start, RESTART_MS);
    };
    started.on("error", ended);
    started.on("close", ended);
  };

  start();
  return {
    state: () => (settled ? building : undefined),
    close() {
      closed = true;
      clearTimeout(timer);
      child?.kill("SIGKILL");
    },
  };
}
