/**
 * Fencing by the outlets of a UPS, or by the whole UPS, over a NUT server. Only commands that cut at once are used:
 * `shutdown.return`, the old plugin's choice, waits until the load has shut itself down, which a hung node never does.
 * Facts: RFC 9271; NUT's names of variables and commands (`outlet.n.status`, `outlet.n.load.off`, `ups.status`).
 */
import * as v from "valibot";
import { entryOf } from "../../base/record.ts";
import type { UpsAnswer, UpsServer } from "../../hw/core/nut/ups-server.ts";
import type { PowerDevice, SwitchAnswer, ToldPower } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { port, powerTimes, text, timesOf } from "./parameter.ts";

const word = (remedy: string) => v.pipe(v.string(remedy), v.regex(/^[A-Za-z0-9_.-]{1,64}$/, remedy));

const parameters = v.strictObject({
  host: text("write the address of the NUT server"),
  port: port(3493),
  ups: word("write the name of the UPS, as upsc -l lists it"),
  user: text("write the user of upsd.users"),
  secret: text("name the entry of the secrets file that holds the password"),
  outlets: v.optional(
    v.pipe(
      v.string(),
      v.transform((list) => list.split(/[\s,]+/).filter((name) => name !== "")),
      v.check((list) => list.length > 0 && list.every((name) => /^\d{1,3}$/.test(name)), "write outlets as 1 or 1,2"),
      v.check((list) => new Set(list).size === list.length, "name each outlet once"),
    ),
  ),
  ...powerTimes({ answerMs: 5_000, confirmMs: 30_000, pollMs: 500, settleMs: 2_000 }),
});

const REMEDIES: Readonly<Record<string, string>> = {
  "ACCESS-DENIED": "the server does not accept this user or password for commands: see upsd.users (instcmds)",
  "UNKNOWN-UPS": "the server has no UPS of this name; upsc -l lists them",
  "CMD-NOT-SUPPORTED": "this UPS has no such command; upscmd -l lists them",
  "VAR-NOT-SUPPORTED": "this UPS does not show that; upsc lists what it shows",
  "DATA-STALE": "the server has lost the UPS: its driver or its cable",
  "DRIVER-NOT-CONNECTED": "the server has lost the UPS: its driver does not run",
};

function reasonOf(answer: Exclude<UpsAnswer, { readonly kind: "value" }>, asked: string): string {
  if (answer.kind === "lost") return answer.reason;
  return `${asked}: ${answer.code}; ${entryOf(REMEDIES, answer.code) ?? "see the log of upsd"}`;
}

/** `outlets` undefined: the whole UPS. */
export function upsDevice(server: UpsServer, outlets: readonly string[] | undefined): PowerDevice {
  const prefixes = outlets?.map((outlet) => `outlet.${outlet}.`) ?? [""];

  async function readOne(prefix: string): Promise<ToldPower> {
    const name = prefix === "" ? "ups.status" : `${prefix}status`;
    const answer = await server.variable(name);
    if (answer.kind !== "value") return { kind: "unreadable", reason: reasonOf(answer, name) };
    const words = answer.text.toLowerCase().split(/\s+/);
    if (words.includes("off")) return { kind: "power", power: "off" };
    const isOn = prefix === "" ? words.includes("ol") || words.includes("ob") : words.includes("on");
    return isOn ? { kind: "power", power: "on" } : { kind: "unreadable", reason: `${name} is ${answer.text}` };
  }

  async function readPower(): Promise<ToldPower> {
    const readings: ToldPower[] = [];
    for (const prefix of prefixes) readings.push(await readOne(prefix));
    const bad = readings.find(({ kind }) => kind === "unreadable");
    const [first] = readings;
    if (bad !== undefined || first === undefined) return bad ?? { kind: "unreadable", reason: "there is no outlet" };
    const powers = readings.map((reading) => (reading.kind === "power" ? reading.power : ""));
    if (powers.every((power) => power === powers[0])) return first;
    return { kind: "unreadable", reason: powers.map((power, at) => `${prefixes[at]}status ${power}`).join(", ") };
  }

  return {
    async switchPower(wanted): Promise<SwitchAnswer> {
      let hasCommanded = false;
      for (const prefix of prefixes) {
        const name = `${prefix}load.${wanted}`;
        const answer = await server.command(name);
        if (answer.kind === "value") {
          hasCommanded = true;
          continue;
        }
        const reason = reasonOf(answer, name);
        const maybe = hasCommanded || (answer.kind === "lost" && answer.maybeReceived);
        return { kind: maybe ? "maybe" : "refused", reason };
      }
      return { kind: "accepted" };
    },
    readPower,
    async readIdentity() {
      const power = await readPower();
      if (power.kind === "unreadable") return power;
      const model = await server.variable("ups.model");
      const name = model.kind === "value" ? model.text : "its model is not told";
      return { kind: "identity", uuid: undefined, text: `UPS ${name}` };
    },
  };
}

export const nut = defineDriver("nut", parameters, (written) => ({
  transport: "nut",
  target: {
    host: written.host,
    port: written.port,
    ups: written.ups,
    user: written.user,
    secret: written.secret,
  },
  times: timesOf(written),
  expectedUuid: undefined,
  device: (server) => upsDevice(server, written.outlets),
}));
