/**
 * `gemel fence lock`: a shared disk for locks in the format of sfex, made and shown without the sfex tools.
 * Exit codes: 0 done, 1 the disk cannot be used, 64 a wrong call.
 */
import process from "node:process";
import { LOCKS_MAX } from "../../hw/core/sfex/record.ts";
import { createSfexDisk, listSfexDisk } from "../../hw/edge/sfex-disk.ts";
import { parseArgs } from "../arguments.ts";
import { EXIT, wrongCall } from "./ask.ts";

export const LOCK_USAGE = `gemel fence lock list DISK
       gemel fence lock create DISK --yes DISK [--locks N]   (1; overwrites the first sectors of the disk)`;

const NAME = "gemel fence lock";

async function list(path: string): Promise<void> {
  for (const [index, lock] of await listSfexDisk(path)) {
    const { held, node, count } = lock.kind === "record" ? lock.value : { held: false, node: "", count: 0 };
    const free = node === "" ? "free" : `free, last held by ${node}`;
    const words = lock.kind === "damaged" ? lock.reason : held ? `held by ${node}, count ${count}` : free;
    process.stdout.write(`${String(index).padStart(3)}  ${words}\n`);
  }
}

/** Runs `gemel fence lock ...`; `argv`: what stands behind `lock`. */
export async function runLock(argv: readonly string[]): Promise<number> {
  const options = { yes: { type: "string" }, locks: { type: "string", default: "1" } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [what, path] = positionals;
    if (path === undefined || positionals.length !== 2 || (what !== "list" && what !== "create"))
      return wrongCall(NAME, "say list or create, and which disk", LOCK_USAGE);
    if (what === "list") {
      await list(path);
      return EXIT.done;
    }
    const locks = Number(values.locks);
    if (!Number.isInteger(locks) || locks < 1 || locks > LOCKS_MAX)
      return wrongCall(NAME, `--locks ${values.locks}: write a number from 1 to ${LOCKS_MAX}`, LOCK_USAGE);
    if (values.yes !== path)
      return wrongCall(NAME, `what stands on ${path} is lost: repeat it, --yes ${path}`, LOCK_USAGE);
    await createSfexDisk(path, locks);
    process.stdout.write(`${path}: made, with ${locks} lock${locks === 1 ? "" : "s"}\n`);
    return EXIT.done;
  } catch (error) {
    process.stderr.write(`${NAME}: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.refused;
  }
}
