/**
 * ocf:gemel:Filesystem: a mounted file system. mount(8) and umount(8) run as children, since a mount replays a journal
 * and an unmount writes everything out: both may take long, or for ever.
 * Stop goes up a ladder: unmount; TERM to the users; KILL to the users; and fails with the name of who still holds it.
 * It never unmounts lazily: the mount would be out of sight, and its users would go on writing.
 * Facts: reference/storage.md, section 9.
 */
import { readFileSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Mount, mountAt, mountsBelow, parseMountinfo } from "../../../storage/core/mountinfo.ts";
import {
  type AgentAnswer,
  type AgentCall,
  type BuiltInAgent,
  failed,
  isTrue,
  OCF,
  operates,
  succeeded,
} from "./contract.ts";
import { findMountUsers, type MountUser } from "./mount-users.ts";
import { runTool } from "./tool.ts";

/** Time for users to end properly before they are killed. */
const TERM_MS = 3_000;
/** Left at the end of the timeout to say what went wrong. */
const REPORT_MS = 1_000;
const RETRY_MS = 100;
/** Between the looks at who holds it, where nobody may be ended: they cost the whole machine time. */
const WATCH_MS = 1_000;
/** fsck(8): 1 corrected, 2 reboot wanted; from 4 on errors are left. */
const FSCK_UNCORRECTED = 4;
/** Without a journal a check after a power cut is needed; all others mend themselves when mounted. */
const CHECKED_TYPES = new Set(["ext2", "vfat", "minix"]);
/** What a file system says that has stopped writing after an error. */
const GAVE_UP = ["ro", "emergency_ro", "shutdown"];
const USERS_NAMED_MAX = 5;

interface Wanted {
  readonly device: string;
  readonly directory: string;
  readonly type: string;
  readonly options: string;
}

function wantedOf({ parameters }: AgentCall): Wanted {
  const { device = "", directory = "", fstype = "", options = "" } = parameters;
  return { device, directory: path.resolve("/", directory), type: fstype, options };
}

/** In the loop: it waits for no disk, and the turns of the thread pool would cost more than the mount itself. */
function readMounts(): readonly Mount[] {
  return parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
}

const isBlockDevice = (device: string) => device.startsWith("/dev/");

async function deviceNumber(device: string): Promise<string | undefined> {
  const status = await stat(device).catch(() => undefined);
  if (status?.isBlockDevice() !== true) return undefined;
  // Linux' dev_t, as glibc's major() and minor() take it apart.
  const number = status.rdev;
  return `${Math.floor(number / 256) & 0xfff}:${(number & 0xff) | (Math.floor(number / 4096) & 0xfff00)}`;
}

/** Whether a mount is of that device, by any of its names. */
async function isOf(mount: Mount, { device }: Wanted): Promise<boolean> {
  if (mount.source === device) return true;
  return isBlockDevice(device) && (await deviceNumber(device)) === mount.device;
}

async function check(call: AgentCall, { device, type }: Wanted): Promise<string | undefined> {
  const run = call.parameters["run_fsck"] ?? "auto";
  if (run === "no" || (run === "auto" && !CHECKED_TYPES.has(type)) || !isBlockDevice(device)) return undefined;
  const { code, reason } = await runTool(call, "fsck", ["-t", type, "-p", device]);
  return code !== undefined && code < FSCK_UNCORRECTED ? undefined : `fsck of ${device}: ${reason}`;
}

async function start(call: AgentCall): Promise<AgentAnswer> {
  const wanted = wantedOf(call);
  const { device, directory, type, options } = wanted;
  const there = mountAt(readMounts(), directory);
  if (there !== undefined) {
    if (await isOf(there, wanted)) return succeeded;
    return failed(`${directory} is taken: ${there.source} is mounted there`);
  }
  if (isBlockDevice(device) && (await deviceNumber(device)) === undefined)
    return failed(`there is no block device ${device} here`, OCF.notInstalled);
  const damage = await check(call, wanted);
  if (damage !== undefined) return failed(damage);
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
  const typeWords = type === "" || type === "none" ? [] : ["-t", type];
  const words = [...typeWords, ...(options === "" ? [] : ["-o", options]), device, directory];
  const { reason } = await runTool(call, "mount", words);
  // Read back, whatever mount said.
  return mountAt(readMounts(), directory) === undefined ? failed(`mounting ${device}: ${reason}`) : succeeded;
}

function listUsers(users: readonly MountUser[]): string {
  const named = users.slice(0, USERS_NAMED_MAX).map(({ pid, command }) => `${pid} (${command})`);
  const more = users.length > USERS_NAMED_MAX ? ` and ${users.length - USERS_NAMED_MAX} more` : "";
  return `process ${named.join(", ")}${more}`;
}

/** `users`: undefined while nobody has been looked for. */
function nameUsers(users: readonly MountUser[] | undefined, directory: string): string {
  if (users === undefined) return `${directory} is still mounted, and there was no time to look for who holds it`;
  if (users.length === 0)
    return `no process holds ${directory}: look for a loop device, swap file, NFS export or container on it`;
  return `${directory} is held by ${listUsers(users)}`;
}

function nameEnded(users: readonly MountUser[], directory: string): string {
  return users.length === 0 ? "" : `${directory} was held by ${listUsers(users)}: ended for the stop`;
}

