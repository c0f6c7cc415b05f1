/**
 * What makes the keeper hard to stop and the machine easy to reset: priority, locked code, watchdog, last resort.
 * Where something is not to be had (a container, a namespace on a host) it is said once, loudly, and the node runs on.
 */
import { writeFileSync, writeSync } from "node:fs";
import process from "node:process";
import type { NodeConfig } from "../../cib/node-config.ts";
import type { Watchdog } from "../../hw/edge/watchdog-device.ts";
import { selfCommand } from "../self-command.ts";
import type { Log } from "./log.ts";

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Starts this process anew in place, once, where real-time priority is allowed. */
export async function becomeHardToStop(log: Log): Promise<void> {
  const { becomeRealtime } = await import("../../hw/edge/scheduling.ts");
  try {
    const { argv } = selfCommand();
    const own = process.argv.slice(2);
    log.flush();
    becomeRealtime([...argv, ...own]);
  } catch (error) {
    log.say("warning", `no real-time priority (${reasonOf(error)}): beats will be late under load`);
  }
  const { setThreadName } = await import("../../hw/edge/native.ts");
  setThreadName("gemel-keeper");
  const { lockProgramCode } = await import("../../hw/edge/memory-lock.ts");
  try {
    const lockedBytes = lockProgramCode();
    log.say("info", `${(lockedBytes / 2 ** 20).toFixed(0)} MiB of program are kept in memory`);
  } catch (error) {
    log.say("warning", `the code is not locked in memory (${reasonOf(error)}): a busy disk may delay beats`);
  }
  try {
    writeFileSync("/proc/self/oom_score_adj", "-1000");
  } catch (error) {
    log.say("warning", `no protection from the out-of-memory killer (${reasonOf(error)})`);
  }
}

/** Throws when a configured watchdog cannot be had: a node that only seems to be guarded is worse than none. */
export async function openConfiguredWatchdog(config: NodeConfig, log: Log): Promise<Watchdog | undefined> {
  const { watchdog } = config;
  if (watchdog.kind === "none") {
    log.say("warning", "NO WATCHDOG is configured: nothing resets this machine when it hangs");
    return undefined;
  }
  const { openWatchdog } = await import("../../hw/edge/watchdog-device.ts");
  const opened = openWatchdog(watchdog.path, watchdog.timeoutMs, watchdog.pretimeoutMs);
  const { identity, module, timeoutMs, pretimeoutMs } = opened;
  const alarm = pretimeoutMs === undefined ? "" : `, its alarm comes ${pretimeoutMs} ms before`;
  const driver = module === undefined ? identity : `${identity}, module ${module}`;
  log.say("info", `watchdog ${watchdog.path} (${driver}) is armed with ${timeoutMs} ms${alarm}`);
  if (watchdog.pretimeoutMs !== undefined && pretimeoutMs === undefined)
    log.say("warning", `watchdog ${watchdog.path} knows no pretimeout: it resets without an alarm before`);
  if (opened.nowayout)
    log.say("warning", "the watchdog cannot be disarmed (nowayout): an orderly stop of this node resets the machine");
  if (opened.causedBoot === true) log.say("critical", "the last boot was the watchdog's: this node had hung");
  return opened;
}

/**
 * Ends this node as configured; `wanted`: what of the machine, where it can be chosen (a watchdog only resets).
 * Does not return, but where the watchdog is to do it.
 */
export async function fenceSelf(
  how: NodeConfig["selfFencing"],
  log: Log,
  wanted: "reset" | "off" = "reset",
): Promise<void> {
  if (how === "watchdog") {
    log.say("critical", "the watchdog is not fed any more");
    return;
  }
  if (how === "exit") {
    log.flush();
    process.exit(SELF_FENCED);
  }
  const { RB_AUTOBOOT, RB_POWER_OFF, reboot } = await import("../../hw/edge/native.ts");
  // The log may wait for a disk; the reset must not. What stands on the console was written without waiting.
  try {
    reboot(wanted === "off" ? RB_POWER_OFF : RB_AUTOBOOT);
  } catch (error) {
    log.say("critical", `reboot is refused (${reasonOf(error)}); trying sysrq`);
  }
  try {
    writeFileSync("/proc/sysrq-trigger", wanted === "off" ? "o" : "b");
  } catch (error) {
    log.say("critical", `sysrq is refused (${reasonOf(error)}); the watchdog is left unfed`);
  }
}

/** EX_SOFTWARE of sysexits.h, for want of a better one: this node had to end. */
export const SELF_FENCED = 70;

/** On the console, where someone may stand: by one write, without waiting for more than the terminal. */
export function shoutOnConsole(text: string): void {
  try {
    writeFileSync("/dev/kmsg", `<2>gemel: ${text}\n`);
  } catch {
    try {
      writeSync(2, `gemel: ${text}\n`);
    } catch {
      // A log on a full disk must not keep a node from ending.
    }
  }
}
