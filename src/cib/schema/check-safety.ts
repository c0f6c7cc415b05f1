/**
 * What would let two nodes write, or stop the service without a word: DRBD outside of a promotable clone, fencing
 * without a device or switched off (also at the start), quorum ignored, stops that may fail, leftovers of a move.
 */
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { agentOf } from "../template.ts";
import { clusterOption } from "./check-options.ts";
import { everyElement, type Finding, finding, optionsIn, type Seen } from "./finding.ts";
import { readBoolean } from "./values.ts";

const isTrue = (text: string | undefined) => text !== undefined && readBoolean(text) === true;

/** Fact: DRBD User's Guide 9, "Integrating DRBD with Pacemaker": promotable, and notify=true. */
function checkDrbd({ element, above }: Seen, agent: Readonly<Record<string, string>>): Finding[] {
  if (agent["class"] !== "ocf" || agent["type"] !== "drbd") return [];
  const { id = "" } = element.attributes;
  const clone = [...above].reverse().find(({ name }) => name === "clone" || name === "master");
  const seen = { element, above };
  const meta = { ...optionsIn(element, "meta_attributes"), ...optionsIn(clone, "meta_attributes") };
  const isPromotable = clone?.name === "master" || isTrue(meta["promotable"]);
  if (clone === undefined || !isPromotable) {
    const reason = `DRBD resource ${id} is in no promotable clone, so nothing decides which node writes`;
    return [finding("error", seen, reason, `add clone ${id}-clone ${id} meta promotable=true notify=true`)];
  }
  if (isTrue(meta["notify"])) return [];
  const at = { element: clone, above: above.slice(0, above.indexOf(clone)) };
  const reason = `${clone.attributes["id"] ?? ""} runs DRBD without notify=true, so its agent cannot follow its peer`;
  return [finding("error", at, reason, "add meta notify=true")];
}

function checkFencing(configuration: XmlElement, primitives: readonly Seen[]): Finding[] {
  const resources = childOf(configuration, "resources");
  const at: Seen = { element: childOf(configuration, "crm_config") ?? configuration, above: [] };
  const value = clusterOption(configuration, "fencing-enabled") ?? "true";
  const classes = primitives.map(({ element }) => agentOf(element, resources)["class"]);
  if (readBoolean(value) === false) {
    const reason = "fencing is switched off: a lost node is taken for dead, and two nodes may come to write";
    const remedy = "set stonith-enabled=true and configure a device for each node";
    return classes.length === 0
      ? []
      : [finding("warning", optionAt(configuration, "fencing-enabled", "stonith-enabled") ?? at, reason, remedy)];
  }
  if (readBoolean(value) === undefined) return [];
  const watchdog = clusterOption(configuration, "fencing-watchdog-timeout") ?? "0";
  const others = classes.filter((name) => name !== "stonith" && name !== "fencing");
  if (others.length === 0 || others.length < classes.length || !/^0?$/.test(watchdog)) return [];
  const reason = "fencing is enabled and there is no fencing device, so that no resource may start";
  return [finding("error", at, reason, "add a primitive stonith:... for each node, or set stonith-enabled=false")];
}

/** The nvpair that sets a cluster option, under any of its names, so that its line can be told. */
function optionAt(configuration: XmlElement, ...names: readonly string[]): Seen | undefined {
  return everyElement(configuration).find(
    ({ element: { name, attributes } }) => name === "nvpair" && names.includes(attributes["name"] ?? ""),
  );
}

function checkQuorum(configuration: XmlElement): Finding[] {
  const value = clusterOption(configuration, "no-quorum-policy")?.toLowerCase();
  const seen = optionAt(configuration, "no-quorum-policy");
  if (value !== "ignore" || seen === undefined) return [];
  const nodes = childrenOf(childOf(configuration, "nodes"), "node").length;
  const fenced = isTrue(clusterOption(configuration, "fencing-enabled"));
  // A pair has no majority without a third party: with fencing, ignoring quorum is how it takes over at all.
  if (fenced && nodes <= 2) return [];
  const reason = "quorum is ignored: each part of a split cluster goes on by itself";
  return [finding("warning", seen, reason, fenced ? "set no-quorum-policy=stop" : "enable fencing")];
}

