/**
 * The program: `gemel COMMAND`, or one of the operators' names (crm, crm_mon, ...) as a link to it.
 * It knows all rooms and holds no rule; each command is one file below commands/, loaded when it is asked for.
 * No await at the top: the bundle is CommonJS, because only that can carry V8's code cache in the binary.
 */
import process from "node:process";
import { runCommand } from "./commands/index.ts";
import { tellFaults } from "./fault.ts";
import { heedStandardStreams } from "./standard-streams.ts";

/** In the binary argv0 is the name of the link that was called; run from the source it is Node's own name. */
async function main(): Promise<void> {
  tellFaults(process.argv[2] ?? "");
  const outputFailure = heedStandardStreams();
  const code = await runCommand(process.argv0, process.argv.slice(2));
  process.exitCode = outputFailure() ?? code;
}

void main();
