/**
 * ocf:gemel:Route: a static route that follows a service. Parameters are those of ocf:heartbeat:Route.
 * Set over rtnetlink and read back from the kernel's table.
 */
import { entryOf } from "../../../base/record.ts";
import {
  isCalled,
  type NetworkAddress,
  parseAddress,
  type RouteChange,
  sameAddress,
} from "../../../hw/core/rtnetlink.ts";
import { changeRoute, listLinks, listRoutes } from "../../../hw/edge/netlink.ts";
import { type AgentAnswer, type AgentCall, type BuiltInAgent, failed, OCF, operates, succeeded } from "./contract.ts";

const MAIN_TABLE = 254;
/** Names that every system has; others would need a file of this node. */
const TABLES: Readonly<Record<string, number>> = { local: 255, main: MAIN_TABLE, default: 253 };

function readDestination(text: string): { destination: NetworkAddress; prefixLength: number } | undefined {
  if (text === "default") return { destination: { family: 2, bytes: [0, 0, 0, 0] }, prefixLength: 0 };
  const [host = "", prefix] = text.split("/");
  const destination = parseAddress(host);
  if (destination === undefined) return undefined;
  const bits = destination.bytes.length * 8;
  const prefixLength = prefix === undefined ? bits : Number(prefix);
  const isPrefix = Number.isInteger(prefixLength) && prefixLength >= 0 && prefixLength <= bits;
  return isPrefix ? { destination, prefixLength } : undefined;
}

/** The route that is asked for, or what is wrong with the question; all of it at once. */
function readRoute(parameters: AgentCall["parameters"]): RouteChange | string {
  const faults: string[] = [];
  const { destination: text = "", device = "", gateway = "", source = "", table = "main" } = parameters;
  const target = readDestination(text);
  if (target === undefined) faults.push(`destination "${text}" is no network`);
  const address = (name: string, value: string) => {
    const parsed = value === "" ? undefined : parseAddress(value);
    if (value !== "" && parsed === undefined) faults.push(`${name} "${value}" is no address`);
    return parsed;
  };
  const via = address("gateway", gateway);
  const from = address("source", source);
  const tableNumber = entryOf(TABLES, table) ?? Number(table);
  if (!Number.isInteger(tableNumber) || tableNumber < 1) faults.push(`table "${table}" is no table`);
  const interfaceIndex = device === "" ? undefined : listLinks().find((link) => isCalled(link, device))?.index;
  if (device !== "" && interfaceIndex === undefined) faults.push(`there is no interface ${device}`);
  if (device === "" && via === undefined) faults.push("give device, gateway, or both");
  if (faults.length > 0 || target === undefined) return faults.join("; ");
  return {
    ...target,
    table: tableNumber,
    ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
    ...(via === undefined ? {} : { gateway: via }),
    ...(from === undefined ? {} : { source: from }),
  };
}

function isThere(wanted: RouteChange): boolean {
  return listRoutes(wanted.destination.family).some(
    (route) =>
      route.table === wanted.table &&
      route.prefixLength === wanted.prefixLength &&
      sameAddress(route.destination, wanted.destination) &&
      (wanted.interfaceIndex === undefined || route.interfaceIndex === wanted.interfaceIndex) &&
      (wanted.gateway === undefined || (route.gateway !== undefined && sameAddress(route.gateway, wanted.gateway))),
  );
}

function start(route: RouteChange): AgentAnswer {
  if (isThere(route)) return succeeded;
  const added = changeRoute(route, true);
  if (added.kind === "refused") {
    const why = added.code === "EEXIST" ? "another route to the destination is there" : added.code;
    return failed(`adding the route: ${why}`);
  }
  return isThere(route) ? succeeded : failed("the route was added, but is not there");
}

function stop(route: RouteChange): AgentAnswer {
  if (!isThere(route)) return succeeded;
  const removed = changeRoute(route, false);
  return isThere(route) ? failed(`removing the route: ${removed.kind === "refused" ? removed.code : "?"}`) : succeeded;
}

function operate(call: AgentCall): Promise<AgentAnswer> {
  const { operation, parameters } = call;
  const route = readRoute(parameters);
  if (typeof route === "string") {
    // Nothing can run under parameters that make no sense; a failed stop would fence the node.
    const refusal = failed(route, operation === "monitor" ? OCF.notRunning : OCF.notConfigured);
    return Promise.resolve(operation === "stop" ? succeeded : refusal);
  }
  return operates({
    start: () => start(route),
    stop: () => stop(route),
    monitor: () => (isThere(route) ? succeeded : { code: OCF.notRunning, reason: "" }),
  })(call);
}

export const route: BuiltInAgent = {
  type: "Route",
  shortdesc: "A static route",
  parameters: [
    { name: "destination", required: true, unique: true, content: "string", shortdesc: "NETWORK/PREFIX, or default" },
    { name: "device", content: "string", shortdesc: "Outgoing interface" },
    { name: "gateway", content: "string", shortdesc: "Next hop" },
    { name: "source", content: "string", shortdesc: "Preferred source address" },
    { name: "table", content: "string", fallback: "main", shortdesc: "Routing table: a number, main, default, local" },
  ],
  actions: [
    { name: "start", timeout: "20s" },
    { name: "stop", timeout: "20s" },
    { name: "monitor", timeout: "20s", interval: "10s" },
    { name: "validate-all", timeout: "20s" },
    { name: "meta-data", timeout: "5s" },
  ],
  operate,
};
