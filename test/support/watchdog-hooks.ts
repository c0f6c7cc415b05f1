/**
 * Puts a stand-in in the place of the hardware watchdog: whoever opens the device gets one of watchdog-stand-in.ts,
 * which ends the node's processes as a reset would. To be imported before the program.
 */
import { registerHooks } from "node:module";

const STAND_IN = new URL("./watchdog-stand-in.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.endsWith("/watchdog-device.ts")) return { url: STAND_IN, shortCircuit: true };
    return next(specifier, context);
  },
});
