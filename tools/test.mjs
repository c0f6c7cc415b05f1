/**
 * `npm test [-- quick] [-- vitest arguments]`: readies the machine, checks types and style, runs the tests.
 * `quick` leaves the emulated machines out.
 */
import process from "node:process";
import { goOnAs, setUp } from "./setup.mjs";

const quick = process.argv.includes("quick");
goOnAs(setUp(quick ? "quick" : "test"), "tools/test-run.ts", process.argv.slice(2));
