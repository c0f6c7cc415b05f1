/**
 * `gemel manager --config FILE --state DIR --run DIR [--name NODE]`: started by the keeper (`gemel node`), with the
 * pipe to it as descriptor 3; nobody else calls it. Exit codes: 0 stopped in order; 78 the configuration is refused.
 */
import process from "node:process";
import { parseArgs } from "../arguments.ts";
import { startManager } from "../manager/start.ts";

const WRONG_CALL = 64;

export async function run(argv: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options: { config: text, state: text, run: text, name: text } });
    const { config, state, run: runDirectory, name } = values;
    if (config === undefined || state === undefined || runDirectory === undefined)
      throw new Error("--config, --state and --run are needed");
    return await startManager({ config, state, run: runDirectory, name });
  } catch (error) {
    process.stderr.write(`gemel manager: ${error instanceof Error ? error.message : String(error)}\n`);
    return WRONG_CALL;
  }
}
