/**
 * The program: `gemel COMMAND`, or one of the operators' names (crm, crm_mon, ...) as a link to it.
 * It knows all rooms and holds no rule; each command is one file below commands/, loaded when it is asked for.
 */
import process from "node:process";
import { runCommand } from "./commands/index.ts";

process.exitCode = await runCommand(
  process.argv0 === process.execPath ? "gemel" : process.argv0,
  process.argv.slice(2),
);
