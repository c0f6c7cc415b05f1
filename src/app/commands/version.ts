/** `gemel version`: the program's version and the runtime it stands on. */
import process from "node:process";
import { VERSION } from "../version.ts";

export function run(): Promise<number> {
  process.stdout.write(`gemel ${VERSION} (Node ${process.versions.node})\n`);
  return Promise.resolve(0);
}
