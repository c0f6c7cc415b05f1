/**
 * Who uses a mount: found without touching the file system itself, which may hang.
 * Only links below /proc are read. A process counts when its root, working directory, program, an open file or a
 * mapped file lies on the mount.
 */
import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import process from "node:process";

export interface MountUser {
  readonly pid: number;
  readonly command: string;
}

/** Address, rights, offset, device, inode, and the file; what has no file has [heap] or nothing. */
const MAPPED = /^(?:\S+ +){5}(\/.*)$/;

async function linkOf(file: string): Promise<string> {
  return readlink(file).catch(() => "");
}

async function uses(pid: string, lies: (file: string) => boolean): Promise<boolean> {
  const place = path.join("/proc", pid);
  for (const name of ["cwd", "root", "exe"]) if (lies(await linkOf(path.join(place, name)))) return true;
  const descriptors = await readdir(path.join(place, "fd")).catch(() => []);
  for (const fd of descriptors) if (lies(await linkOf(path.join(place, "fd", fd)))) return true;
  const mapped = await readFile(path.join(place, "maps"), "utf8").catch(() => "");
  return mapped.split("\n").some((line) => lies(MAPPED.exec(line)?.[1] ?? ""));
}

/**
 * All processes but our own; none of the kernel's, which have no links. Undefined when `isOver` says so before all were
 * looked at: on a starved machine with many processes that takes seconds.
 */
export async function findMountUsers(
  mountPoint: string,
  isOver: () => boolean = () => false,
): Promise<readonly MountUser[] | undefined> {
  const lies = (file: string) => file === mountPoint || file.startsWith(`${mountPoint}/`);
  const users: MountUser[] = [];
  for (const pid of await readdir("/proc")) {
    if (isOver()) return undefined;
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid || !(await uses(pid, lies))) continue;
    const command = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "?");
    users.push({ pid: Number(pid), command: command.trim() });
  }
  return users;
}
