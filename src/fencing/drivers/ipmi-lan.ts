/**
 * Fencing by the node's own BMC, over IPMI v2.0 LAN; over 1.5 only on demand (`version=1.5`).
 * Facts: IPMI v2.0 rev. 1.1, section 28.2 Get Chassis Status, 28.3 Chassis Control, 5.2 completion codes.
 */
import * as v from "valibot";
import { type Bmc, type BmcFailure, describeFailure } from "../../hw/core/ipmi/bmc.ts";
import { COMPLETION } from "../../hw/core/ipmi/message.ts";
import type { PowerDevice, SwitchAnswer } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { port, powerTimes, text, timesOf, uuid } from "./parameter.ts";

const parameters = v.strictObject({
  host: text("write the address of the board"),
  port: port(623),
  user: text("write the board's user; the anonymous user is refused"),
  secret: text("name the entry of the secrets file that holds the password"),
  kg_secret: v.optional(text("name the entry of the secrets file that holds the key KG")),
  version: v.optional(v.picklist(["2.0", "1.5"], "write 2.0, or 1.5 for a board that has nothing better"), "2.0"),
  cipher_suite: v.optional(
    v.picklist(["3", "17"], "write 3 or 17: the other suites do not both authenticate and encrypt"),
    "3",
  ),
  privilege: v.optional(v.picklist(["operator", "administrator"], "write operator or administrator"), "operator"),
  board_guid: uuid,
  ...powerTimes({ answerMs: 5_000, confirmMs: 20_000, pollMs: 250, settleMs: 1_000 }),
});

/** What no answer to Chassis Control means for the machine. */
function judgeFailure(failure: BmcFailure): SwitchAnswer {
  const reason = describeFailure(failure);
  if (failure.kind === "unreadable") return { kind: "maybe", reason };
  if (failure.kind === "silent") return { kind: failure.maybeReceived ? "maybe" : "refused", reason };
  if (failure.kind === "refused") return { kind: "refused", reason };
  switch (failure.completionCode) {
    // In the wanted state already, some boards say so.
    case COMPLETION.state:
      return { kind: "wrong-state" };
    case COMPLETION.busy:
      return { kind: "busy", reason };
    case COMPLETION.timeout:
      return { kind: "maybe", reason };
    default:
      return { kind: "refused", reason };
  }
}

/** The power of the machine that this board belongs to. */
export function ipmiDevice(bmc: Bmc): PowerDevice {
  return {
    async switchPower(wanted) {
      const answer = await bmc.control(wanted === "off" ? "power-down" : "power-up");
      return answer.kind === "accepted" ? answer : judgeFailure(answer);
    },
    async readPower() {
      const answer = await bmc.power();
      return answer.kind === "power" ? answer : { kind: "unreadable", reason: describeFailure(answer) };
    },
    async readIdentity() {
      const answer = await bmc.identity();
      if (answer.kind !== "identity") return { kind: "unreadable", reason: describeFailure(answer) };
      const { guid, manufacturerId, productId, firmware } = answer;
      const words = `GUID ${guid}, manufacturer ${manufacturerId}, product ${productId}, firmware ${firmware}`;
      return { kind: "identity", uuid: guid, text: words };
    },
  };
}

export const ipmiLan = defineDriver("ipmi-lan", parameters, (written) => ({
  transport: "ipmi",
  target: {
    host: written.host,
    port: written.port,
    user: written.user,
    secret: written.secret,
    kgSecret: written.kg_secret,
    version: written.version,
    cipherSuite: written.cipher_suite === "3" ? 3 : 17,
    privilege: written.privilege,
  },
  times: timesOf(written),
  expectedUuid: written.board_guid,
  device: ipmiDevice,
}));
