/**
 * stonith-helper's dead check as a witness. One answer of any address proves that the node lives, and whoever says
 * otherwise errs; the silence of all proves nothing, so that a witness never confirms an off. (The original takes the
 * silence for a death, and keeps only the last answer of several: seen, reference stonith.md, section 8.)
 * Its standby wait is ours by evidence: who holds the resources fences first (docs/operations/fencing.md).
 */
import * as v from "valibot";
import { type NodeAddresses, parseNodeAddress } from "../../hw/core/alive/addresses.ts";
import type { PowerDevice, ToldPower } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { powerTimes, text, timesOf } from "./parameter.ts";

const parameters = v.strictObject({
  addresses: v.pipe(
    text("write the addresses of the node: service, interconnect, board"),
    v.transform((list) => list.split(/[\s,]+/).filter((word) => word !== "")),
    v.check(
      (list) => list.every((word) => parseNodeAddress(word) !== undefined),
      "write addresses or names; a link-local address of IPv6 with its interface, as fe80::1%eth1",
    ),
  ),
  trials: v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d?$/, "write a number from 1 to 99"), v.transform(Number)),
    "3",
  ),
  ...powerTimes({ answerMs: 5_000, confirmMs: 1_000, pollMs: 250, settleMs: 0 }),
});

export function witnessDevice(addresses: NodeAddresses): PowerDevice {
  async function look(): Promise<readonly string[] | ToldPower> {
    const answering = await addresses.answering();
    return "reason" in answering ? { kind: "unreadable", reason: answering.reason } : answering;
  }

  return {
    switchPower: () => Promise.resolve({ kind: "refused", reason: "a witness switches nothing" }),
    async readPower() {
      const seen = await look();
      if ("kind" in seen) return seen;
      if (seen.length > 0) return { kind: "power", power: "on", by: `an answer of ${seen.join(", ")}` };
      return { kind: "not-told", text: "no address answers, which proves nothing" };
    },
    async readIdentity() {
      const seen = await look();
      if ("kind" in seen && seen.kind === "unreadable") return seen;
      return { kind: "identity", uuid: undefined, text: "the addresses can be asked" };
    },
  };
}

export const deadCheck = defineDriver(
  "dead-check",
  parameters,
  (written) => ({
    transport: "addresses",
    target: { addresses: written.addresses, trials: written.trials },
    times: timesOf(written),
    expectedUuid: undefined,
    device: witnessDevice,
  }),
  { switchesOn: false, isWitness: true },
);
