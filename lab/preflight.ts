/** What must be there before a lab starts, beyond what the set-up has installed: all of it is told at once. */
import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import process from "node:process";
import type { Problem } from "../src/base/problem.ts";
import { checkPlace, type Place, ROOT } from "./place.ts";

/** Two machines of 512 MB with QEMU's own needs, the lab, and the page cache of their disks. */
const MEMORY_MIN_BYTES = 2e9;
/** Two system disks, two mirrored disks. */
const DISK_MIN_BYTES = 1.5e9;
const PROGRAMS = [
  ["/usr/bin/qemu-system-x86_64", "qemu-system-x86"],
  ["/usr/bin/ipmi_sim", "openipmi"],
  ["/usr/bin/ipmitool", "ipmitool"],
  ["/usr/bin/nbdkit", "nbdkit"],
  ["/usr/sbin/ip", "iproute2"],
  ["/usr/bin/setpriv", "util-linux"],
] as const;

function problem(place: string, reason: string, remedy: string): Problem {
  return { severity: "error", place, reason, remedy };
}

function canOpen(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export function checkMachine(place: Place): readonly Problem[] {
  const problems = [...checkPlace(place)];
  if (process.getuid?.() !== 0) {
    problems.push(problem("user", "not running as root", "run it as root: it makes a network for its client"));
  }
  for (const [file, name] of PROGRAMS) {
    if (!existsSync(file)) problems.push(problem(file, "the program is missing", `apt-get install ${name}`));
  }
  if (!canOpen("/dev/net/tun")) {
    problems.push(problem("/dev/net/tun", "it cannot be opened", "load the module tun, or give it to the container"));
  }
  const available = /MemAvailable:\s+(\d+) kB/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  const memoryBytes = Number(available ?? "0") * 1024;
  if (memoryBytes < MEMORY_MIN_BYTES) {
    const have = (memoryBytes / 1e9).toFixed(1);
    problems.push(problem("memory", `only ${have} GB are available`, `free ${MEMORY_MIN_BYTES / 1e9} GB`));
  }
  const { bavail, bsize } = statfsSync(ROOT);
  if (bavail * bsize < DISK_MIN_BYTES) {
    const have = ((bavail * bsize) / 1e9).toFixed(1);
    problems.push(problem(ROOT, `only ${have} GB of disk are free`, `make room for ${DISK_MIN_BYTES / 1e9} GB`));
  }
  return problems;
}
