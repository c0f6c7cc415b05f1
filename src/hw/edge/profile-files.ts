/** Profiles and machine facts from files: below hw-profiles/ and the site's own directory, and from /sys. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Problem } from "../../base/problem.ts";
import type { MachineFacts, NamedProfile } from "../core/profile/match.ts";
import { readProfile } from "../core/profile/schema.ts";

/** More is no directory of profiles. */
const FILES_MAX = 1_000;

function filesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".json") && path.dirname(file) !== ".")
      .toSorted()
      .slice(0, FILES_MAX);
  } catch {
    return []; // A site has its own directory, or not.
  }
}

/** A later directory replaces profiles of an earlier one by their id; a bad file is told, and the rest is used. */
export function readProfiles(directories: readonly string[]): {
  readonly profiles: readonly NamedProfile[];
  readonly problems: readonly Problem[];
} {
  const profiles = new Map<string, NamedProfile>();
  const problems: Problem[] = [];
  for (const directory of directories) {
    for (const file of filesOf(directory)) {
      const place = path.join(directory, file);
      const read = readProfile(readFileSync(place, "utf8"), place);
      const id = file.replace(/\.json$/, "");
      if (read.kind === "profile") profiles.set(id, { id, profile: read.profile });
      else problems.push(...read.problems);
    }
  }
  return { profiles: [...profiles.values()], problems };
}

function readLine(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** What the kernel tells of this machine. `root`: "/" but in tests. */
export function readMachine(root: string): MachineFacts & {
  readonly uuid: string | undefined;
  readonly watchdogs: readonly string[];
  readonly hasBoard: boolean;
} {
  const dmi = (name: string) => readLine(path.join(root, "sys/class/dmi/id", name));
  const list = (directory: string) => {
    try {
      return readdirSync(path.join(root, directory));
    } catch {
      return [];
    }
  };
  return {
    dmiVendor: dmi("sys_vendor"),
    dmiProduct: dmi("product_name"),
    ipmiManufacturerId: undefined,
    uuid: dmi("product_uuid"),
    watchdogs: list("sys/class/watchdog").map((name) => {
      const identity = readLine(path.join(root, "sys/class/watchdog", name, "identity"));
      return identity === undefined ? name : `${name} (${identity})`;
    }),
    hasBoard: list("dev").includes("ipmi0"),
  };
}
