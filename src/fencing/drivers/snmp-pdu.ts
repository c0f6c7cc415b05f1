/**
 * Fencing by the outlets of a PDU that is reached by SNMP. A machine with several power supplies has several outlets,
 * and is off only when each of them is: one request switches all, and all are read back.
 * Facts: reference stonith.md, section 9 (APC, WTI); Eaton's EATON-EPDU-MIB and Raritan's PDU2-MIB, as NUT's snmp-ups
 * uses them. No unit was seen.
 */
import * as v from "valibot";
import type { SnmpAgent, SnmpAnswer } from "../../hw/core/snmp/agent.ts";
import type { PowerDevice, SwitchAnswer } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { port, powerTimes, text, timesOf } from "./parameter.ts";

/** Where a model keeps one outlet, and what the numbers mean; `.N` is put behind each identifier. */
export interface PduModel {
  readonly state: string;
  readonly isOn: number;
  readonly isOff: number;
  readonly on: { readonly oid: string; readonly value: number };
  readonly off: { readonly oid: string; readonly value: number };
}

const APC = "1.3.6.1.4.1.318.1.1";
const EATON = "1.3.6.1.4.1.534.6.6.7.6.6.1";
const RARITAN = "1.3.6.1.4.1.13742.6.4.1.2.1";

function sameOid(oid: string, on: number, off: number) {
  return { on: { oid, value: on }, off: { oid, value: off } };
}

const EATON_MANAGED = "1.3.6.1.4.1.534.6.6.6.1.2.2.1.3";

type ModelName = "apc" | "apc-masterswitch" | "eaton" | "eaton-managed" | "raritan";

export const PDU_MODELS: Readonly<Record<ModelName, PduModel>> = {
  apc: { state: `${APC}.12.3.5.1.1.4`, isOn: 1, isOff: 2, ...sameOid(`${APC}.12.3.3.1.1.4`, 1, 2) },
  "apc-masterswitch": { state: `${APC}.4.4.2.1.3`, isOn: 1, isOff: 2, ...sameOid(`${APC}.4.4.2.1.3`, 1, 2) },
  // The value is a delay in seconds; states 2 and 3 are "pending", and neither on nor off.
  eaton: {
    state: `${EATON}.2.0`,
    isOn: 1,
    isOff: 0,
    on: { oid: `${EATON}.4.0`, value: 0 },
    off: { oid: `${EATON}.3.0`, value: 0 },
  },
  // The older ePDU: its outlets count from 0. Seen in what fence_eaton_snmp asks and sets.
  "eaton-managed": { state: EATON_MANAGED, isOn: 1, isOff: 0, ...sameOid(EATON_MANAGED, 1, 0) },
  raritan: { state: `${RARITAN}.3.1`, isOn: 7, isOff: 8, ...sameOid(`${RARITAN}.2.1`, 1, 0) },
};

const OUTLETS_MAX = 8;
const oid = v.pipe(v.string(), v.regex(/^\.?\d+(\.\d+){3,}$/, "write an object identifier, as .1.3.6.1.4.1.318..."));
const number = (what: string) =>
  v.optional(v.pipe(v.string(), v.regex(/^-?\d{1,9}$/, `write the number that ${what}`), v.transform(Number)));

const parameters = v.strictObject({
  host: text("write the address of the PDU"),
  port: port(161),
  version: v.optional(v.picklist(["1", "2c", "3"], "write the version of SNMP: 1, 2c or 3"), "3"),
  user: v.optional(text("write the user of SNMP v3")),
  secret: text("name the entry of the secrets file that holds the community, or the authentication password of v3"),
  privacy_secret: v.optional(text("name the entry of the secrets file that holds the privacy password of v3")),
  auth: v.optional(
    v.picklist(["md5", "sha", "sha256", "sha512"], "write how SNMP v3 authenticates: md5, sha, sha256 or sha512"),
    "sha",
  ),
  privacy: v.optional(v.picklist(["des", "aes", "aes256"], "write how SNMP v3 encrypts: des, aes or aes256"), "aes"),
  model: v.optional(
    v.picklist(
      ["apc", "apc-masterswitch", "eaton", "eaton-managed", "raritan", "own"],
      "write apc, apc-masterswitch, eaton, eaton-managed, raritan, or own with all of its objects",
    ),
    "apc",
  ),
  state_oid: v.optional(oid),
  state_on: number("reads on"),
  state_off: number("reads off"),
  command_oid: v.optional(oid),
  command_on: number("switches on"),
  command_off: number("switches off"),
  outlets: v.pipe(
    text("write the outlets that feed the machine, as 3 or 3,7"),
    v.transform((list) => list.split(/[\s,]+/).filter((word) => word !== "")),
    v.check((list) => list.every((word) => /^\d{1,3}(\.\d{1,3})*$/.test(word)), "outlets are numbers, as 3 or 3,7"),
    v.check((list) => list.length <= OUTLETS_MAX, `${OUTLETS_MAX} outlets at most`),
    v.check((list) => new Set(list).size === list.length, "name each outlet once"),
  ),
  ...powerTimes({ answerMs: 5_000, confirmMs: 20_000, pollMs: 500, settleMs: 1_000 }),
});

