/** The program of stub-node.ts with a stand-in for the hardware watchdog. */
import "./watchdog-hooks.ts";

await import("./stub-node.ts");
