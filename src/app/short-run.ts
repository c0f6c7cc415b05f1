/**
 * A process that looks at something once and ends: the optimizing compiler would work for a future that it does not
 * have. One pass over the 596 reference cases took an eighth less CPU time without V8's last tier (1221 for 1382 ms,
 * the means of six fresh processes in turns, `node --max-opt=2` against `node`). Whoever runs for long keeps that tier.
 */
import { setFlagsFromString } from "node:v8";

/** To be called before the code in question is run; it cannot be taken back. */
export function expectShortRun(): void {
  setFlagsFromString("--max-opt=2");
}
