/**
 * A process that looks at something once and ends: the optimizing compiler would work for a future that it does not
 * have. Without V8's last tier, one pass over the 596 reference cases takes about an eighth less CPU time
 * (`npm run bench -- scheduler`), and a long run takes more: so the manager keeps it.
 */
import { setFlagsFromString } from "node:v8";

/** To be called before the code in question is run; it cannot be taken back. */
export function expectShortRun(): void {
  setFlagsFromString("--max-opt=2");
}
