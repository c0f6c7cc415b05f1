/**
 * Any external plugin of cluster-glue as a device, for boards and hypervisors that nothing of ours replaces.
 * These plugins switch, but show no power: their `status` only says that the device is reached, and their success means
 * "accepted". So their word alone is no proof, and an off ends as `unknown`, unless the administrator takes the word
 * for it with `proof=exit-code`: then the certificate says so.
 * Facts: reference stonith.md, sections 2 and 3.
 */
import * as v from "valibot";
import type { ExternalPlugin } from "../../hw/core/agent/answer.ts";
import type { PowerDevice } from "../core/driver.ts";
import { failureOf, judgeSwitch } from "./agent-words.ts";
import { defineDriver } from "./define-driver.ts";
import { powerTimes, text, timesOf } from "./parameter.ts";

const parameters = v.objectWithRest(
  {
    plugin: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/, "name the plugin as external/NAME")),
    node: text("name the node as the plugin knows it"),
    secret: v.optional(text("name the entry of the secrets file that holds the password")),
    secret_option: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^[A-Za-z][A-Za-z0-9_]*$/, "name the parameter of the plugin that takes the password"),
      ),
      "passwd",
    ),
    proof: v.optional(
      v.picklist(["none", "exit-code"], "write none, or exit-code to take the plugin's word for a proof"),
      "none",
    ),
    off_operation: v.optional(
      v.picklist(["off", "reset"], "write off, or reset for a plugin that knows nothing else"),
      "off",
    ),
    ...powerTimes({ answerMs: 40_000, confirmMs: 45_000, pollMs: 1_000, settleMs: 0 }),
  },
  v.string(),
);

/** What a shell takes for the name of a variable; anything else cannot be a plugin's parameter. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

interface Use {
  readonly node: string;
  readonly isBelieved: boolean;
  readonly offOperation: "off" | "reset";
  readonly options: Readonly<Record<string, string>>;
}

export function pluginDevice(plugin: ExternalPlugin, { node, isBelieved, offOperation, options }: Use): PowerDevice {
  let accepted: "on" | "off" | undefined;
  let failure: string | undefined;

  /** Whether the device is reached at all; its answer holds no power. */
  async function reach(): Promise<string | undefined> {
    const answer = await plugin.call("status", undefined, options);
    if (answer.kind !== "exited") return answer.reason;
    return answer.code === 0 ? undefined : failureOf("plugin's status", answer.code, answer.output);
  }

  return {
    async switchPower(wanted) {
      const unreached = await reach();
      if (unreached !== undefined) return { kind: "refused", reason: unreached };
      const answer = judgeSwitch(await plugin.call(wanted === "off" ? offOperation : "on", node, options), "plugin");
      accepted = answer.kind === "accepted" ? wanted : undefined;
      failure = answer.kind === "maybe" ? answer.reason : undefined;
      return answer;
    },
    async readPower() {
      if (accepted !== undefined && isBelieved) {
        return { kind: "power", power: accepted, by: "the plugin's exit code alone, as configured" };
      }
      if (accepted !== undefined) {
        const remedy = "a device that shows it, or proof=exit-code to take the plugin's word";
        return { kind: "not-told", text: `the plugin says that it is done; it shows no power: use ${remedy}` };
      }
      if (failure !== undefined) return { kind: "unreadable", reason: failure };
      const unreached = await reach();
      return unreached === undefined
        ? { kind: "not-told", text: "the device is reached; a plugin shows no power" }
        : { kind: "unreadable", reason: unreached };
    },
    async readIdentity() {
      const unreached = await reach();
      if (unreached !== undefined) return { kind: "unreadable", reason: unreached };
      return { kind: "identity", uuid: undefined, text: "the plugin reaches its device" };
    },
  };
}

export const externalPlugin = defineDriver("external-plugin", parameters, (written) => {
  const { plugin, node, secret, secret_option, proof, off_operation } = written;
  const { answer_time, confirm_time, poll_time, settle_time, ...rest } = written;
  const own = ["plugin", "node", "secret", "secret_option", "proof", "off_operation"];
  const options = Object.entries(rest).filter(([name]) => !own.includes(name) && VARIABLE.test(name));
  const use: Use = {
    node,
    isBelieved: proof === "exit-code",
    offOperation: off_operation,
    options: Object.fromEntries(options.map(([name, value]) => [name, String(value)])),
  };
  return {
    transport: "plugin",
    target: { plugin, secret, passwordOption: secret_option },
    times: timesOf({ answer_time, confirm_time, poll_time, settle_time }),
    expectedUuid: undefined,
    device: (script) => pluginDevice(script, use),
  };
});
