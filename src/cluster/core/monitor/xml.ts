/** The picture as crm_mon --output-as=xml gives it: for programs that read Pacemaker's. */
import { type XmlElement, xml } from "../../../base/xml.ts";
import { bundleSpec } from "../scheduler/facts/bundle-spec.ts";
import { calendarOf } from "../scheduler/facts/dates.ts";
import { type Facts, isActive, type Node, type Resource } from "../scheduler/facts/model.ts";
import { agentName } from "../scheduler/print/agent-lines.ts";
import { isUp, placesOf } from "../scheduler/print/places.ts";
import { isDisabled, isLocked, isUnique, roleWord } from "../scheduler/print/status-report.ts";
import { shownAttributes } from "./attributes.ts";
import { narrow } from "./narrow.ts";
import {
  codeText,
  degradedOf,
  failCountOf,
  failuresOf,
  hasHistory,
  numberOf,
  recordedNodes,
  recordsOf,
  shownEntries,
  statusText,
  taskName,
} from "./operations.ts";
import { bansOf, featureSet, fencingShown, runningOn } from "./sections.ts";
import { byName, countsOf, isLeftAlone } from "./summary.ts";
import type { MonitorSource, MonitorWishes, NarrowedSource, SectionName } from "./wishes.ts";

/** The form of Pacemaker 2.1.5, whose readers are the ones in the field. */
/** Of the peer whose XML it is: Pacemaker 2.1.5. */
export const API_VERSION = "2.25";

