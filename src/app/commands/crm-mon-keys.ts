/** The keys of crm_mon's live view: what each shows or hides. Those of Pacemaker's, and q. */
import { entryOf } from "../../base/record.ts";
import type { MonitorWishes, SectionName } from "../../cluster/core/monitor/wishes.ts";

const SUMMARY: readonly SectionName[] = ["stack", "dc", "times", "counts"];
const FENCING: readonly SectionName[] = ["fencing-failed", "fencing-pending", "fencing-succeeded"];
/** What is always of interest is shown with its first key, and hidden with its second. */
const SECTIONS: Readonly<Record<string, readonly SectionName[]>> = {
  A: ["attributes"],
  D: SUMMARY,
  L: ["bans"],
  c: ["tickets"],
  f: ["failcounts"],
  m: FENCING,
  o: ["operations", "failcounts"],
};
const MARKS: Readonly<Record<string, "byNode" | "inactive" | "detail" | "brief">> = {
  R: "detail",
  b: "brief",
  n: "byNode",
  r: "inactive",
};

export const HELP = "?";
export const KEY_HELP = `Keys, each of which shows or hides something:
  n  resources below their nodes
  r  inactive resources, too
  R  more details: ids of nodes, single instances
  b  resources counted by agent
  f  fail counts
  A  attributes of nodes
  o  recorded operations
  t  recorded operations, with their times
  L  negative location constraints
  m  history of fencing
  c  tickets
  D  the summary on top
Arrows, Page Up, Page Down, Home, End and space go through what is longer than the screen.
q ends; any other key draws anew, and ends this help.`;

function withSections(wishes: MonitorWishes, names: readonly SectionName[]): MonitorWishes {
  const sections = new Set(wishes.sections);
  const isShown = names.every((name) => sections.has(name));
  for (const name of names)
    if (isShown) sections.delete(name);
    else sections.add(name);
  return { ...wishes, sections };
}

/** The wishes after a key; the same for a key that wishes nothing. */
export function afterKey(wishes: MonitorWishes, key: string): MonitorWishes {
  const names = entryOf(SECTIONS, key);
  if (names !== undefined) return withSections(wishes, names);
  const mark = entryOf(MARKS, key);
  if (mark !== undefined) return { ...wishes, [mark]: !wishes[mark] };
  if (key !== "t") return wishes;
  const isTimed = wishes.timing && wishes.sections.has("operations");
  const sections = new Set<SectionName>([...wishes.sections, "operations", "failcounts"]);
  return { ...wishes, timing: !isTimed, sections };
}
