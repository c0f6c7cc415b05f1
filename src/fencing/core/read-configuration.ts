/**
 * Reads the fencing configuration out of a CIB: primitives of class stonith, fencing_topology, cluster properties.
 * A device with a problem is left out and the problem told; the rest stays usable, for half of the fencing is better
 * than none. Cluster options: by their names of Pacemaker 1 and 2 (`stonith-timeout`) and 3 (`fencing-timeout`).
 * Facts: Pacemaker Explained, "Cluster Options", "Special Meta-Attributes for Fencing Resources", "Fencing
 * Topologies".
 */
import { nearestName } from "../../base/nearest.ts";
import type { Problem } from "../../base/problem.ts";
import { entryOf, setEntry } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { type Borrowing, type DriverCatalogue, type DriverChoice, ownParameters } from "./catalogue.ts";
import type { FencingConfiguration, FencingDevice } from "./configuration.ts";
import { parseDurationMs } from "./duration.ts";
import { checkFencerParameters, plugParameterOf } from "./fencer-parameters.ts";
import { impliedWatchdog, withoutLostQuorum } from "./implied-watchdog.ts";
import { readTopology } from "./read-topology.ts";
import { withoutSharedBoards } from "./shared-boards.ts";
import { type Complain, isTrue, type Values, valuesOf, wordsOf } from "./values.ts";
import { primitivesOf, writtenDevices } from "./written-devices.ts";

export interface FencingRead {
  readonly configuration: FencingConfiguration;
  readonly problems: readonly Problem[];
}

const TRIES_MAX = 10;

/** `alpha:1;bravo:2` by node; several outlets of a node keep their comma. */
function hostMapOf(parameters: Values): readonly (readonly [string, string])[] {
  const entries = (parameters["pcmk_host_map"] ?? "").split(/[\s;]+/).filter((entry) => entry !== "");
  return entries.map((entry) => {
    const [node = "", ...plug] = entry.split(/[:=]/);
    return [node, plug.join(":")] as const;
  });
}

/**
 * `none` stands for every node. Nobody is asked what a device might reach: a list that a board tells on one day and
 * not on the other would make a node fenceable by chance.
 */
function checkHostCheck(written: string | undefined, place: string, complain: Complain): void {
  if (written === undefined || written === "static-list" || written === "none") return;
  const known = written === "dynamic-list" || written === "status";
  const reason = known ? "devices are not asked which nodes they reach" : "no such check is known";
  complain(place, `pcmk_host_check=${written}: ${reason}`, "name them: pcmk_host_list, or pcmk_host_map=NODE:PLUG");
}

/** Targets by pcmk_host_map, pcmk_host_list, or the list that the old agents took as a parameter. */
function targetsOf(parameters: Values, nodes: readonly string[]): readonly string[] {
  if (parameters["pcmk_host_check"] === "none") return nodes;
  const mapped = hostMapOf(parameters).map(([node]) => node);
  const named = [...mapped, ...wordsOf(parameters["pcmk_host_list"])].filter((word) => word !== "");
  if (named.length > 0) return [...new Set(named)];
  const old = ["hostname", "nodename", "hostlist"].flatMap((name) => wordsOf(entryOf(parameters, name)));
  return [...new Set(old)];
}

/**
 * The plug of each node, where the device has plugs: by the map, else the node's own name as Pacemaker has it.
 * Never the outlet of another node: that would kill the wrong one, and take the right one for dead.
 */
function perTargetOf(
  parameters: Values,
  targets: readonly string[],
  { plugParameter, hasOutlets }: DriverChoice,
  place: string,
  complain: Complain,
): Readonly<Record<string, Values>> {
  if (plugParameter === undefined) return {};
  const map = hostMapOf(parameters);
  if (!hasOutlets)
    for (const [node] of map.filter(([, plug]) => plug.includes(","))) {
      complain(
        place,
        `${node} has several outlets`,
        "make a device for each outlet and put them into one fencing-level",
      );
    }
  if (entryOf(parameters, plugParameter) !== undefined) {
    if (targets.length > 1) complain(place, `${plugParameter} names one outlet for all nodes`, "write pcmk_host_map");
    return {};
  }
  const plugs = new Map(map);
  const entries = targets.map((node) => [node, plugs.get(node) ?? (hasOutlets ? undefined : node)] as const);
  return Object.fromEntries(
    entries.flatMap(([node, plug]) => (plug === undefined ? [] : [[node, { [plugParameter]: plug }] as const])),
  );
}