/** `2012-02-22 17:04:34Z`, which only failures have. */
function stamp(seconds: number): string {
  const { years, months, monthdays, hours, minutes } = calendarOf(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${years}-${two(months)}-${two(monthdays)} ${two(hours)}:${two(minutes)}:${two(seconds % 60)}Z`;
}

type Wants = (name: SectionName) => boolean;

const flags = (values: Readonly<Record<string, boolean | number | string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));

function centreXml({ whole: { options, nodes }, version }: NarrowedSource): XmlElement {
  const dc = nodes.find(({ isDc }) => isDc);
  if (dc === undefined) return xml("current_dc", { present: "false" });
  return xml("current_dc", {
    present: "true",
    version: options.all["dc-version"] ?? version ?? "",
    name: dc.name,
    id: dc.id,
    with_quorum: String(options.quorate),
    mixed_version: "false",
  });
}

function optionsXml({ options }: Facts): XmlElement {
  const { fencingEnabled, symmetric, noQuorumPolicy, maintenance, stopAll } = options;
  return xml("cluster_options", {
    ...flags({ "stonith-enabled": fencingEnabled, "symmetric-cluster": symmetric }),
    "no-quorum-policy": noQuorumPolicy === "fence" ? "suicide" : noQuorumPolicy,
    ...flags({ "maintenance-mode": maintenance, "stop-all-resources": stopAll }),
    "stonith-timeout-ms": String(options.fencingTimeoutMs),
    "priority-fencing-delay-ms": String(options.priorityFencingDelayMs),
  });
}

function summaryXml(source: NarrowedSource, wants: Wants): XmlElement[] {
  const { whole, nowWallMs, ctime, stack } = source;
  const { nodes, resources, disabled, blocked } = countsOf(whole);
  const changed = whole.cib.attributes;
  const lastChange = {
    time: changed["cib-last-written"] ?? "",
    user: changed["update-user"] ?? "",
    client: changed["update-client"] ?? "",
    origin: changed["update-origin"] ?? "",
  };
  const parts = [
    ...(wants("stack") ? [xml("stack", { type: whole.options.all["cluster-infrastructure"] ?? stack })] : []),
    ...(wants("dc") ? [centreXml(source)] : []),
    ...(wants("times") ? [xml("last_update", { time: ctime(nowWallMs) }), xml("last_change", lastChange)] : []),
    ...(wants("counts")
      ? [
          xml("nodes_configured", { number: String(nodes) }),
          xml("resources_configured", flags({ number: resources, disabled, blocked })),
        ]
      : []),
    ...(wants("options") ? [optionsXml(whole)] : []),
  ];
  return parts.length === 0 ? [] : [xml("summary", {}, parts)];
}

function healthOf({ attributes }: Node): string {
  const values = Object.entries(attributes).flatMap(([name, value]) => (name.startsWith("#health") ? [value] : []));
  return values.includes("red") ? "red" : values.includes("yellow") ? "yellow" : "green";
}

function nodeXml(source: NarrowedSource, node: Node, { byNode }: MonitorWishes): XmlElement {
  const running = source.whole.resources.filter(
    (resource) => resource.kind === "primitive" && placesOf(resource).includes(node),
  );
  const { online, standby, standbyOnFail, maintenance, pending, unclean, shutdown, expectedUp, isDc } = node;
  const features = featureSet(source, node);
  const attributes = {
    name: node.name,
    id: node.id,
    ...flags({ online, standby, standby_onfail: standbyOnFail, maintenance, pending, unclean }),
    health: healthOf(node),
    ...(features === undefined ? {} : { feature_set: features }),
    ...flags({ shutdown, expected_up: expectedUp, is_dc: isDc, resources_running: running.length }),
    type: node.kind === "guest" ? "remote" : node.kind,
    ...(node.kind === "guest" ? { id_as_resource: node.remote?.container?.id ?? "" } : {}),
  };
  return xml("node", attributes, byNode ? runningOn(source, node).map(primitiveXml) : []);
}

/** As written; that of a clone may stand at what it holds. */
function targetRole({ meta, children }: Resource): Record<string, string> {
  const role = meta["target-role"] ?? children[0]?.meta["target-role"];
  return role === undefined ? {} : { target_role: role };
}

function primitiveXml(resource: Resource): XmlElement {
  const places = placesOf(resource);
  const { removed, blocked, failed, failedThere, failureIgnored } = resource;
  return xml(
    "resource",
    {
      id: isUnique(resource) ? resource.id : resource.baseId,
      resource_agent: agentName(resource),
      role: roleWord(resource),
      ...targetRole(resource),
      ...flags({
        active: isUp(resource),
        orphaned: removed,
        blocked,
        managed: !isLeftAlone(resource),
        failed: failed || failedThere,
        failure_ignored: failureIgnored,
        nodes_running_on: places.length,
      }),
      ...(isLocked(resource) ? { locked_to: resource.lock?.node.name ?? "" } : {}),
    },
    places.map(({ name, id, online }) => xml("node", { name, id, cached: String(online) })),
  );
}

function resourceXml(resource: Resource): XmlElement {
  const { id } = resource;
  const managed = !isLeftAlone(resource);
  const disabled = isDisabled(resource);
  if (resource.kind === "group") {
    const members = resource.children.map(primitiveXml);
    return xml("group", { id, ...flags({ number_resources: members.length, managed, disabled }) }, members);
  }
  if (resource.kind === "clone") {
    return xml(
      "clone",
      {
        id,
        ...flags({ multi_state: resource.promotable, unique: resource.unique, managed, disabled }),
        // Failed are its instances, never it.
        ...flags({ failed: false, failure_ignored: false }),
        ...targetRole(resource),
      },
      resource.children.map(resourceXml),
    );
  }
  return resource.kind === "bundle" ? bundleXml(resource) : primitiveXml(resource);
}

function bundleXml(bundle: Resource): XmlElement {
  const { id, replicas } = bundle;
  const managed = !isLeftAlone(bundle);
  const spec = bundleSpec(bundle.element);
  const attributes = {
    id,
    type: spec?.kind ?? "",
    image: spec?.image ?? "",
    ...flags({ unique: (spec?.perHostConfigured ?? 1) > 1, managed, failed: false }),
  };
  const parts = replicas.map(({ index, ip, child, container, remote }) => {
    const shown = [ip, child, container, remote].filter((part) => part !== undefined);
    return xml("replica", { id: String(index) }, shown.map(primitiveXml));
  });
  return xml("bundle", attributes, parts);
}

function attributesXml(facts: Facts): XmlElement[] {
  const nodes = byName(facts.nodes).flatMap((node) => {
    const shown = node.online ? shownAttributes(facts, node) : [];
    const rows = shown.map(({ name, value, expected }) =>
      xml("attribute", { name, value, ...(expected === undefined ? {} : { expected: String(expected) }) }),
    );
    return rows.length === 0 ? [] : [xml("node", { name: node.name }, rows)];
  });
  return nodes.length === 0 ? [] : [xml("node_attributes", {}, nodes)];
}

function historyXml({ facts, ctime, shows }: NarrowedSource, wants: Wants): XmlElement[] {
  if (!hasHistory(facts)) return [];
  const nodes = recordedNodes(facts).flatMap((node) => {
    const records = node.online ? recordsOf(facts, node) : [];
    const rows = records.flatMap(({ id, resource, entries }) => {
      if (!shows(resource)) return [];
      const operations = (wants("operations") ? shownEntries(entries) : []).map((entry) => {
        const { "last-rc-change": at, "exec-time": took, "queue-time": queued } = entry.element.attributes;
        const code = numberOf(entry, "rc-code");
        return xml("operation_history", {
          ...flags({ call: entry.callId, task: taskName(entry), rc: code, rc_text: codeText(code) }),
          ...(entry.intervalMs > 0 ? { interval: `${entry.intervalMs}ms` } : {}),
          ...(at === undefined || Number(at) <= 0 ? {} : { "last-rc-change": ctime(Number(at) * 1000) }),
          ...(took === undefined ? {} : { "exec-time": `${took}ms` }),
          ...(queued === undefined ? {} : { "queue-time": `${queued}ms` }),
        });
      });
      if (operations.length === 0) return [];
      const fails = failCountOf(resource, node);
      const failing =
        fails === undefined
          ? {}
          : {
              "fail-count": String(fails.count),
              ...(fails.lastSeconds === 0 ? {} : { "last-failure": ctime(fails.lastSeconds * 1000) }),
            };
      const head = flags({ id, orphan: false, "migration-threshold": resource.migrationThreshold });
      return [xml("resource_history", { ...head, ...failing }, operations)];
    });
    return rows.length === 0 ? [] : [xml("node", { name: node.name }, rows)];
  });
  return [xml("node_history", {}, nodes)];
}

function failuresXml({ facts }: MonitorSource): XmlElement[] {
  const rows = [...failuresOf(facts), ...degradedOf(facts)].map(({ entry, node }) => {
    const { operation_key: key, id = "", "exit-reason": reason = "none" } = entry.element.attributes;
    // Whoever reads the time has to find these beside it, though the oldest records have none.
    const { "queue-time": queued = "0", "exec-time": exec = "0" } = entry.element.attributes;
    const code = numberOf(entry, "rc-code");
    const at = numberOf(entry, "last-rc-change");
    return xml("failure", {
      ...(key === undefined ? { id } : { op_key: key }),
      node: node.name,
      exitstatus: codeText(code),
      exitreason: reason,
      ...flags({ exitcode: code, call: entry.callId, status: statusText(numberOf(entry, "op-status")) }),
      ...(at > 0
        ? {
            "last-rc-change": stamp(at),
            queued,
            exec,
            ...flags({ interval: entry.intervalMs, task: entry.task }),
          }
        : {}),
    });
  });
  return rows.length === 0 ? [] : [xml("failures", {}, rows)];
}

function restXml(source: NarrowedSource, wishes: MonitorWishes, wants: Wants): XmlElement[] {
  const { facts, ctime } = source;
  const tickets = [...facts.tickets.values()].map(({ id, granted, standby, lastGranted }) =>
    xml("ticket", {
      id,
      status: granted ? "granted" : "revoked",
      standby: String(standby),
      ...(lastGranted === undefined ? {} : { "last-granted": ctime(Number(lastGranted) * 1000) }),
    }),
  );
  const bans = bansOf(facts, wishes.bans).map(({ id, resource, node, score, promotedOnly }) =>
    xml("ban", {
      id,
      resource: resource.id,
      node: node.name,
      ...flags({ weight: score, "promoted-only": promotedOnly, master_only: promotedOnly }),
    }),
  );
  const fences = fencingShown(source, wishes).map(({ target, action, outcome, by, atWallMs }) =>
    xml("fence_event", {
      status: outcome === "confirmed" ? "success" : outcome === "running" ? "pending" : "failed",
      target,
      action,
      client: by,
      origin: by,
      completed: ctime(atWallMs),
    }),
  );
  return [
    ...(fences.length === 0 ? [] : [xml("fence_history", {}, fences)]),
    ...(tickets.length === 0 || !wants("tickets") ? [] : [xml("tickets", {}, tickets)]),
    ...(bans.length === 0 || !wants("bans") ? [] : [xml("bans", {}, bans)]),
  ];
}

/** Below their nodes only what is inactive is listed by itself, and only when that is wanted. */
function resourcesXml({ facts }: NarrowedSource, wishes: MonitorWishes): XmlElement[] {
  const top = facts.top.filter((resource) => !resource.removed || isActive(resource));
  const shown = wishes.byNode ? top.filter((resource) => !isUp(resource, true)) : top;
  return shown.length === 0 ? [] : [xml("resources", {}, shown.map(resourceXml))];
}

export function monitorXml(whole: MonitorSource, wishes: MonitorWishes, request: string): XmlElement {
  const source = narrow(whole, wishes);
  const { facts } = source;
  const wants: Wants = (name) => wishes.sections.has(name);
  const nodes = byName(facts.nodes).map((node) => nodeXml(source, node, wishes));
  return xml("pacemaker-result", { "api-version": API_VERSION, request }, [
    ...summaryXml(source, wants),
    ...(wants("nodes") ? [xml("nodes", {}, nodes)] : []),
    ...(wants("resources") ? resourcesXml(source, wishes) : []),
    ...(wants("attributes") ? attributesXml(facts) : []),
    ...(wants("operations") || wants("failcounts") ? historyXml(source, wants) : []),
    ...(wants("failures") ? failuresXml(source) : []),
    ...restXml(source, wishes, wants),
    xml("status", { code: "0", message: "OK" }),
  ]);
}
