/**
 * ocf:gemel:ping: how many of the given hosts this node can reach, as a node attribute for location rules. All hosts
 * are asked at once, in process, so that a monitor takes no longer than its slowest host (the shell agent asks one
 * after another). Parameters and attribute are those of ocf:pacemaker:ping. Fact: reference/storage.md, section 9.
 */
import { lookup } from "node:dns/promises";
import { type NetworkAddress, parseAddress } from "../../../hw/core/rtnetlink.ts";
import { pingAddresses } from "../../../hw/edge/icmp-echo.ts";
import { type AgentAnswer, type AgentCall, type BuiltInAgent, failed, OCF, operates, succeeded } from "./contract.ts";
import { isMarked, mark, unmark } from "./mark.ts";

const ATTEMPTS = 3;
const TIMEOUT_SECONDS = 2;
const HOSTS_MAX = 100;

async function resolveHost(host: string): Promise<NetworkAddress | undefined> {
  const literal = parseAddress(host);
  if (literal !== undefined) return literal;
  const found = await lookup(host).catch(() => undefined);
  return found === undefined ? undefined : parseAddress(found.address);
}

const numberOf = (text: string | undefined, fallback: number) =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : fallback;

async function measure({ parameters, signal }: AgentCall): Promise<AgentAnswer> {
  const hosts = (parameters["host_list"] ?? "").split(/\s+/).filter((host) => host !== "");
  if (hosts.length === 0 || hosts.length > HOSTS_MAX)
    return failed(`host_list must name 1 to ${HOSTS_MAX} hosts`, OCF.notConfigured);
  const addresses = await Promise.all(hosts.map(resolveHost));
  const known = addresses.filter((address) => address !== undefined);
  const reached = await pingAddresses(known, {
    attempts: numberOf(parameters["attempts"], ATTEMPTS),
    timeoutMs: numberOf(parameters["timeout"], TIMEOUT_SECONDS) * 1000,
    signal,
  });
  const count = addresses.filter((address) => address !== undefined && reached.has(address)).length;
  const score = count * numberOf(parameters["multiplier"], 1);
  const name = parameters["name"] ?? "pingd";
  const silent = hosts.filter((_, at) => {
    const address = addresses[at];
    return address === undefined || !reached.has(address);
  });
  const reason = silent.length === 0 ? "" : `no answer from ${silent.join(", ")}`;
  const isTooLow = score < numberOf(parameters["failure_score"], 0);
  return { code: isTooLow ? OCF.error : OCF.success, reason, attributes: [{ name, value: String(score) }] };
}

function start(call: AgentCall): Promise<AgentAnswer> {
  mark(call);
  return measure(call);
}

function monitor(call: AgentCall): AgentAnswer | Promise<AgentAnswer> {
  return isMarked(call) ? measure(call) : { code: OCF.notRunning, reason: "" };
}

function stop(call: AgentCall): AgentAnswer {
  unmark(call);
  return { ...succeeded, attributes: [{ name: call.parameters["name"] ?? "pingd" }] };
}

export const ping: BuiltInAgent = {
  type: "ping",
  shortdesc: "How many hosts this node can reach, as a node attribute",
  parameters: [
    { name: "host_list", required: true, content: "string", shortdesc: "Hosts, separated by blanks" },
    { name: "name", content: "string", fallback: "pingd", shortdesc: "Name of the attribute" },
    { name: "multiplier", content: "integer", fallback: "1", shortdesc: "Points for each host that answers" },
    { name: "attempts", content: "integer", fallback: "3", shortdesc: "Pings for each host" },
    { name: "timeout", content: "integer", fallback: "2", shortdesc: "Seconds that each ping waits" },
    { name: "failure_score", content: "integer", fallback: "0", shortdesc: "Below it the resource has failed" },
    { name: "dampen", content: "integer", fallback: "5", shortdesc: "Seconds until a change counts" },
  ],
  actions: [
    { name: "start", timeout: "60s" },
    { name: "stop", timeout: "20s" },
    { name: "monitor", timeout: "60s", interval: "10s" },
    { name: "validate-all", timeout: "5s" },
    { name: "meta-data", timeout: "5s" },
  ],
  operate: operates({ start, stop, monitor }),
};