/** A time, or the fallback with a problem. */
function durationOf(values: Values, name: string, fallbackMs: number, place: string, complain: Complain): number {
  const written = entryOf(values, name);
  if (written === undefined) return fallbackMs;
  const ms = parseDurationMs(written);
  if (ms === undefined) complain(place, `${name}=${written} is no time`, "write a number with ms, s or min");
  return ms ?? fallbackMs;
}

function triesOf(parameters: Values, name: string, place: string, complain: Complain): number {
  const written = entryOf(parameters, name) ?? parameters["pcmk_reboot_retries"];
  if (written === undefined) return 2;
  const tries = Number(written);
  if (Number.isInteger(tries) && tries >= 1 && tries <= TRIES_MAX) return tries;
  complain(place, `${name}=${written} is no number of tries`, `write a number from 1 to ${TRIES_MAX}`);
  return 2;
}

/** A number from 1; -1: no limit. */
function actionLimitOf(written: string | undefined, place: string, complain: Complain): number {
  const limit = Number(written ?? "1");
  if (limit === -1) return Number.MAX_SAFE_INTEGER;
  if (Number.isInteger(limit) && limit >= 1) return limit;
  complain(place, `pcmk_action_limit=${written} is no number of actions`, "write a number from 1, or -1 for no limit");
  return 1;
}

/** `5s`, or by target `alpha:0;bravo:5s`. */
function delayBaseOf(written: string | undefined, place: string, complain: Complain): Readonly<Record<string, number>> {
  const delays: Record<string, number> = {};
  for (const entry of (written ?? "").split(/[\s;]+/).filter((word) => word !== "")) {
    const at = entry.lastIndexOf(":");
    const ms = parseDurationMs(entry.slice(at + 1));
    if (ms === undefined) complain(place, `pcmk_delay_base: ${entry} is no delay`, "write 5s, or NODE:5s;NODE:0s");
    else setEntry(delays, at < 0 ? "" : entry.slice(0, at), ms);
  }
  return delays;
}

const isNever = ({ attributes }: XmlElement) => /^-(inf|infinity)$/i.test(attributes["score"] ?? "");

/** The node that a rule of one expression names: `-inf: #uname eq alpha`; other rules may change by the hour. */
function nodeOfRule(rule: XmlElement): readonly string[] {
  const [only, ...others] = rule.children;
  const { attribute, operation, value } = only?.attributes ?? {};
  return others.length === 0 && attribute === "#uname" && operation === "eq" && value !== undefined ? [value] : [];
}

/** Nodes from which a location constraint keeps the device for good; `names`: its own, and its template's. */
function bansOf(cib: XmlElement | undefined, names: readonly (string | undefined)[]): readonly string[] {
  return childrenOf(childOf(cib, "constraints"), "rsc_location")
    .filter(({ attributes: { rsc } }) => rsc !== undefined && names.includes(rsc))
    .flatMap((constraint) => {
      const { node } = constraint.attributes;
      const plain = isNever(constraint) && node !== undefined ? [node] : [];
      return [...plain, ...childrenOf(constraint, "rule").filter(isNever).flatMap(nodeOfRule)];
    });
}

/** What the named resource says itself. What is missing then is told as missing. */
function borrowed(
  borrowing: Borrowing | undefined,
  written: Values,
  section: XmlElement | undefined,
  place: string,
  complain: Complain,
): Values {
  const id = borrowing === undefined ? undefined : entryOf(written, borrowing.parameter);
  if (borrowing === undefined || id === undefined) return {};
  const isIt = ({ attributes }: XmlElement) =>
    attributes["id"] === id &&
    [attributes["class"], attributes["provider"], attributes["type"]].join(":") === borrowing.agent;
  const resource = primitivesOf(childOf(section, "resources")).find(isIt);
  if (resource === undefined)
    complain(place, `${borrowing.parameter}: ${id} is no resource of ${borrowing.agent}`, "name one, or make it");
  const values = valuesOf(resource, "instance_attributes", section);
  return Object.fromEntries(Object.entries(values).filter(([name]) => borrowing.names.includes(name)));
}

