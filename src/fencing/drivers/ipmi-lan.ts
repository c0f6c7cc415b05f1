/**
 * Fencing by the node's own BMC, over IPMI v2.0 LAN.
 * A BMC may answer Chassis Control before the power has gone, so an accepted command proves nothing; only a Get
 * Chassis Status that reads "off" does, and that twice: a board that has just restarted says "off" for a moment while
 * its machine runs (seen on ipmi_sim). There is no power cycle here, because a cycle leaves no "off" to read back:
 * the fencer runs `off`, and once that is confirmed, `on`.
 * Facts: IPMI v2.0 rev. 1.1, section 28.2 Get Chassis Status, 28.3 Chassis Control, 5.2 completion codes.
 */
import * as v from "valibot";
import { type Bmc, type BmcFailure, type ControlAnswer, describeFailure } from "../../hw/core/ipmi/bmc.ts";
import { COMPLETION } from "../../hw/core/ipmi/message.ts";
import type { Clock, FencingDriver, FencingOutcome } from "../core/driver.ts";
import { duration, port, text } from "./parameter.ts";

const GUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

export const ipmiLanParameters = v.pipe(
  v.strictObject({
    host: text("write the address of the board"),
    port: port(623),
    user: text("write the board's user; the anonymous user is refused"),
    secret: text("name the entry of the secrets file that holds the password"),
    kg_secret: v.optional(text("name the entry of the secrets file that holds the key KG")),
    cipher_suite: v.optional(
      v.picklist(["3", "17"], "write 3 or 17: the other suites do not both authenticate and encrypt"),
      "3",
    ),
    privilege: v.optional(v.picklist(["operator", "administrator"], "write operator or administrator"), "operator"),
    board_guid: v.optional(
      v.pipe(v.string(), v.regex(GUID, "write the GUID or the system UUID as 32 hex digits, with or without dashes")),
    ),
    answer_time: duration(5_000, 500, 60_000),
    confirm_time: duration(20_000, 1_000, 600_000),
    poll_time: duration(250, 50, 10_000),
    settle_time: duration(1_000, 0, 60_000),
  }),
  v.transform((written) => ({
    host: written.host,
    port: written.port,
    user: written.user,
    secret: written.secret,
    kgSecret: written.kg_secret,
    cipherSuite: written.cipher_suite === "3" ? (3 as const) : (17 as const),
    privilege: written.privilege,
    boardGuid: written.board_guid,
    answerMs: written.answer_time,
    /** How long the power may take to be read as asked. */
    confirmMs: written.confirm_time,
    pollMs: written.poll_time,
    /** How long "off" must last. */
    settleMs: written.settle_time,
  })),
);

export type IpmiLanParameters = v.InferOutput<typeof ipmiLanParameters>;

function rejectedWith(answer: ControlAnswer, completionCode: number): boolean {
  return answer.kind === "rejected" && answer.completionCode === completionCode;
}

/** The command may have reached the board, or the board said that it is busy: looking and asking again is worth it. */
function isTransient(failure: BmcFailure): boolean {
  if (failure.kind === "rejected") {
    return failure.completionCode === COMPLETION.busy || failure.completionCode === COMPLETION.timeout;
  }
  return failure.kind === "unreadable" || (failure.kind === "silent" && failure.maybeReceived);
}

/** Asks for the power `wanted` and looks until it is read, or the time is over. */
async function drive(
  bmc: Bmc,
  clock: Clock,
  { confirmMs, pollMs, settleMs }: IpmiLanParameters,
  wanted: "on" | "off",
): Promise<FencingOutcome> {
  const deadlineAtMs = clock.nowMs() + confirmMs;
  let accepted = false;
  let maybeCommanded = false;
  let seen = "nothing was read back";
  let readAtMs: number | undefined;
  while (clock.nowMs() < deadlineAtMs || readAtMs !== undefined) {
    if (!accepted) {
      const control = await bmc.control(wanted === "off" ? "power-down" : "power-up");
      // In the wanted state already, some boards answer "not supported in the present state": the status will tell.
      accepted = control.kind === "accepted" || rejectedWith(control, COMPLETION.state);
      if (control.kind !== "accepted" && !accepted && !isTransient(control)) {
        return { kind: maybeCommanded ? "unknown" : "not-done", reason: describeFailure(control) };
      }
      maybeCommanded ||= !rejectedWith(control, COMPLETION.busy);
    }
    const status = await bmc.power();
    if (status.kind === "power" && status.power === wanted) {
      readAtMs ??= clock.nowMs();
      if (wanted === "on" || clock.nowMs() - readAtMs >= settleMs) return { kind: "confirmed", power: wanted };
      await clock.sleep(readAtMs + settleMs - clock.nowMs());
    } else {
      // It was off and is not any more: a board that lied, or a machine that somebody switched on. Ask again.
      if (readAtMs !== undefined) accepted = false;
      readAtMs = undefined;
      seen = status.kind === "power" ? `it still reads ${status.power}` : describeFailure(status);
      await clock.sleep(pollMs);
    }
  }
  return { kind: "unknown", reason: `the power was not read back as ${wanted} within ${confirmMs} ms: ${seen}` };
}

export const ipmiLan: FencingDriver<"ipmi", IpmiLanParameters> = {
  name: "ipmi-lan",
  transport: "ipmi",
  parameters: ipmiLanParameters,
  boundMs: ({ confirmMs, settleMs, answerMs }) => confirmMs + settleMs + 2 * answerMs,
  off: (bmc, clock, parameters) => drive(bmc, clock, parameters, "off"),
  on: (bmc, clock, parameters) => drive(bmc, clock, parameters, "on"),
  async status(bmc) {
    const status = await bmc.power();
    if (status.kind === "power") return { kind: "confirmed", power: status.power };
    return { kind: "not-done", reason: describeFailure(status) };
  },
};
