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

async function linkOf(file: string): Promise<string> {
  return readlink(file).catch(() => "");
}

async function uses(pid: string, lies: (file: string) => boolean): Promise<boolean> {
  const place = path.join("/proc", pid);
  for (const name of ["cwd", "root", "exe"]) if (lies(await linkOf(path.join(place, name)))) return true;
  const descriptors = await readdir(path.join(place, "fd")).catch(() => []);
  for (const fd of descriptors) if (lies(await linkOf(path.join(place, "fd", fd)))) return true;
  const mapped = await readdir(path.join(place, "map_files")).catch(() => []);
  for (const range of mapped) if (lies(await linkOf(path.join(place, "map_files", range)))) return true;
  return false;
}

/** All processes but our own; none of the kernel's, which have no links. */
export async function findMountUsers(mountPoint: string): Promise<readonly MountUser[]> {
  const lies = (file: string) => file === mountPoint || file.startsWith(`${mountPoint}/`);
  const users: MountUser[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid || !(await uses(pid, lies))) continue;
    const command = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "?");
    users.push({ pid: Number(pid), command: command.trim() });
  }
  return users;
}