function readDevice(
  primitive: XmlElement,
  section: XmlElement | undefined,
  defaultTimeoutMs: number,
  catalogue: DriverCatalogue,
  complain: Complain,
): FencingDevice | undefined {
  const id = primitive.attributes["id"] ?? "";
  const agent = primitive.attributes["type"] ?? "";
  const place = `primitive ${id}`;
  const meta = valuesOf(primitive, "meta_attributes", section);
  if (/^(stopped)$/i.test(meta["target-role"] ?? "")) return undefined;
  const unfences = meta["provides"] === "unfencing";
  const parameters = valuesOf(primitive, "instance_attributes", section);
  if (childrenOf(primitive, "instance_attributes").some((set) => childOf(set, "rule") !== undefined)) {
    // Read as if the rule held, it could be the board of another node.
    complain(place, "a rule decides on its parameters, and a device must be the same everywhere", "make two devices");
    return undefined;
  }
  const written = ownParameters(parameters);
  const chosen = catalogue.choose(agent, written);
  if (chosen === undefined) {
    const nearest = nearestName(agent, catalogue.agents);
    const remedy = nearest === undefined ? "" : `write stonith:${nearest}, or another; `;
    complain(place, `there is no driver for stonith:${agent}`, `${remedy}stonith -L lists them`);
    return undefined;
  }
  checkFencerParameters(parameters, place, complain);
  const kind = { ...chosen, plugParameter: plugParameterOf(chosen, parameters) };
  const own = { ...written, ...borrowed(kind.borrowing, written, section, place, complain) };
  const nodes = childrenOf(childOf(section, "nodes"), "node").flatMap(({ attributes }) => attributes["uname"] ?? []);
  const targets = targetsOf(parameters, nodes);
  checkHostCheck(parameters["pcmk_host_check"], place, complain);
  let hasBadPlug = false;
  const perTarget = perTargetOf(parameters, targets, kind, place, (...problem) => {
    hasBadPlug = true;
    complain(...problem);
  });
  // With each outlet by itself: a wrong one must show before it is needed.
  const choices = targets.map((target) => catalogue.choose(agent, { ...own, ...entryOf(perTarget, target) }) ?? kind);
  // A monitor has no target: it looks at the first outlet.
  const choice = choices[0] ?? kind;
  const complaints = new Map(
    [choice, ...choices].flatMap((each) => each.complaints).map((complaint) => [JSON.stringify(complaint), complaint]),
  );
  for (const { parameter, reason, remedy } of complaints.values()) complain(place, `${parameter}: ${reason}`, remedy);
  if (targets.length === 0 && !choice.manual) {
    complain(place, "it is not said which node it fences", "add pcmk_host_list=NODE");
  }
  if (!choice.manual && kind.plugParameter === undefined && targets.length > 1) {
    hasBadPlug = true;
    const words = `one board powers one machine, but it names ${targets.join(" and ")}`;
    complain(place, words, "make a device for each node: killing one would pass for the death of the other");
  }
  if (complaints.size > 0 || (targets.length === 0 && !choice.manual) || hasBadPlug) return undefined;
  // A reboot is off and on here, so what is said for it holds for both.
  const timeout = (action: "off" | "on") =>
    durationOf(
      parameters,
      parameters[`pcmk_${action}_timeout`] === undefined ? "pcmk_reboot_timeout" : `pcmk_${action}_timeout`,
      choice.manual ? choice.boundMs : Math.max(defaultTimeoutMs, choice.boundMs),
      place,
      complain,
    );
  const priority = Number(parameters["priority"] ?? 0);
  return {
    id,
    agent,
    driver: choice.driver,
    parameters: choice.parameters,
    perTarget,
    rebootParameters: choice.rebootParameters,
    isManual: choice.manual,
    isWitness: choice.isWitness,
    targets: targets.length === 0 ? undefined : targets,
    bannedFrom: bansOf(section, [id, primitive.attributes["template"]]),
    priority: Number.isFinite(priority) ? priority : 0,
    actionLimit: actionLimitOf(parameters["pcmk_action_limit"], place, complain),
    timeoutMs: { off: timeout("off"), on: timeout("on") },
    tries: {
      off: triesOf(parameters, "pcmk_off_retries", place, complain),
      on: triesOf(parameters, "pcmk_on_retries", place, complain),
    },
    delayBaseMs: delayBaseOf(parameters["pcmk_delay_base"], place, complain),
    delayMaxMs: durationOf(parameters, "pcmk_delay_max", 0, place, complain),
    // To switch on is here to let in: a node that was only cut off from its disks still runs, and may still write.
    staysOff: !choice.switchesOn || parameters["pcmk_reboot_action"] === "off" || unfences,
    unfences,
  };
}

