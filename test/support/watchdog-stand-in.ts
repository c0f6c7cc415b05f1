/**
 * A watchdog for nodes that are processes: a process of its own, which no hang of the node reaches, kills keeper and
 * manager when RUN/watchdog was not written in time, and leaves RUN/watchdog.fired. Started by itself it is that
 * process.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Watchdog } from "../../src/hw/edge/watchdog-device.ts";

const LOOK_MS = 20;
const THIS_FILE = fileURLToPath(import.meta.url);

/** As openWatchdog of watchdog-device.ts. */
export function openWatchdog(_path: string, timeoutMs: number): Watchdog {
  const file = path.join(process.argv[process.argv.indexOf("--run") + 1] ?? "", "watchdog");
  const fd = openSync(file, "w");
  writeSync(fd, "\0", 0);
  // One that fires before its time leaves room for whoever has to clear the rest of the machine away.
  const firesAfterMs = process.env["WATCHDOG_FIRES_AFTER_MS"] ?? String(timeoutMs);
  const argv = ["--disable-warning=ExperimentalWarning", THIS_FILE, file, firesAfterMs, String(process.pid)];
  spawn(process.execPath, argv, { detached: true, stdio: "ignore" }).unref();
  return {
    identity: "stand-in",
    module: undefined,
    timeoutMs,
    pretimeoutMs: undefined,
    nowayout: false,
    causedBoot: undefined,
    feed: () => void writeSync(fd, "\0", 0),
    disarm() {
      writeSync(fd, "V", 0);
      closeSync(fd);
    },
  };
}

/** This process is the keeper's child, too. */
function familyOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    return [pid, ...children.map(Number)].filter((each) => each !== process.pid);
  } catch {
    return [];
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/**
 * An armed watchdog does not care whether anybody is left to feed it; it goes with its machine, which is the folder.
 */
function watch(file: string, timeoutMs: number, pid: number): void {
  setInterval(() => {
    if (!existsSync(file) || readFileSync(file, "latin1") === "V") process.exit(0);
    if (Date.now() - statSync(file).mtimeMs <= timeoutMs) return;
    for (const each of familyOf(pid)) end(each);
    writeFileSync(`${file}.fired`, "");
    process.exit(0);
  }, LOOK_MS);
}

if (process.argv[1] === THIS_FILE) watch(process.argv[2] ?? "", Number(process.argv[3]), Number(process.argv[4]));
