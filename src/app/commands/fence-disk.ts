/**
 * `gemel fence disk`: a shared disk for poison pills, made and shown without the package sbd.
 * Exit codes: 0 done, 1 the disk cannot be used, 64 a wrong call.
 */
import process from "node:process";
import { parseDurationMs } from "../../fencing/core/duration.ts";
import { createPoisonDisk, openPoisonDisk } from "../../hw/edge/poison-disk.ts";
import { parseArgs } from "../arguments.ts";
import { EXIT, wrongCall } from "./ask.ts";

export const DISK_USAGE = `gemel fence disk list DISK
       gemel fence disk create DISK --yes DISK [--watchdog TIME]   (5s; overwrites the first megabyte of the disk)`;

const ACCESS_MS = 10_000;
const WATCHDOG_MAX_MS = 600_000;

async function list(path: string): Promise<void> {
  const disk = await openPoisonDisk(path, ACCESS_MS);
  try {
    const { uuid, watchdogMs, msgwaitMs } = disk.header;
    process.stdout.write(`${path}: ${uuid}, watchdog ${watchdogMs / 1_000} s, msgwait ${msgwaitMs / 1_000} s\n`);
    for (const { slot, node, mailbox } of await disk.list()) {
      const from = mailbox.from === "" ? "" : ` from ${mailbox.from}`;
      process.stdout.write(`${String(slot).padStart(3)}  ${node}: ${mailbox.command}${from}\n`);
    }
  } finally {
    await disk.close();
  }
}

/** Runs `gemel fence disk ...`; `argv`: what stands behind `disk`. */
export async function runDisk(argv: readonly string[]): Promise<number> {
  const options = { yes: { type: "string" }, watchdog: { type: "string", default: "5s" } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [what, path] = positionals;
    if (path === undefined || positionals.length !== 2 || (what !== "list" && what !== "create"))
      return wrongCall("gemel fence disk", "say list or create, and which disk", DISK_USAGE);
    if (what === "list") {
      await list(path);
      return EXIT.done;
    }
    const watchdogMs = parseDurationMs(values.watchdog) ?? 0;
    if (watchdogMs < 1_000 || watchdogMs > WATCHDOG_MAX_MS || watchdogMs % 1_000 !== 0)
      return wrongCall("gemel fence disk", `--watchdog ${values.watchdog}: write 1s to 600s`, DISK_USAGE);
    if (values.yes !== path)
      return wrongCall("gemel fence disk", `what stands on ${path} is lost: repeat it, --yes ${path}`, DISK_USAGE);
    const { uuid, msgwaitMs } = await createPoisonDisk(path, watchdogMs);
    process.stdout.write(`${path}: made, ${uuid}; a kill is proven after ${msgwaitMs / 1_000} s\n`);
    return EXIT.done;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`gemel fence disk: ${reason}\n`);
    return EXIT.refused;
  }
}
