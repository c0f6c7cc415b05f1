/** How this very program is started again: the binary itself, or Node with the script it was given. */
import process from "node:process";
import { isSea } from "node:sea";

export interface SelfCommand {
  readonly file: string;
  /** Before the program's own arguments. */
  readonly argv: readonly string[];
}

export function selfCommand(): SelfCommand {
  const [, script] = process.argv;
  if (isSea() || script === undefined) return { file: process.execPath, argv: [] };
  return { file: process.execPath, argv: [...process.execArgv, script] };
}
