/** `npm run lab [-- COMMAND]`: readies the machine, then runs the lab; its commands need no set-up while one runs. */
import process from "node:process";
import { goOnAs, setUp } from "./setup.mjs";

goOnAs(setUp("lab"), "lab/main.ts", process.argv.slice(2));
