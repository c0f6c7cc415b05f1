/** `gemel configure WORDS`: the configure level of the crm shell; what it changes is committed at once. */
import { run as runCrm } from "./crm.ts";

/** Exit codes: those of `gemel crm`. */
export function run(argv: readonly string[]): Promise<number> {
  const [first, second, ...rest] = argv;
  if (first === "--run" && second !== undefined) return runCrm(["--run", second, "configure", ...rest]);
  return runCrm(["configure", ...argv]);
}
