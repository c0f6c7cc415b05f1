/**
 * ocf:gemel:VIPcheck: before a service address is taken, asks whether anybody answers for it; placed before IPaddr2 in
 * a group, it keeps a node from taking an address that another machine still has. Parameters are those of Linux-HA
 * Japan's VIPcheck. Fact: reference/crm-tools.md, section 6.
 */
import { parseAddress } from "../../../hw/core/rtnetlink.ts";
import { pingAddresses } from "../../../hw/edge/icmp-echo.ts";
import { type AgentAnswer, type AgentCall, type BuiltInAgent, failed, OCF, operates, succeeded } from "./contract.ts";
import { isMarked, mark, unmark } from "./mark.ts";

const numberOf = (text: string | undefined, fallback: number) =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : fallback;

async function start(call: AgentCall): Promise<AgentAnswer> {
  const { parameters, signal } = call;
  if (isMarked(call)) return succeeded;
  const { target_ip: text = "" } = parameters;
  const address = parseAddress(text);
  if (address === undefined) return failed(`target_ip "${text}" is no address`, OCF.notConfigured);
  const attempts = Math.max(1, numberOf(parameters["count"], 1));
  const waitMs = (numberOf(parameters["wait"], 10) * 1000) / attempts;
  const answering = await pingAddresses([address], { attempts, timeoutMs: waitMs, signal });
  if (signal.aborted) return failed("ended before the address was known to be silent");
  if (answering.size > 0) return failed(`${text} answers already: another machine has it`);
  mark(call);
  return succeeded;
}

function stop(call: AgentCall): AgentAnswer {
  unmark(call);
  return succeeded;
}

function monitor(call: AgentCall): AgentAnswer {
  return isMarked(call) ? succeeded : { code: OCF.notRunning, reason: "" };
}

export const addressCheck: BuiltInAgent = {
  type: "VIPcheck",
  shortdesc: "Refuses to start while somebody answers for an address",
  parameters: [
    { name: "target_ip", required: true, content: "string", shortdesc: "The address that must be silent" },
    { name: "count", content: "integer", fallback: "1", shortdesc: "How often it is asked" },
    { name: "wait", content: "integer", fallback: "10", shortdesc: "Seconds of silence that are enough" },
  ],
  actions: [
    { name: "start", timeout: "90s" },
    { name: "stop", timeout: "20s" },
    { name: "monitor", timeout: "20s", interval: "10s" },
    { name: "validate-all", timeout: "5s" },
    { name: "meta-data", timeout: "5s" },
  ],
  operate: operates({ start, stop, monitor }),
};
