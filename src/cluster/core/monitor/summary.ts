/** The first block of a picture: who leads, since when, how much there is, what holds all of it back. */
import { type Facts, isActive, type Node, type Resource } from "../scheduler/facts/model.ts";
import { compareNames } from "../scheduler/facts/names.ts";
import { isDisabled } from "../scheduler/print/status-report.ts";
import type { MonitorSource, MonitorWishes, NarrowedSource, Section } from "./wishes.ts";

export const byName = (nodes: readonly Node[]): readonly Node[] =>
  nodes.filter(({ kind }) => kind !== "ping").toSorted((left, right) => compareNames(left.name, right.name));

/** Unmanaged; what only waits for fencing to be configured has been left alone by nobody. */
export const isLeftAlone = ({ managed, heldBack }: Resource): boolean => !managed && !heldBack;

export interface Counts {
  readonly nodes: number;
  readonly resources: number;
  readonly disabled: number;
  readonly blocked: number;
}

export function countsOf(facts: Facts): Counts {
  // What is no longer configured counts while it runs.
  const primitives = facts.resources.filter((each) => each.kind === "primitive" && (!each.removed || isActive(each)));
  return {
    nodes: byName(facts.nodes).length,
    resources: primitives.length,
    disabled: primitives.filter(isDisabled).length,
    blocked: primitives.filter(({ blocked }) => blocked).length,
  };
}

export const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** With its id, or the host that a guest lives on. */
export function nodeName({ name, id, kind, remote }: Node, inDetail: boolean): string {
  if (!inDetail) return name;
  if (kind === "guest") return `${name}@${remote?.container?.runningOn[0]?.name ?? ""}`;
  return id === name ? name : `${name} (${id})`;
}

/** Who leads, with its version, or undefined when nobody does. */
export function dcOf({ whole: facts, version }: NarrowedSource, withId: boolean): string | undefined {
  const dc = facts.nodes.find(({ isDc }) => isDc);
  if (dc === undefined) return undefined;
  return `${nodeName(dc, withId)} (version ${facts.options.all["dc-version"] ?? version ?? "unknown"})`;
}

function centreOf(source: NarrowedSource, withId: boolean): string | undefined {
  const dc = dcOf(source, withId);
  if (dc === undefined) return undefined;
  return `${dc} - partition ${source.whole.options.quorate ? "with" : "WITHOUT"} quorum`;
}

/** Who changed the configuration last, and when. */
export function lastChange({ facts }: MonitorSource): string {
  const at = facts.cib.attributes["cib-last-written"] ?? "";
  const by = (
    [
      ["by", "update-user"],
      ["via", "update-client"],
      ["on", "update-origin"],
    ] as const
  ).flatMap(([word, name]) => {
    const value = facts.cib.attributes[name] ?? "";
    return value === "" ? [] : [`${word} ${value}`];
  });
  return [at, ...by].join(" ");
}

/** Words for `no-quorum-policy`. */
const QUORUM_TEXT: Readonly<Record<string, string>> = {
  freeze: "Freeze resources",
  stop: "Stop ALL resources",
  demote: "Demote promotable resources and stop all other resources",
  ignore: "Ignore",
  fence: "Suicide",
};

export function optionTexts({ fencingEnabled, symmetric, noQuorumPolicy }: Facts["options"]): string[] {
  return [
    `STONITH of failed nodes ${fencingEnabled ? "enabled" : "disabled"}`,
    `Cluster is ${symmetric ? "symmetric" : "asymmetric"}`,
    `No quorum policy: ${QUORUM_TEXT[noQuorumPolicy] ?? noQuorumPolicy}`,
  ];
}

function countLines(facts: Facts): string[] {
  const { nodes, resources, disabled, blocked } = countsOf(facts);
  const notes = [
    ...(disabled > 0 ? [`${disabled} DISABLED`] : []),
    ...(blocked > 0 ? [`${blocked} BLOCKED from further action due to failure`] : []),
  ];
  const note = notes.length === 0 ? "" : ` (${notes.join(", ")})`;
  return [`  * ${plural(nodes, "node")} configured`, `  * ${plural(resources, "resource instance")} configured${note}`];
}

const UNTOUCHED = [
  "",
  "              *** Resource management is DISABLED ***",
  "  The cluster will not attempt to start, stop or recover services",
];
const ALL_STOPPED = [
  "",
  "    *** Resource management is DISABLED ***",
  "  The cluster will keep all resources stopped",
];

export function summary(source: NarrowedSource, { sections, detail }: MonitorWishes): Section | undefined {
  const { whole, ctime, nowWallMs } = source;
  const { all, maintenance, stopAll } = whole.options;
  const centre = centreOf(source, detail);
  const held = maintenance ? UNTOUCHED : stopAll ? ALL_STOPPED : [];
  const lines = [
    ...(sections.has("stack") ? [`  * Stack: ${all["cluster-infrastructure"] ?? source.stack}`] : []),
    // That nobody leads is told whatever else is hidden.
    ...(sections.has("dc") || centre === undefined ? [`  * Current DC: ${centre ?? "NONE"}`] : []),
    ...(sections.has("times")
      ? [`  * Last updated: ${ctime(nowWallMs)}`, `  * Last change:  ${lastChange(source)}`]
      : []),
    ...(sections.has("counts") ? countLines(whole) : []),
    ...(sections.has("options") ? optionTexts(whole.options).map((text) => `  * ${text}`) : []),
    ...(sections.has("maint-mode") ? held : []),
  ];
  return lines.length === 0 ? undefined : { kind: "summary", title: "Cluster Summary", lines };
}
