/** Tests that cannot run here say why: a suite that skips in silence is taken for one that has passed. */
import path from "node:path";
import process from "node:process";
import { expect } from "vitest";

const said = new Set<string>();

/** For `skipIf`: tells the reason once a file when `isMissing`, and gives it back. */
export function skips(isMissing: boolean, reason: string): boolean {
  const file = path.relative(process.cwd(), expect.getState().testPath ?? "");
  const line = `skipped in ${file}: ${reason}\n`;
  if (isMissing && !said.has(line)) {
    said.add(line);
    process.stderr.write(line);
  }
  return isMissing;
}
