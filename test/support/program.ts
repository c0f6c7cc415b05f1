/**
 * Our program, as tests and benches start it: the built one that GEMEL_BINARY names (the whole suite builds it first,
 * for it starts in a third of the time), else the source as it stands.
 */
import path from "node:path";
import process from "node:process";

const MAIN = path.resolve(import.meta.dirname, "../../src/app/main.ts");
const BINARY = process.env.GEMEL_BINARY;

/** File and first words of a command. */
export const PROGRAM: readonly [file: string, ...argv: string[]] =
  BINARY === undefined ? [process.execPath, "--disable-warning=ExperimentalWarning", MAIN] : [path.resolve(BINARY)];
