/**
 * What the manager itself asks of DRBD, outside of any resource operation. Each call is a child process with a bound.
 * Facts: reference/storage.md, sections 3 and 4 (`outdate` ends with 0 even when it had no effect: always read back).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { runProcess } from "../../hw/edge/child-process.ts";
import { type DrbdLook, localDisk, readDrbdLook } from "../core/drbd-events.ts";
import { type MirrorDoubt, mirrorDoubt } from "../core/mirror-check.ts";

const ENVIRONMENT = { PATH: "/usr/sbin:/sbin:/usr/bin:/bin", LC_ALL: "C" };
const TIMEOUT_MS = 10_000;
const OUTDATE_WAIT_MS = 8_000;
const OUTDATE_POLL_MS = 500;

export interface ToolResult {
  /** Undefined when the tool did not end by itself. */
  readonly code: number | undefined;
  readonly output: string;
  readonly errors: string;
}
export type DrbdTool = (file: string, argv: readonly string[]) => Promise<ToolResult>;

async function run(file: string, argv: readonly string[]): Promise<ToolResult> {
  const { end, output, errors } = await runProcess({ file, argv, environment: ENVIRONMENT, timeoutMs: TIMEOUT_MS })
    .done;
  return { code: end.kind === "exit" ? end.code : undefined, output, errors };
}

/** The state of one resource as the kernel has it now. */
export async function lookAtDrbd(name: string, tool: DrbdTool = run): Promise<DrbdLook> {
  const { code, output, errors } = await tool("drbdsetup", ["events2", "--now", "--statistics", name]);
  return readDrbdLook(name, { code, output, reason: errors.slice(-200) });
}

/**
 * Compares what DRBD itself knows of both disks (storage/core/mirror-check.ts); it reads no data. `unknown` when it
 * could not be looked at, which is no all-clear.
 */
export async function lookAtMirror(name: string, tool: DrbdTool = run): Promise<MirrorDoubt | "unknown" | undefined> {
  const { code, output } = await tool("drbdadm", ["get-gi", name]);
  // The state comes last: what it tells as whole was so already, or the UUIDs belong to a change that is over.
  const look = await lookAtDrbd(name, tool);
  return code === 0 && look.kind === "there" ? mirrorDoubt(look.resource, output) : "unknown";
}

/**
 * A resource that is down has a disk all the same: the mark goes into its metadata, and is read back from there.
 * So a node in standby, whose DRBD has been stopped, lets its peer be promoted.
 */
async function outdateStopped(name: string, tool: DrbdTool): Promise<boolean> {
  await tool("drbdadm", ["outdate", name]);
  const { code, output } = await tool("drbdadm", ["dstate", name]);
  const disks = output.trim().split("\n");
  return code === 0 && disks.every((disk) => disk.trim() === "Outdated");
}

/**
 * Asked by the peer's manager, when DRBD's link is cut or our side of it is down: marks our disk as outdated, so that
 * the peer may go on alone. `outdated` only when it was read back; `primary` when we are Primary and stay it.
 */
export async function outdateDrbd(name: string, tool: DrbdTool = run): Promise<"outdated" | "primary" | "unknown"> {
  // A node that has not yet noticed the cut refuses silently; its own timeout is a few seconds later at most.
  const endsAtMs = performance.now() + OUTDATE_WAIT_MS;
  do {
    const before = await lookAtDrbd(name, tool);
    if (before.kind === "unknown") return "unknown";
    if (before.kind === "absent") {
      if (await outdateStopped(name, tool)) return "outdated";
    } else {
      if (before.resource.role === "Primary") return "primary";
      await tool("drbdadm", ["outdate", name]);
      const after = await lookAtDrbd(name, tool);
      if (after.kind === "there" && localDisk(after.resource) === "Outdated") return "outdated";
    }
    await sleep(OUTDATE_POLL_MS);
  } while (performance.now() < endsAtMs);
  return "unknown";
}

/**
 * Lets a Primary go on whose handler had to answer "unsure". Only after the peer's power was read as off: DRBD asks
 * nobody again. True when I/O was read back as no longer frozen.
 */
export async function resumeDrbd(name: string): Promise<boolean> {
  await run("drbdadm", ["resume-io", name]);
  const after = await lookAtDrbd(name);
  return after.kind === "there" && after.resource.suspended === "no";
}
