/** Which boot of the machine this is: what a file tells of running things holds for the boot that it was written in. */
import { readFileSync } from "node:fs";

/** Changes with each boot: random(4). */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

export function readBootId(): string {
  return readFileSync(BOOT_ID, "utf8").trim();
}
