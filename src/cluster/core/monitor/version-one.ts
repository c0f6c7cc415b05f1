/**
 * The picture in the layout of Pacemaker 1.0, which scripts and books of that time know: blocks between lines of `=`,
 * `ocf::heartbeat:`, Masters and Slaves.
 * Facts: outputs of crm_mon 1.0 in the source documents; reference crm-tools.md, section 4.
 */
import { type Facts, isActive, type Node, primitivesOf, type Resource } from "../scheduler/facts/model.ts";
import { compareNames } from "../scheduler/facts/names.ts";
import { ROLE } from "../scheduler/facts/values.ts";
import { isDisabled, isUnique, nodeState } from "../scheduler/print/status-report.ts";
import { connectivity, shownAttributes } from "./attributes.ts";
import { narrow } from "./narrow.ts";
import { degradedOf, type Failure, failCountOf, failuresOf, numberOf, recordsOf, statusText } from "./operations.ts";
import { byName, isLeftAlone } from "./summary.ts";
import type { MonitorSource, MonitorWishes, NarrowedSource, SectionName } from "./wishes.ts";

const LINE = "============";
/** Words of 1.0 for exit codes, which differ from those of today. */
const CODES: Readonly<Record<number, string>> = {
  0: "ok",
  1: "unknown error",
  2: "invalid parameter",
  3: "unimplemented feature",
  4: "insufficient privileges",
  5: "not installed",
  6: "not configured",
  7: "not running",
  8: "master",
  9: "master (failed)",
};
/** 1.0 shows a timeout by this code, whatever the CIB has. */
const TIMED_OUT = -2;
const STATUS_TIMED_OUT = 2;
const AGENT_WIDTH = 23;
const ATTRIBUTE_WIDTH = 34;
const VALUE_WIDTH = 10;

const list = (nodes: readonly string[]) => `[ ${[...nodes].toSorted(compareNames).join(" ")} ]`;

function header({ facts, ctime, nowWallMs, stack, version }: MonitorSource): string[] {
  const { all, quorate } = facts.options;
  const dc = facts.nodes.find(({ isDc }) => isDc);
  const centre = dc === undefined ? "NONE" : `${dc.name} (${dc.id}) - partition ${quorate ? "with" : "WITHOUT"} quorum`;
  const votes = all["expected-quorum-votes"] ?? "unknown";
  const resources = facts.top.filter(({ removed }) => !removed).length;
  return [
    LINE,
    `Last updated: ${ctime(nowWallMs)}`,
    `Stack: ${all["cluster-infrastructure"] ?? stack}`,
    `Current DC: ${centre}`,
    `Version: ${all["dc-version"] ?? version ?? "unknown"}`,
    `${byName(facts.nodes).length} Nodes configured, ${votes} expected votes`,
    `${resources} Resources configured.`,
    LINE,
    "",
  ];
}

function nodes(facts: Facts): string[] {
  const all = byName(facts.nodes);
  const plain = (online: boolean) =>
    all.filter((node) => nodeState(facts, node) === undefined && node.online === online).map(({ name }) => name);
  const special = all.flatMap((node) => {
    const state = nodeState(facts, node)?.replace(" (with active resources)", "");
    return state === undefined ? [] : [`Node ${node.name} (${node.id}): ${state}`];
  });
  const [online, offline] = [plain(true), plain(false)];
  return [
    ...special,
    ...(online.length > 0 ? [`Online: ${list(online)}`] : []),
    ...(offline.length > 0 ? [`OFFLINE: ${list(offline)}`] : []),
    "",
  ];
}

/** `ocf::heartbeat:IPaddr2`: a doubled colon before the provider. */
function agentOf({ class: agentClass, provider, type }: Resource): string {
  return provider === "" ? `(${agentClass}:${type}):` : `(${agentClass}::${provider}:${type}):`;
}

function primitive(resource: Resource, indent: string): string {
  const { runningOn, failed, failedThere, failureIgnored, removed, role } = resource;
  const name = isUnique(resource) ? resource.id : resource.baseId;
  const started = role === ROLE.promoted ? "Master" : role === ROLE.unpromoted ? "Slave" : "Started";
  const where = runningOn.length > 1 ? "" : ` ${runningOn[0]?.name ?? ""}`;
  const notes = [
    ...(removed ? [" ORPHANED"] : []),
    ...(isLeftAlone(resource) ? [" (unmanaged)"] : []),
    ...(failed || failedThere ? [" FAILED"] : []),
    ...(failureIgnored ? [" (failure ignored)"] : []),
  ].join("");
  const several = runningOn.length > 1 ? ` ${list(runningOn.map((node) => node.name))}` : "";
  const state = runningOn.length === 0 ? "Stopped " : `${started}${where}`;
  return `${indent}${name}\t${agentOf(resource).padEnd(AGENT_WIDTH)}\t${state}${notes}${several}`;
}

