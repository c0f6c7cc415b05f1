/**
 * Cases in our own words, `cases/*.txt`: why, the cluster (test/support/terse-cib.ts), and below `decides` what the
 * scheduler makes of it. Where crm_simulate is installed, it is asked as well and must agree, unless the case says
 * `not as 2.1.5` with the reason.
 * `GEMEL_REWRITE=1` writes the decisions anew; read the difference like code.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { summaryLines } from "../../../src/cluster/core/scheduler/print/summary-lines.ts";
import { work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { askOurs, askPeer, compare, isPeerInstalled } from "../../support/scheduler-peer.ts";
import { terseCib } from "../../support/terse-cib.ts";

const FOLDER = new URL("cases/", import.meta.url);
const NOW_WALL_MS = 1_700_000_000_000;
const MARK = "\ndecides\n";
const hasPeer = isPeerInstalled();

function decide(cib: string): string {
  const read = parseXml(cib);
  if (read.kind === "not-xml") throw new Error(`line ${read.line}: ${read.reason}`);
  const worked = work(read.root, NOW_WALL_MS);
  const steps = worked.graph.steps.map(
    ({ key, node, kind }) =>
      `${key}${node === undefined ? "" : ` ${node.name}`}${kind === "pseudo" ? " (pseudo)" : ""}`,
  );
  const lines = [...summaryLines(worked).map((line) => line.replaceAll(/ +/g, " ")), ...steps.sort()];
  return lines.map((line) => `  ${line}\n`).join("");
}

for (const name of readdirSync(FOLDER).sort()) {
  const file = new URL(name, FOLDER);
  const text = readFileSync(file, "utf8");
  const [head = "", expected = ""] = text.split(MARK);
  const why = head
    .split("\n")
    .filter((line) => line.startsWith("#"))
    .map((line) => line.slice(2));
  const cib = terseCib(head.replaceAll(/^#.*$/gm, ""));
  const isDisputed = why.some((line) => line.startsWith("not as 2.1.5"));

  test(`${name}: ${why[0]}`, () => {
    const decided = decide(cib);
    if (process.env["GEMEL_REWRITE"] === "1") writeFileSync(file, `${head}${MARK}${decided}`);
    else expect(decided).toBe(expected);
  });

  test.skipIf(!hasPeer || isDisputed)(
    `${name}: as crm_simulate (skipped where it is missing or known to be wrong)`,
    () => {
      const theirs = askPeer(cib);
      expect(theirs, "crm_simulate refuses the case").toBeDefined();
      const found = theirs === undefined ? undefined : compare(cib, askOurs(cib), theirs);
      expect(found).toBeUndefined();
    },
  );
}
