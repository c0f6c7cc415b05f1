/**
 * Fencing by Redfish: iDRAC, iLO 4 and later, XCC, Supermicro, OpenBMC, iRMC.
 * The answer to a Reset proves nothing, whatever its status: some boards answer 204 and do it later, some 200 and
 * refuse. A manager may own several systems: the right one is named by its UUID, never guessed by its place.
 * Facts: DMTF DSP0266 (protocol), DSP2046 ComputerSystem.Reset and PowerState; quirks in reference stonith.md, 14.
 */
import * as v from "valibot";
import { isSameGuid } from "../../hw/core/ipmi/guid.ts";
import type { WebAnswer, WebBoard } from "../../hw/core/web/answer.ts";
import type { PowerDevice, PowerReading, SwitchAnswer } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { certificate, port, powerTimes, text, timesOf, uuid } from "./parameter.ts";

const parameters = v.strictObject({
  host: text("write the address of the board"),
  port: port(443),
  user: text("write the board's user"),
  secret: text("name the entry of the secrets file that holds the password"),
  certificate,
  tls: v.optional(
    v.picklist(["strict", "legacy"], "write strict, or legacy for a board that knows only the old versions of TLS"),
    "strict",
  ),
  system_uuid: uuid,
  ...powerTimes({ answerMs: 8_000, confirmMs: 30_000, pollMs: 500, settleMs: 1_000 }),
});

const Link = v.object({ "@odata.id": v.pipe(v.string(), v.regex(/^\//)) });
const Root = v.object({ Systems: Link });
const Collection = v.object({ Members: v.pipe(v.array(Link), v.maxLength(64)) });
const System = v.object({
  UUID: v.optional(v.nullable(v.string())),
  Manufacturer: v.optional(v.nullable(v.string())),
  Model: v.optional(v.nullable(v.string())),
  PowerState: v.optional(v.nullable(v.string())),
  Actions: v.optional(
    v.object({
      "#ComputerSystem.Reset": v.optional(
        v.object({
          target: v.pipe(v.string(), v.regex(/^\//)),
          "ResetType@Redfish.AllowableValues": v.optional(v.array(v.string())),
        }),
      ),
    }),
  ),
});
type System = v.InferOutput<typeof System>;

type Got<Value> =
  | { readonly kind: "got"; readonly value: Value }
  | { readonly kind: "unreadable"; readonly reason: string };

const unreadable = (reason: string) => ({ kind: "unreadable", reason }) as const;

function describeStatus(status: number): string {
  if (status === 401) return "the board does not know this user or password; correct the secrets file";
  if (status === 403) return "the board does not grant this right to the user; give it the Operator role";
  if (status === 404) return "the board has no such resource; is Redfish enabled?";
  return `the board answered with HTTP status ${status}`;
}

function describeAnswer(answer: WebAnswer): string {
  return answer.kind === "response" ? describeStatus(answer.status) : answer.reason;
}

async function get<Value>(board: WebBoard, path: string, schema: v.GenericSchema<unknown, Value>): Promise<Got<Value>> {
  const answer = await board.request("GET", path);
  if (answer.kind !== "response" || answer.status !== 200) return unreadable(describeAnswer(answer));
  try {
    const read = v.safeParse(schema, JSON.parse(answer.body));
    if (read.success) return { kind: "got", value: read.output };
  } catch {
    // Not JSON: the same as JSON of another shape.
  }
  return unreadable(`${path} is not as Redfish has it`);
}

/** The path of the one system that is meant. */
async function findSystem(board: WebBoard, wanted: string | undefined): Promise<Got<string>> {
  const root = await get(board, "/redfish/v1/", Root);
  if (root.kind !== "got") return root;
  const systems = await get(board, root.value.Systems["@odata.id"], Collection);
  if (systems.kind !== "got") return systems;
  const paths = systems.value.Members.map((member) => member["@odata.id"]);
  const [only, ...others] = paths;
  if (wanted === undefined) {
    if (only !== undefined && others.length === 0) return { kind: "got", value: only };
    return unreadable(`the board has ${paths.length} systems; say which one by system_uuid`);
  }
  for (const path of paths) {
    const system = await get(board, path, System);
    if (system.kind !== "got") return system;
    if (isSameGuid(system.value.UUID ?? "", wanted)) return { kind: "got", value: path };
  }
  return unreadable(`no system of this board has the UUID ${wanted}; correct system_uuid or host`);
}

/** A machine that is only on its way to off still writes; only "Off" is off. */
function readState(state: string | null | undefined): PowerReading {
  if (state === "Off") return { kind: "power", power: "off" };
  if (["On", "PoweringOn", "PoweringOff", "Paused"].includes(state ?? "")) return { kind: "power", power: "on" };
  return unreadable(`the power state is ${state ?? "not told"}`);
}

function judgeReset(answer: WebAnswer): SwitchAnswer {
  if (answer.kind === "refused") return answer;
  if (answer.kind === "silent") return { kind: answer.maybeReceived ? "maybe" : "refused", reason: answer.reason };
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: "accepted" };
  // iLO answers 400 with InvalidOperationForSystemState, others 409.
  if (status === 409 || (status === 400 && /SystemState|ResourceInUse|StateChange/i.test(answer.body))) {
    return { kind: "wrong-state" };
  }
  const reason = describeStatus(status);
  if (status === 429 || status === 503) return { kind: "busy", reason };
  return { kind: status >= 500 ? "maybe" : "refused", reason };
}

/** One system of a board, looked up once. */
export function redfishDevice(board: WebBoard, wanted: string | undefined): PowerDevice {
  let known: string | undefined;
  async function system(): Promise<Got<System>> {
    if (known === undefined) {
      const found = await findSystem(board, wanted);
      if (found.kind !== "got") return found;
      known = found.value;
    }
    return get(board, known, System);
  }
  return {
    async switchPower(power) {
      const found = await system();
      if (found.kind !== "got") return { kind: "refused", reason: found.reason };
      const reset = found.value.Actions?.["#ComputerSystem.Reset"];
      if (reset === undefined) return { kind: "refused", reason: "the system cannot be reset by Redfish" };
      const allowed = reset["ResetType@Redfish.AllowableValues"];
      const types = power === "off" ? ["ForceOff"] : ["On", "ForceOn"];
      const type = types.find((each) => allowed === undefined || allowed.includes(each));
      if (type === undefined) return { kind: "refused", reason: `the board does not offer ${types.join(" or ")}` };
      return judgeReset(await board.request("POST", reset.target, { ResetType: type }));
    },
    async readPower() {
      const found = await system();
      return found.kind === "got" ? readState(found.value.PowerState) : found;
    },
    async readIdentity() {
      const found = await system();
      if (found.kind !== "got") return found;
      const { UUID, Manufacturer, Model } = found.value;
      const words = `UUID ${UUID ?? "not told"}, ${Manufacturer ?? "?"} ${Model ?? "?"}`;
      return { kind: "identity", uuid: UUID ?? undefined, text: words };
    },
  };
}

export const redfish = defineDriver("redfish", parameters, (written) => ({
  transport: "https",
  target: {
    host: written.host,
    port: written.port,
    user: written.user,
    secret: written.secret,
    certificate: written.certificate,
    isLegacy: written.tls === "legacy",
  },
  times: timesOf(written),
  // The system was chosen by its UUID already.
  expectedUuid: undefined,
  device: (board) => redfishDevice(board, written.system_uuid),
}));