/** True when it is gone. */
async function unmountAll(call: AgentCall, directory: string): Promise<boolean> {
  for (const { mountPoint } of mountsBelow(readMounts(), directory)) {
    const { code } = await runTool(call, "umount", [mountPoint]);
    if (code !== 0) break;
  }
  return mountsBelow(readMounts(), directory).length === 0;
}

function signalUsers(users: readonly MountUser[], signal: NodeJS.Signals): void {
  for (const { pid } of users) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

async function stop(call: AgentCall): Promise<AgentAnswer> {
  const { directory } = wantedOf(call);
  const beganAtMs = performance.now();
  const budgetMs = Math.max(call.timeoutMs - REPORT_MS, REPORT_MS);
  const { force_unmount: force, fast_stop: fast } = call.parameters;
  const mayKill = force === "safe" || isTrue(force, true);
  const termMs = isTrue(fast, true) ? Math.min(TERM_MS, budgetMs / 2) : budgetMs / 2;
  if (await unmountAll(call, directory)) return succeeded;
  let users: readonly MountUser[] | undefined;
  const ended = new Map<number, MountUser>();
  let termed = false;
  const isOver = () => performance.now() - beganAtMs > budgetMs || call.signal.aborted;
  for (;;) {
    const found = await findMountUsers(directory, isOver);
    // Whom the look before has found is still the best that is known.
    users = found ?? users;
    if (isOver()) return failed(nameUsers(users, directory));
    if (mayKill && found !== undefined) {
      for (const user of found) ended.set(user.pid, user);
      if (performance.now() - beganAtMs >= termMs) signalUsers(found, "SIGKILL");
      else if (!termed) signalUsers(found, "SIGTERM");
      termed = true;
    }
    await sleep(mayKill ? RETRY_MS : WATCH_MS);
    // Whose process was ended wants to know by whom.
    if (await unmountAll(call, directory)) return { ...succeeded, reason: nameEnded([...ended.values()], directory) };
  }
}

/** OCF_CHECK_LEVEL 10 reads from the device, 20 writes a file as well; past the page cache, where that is possible. */
async function probeDepth(call: AgentCall, { device, directory }: Wanted, level: number): Promise<string | undefined> {
  if (level >= 10 && isBlockDevice(device)) {
    const read = await runTool(call, "dd", [`if=${device}`, "of=/dev/null", "bs=4096", "count=1", "iflag=direct"]);
    if (read.code !== 0) return `reading ${device}: ${read.reason}`;
  }
  if (level < 20) return undefined;
  const file = path.join(directory, ".Filesystem_status", `${call.instance}_${os.hostname()}`);
  const made = await runTool(call, "mkdir", ["-p", path.dirname(file)]);
  if (made.code !== 0) return `writing below ${directory}: ${made.reason}`;
  const wrote = await runTool(call, "dd", ["if=/dev/zero", `of=${file}`, "bs=4096", "count=1", "conv=fsync"]);
  return wrote.code === 0 ? undefined : `writing ${file}: ${wrote.reason}`;
}

async function monitor(call: AgentCall): Promise<AgentAnswer> {
  const wanted = wantedOf(call);
  const mount = mountAt(readMounts(), wanted.directory);
  if (mount === undefined) return { code: OCF.notRunning, reason: "" };
  if (isBlockDevice(wanted.device) && !(await isOf(mount, wanted)))
    return { code: OCF.notRunning, reason: `${mount.source} is mounted at ${wanted.directory}` };
  const wantsReadOnly = wanted.options.split(",").includes("ro");
  const gaveUp = mount.superOptions.find((option) => GAVE_UP.includes(option));
  if (gaveUp !== undefined && !wantsReadOnly)
    return failed(`${wanted.directory} has become read-only (${gaveUp}): the file system saw an error`);
  const level = Number(call.environment["OCF_CHECK_LEVEL"] ?? 0);
  const damage = level > 0 ? await probeDepth(call, wanted, level) : undefined;
  return damage === undefined ? succeeded : failed(damage);
}

function validate(call: AgentCall): AgentAnswer {
  return wantedOf(call).directory === "/" ? failed("directory is /", OCF.notConfigured) : succeeded;
}

export const fileSystem: BuiltInAgent = {
  type: "Filesystem",
  shortdesc: "A mounted file system",
  parameters: [
    {
      name: "device",
      required: true,
      content: "string",
      shortdesc: "Block device, or source of a bind or network mount",
    },
    { name: "directory", required: true, unique: true, content: "string", shortdesc: "Where it is mounted" },
    { name: "fstype", required: true, content: "string", shortdesc: "Type of the file system" },
    { name: "options", content: "string", shortdesc: "Mount options" },
    { name: "run_fsck", content: "string", fallback: "auto", shortdesc: "auto (only without a journal), force or no" },
    {
      name: "fast_stop",
      content: "boolean",
      fallback: "true",
      shortdesc: "Kill users after 3 s, not half the timeout",
    },
    { name: "force_unmount", content: "string", fallback: "true", shortdesc: "Whether users are ended: true or false" },
  ],
  actions: [
    { name: "start", timeout: "60s" },
    { name: "stop", timeout: "60s" },
    { name: "monitor", timeout: "40s", interval: "20s" },
    { name: "validate-all", timeout: "5s" },
    { name: "meta-data", timeout: "5s" },
  ],
  operate: operates({ start, stop, monitor, validate }),
};
