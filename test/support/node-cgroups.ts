/** The cgroups of nodes that run in network namespaces: resources have their own there as on a machine. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

/** For a shell within `ip netns exec`, which gives a /sys of its own: without cgroups. Silent where there are none. */
export const WITH_CGROUPS = "mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null";

/** The kernel keeps an empty cgroup until it is removed. `folder`: below which the run directories were. */
export function removeGroups(folder: string): void {
  const mount = / (\S+) \S+ .* - cgroup2 /.exec(readFileSync("/proc/self/mountinfo", "utf8"))?.[1];
  if (mount === undefined) return;
  const pattern = `${folder.slice(1).replaceAll("/", "-")}-*`;
  const argv = [path.join(mount, "gemel"), "-mindepth", "1", "-depth", "-type", "d", "-path", `*/${pattern}`];
  // What was killed a moment ago may still be on its way out.
  for (let tries = 0; tries < 20; tries += 1) {
    const left = spawnSync("find", [...argv, "-exec", "rmdir", "{}", ";"], { encoding: "utf8" });
    if (left.stderr === "") return;
    spawnSync("sleep", ["0.1"]);
  }
}