/**
 * A board takes a second or two to switch off, and two nodes notice a cut at most a keepalive apart: whoever loses the
 * race waits longer than both. Pacemaker has no delay unless it is configured; then a cut of all links ends both nodes.
 */
const RACE_DELAY_MS = 5_000;

/** Devices with delays of their own have decided the race already: ours on top could undo what they say. */
function priorityDelayOf(
  properties: Readonly<Record<string, string>>,
  devices: readonly FencingDevice[],
  complain: Complain,
): number {
  const isDecided = devices.some(({ delayBaseMs, delayMaxMs }) => {
    return delayMaxMs > 0 || Object.values(delayBaseMs).some((ms) => ms > 0);
  });
  const usualMs = isDecided ? 0 : RACE_DELAY_MS;
  return durationOf(properties, "priority-fencing-delay", usualMs, "property", complain);
}

/** `cib`: the root element `<cib>`, or its `<configuration>`. Never throws on bad input. */
export function readFencingConfiguration(cib: XmlElement, catalogue: DriverCatalogue): FencingRead {
  const problems: Problem[] = [];
  const complain: Complain = (place, reason, remedy, severity = "error") => {
    problems.push({ severity, place, reason, remedy });
  };
  const section = cib.name === "configuration" ? cib : childOf(cib, "configuration");
  const properties = valuesOf(childOf(section, "crm_config"), "cluster_property_set", section);
  const property = (name: string) => entryOf(properties, `fencing-${name}`) ?? entryOf(properties, `stonith-${name}`);
  const times = {
    timeout: property("timeout") ?? "60s",
    interval: property("proof-interval") ?? "10min",
    expiry: property("proof-expiry") ?? "1h",
  };
  const timeoutMs = durationOf(times, "timeout", 60_000, "property stonith-timeout", complain);
  const proofTimes = {
    intervalMs: durationOf(times, "interval", 600_000, "property fencing-proof-interval", complain),
    expiryMs: durationOf(times, "expiry", 3_600_000, "property fencing-proof-expiry", complain),
  };
  const action = property("action") ?? "reboot";
  if (action !== "reboot" && action !== "off" && action !== "poweroff") {
    complain("property stonith-action", `it is ${action}`, "write reboot or off");
  }
  const attempts = Number(property("max-attempts") ?? 10);
  const attemptsAreValid = Number.isInteger(attempts) && attempts >= 1;
  if (!attemptsAreValid) complain("property stonith-max-attempts", "it is no number", "write a number from 1");
  const isEnabled = isTrue(property("enabled"), true);
  const primitives = writtenDevices(section);
  const written = [
    ...primitives,
    ...impliedWatchdog(section, property("watchdog-timeout"), primitives, complain),
  ].flatMap((primitive) => {
    const device = readDevice(primitive, section, timeoutMs, catalogue, complain);
    return device === undefined ? [] : [device];
  });
  const devices = withoutLostQuorum(withoutSharedBoards(written, complain), properties["no-quorum-policy"], complain);
  const topology = readTopology(
    section,
    devices.map(({ id }) => id),
    complain,
  );
  const hasNodes = childrenOf(childOf(section, "nodes"), "node").length > 0;
  if (isEnabled && hasNodes && devices.every(({ isManual, isWitness }) => isManual || isWitness)) {
    complain(
      "fencing",
      devices.length === 0 ? "there is no usable device" : "nothing but a person can fence",
      "add a primitive of class stonith for each node; until then no takeover happens by itself",
      "warning",
    );
  }
  return {
    configuration: {
      isEnabled,
      action: action === "off" || action === "poweroff" ? "off" : "reboot",
      timeoutMs,
      proofTimes,
      attemptsMax: attemptsAreValid ? attempts : 10,
      isConcurrent: isTrue(properties["concurrent-fencing"], true),
      priorityDelayMs: priorityDelayOf(properties, devices, complain),
      devices,
      topology,
    },
    problems,
  };
}
