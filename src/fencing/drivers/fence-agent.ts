/**
 * Any packaged fence agent as a device: PDUs, hypervisors, blade chassis. The agent switches and reads; what counts as
 * a proof is our own: its success is only "accepted", and "off" must be read twice by its status.
 * Facts: FenceAgentAPI; exit codes in reference stonith.md, section 11. The code of `status` for off (2) is that of bad
 * arguments, too, so the power is read from its words.
 */
import * as v from "valibot";
import type { FenceAgent } from "../../hw/core/agent/answer.ts";
import type { PowerDevice } from "../core/driver.ts";
import { failureOf, judgeSwitch } from "./agent-words.ts";
import { defineDriver } from "./define-driver.ts";
import { powerTimes, text, timesOf } from "./parameter.ts";

/**
 * Agents that hand the password on to snmpget and snmpset as an argument (seen in /proc, fence-agents 4.12.1): every
 * user of the machine can read it while they run. Those of IPMI do so with ipmitool; they are none of ours: alias-ipmi.
 */
const SNMP_AGENTS = [
  "fence_apc_snmp",
  "fence_cisco_mds",
  "fence_eaton_snmp",
  "fence_ifmib",
  "fence_intelmodular",
  "fence_tripplite_snmp",
];

const parameters = v.pipe(
  v.objectWithRest(
    {
      agent: v.pipe(v.string(), v.regex(/^fence_[a-z0-9_]+$/, "name the agent as fence_apc_snmp")),
      secret: v.optional(text("name the entry of the secrets file that holds the password")),
      secret_option: v.optional(
        v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_-]*$/, "name the option of the agent that takes the password")),
        "password",
      ),
      argv_secret: v.optional(v.picklist(["accept"], "write accept where the community is no secret, or leave it out")),
      ...powerTimes({ answerMs: 40_000, confirmMs: 40_000, pollMs: 1_000, settleMs: 1_000 }),
    },
    v.string(),
  ),
  v.forward(
    v.check(
      ({ agent, secret, argv_secret }) =>
        secret === undefined || argv_secret === "accept" || !SNMP_AGENTS.includes(agent),
      "this agent hands the password to snmpget as an argument, which every user of the node can read: use " +
        "stonith:snmp-pdu, or write argv_secret=accept where the community is no secret",
    ),
    ["secret"],
  ),
);

/** Bad arguments, login denied: nothing was done, and asking again at once is in vain. */
const REFUSED_CODES = [2, 3];

export function agentDevice(agent: FenceAgent, options: Readonly<Record<string, string>>): PowerDevice {
  return {
    switchPower: async (wanted) =>
      judgeSwitch(await agent.call({ ...options, action: wanted }), "agent", REFUSED_CODES),
    async readPower() {
      const answer = await agent.call({ ...options, action: "status" });
      if (answer.kind !== "exited") return { kind: "unreadable", reason: answer.reason };
      const power = /^Status:\s*(ON|OFF)\s*$/im.exec(answer.output)?.[1]?.toLowerCase();
      if (power === "on" && answer.code === 0) return { kind: "power", power };
      if (power === "off" && answer.code === 2) return { kind: "power", power };
      return { kind: "unreadable", reason: failureOf("agent", answer.code, answer.output) };
    },
    async readIdentity() {
      const answer = await agent.call({ ...options, action: "monitor" });
      if (answer.kind !== "exited") return { kind: "unreadable", reason: answer.reason };
      if (answer.code === 0) return { kind: "identity", uuid: undefined, text: "the agent reaches its device" };
      return { kind: "unreadable", reason: failureOf("agent", answer.code, answer.output) };
    },
  };
}

export const fenceAgent = defineDriver("fence-agent", parameters, (written) => {
  const {
    agent,
    secret,
    secret_option,
    argv_secret: _,
    answer_time,
    confirm_time,
    poll_time,
    settle_time,
    ...options
  } = written;
  return {
    transport: "agent",
    target: { agent, secret, passwordOption: secret_option },
    times: timesOf({ answer_time, confirm_time, poll_time, settle_time }),
    expectedUuid: undefined,
    device: (process) => agentDevice(process, options),
  };
});
