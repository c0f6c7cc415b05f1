/**
 * The script by which a machine starts. The shell first starts one NBD server a disk, each a volatile write
 * cache in front of the disk's file, and then becomes QEMU. So the caches are QEMU's children and get SIGKILL in the
 * moment in which the machine ends, whatever ended it: what was not flushed is gone, as after a real power cut.
 * While a disk's file `NAME.broken` is there, every access to that disk fails with EIO, before any cache.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { processState } from "../processes.ts";
import { type MachineParts, qemuArguments } from "./qemu-arguments.ts";

/** 30 s in steps of 50 ms: the servers start in 20 ms on a quiet machine. */
const SERVER_WAIT_STEPS = 600;

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** The file behind an NBD socket of `MachineParts`: `system.nbd` serves `system.img`. */
function imageOf(server: string): string {
  return server.replace(/\.nbd$/, ".img");
}

export function startScript(parts: MachineParts): string {
  const servers = [parts.systemDisk, parts.mirrorDisk];
  return [
    "#!/bin/bash",
    `# Starts machine ${parts.node}, when its power is switched on. See lab/machine/start-script.ts.`,
    "set -eu",
    `cd ${quote(parts.directory)}`,
    "exec >>qemu.log 2>&1 </dev/null",
    "echo $$ >qemu.pid",
    ...servers.flatMap((server) => [
      `rm -f ${quote(server)}`,
      `setpriv --pdeathsig KILL nbdkit -f -U ${quote(server)} --filter=error --filter=cache ` +
        `file ${quote(imageOf(server))} cache=writeback cache-min-block-size=4096 ` +
        `error=EIO error-rate=100% error-file=${quote(server.replace(/\.nbd$/, ".broken"))} &`,
    ]),
    ...servers.map(
      (server) => `for i in {1..${SERVER_WAIT_STEPS}}; do [ -S ${quote(server)} ] && break; sleep 0.05; done`,
    ),
    "rm -f qmp.sock events.sock lab.sock console.sock",
    `exec setpriv --pdeathsig KILL qemu-system-x86_64 ${qemuArguments(parts).map(quote).join(" ")}`,
    "",
  ].join("\n");
}

/** The machine's process, by what the start script wrote down; undefined while it has no power. */
export function qemuPidOf(directory: string): number | undefined {
  try {
    const value = Number(readFileSync(path.join(directory, "qemu.pid"), "utf8"));
    return value > 0 && processState(value) !== undefined ? value : undefined;
  } catch {
    return undefined;
  }
}
