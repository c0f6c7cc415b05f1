/** The whole program, keeper and manager, with a stand-in for the hardware watchdog. */
import "./watchdog-hooks.ts";

await import("../../src/app/main.ts");
