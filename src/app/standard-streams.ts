/**
 * What becomes of a word that cannot be said: standard output or error may be a closed pipe, or a file on a full disk.
 * A command says so and ends with a failure; a log that cannot be written is no reason for a node to end.
 */
import process from "node:process";

/** EX_IOERR of sysexits.h. */
const CANNOT_WRITE = 74;

/** To be called once, before anything is written. Returns the exit code that the program's own one gives way to. */
export function heedStandardStreams(): () => number | undefined {
  let failed: number | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // `gemel status | head` closes the pipe early: that is no failure of ours.
    if (error.code === "EPIPE" || failed !== undefined) return;
    failed = CANNOT_WRITE;
    process.exitCode = CANNOT_WRITE;
    process.stderr.write(`gemel: the output cannot be written: ${error.message}\n`);
  });
  // There is nobody left to tell; the manager keeps its last lines for `gemel log`.
  process.stderr.on("error", () => {});
  return () => failed;
}