type Written = v.InferOutput<typeof parameters>;

const OWN_PARTS = ["state_oid", "state_on", "state_off", "command_oid", "command_on", "command_off"] as const;

const checked = v.pipe(
  parameters,
  v.forward(
    v.check(({ version, user }) => version !== "3" || user !== undefined, "SNMP v3 has a user: write user=NAME"),
    ["user"],
  ),
  v.forward(
    v.check(
      (written) => OWN_PARTS.every((part) => (written[part] !== undefined) === (written.model === "own")),
      `with model=own, and only with it, write all of ${OWN_PARTS.join(", ")}`,
    ),
    ["model"],
  ),
);

function modelOf(written: Written): PduModel {
  if (written.model !== "own") return PDU_MODELS[written.model];
  const { state_oid = "", state_on = 1, state_off = 0, command_oid = "", command_on = 1, command_off = 0 } = written;
  return { state: state_oid, isOn: state_on, isOff: state_off, ...sameOid(command_oid, command_on, command_off) };
}

const place = (base: string, outlet: string) => `${base.replace(/^\./, "")}.${outlet}`;

function judge(answer: SnmpAnswer): SwitchAnswer {
  if (answer.kind === "values") return { kind: "accepted" };
  return answer.kind === "silent" && answer.maybeReceived
    ? { kind: "maybe", reason: answer.reason }
    : { kind: "refused", reason: answer.reason };
}

export function pduDevice(agent: SnmpAgent, model: PduModel, outlets: readonly string[]): PowerDevice {
  let hasWritten = false;

  /** In words, by outlet; undefined when it cannot be read. */
  async function readOutlets(): Promise<readonly ("on" | "off" | "changing")[] | string> {
    const answer = await agent.read(outlets.map((outlet) => place(model.state, outlet)));
    if (answer.kind !== "values") return answer.reason;
    return answer.values.map((value) => (value === model.isOn ? "on" : value === model.isOff ? "off" : "changing"));
  }

  const inWords = (states: readonly string[]) => states.map((state, at) => `outlet ${outlets[at]} ${state}`).join(", ");

  return {
    async switchPower(wanted) {
      // A PDU that cannot be read is no proof in any case, and so silence before the command is surely "not done".
      const states = await readOutlets();
      if (typeof states === "string") return { kind: hasWritten ? "maybe" : "refused", reason: states };
      hasWritten = true;
      const { oid: command, value } = model[wanted];
      return judge(await agent.write(outlets.map((outlet) => ({ oid: place(command, outlet), value }))));
    },
    async readPower() {
      const states = await readOutlets();
      if (typeof states === "string") return { kind: "unreadable", reason: states };
      const [first] = states;
      if (first !== undefined && first !== "changing" && states.every((state) => state === first))
        return { kind: "power", power: first };
      return { kind: "unreadable", reason: inWords(states) };
    },
    async readIdentity() {
      const states = await readOutlets();
      if (typeof states === "string") return { kind: "unreadable", reason: states };
      return { kind: "identity", uuid: undefined, text: inWords(states) };
    },
  };
}

export const snmpPdu = defineDriver("snmp-pdu", checked, (written) => ({
  transport: "snmp",
  target: {
    host: written.host,
    port: written.port,
    version: written.version,
    user: written.user,
    secret: written.secret,
    privacySecret: written.privacy_secret,
    auth: written.auth,
    privacy: written.privacy,
  },
  times: timesOf(written),
  expectedUuid: undefined,
  device: (agent) => pduDevice(agent, modelOf(written), written.outlets),
}));
