/**
 * Which sections a picture has: crm_mon's defaults, changed from left to right by --include and --exclude.
 * Fact: crm_mon(8), "Output Control".
 */
import { entryOf } from "../../../base/record.ts";
import { type MonitorWishes, SECTION_NAMES, type SectionName } from "./wishes.ts";

export const ALL_SECTIONS: ReadonlySet<SectionName> = new Set(SECTION_NAMES);

/** What `all` stands for in text: how the cluster is set is told there only to whoever names it. */
export const ALL_TEXT_SECTIONS: ReadonlySet<SectionName> = new Set(SECTION_NAMES.filter((name) => name !== "options"));

const SUMMARY = ["stack", "dc", "times", "counts"] as const;
export const DEFAULT_SECTIONS: ReadonlySet<SectionName> = new Set([
  ...SUMMARY,
  ...(["maint-mode", "nodes", "resources", "failures", "fencing-failed", "fencing-pending"] as const),
]);

/** Names that stand for several. */
const GROUPS: Readonly<Record<string, readonly SectionName[]>> = {
  summary: [...SUMMARY, "maint-mode"],
  fencing: ["fencing-failed", "fencing-pending", "fencing-succeeded"],
};

export interface SectionStep {
  readonly kind: "include" | "exclude";
  readonly name: string;
}

export const SECTION_WORDS = [...SECTION_NAMES, ...Object.keys(GROUPS), "all", "default", "none"].toSorted();

const membersOf = (name: string): readonly SectionName[] =>
  entryOf(GROUPS, name) ?? SECTION_NAMES.filter((section) => section === name);

/** The sections, of which `all` names these; or the step whose name is that of none. */
export function chooseSections(
  start: ReadonlySet<SectionName>,
  steps: readonly SectionStep[],
  all: ReadonlySet<SectionName> = ALL_SECTIONS,
): { readonly kind: "chosen"; readonly sections: ReadonlySet<SectionName> } | SectionStep {
  let sections = start;
  for (const step of steps) {
    const { kind, name } = step;
    const adds = kind === "include";
    if (name === "all" || name === "none") sections = adds === (name === "all") ? all : new Set();
    else if (name === "default" && adds) sections = DEFAULT_SECTIONS;
    else {
      const members = membersOf(name);
      if (members.length === 0) return step;
      const changed = new Set(sections);
      for (const member of members)
        if (adds) changed.add(member);
        else changed.delete(member);
      sections = changed;
    }
  }
  return { kind: "chosen", sections };
}

/** These sections of everything, without further wishes. */
export function plainWishes(sections: ReadonlySet<SectionName>): MonitorWishes {
  return {
    sections,
    inactive: false,
    byNode: false,
    timing: false,
    detail: false,
    brief: false,
    bans: "",
    wholeFencingHistory: false,
    node: undefined,
    resource: undefined,
  };
}
