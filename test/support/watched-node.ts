/**
 * The program of stub-node.ts with a stand-in for the hardware watchdog: whoever opens the device gets one of
 * watchdog-stand-in.ts instead, which ends the node's processes as a reset would.
 */
import { registerHooks } from "node:module";

const STAND_IN = new URL("./watchdog-stand-in.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.endsWith("/watchdog-device.ts")) return { url: STAND_IN, shortCircuit: true };
    return next(specifier, context);
  },
});

await import("./stub-node.ts");
