/**
 * `gemel node`: the keeper of this node, which starts the manager. Loads nothing of the manager: the keeper is to stay
 * small. Exit codes: 0 after an orderly stop; 64 for a wrong call; 70 after self-fencing; 78 for a wrong configuration.
 */
import process from "node:process";
import type { Problem } from "../../base/problem.ts";
import { parseArgs } from "../arguments.ts";
import { tellProblem } from "../japanese/translate.ts";

const WRONG_CALL = 64;
const WRONG_CONFIGURATION = 78;

function report(problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`gemel node: ${tellProblem(problem)}\n`);
}

function readOptions(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      config: { type: "string" },
      state: { type: "string" },
      run: { type: "string" },
      name: { type: "string" },
      "no-realtime": { type: "boolean" },
    },
  });
  const { config, state, run, name } = values;
  if (config === undefined || state === undefined || run === undefined)
    throw new Error("--config FILE, --state DIR and --run DIR are needed");
  return { config, state, run, name, realtime: values["no-realtime"] !== true };
}

export async function run(argv: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(argv);
  } catch (error) {
    process.stderr.write(`gemel node: ${error instanceof Error ? error.message : String(error)}\n`);
    return WRONG_CALL;
  }
  const { loadNode } = await import("../keeper/load.ts");
  const loaded = loadNode(options.config, options.name);
  if (loaded.kind === "invalid") {
    report(loaded.problems);
    return WRONG_CONFIGURATION;
  }
  const { startNode } = await import("../keeper/start.ts");
  return startNode(loaded.value, loaded.warnings, options);
}