/** Fact: Pacemaker Explained, startup-fencing: "do not change this option". */
function checkStartupFencing(configuration: XmlElement): Finding[] {
  const value = clusterOption(configuration, "startup-fencing");
  const seen = optionAt(configuration, "startup-fencing");
  if (seen === undefined || value === undefined || readBoolean(value) !== false) return [];
  const reason =
    "startup-fencing is off: a node that was never heard is taken for switched off, and may run everything";
  return [finding("warning", seen, reason, "remove startup-fencing=false")];
}

/** What a stop that fails must not end in; without a word, a node with fencing is fenced for it. */
const STOP_FAILURES: Readonly<Record<string, string>> = {
  block: "leaves it as it is, and the service stays away from every node until somebody cleans up",
  ignore: "is taken for a stop, and two nodes may come to run it",
};

function checkStops({ element, above }: Seen): Finding[] {
  return childrenOf(childOf(element, "operations"), "op").flatMap((op) => {
    const { name, "on-fail": onFail = "" } = op.attributes;
    const outcome = name === "stop" ? entryOf(STOP_FAILURES, onFail.toLowerCase()) : undefined;
    if (outcome === undefined) return [];
    const reason = `a stop of ${element.attributes["id"] ?? ""} that fails ${outcome}`;
    const remedy = "enable fencing and leave on-fail of stop away: the node is fenced, and the other one takes over";
    return [finding("warning", { element: op, above: [...above, element] }, reason, remedy)];
  });
}

/** Fact: crm_verify 2.1.5, what it says it resets. */
const WITHOUT_FENCING = { stop: "is left as it is", other: "is stopped instead" } as const;
const AFTER_A_STOP = ["", "block", "fence", "ignore"];

/** Words that are not obeyed, where somebody relies on them. */
function checkFailureWords({ element, above }: Seen, isFenced: boolean): Finding[] {
  const { id = "" } = element.attributes;
  return childrenOf(childOf(element, "operations"), "op").flatMap((op) => {
    const { name = "", "on-fail": onFail = "" } = op.attributes;
    const seen = { element: op, above: [...above, element] };
    const word = onFail.toLowerCase();
    if (word === "fence" && !isFenced) {
      const instead = WITHOUT_FENCING[name === "stop" ? "stop" : "other"];
      const reason = `on-fail=fence has no effect while fencing is switched off: ${id} ${instead} when ${name} fails`;
      return [finding("warning", seen, reason, "enable fencing, or remove on-fail")];
    }
    if (name !== "stop" || AFTER_A_STOP.includes(word)) return [];
    const reason = `on-fail=${onFail} has no effect on a stop of ${id}: it may still run`;
    return [finding("warning", seen, reason, "remove on-fail, or write fence, block or ignore")];
  });
}

const LEFT_OVER = /^cli-(?:prefer|ban|standby)-/;

function checkLeftOvers(configuration: XmlElement): Finding[] {
  return childrenOf(childOf(configuration, "constraints"), "rsc_location").flatMap((element) => {
    const { id = "", rsc = "" } = element.attributes;
    // With an end of its own it goes by itself.
    if (!LEFT_OVER.test(id) || JSON.stringify(element).includes('"date_expression"')) return [];
    const reason = `${id} is left over from an earlier move of ${rsc} and still decides where it may run`;
    return [finding("warning", { element, above: [configuration] }, reason, `crm resource unmove ${rsc}`)];
  });
}

export function checkSafety(configuration: XmlElement): Finding[] {
  const resources = childOf(configuration, "resources");
  const primitives = everyElement(configuration).filter(({ element }) => element.name === "primitive");
  const isFenced = readBoolean(clusterOption(configuration, "fencing-enabled") ?? "true") !== false;
  return [
    ...primitives.flatMap((seen) => checkFailureWords(seen, isFenced)),
    ...primitives.flatMap((seen) => checkDrbd(seen, agentOf(seen.element, resources))),
    ...primitives.flatMap(checkStops),
    ...checkFencing(configuration, primitives),
    ...checkQuorum(configuration),
    ...checkStartupFencing(configuration),
    ...checkLeftOvers(configuration),
  ];
}