function clone(facts: Facts, resource: Resource, withInactive: boolean): string[] {
  const word = resource.promotable ? "Master/Slave Set" : "Clone Set";
  const notes = `${resource.unique ? " (unique)" : ""}${isLeftAlone(resource) ? " (unmanaged)" : ""}`;
  const lines = [` ${word}: ${resource.id}${notes}`];
  const [masters, others] = [new Set<string>(), new Set<string>()];
  for (const instance of resource.children) {
    if (resource.unique) lines.push(primitive(primitivesOf(instance)[0] ?? instance, "     "));
    else
      for (const member of primitivesOf(instance)) {
        if (member.failed || isLeftAlone(member)) {
          if (member.runningOn.length > 0) lines.push(primitive(member, "     "));
          continue;
        }
        for (const node of member.runningOn) (member.role === ROLE.promoted ? masters : others).add(node.name);
      }
  }
  for (const name of masters) others.delete(name);
  const up = new Set([...masters, ...others]);
  const stopped = facts.nodes.filter(({ kind, name }) => kind === "member" && !up.has(name)).map(({ name }) => name);
  if (masters.size > 0) lines.push(`     Masters: ${list([...masters])}`);
  if (others.size > 0) lines.push(`     ${resource.promotable ? "Slaves" : "Started"}: ${list([...others])}`);
  if (withInactive && !resource.unique && stopped.length > 0) lines.push(`     Stopped: ${list(stopped)}`);
  return lines;
}

function resources(facts: Facts, { inactive }: MonitorWishes): string[] {
  const shown = facts.top.filter((resource) => isActive(resource) || (inactive && !resource.removed));
  return shown.flatMap((resource) => {
    if (resource.kind === "primitive") return [primitive(resource, " ")];
    if (resource.kind === "clone") return clone(facts, resource, inactive);
    const members = primitivesOf(resource).filter((member) => inactive || isActive(member));
    const note = isDisabled(resource) ? " (disabled)" : "";
    return [` Resource Group: ${resource.id}${note}`, ...members.map((member) => primitive(member, "     "))];
  });
}

function byNode(facts: Facts): string[] {
  return byName(facts.nodes).flatMap((node) => {
    const state = nodeState(facts, node) ?? (node.online ? "online" : "OFFLINE");
    const mine = facts.resources.filter(({ kind, runningOn }) => kind === "primitive" && runningOn.includes(node));
    return [`Node ${node.name} (${node.id}): ${state}`, ...mine.map((resource) => primitive(resource, "        "))];
  });
}

const online = (facts: Facts): readonly Node[] => byName(facts.nodes).filter((node) => node.online);

function attributes(facts: Facts): string[] {
  const lines = online(facts).flatMap((node) => {
    const rows = shownAttributes(facts, node).map((attribute) => {
      const cells = `${attribute.name.padEnd(ATTRIBUTE_WIDTH)}: ${attribute.value.padEnd(VALUE_WIDTH)}`;
      const word = connectivity(attribute);
      return `    + ${cells}${word === "" ? "" : ` : ${word}`}`.trimEnd();
    });
    return [`* Node ${node.name}:`, ...rows];
  });
  return ["", "Node Attributes:", ...lines];
}

function migration({ facts, ctime, shows }: NarrowedSource): string[] {
  const lines = online(facts).flatMap((node) => {
    const rows = recordsOf(facts, node).flatMap(({ recordedId: id, resource }) => {
      const fails = failCountOf(resource, node);
      if (fails === undefined || !shows(resource)) return [];
      const last = fails.lastSeconds === 0 ? "" : ` last-failure='${ctime(fails.lastSeconds * 1000)}'`;
      return [`   ${id}: migration-threshold=${resource.migrationThreshold} fail-count=${fails.count}${last}`];
    });
    return [`* Node ${node.name}: `, ...rows];
  });
  return ["", "Migration summary:", ...lines];
}

function failure({ entry, node }: Failure): string {
  const { operation_key: key, id = "" } = entry.element.attributes;
  const status = numberOf(entry, "op-status");
  const timedOut = status === STATUS_TIMED_OUT;
  const code = timedOut ? TIMED_OUT : numberOf(entry, "rc-code");
  const word = timedOut ? "unknown exec error" : (CODES[code] ?? "unknown error");
  const call = `node=${node.name}, call=${entry.callId}, rc=${code}, status=${statusText(status)}`;
  return `    ${key ?? id} (${call}): ${word}`;
}

export function monitorTextOne(whole: MonitorSource, wishes: MonitorWishes): string {
  const source = narrow(whole, wishes);
  const { facts } = source;
  const wants = (name: SectionName) => wishes.sections.has(name);
  const failures = wants("failures") ? [...failuresOf(facts), ...degradedOf(facts)].map(failure) : [];
  return [
    ...(wants("stack") ? header(whole) : []),
    ...(wishes.byNode ? byNode(facts) : [...nodes(facts), ...resources(facts, wishes)]),
    ...(wants("attributes") ? attributes(facts) : []),
    ...(wants("failcounts") ? migration(source) : []),
    ...(failures.length > 0 ? ["", "Failed actions:", ...failures] : []),
  ].join("\n");
}
