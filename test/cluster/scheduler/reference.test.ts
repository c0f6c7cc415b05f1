/**
 * The reference cases (GPL, so outside of this project; GEMEL_SHARED names their parent, default ../shared): as many as
 * we have reached before must still give the expected actions in the expected partial order.
 * What is compared is what the cases' own judge calls `order`: actions as a multiset, and who precedes whom; and by
 * that judge itself, on what `gemel simulate --batch` writes, what is blocked and what the report says.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { parseDate } from "../../../src/cluster/core/scheduler/facts/dates.ts";
import { transitionXml } from "../../../src/cluster/core/scheduler/print/transition-xml.ts";
import { work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { runHere } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";
import { normalForm } from "../../support/transition-normal-form.ts";
import floor from "./reference-floor.json" with { type: "json" };

const root = path.resolve(import.meta.dirname, "../../..");
const cases = path.resolve(process.env["GEMEL_SHARED"] ?? path.join(root, "../shared"), "scheduler-cases");
/** Any day after all recorded failures. */
const NOW_WALL_MS = 1_790_000_000_000;

function read(text: string): XmlElement {
  const xml = parseXml(text);
  if (xml.kind === "not-xml") throw new Error(xml.reason);
  return xml.root;
}

function times(): ReadonlyMap<string, string> {
  const rows = readFileSync(path.join(cases, "times.tsv"), "utf8").split("\n").filter(Boolean);
  return new Map(rows.map((row) => [row.split("\t")[0] ?? "", row.split("\t")[1] ?? ""]));
}

function agrees(name: string, time: string | undefined): boolean {
  const cib = read(readFileSync(path.join(cases, "xml", `${name}.xml`), "utf8"));
  const executed = cib.attributes["execution-date"];
  const clock =
    time === undefined
      ? executed === undefined
        ? NOW_WALL_MS
        : Number(executed) * 1000
      : (parseDate(time) ?? 0) * 1000;
  const worked = work(cib, clock);
  const expected = read(readFileSync(path.join(cases, "exp", `${name}.exp`), "utf8"));
  return isDeepStrictEqual(normalForm(transitionXml(worked.facts, worked.graph)), normalForm(expected));
}

test.skipIf(skips(!existsSync(cases), `there are no reference cases at ${cases}`))(
  `reference cases (skipped when ${cases} is absent): at least ${floor.order} agree`,
  () => {
    const clocks = times();
    const names = readdirSync(path.join(cases, "xml")).map((file) => file.replace(/\.xml$/, ""));
    const agreeing = names.filter((name) => agrees(name, clocks.get(name)));
    expect(agreeing.length).toBeGreaterThanOrEqual(floor.order);
  },
);

const score = path.join(cases, "score");

test.skipIf(skips(!existsSync(score), `there is no judge at ${score}`))(
  `the judge of the reference cases: blocked at least ${floor.blocked}, summary at least ${floor.summary}`,
  async () => {
    const out = mkdtempSync(path.join(tmpdir(), "gemel-cases-"));
    try {
      const batch = ["--batch", path.join(cases, "xml"), "--out", out, "--times", path.join(cases, "times.tsv")];
      expect((await runHere(["simulate", ...batch])).code).toBe(0);
      const { stdout } = spawnSync(score, [out], { encoding: "utf8" });
      // Columns: cases, actions, real, order, blocked, summary.
      const [, , , order, blocked, summary] = (/^all(.*)$/m.exec(stdout)?.[1] ?? "").trim().split(/\s+/).map(Number);
      expect({ order, blocked, summary }).toEqual({
        order: expect.toSatisfy((count: number) => count >= floor.order),
        blocked: expect.toSatisfy((count: number) => count >= floor.blocked),
        summary: expect.toSatisfy((count: number) => count >= floor.summary),
      });
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  },
);
