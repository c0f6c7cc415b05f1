/**
 * `meatclient -c NODE`, as operators of Linux-HA type it: confirms that they have switched a node off by hand.
 * It asks for the exact name instead of a `y`, which fingers type by themselves.
 */
import process from "node:process";
import { parseArgs } from "../arguments.ts";
import { runCluster } from "./fence-cluster.ts";

/** `-w` (warn before) is taken so that old habits work: it always warns here. */
const OPTIONS = {
  c: { type: "string", short: "c" },
  w: { type: "boolean", short: "w" },
  run: { type: "string" },
} as const;

/** Runs `meatclient ...`. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args: [...argv], options: OPTIONS });
    if (values.c === undefined) throw new Error("say which node: -c NODE");
    return await runCluster(["confirm", values.c, ...(values.run === undefined ? [] : ["--run", values.run])]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`meatclient: ${reason}\nusage: meatclient -c NODE [--run DIR]\n`);
    return 64;
  }
}
