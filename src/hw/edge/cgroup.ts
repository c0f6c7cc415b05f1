/**
 * A cgroup (version 2) for each resource: whatever a resource has started is found there and can be ended there, also
 * what has left its process group, and nothing else ever is. An operation runs in a group of its own below the
 * resource's, so that a hung monitor is ended without the service; what a finished operation leaves behind (daemons)
 * moves up into the resource's group.
 * Facts: Documentation/admin-guide/cgroup-v2.rst: cgroup.procs (0 is the writer), cgroup.kill (Linux 5.14).
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";

export interface OperationGroup {
  /** A process that writes 0 into this file belongs to the operation, and so does all that it starts. */
  readonly procsFile: string;
  /** Ends everything of the operation. */
  readonly kill: () => void;
  /** The operation is over: what it left running belongs to the resource. */
  readonly release: () => void;
}

export interface ResourceGroups {
  readonly beginOperation: (resource: string, callId: number) => OperationGroup | undefined;
  /** What runs of the resource. */
  readonly processes: (resource: string) => readonly GroupProcess[];
  readonly killResource: (resource: string) => void;
  /** Only those of them that are still in the resource's group: numbers are given anew. */
  readonly signal: (resource: string, processes: readonly GroupProcess[], signal: NodeJS.Signals) => void;
  /** Ends what operations of an earlier start of the program still run; answers how many processes. */
  readonly killLeftOvers: () => number;
}

export interface GroupProcess {
  readonly pid: number;
  readonly command: string;
}

const OPERATION = "operation-";
/** Between a fork and its end in the group: a second look finds whom the first has missed. */
const KILL_ROUNDS = 5;
/** Each round moves all but those that were forked in it, by one that had not been moved yet. */
const MOVE_ROUNDS = 50;

/** Where cgroup version 2 is mounted; undefined where it is not. */
function mountPoint(): string | undefined {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const mount = lines.find((line) => / - cgroup2 /.test(line));
  return mount?.split(" ")[4];
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

const pidsOf = (group: string) =>
  read(path.join(group, "cgroup.procs"))
    .split("\n")
    // 0 stands for a process of another pid namespace: out of our reach.
    .flatMap((line) => (Number(line) > 0 ? [Number(line)] : []));

function groupsBelow(group: string): readonly string[] {
  try {
    const entries = readdirSync(group, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(group, name));
  } catch {
    return [];
  }
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function killGroup(group: string): void {
  try {
    writeFileSync(path.join(group, "cgroup.kill"), "1");
    return;
  } catch {
    // A kernel before 5.14, or the group is gone; then there is nobody to be found either.
  }
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    for (const pid of [group, ...groupsBelow(group)].flatMap(pidsOf)) signalOne(pid, "SIGKILL");
  }
}

function remove(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // Somebody still runs or ends in it: it is looked at again when the resource's next operation ends.
  }
}

/** Until nobody is left: what stayed behind would be ended with the operations when a manager is started anew. */
function moveAll(from: string, to: string): void {
  for (let round = 0; round < MOVE_ROUNDS; round += 1) {
    const pids = pidsOf(from);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        writeFileSync(path.join(to, "cgroup.procs"), String(pid));
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

function release(group: string, resourceGroup: string): void {
  moveAll(group, resourceGroup);
  for (const old of groupsBelow(resourceGroup)) if (pidsOf(old).length === 0) remove(old);
  if (pidsOf(resourceGroup).length === 0) remove(resourceGroup);
}

/** The groups of one node, named after its run directory; or why there are none. */
export function openResourceGroups(runDirectory: string): ResourceGroups | { readonly reason: string } {
  const mount = mountPoint();
  if (mount === undefined) return { reason: "cgroup version 2 is not mounted" };
  const node = path.resolve(runDirectory).slice(1).replaceAll("/", "-");
  const base = path.join(mount, "gemel", node);
  try {
    mkdirSync(base, { recursive: true });
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
  // An id may hold any character but those of XML's own; a directory's name may not.
  const groupOf = (resource: string) => path.join(base, encodeURIComponent(resource));
  const pidsOfResource = (resource: string) => {
    const group = groupOf(resource);
    return [group, ...groupsBelow(group)].flatMap(pidsOf);
  };
  return {
    beginOperation(resource, callId) {
      const resourceGroup = groupOf(resource);
      const group = path.join(resourceGroup, `${OPERATION}${callId}`);
      try {
        mkdirSync(group, { recursive: true });
      } catch {
        return undefined;
      }
      return {
        procsFile: path.join(group, "cgroup.procs"),
        kill: () => killGroup(group),
        release: () => release(group, resourceGroup),
      };
    },
    processes: (resource) =>
      pidsOfResource(resource).map((pid) => ({ pid, command: read(`/proc/${pid}/comm`).trim() })),
    killResource: (resource) => killGroup(groupOf(resource)),
    signal(resource, processes, signal) {
      const meant = new Set(processes.map(({ pid }) => pid));
      for (const pid of pidsOfResource(resource).filter((one) => meant.has(one))) signalOne(pid, signal);
    },
    killLeftOvers() {
      const operations = groupsBelow(base).flatMap(groupsBelow);
      const count = operations.flatMap(pidsOf).length;
      for (const group of operations) {
        killGroup(group);
        remove(group);
      }
      return count;
    },
  };
}
