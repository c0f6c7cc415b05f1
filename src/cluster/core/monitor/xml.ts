/** The picture as crm_mon --output-as=xml gives it: for programs that read Pacemaker's. */
import { type XmlElement, xml } from "../../../base/xml.ts";
import { calendarOf } from "../scheduler/facts/dates.ts";
import { type Facts, isActive, type Node, primitivesOf, type Resource } from "../scheduler/facts/model.ts";
import { agentOf, isDisabled, isUnique, roleWord } from "../scheduler/print/status-report.ts";
import { shownAttributes } from "./attributes.ts";
import {
  codeText,
  failCountOf,
  failuresOf,
  numberOf,
  recordedNodes,
  recordsOf,
  shownEntries,
  statusText,
  taskName,
} from "./operations.ts";
import { bansOf, byName, countsOf } from "./sections.ts";
import type { MonitorSource } from "./wishes.ts";

/** The form of Pacemaker 2.1.5, whose readers are the ones in the field. */
const API_VERSION = "2.25";

/** `2012-02-22 17:04:34Z`, which only failures have. */
function stamp(seconds: number): string {
  const { years, months, monthdays, hours, minutes } = calendarOf(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${years}-${two(months)}-${two(monthdays)} ${two(hours)}:${two(minutes)}:${two(seconds % 60)}Z`;
}

const flags = (values: Readonly<Record<string, boolean | number | string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));

function summaryXml({ facts, nowWallMs, ctime, stack, version }: MonitorSource): XmlElement {
  const { all, quorate, fencingEnabled, symmetric, noQuorumPolicy, maintenance, stopAll } = facts.options;
  const { fencingTimeoutMs, priorityFencingDelayMs } = facts.options;
  const { nodes, resources, disabled, blocked } = countsOf(facts);
  const dc = facts.nodes.find(({ isDc }) => isDc);
  const changed = facts.cib.attributes;
  const centre =
    dc === undefined
      ? { present: "false" }
      : {
          present: "true",
          version: all["dc-version"] ?? version ?? "",
          name: dc.name,
          id: dc.id,
          with_quorum: String(quorate),
          mixed_version: "false",
        };
  return xml("summary", {}, [
    xml("stack", { type: all["cluster-infrastructure"] ?? stack }),
    xml("current_dc", centre),
    xml("last_update", { time: ctime(nowWallMs) }),
    xml("last_change", {
      time: changed["cib-last-written"] ?? "",
      user: changed["update-user"] ?? "",
      client: changed["update-client"] ?? "",
      origin: changed["update-origin"] ?? "",
    }),
    xml("nodes_configured", { number: String(nodes) }),
    xml("resources_configured", flags({ number: resources, disabled, blocked })),
    xml("cluster_options", {
      ...flags({ "stonith-enabled": fencingEnabled, "symmetric-cluster": symmetric }),
      "no-quorum-policy": noQuorumPolicy === "fence" ? "suicide" : noQuorumPolicy,
      ...flags({ "maintenance-mode": maintenance, "stop-all-resources": stopAll }),
      "stonith-timeout-ms": String(fencingTimeoutMs),
      "priority-fencing-delay-ms": String(priorityFencingDelayMs),
    }),
  ]);
}

function healthOf({ attributes }: Node): string {
  const values = Object.entries(attributes).flatMap(([name, value]) => (name.startsWith("#health") ? [value] : []));
  return values.includes("red") ? "red" : values.includes("yellow") ? "yellow" : "green";
}

function nodeXml(facts: Facts, node: Node): XmlElement {
  const running = facts.resources.filter(({ kind, runningOn }) => kind === "primitive" && runningOn.includes(node));
  const { online, standby, standbyOnFail, maintenance, pending, unclean, shutdown, expectedUp, isDc } = node;
  return xml("node", {
    name: node.name,
    id: node.id,
    ...flags({ online, standby, standby_onfail: standbyOnFail, maintenance, pending, unclean }),
    health: healthOf(node),
    ...flags({ shutdown, expected_up: expectedUp, is_dc: isDc, resources_running: running.length }),
    type: node.kind === "guest" ? "remote" : node.kind,
    ...(node.kind === "guest" ? { id_as_resource: node.remote?.container?.id ?? "" } : {}),
  });
}

/** As written; that of a clone may stand at what it holds. */
function targetRole({ meta, children }: Resource): Record<string, string> {
  const role = meta["target-role"] ?? children[0]?.meta["target-role"];
  return role === undefined ? {} : { target_role: role };
}

function primitiveXml(resource: Resource): XmlElement {
  const { runningOn, removed, blocked, managed, failed, failedThere, failureIgnored } = resource;
  return xml(
    "resource",
    {
      id: isUnique(resource) ? resource.id : resource.baseId,
      resource_agent: agentOf(resource).slice(1, -1),
      role: roleWord(resource),
      ...targetRole(resource),
      ...flags({
        active: runningOn.length > 0,
        orphaned: removed,
        blocked,
        managed,
        failed: failed || failedThere,
        failure_ignored: failureIgnored,
        nodes_running_on: runningOn.length,
      }),
    },
    runningOn.map(({ name, id, online }) => xml("node", { name, id, cached: String(online) })),
  );
}

function resourceXml(resource: Resource): XmlElement {
  const { id, managed } = resource;
  const disabled = isDisabled(resource);
  if (resource.kind === "group") {
    const members = resource.children.map(primitiveXml);
    return xml("group", { id, ...flags({ number_resources: members.length, managed, disabled }) }, members);
  }
  if (resource.kind === "clone") {
    const members = primitivesOf(resource);
    const [failed, ignored] = [members.some((one) => one.failed), members.some((one) => one.failureIgnored)];
    return xml(
      "clone",
      {
        id,
        ...flags({ multi_state: resource.promotable, unique: resource.unique, managed, disabled }),
        ...flags({ failed, failure_ignored: ignored }),
        ...targetRole(resource),
      },
      resource.children.map(resourceXml),
    );
  }
  return primitiveXml(resource);
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

function historyXml({ facts, ctime }: MonitorSource): XmlElement[] {
  const nodes = recordedNodes(facts).flatMap((node) => {
    const records = node.online ? recordsOf(facts, node) : [];
    const rows = records.flatMap(({ id, resource, entries }) => {
      const operations = shownEntries(entries).map((entry) => {
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
              "fail-count": fails.count,
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
  const rows = failuresOf(facts).map(({ entry, node }) => {
    const { operation_key: key, id = "", "exit-reason": reason = "" } = entry.element.attributes;
    const code = numberOf(entry, "rc-code");
    const at = numberOf(entry, "last-rc-change");
    return xml("failure", {
      ...(key === undefined ? { id } : { op_key: key }),
      node: node.name,
      exitstatus: codeText(code),
      exitreason: reason === "" ? "none" : reason,
      ...flags({ exitcode: code, call: entry.callId, status: statusText(numberOf(entry, "op-status")) }),
      ...(at > 0
        ? {
            "last-rc-change": stamp(at),
            ...flags({ queued: numberOf(entry, "queue-time"), exec: numberOf(entry, "exec-time") }),
            ...flags({ interval: entry.intervalMs, task: entry.task }),
          }
        : {}),
    });
  });
  return rows.length === 0 ? [] : [xml("failures", {}, rows)];
}

function restXml({ facts, fencing, ctime }: MonitorSource): XmlElement[] {
  const tickets = [...facts.tickets.values()].map(({ id, granted, standby, lastGranted }) =>
    xml("ticket", {
      id,
      status: granted ? "granted" : "revoked",
      standby: String(standby),
      ...(lastGranted === undefined ? {} : { "last-granted": ctime(Number(lastGranted) * 1000) }),
    }),
  );
  const bans = bansOf(facts, "").map(({ id, resource, node, score, promotedOnly }) =>
    xml("ban", {
      id,
      resource: resource.id,
      node: node.name,
      ...flags({ weight: score, "promoted-only": promotedOnly, master_only: promotedOnly }),
    }),
  );
  const fences = fencing.map(({ target, action, outcome, by, atWallMs }) =>
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
    ...(tickets.length === 0 ? [] : [xml("tickets", {}, tickets)]),
    ...(bans.length === 0 ? [] : [xml("bans", {}, bans)]),
  ];
}

export function monitorXml(source: MonitorSource, request: string): XmlElement {
  const { facts } = source;
  const top = facts.top.filter((resource) => !resource.removed || isActive(resource));
  const shown = top.map(resourceXml);
  return xml("pacemaker-result", { "api-version": API_VERSION, request }, [
    summaryXml(source),
    xml(
      "nodes",
      {},
      byName(facts.nodes).map((node) => nodeXml(facts, node)),
    ),
    ...(shown.length === 0 ? [] : [xml("resources", {}, shown)]),
    ...attributesXml(facts),
    ...historyXml(source),
    ...failuresXml(source),
    ...restXml(source),
    xml("status", { code: "0", message: "OK" }),
  ]);
}
