/**
 * Runs an external plugin of cluster-glue: `SCRIPT OPERATION [NODE]`, its parameters in the environment.
 * The password is in the environment of a process of root, which nobody else can read. What a plugin itself does with
 * it (some hand it on as an argument) is out of our reach: reason enough to prefer a driver of our own.
 * Fact: reference stonith.md, section 3.
 */
import path from "node:path";
import type { AgentAnswer, ExternalPlugin } from "../core/agent/answer.ts";
import { runBounded } from "./bounded-program.ts";

export interface PluginTarget {
  /** The name behind `external/`. */
  readonly plugin: string;
  readonly password: string | undefined;
  /** The parameter that takes the password. */
  readonly passwordOption: string;
  readonly budgetMs: number;
  /** Where plugins stand; another one in tests. */
  readonly directory?: string;
  /** Ends a call that is under way. */
  readonly cut?: AbortSignal;
}

/** The plugins log by `ha_log.sh`, which stands in the first. */
const PATH = "/usr/share/cluster-glue:/usr/sbin:/usr/bin:/sbin:/bin";

export function createExternalPlugin(target: PluginTarget): ExternalPlugin {
  const { plugin, password, passwordOption, budgetMs, directory = "/usr/lib/stonith/plugins/external" } = target;
  return {
    call(operation, node, options): Promise<AgentAnswer> {
      return runBounded({
        file: path.join(directory, plugin),
        argv: node === undefined ? [operation] : [operation, node],
        env: {
          ...options,
          ...(password === undefined ? {} : { [passwordOption]: password }),
          PATH,
          LC_ALL: "C",
          HA_LOGD: "no",
        },
        input: "",
        budgetMs,
        packageName: "cluster-glue",
        password,
        cut: target.cut,
      });
    },
  };
}
