/** Reasons: no action without one, every one printable in both languages, none that the table does not know. */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { REASON_CODES, reasonFrom, reasonOf, reasonText } from "../../../src/cluster/core/scheduler/reason-text.ts";
import { work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { randomCib } from "../../support/random-cib/cib.ts";
import { NOW_SECONDS } from "../../support/random-cib/draw.ts";
import { skips } from "../../support/skip.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const cases = path.resolve(process.env["GEMEL_SHARED"] ?? path.join(root, "../shared"), "scheduler-cases/xml");
const JAPANESE = /[\u3040-\u30ff\u4e00-\u9fff]/;

/** The code of each step's reason; only what stands for the order of other things needs none of its own. */
function* codesOf(text: string): Generator<string> {
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(read.reason);
  const { graph } = work(read.root, NOW_SECONDS * 1000);
  for (const step of [...graph.steps, ...graph.blocked]) {
    const { code, facts } = reasonOf(step);
    const isTold = code !== "other" && (code !== "ordering" || step.kind === "pseudo");
    yield isTold ? code : `${step.key}: no reason but "${facts["words"] ?? ""}"`;
  }
}

const untold = (codes: Iterable<string>) => [...codes].filter((code) => code.includes(" "));

test("each code has a sentence in English and in Japanese, and both name what they speak of", () => {
  for (const code of REASON_CODES) {
    const facts = { resource: "NAME", step: "NAME" };
    const [en, ja] = [reasonText({ code, facts }, "en"), reasonText({ code, facts }, "ja")];
    expect(en).toMatch(/^[a-zA-Z][\x20-\x7e]+$/);
    expect(ja).toMatch(JAPANESE);
    expect(`${en}${ja}`).not.toContain("{");
    expect(en.includes("NAME")).toBe(ja.includes("NAME"));
  }
  expect(new Set(REASON_CODES).size).toBe(REASON_CODES.length);
});

test("the words become a code and its facts, and unknown words are kept", () => {
  expect(reasonFrom("required drbd promoted")).toEqual({ code: "required", facts: { step: "drbd promoted" } });
  expect(reasonFrom("http failed there")).toEqual({ code: "failed-there", facts: { resource: "http" } });
  expect(reasonFrom("node availability")).toEqual({ code: "node-availability", facts: {} });
  expect(reasonText(reasonFrom("never heard of"), "ja")).toBe("never heard of");
});

test("every reason that a pass writes as a literal stands in the table", () => {
  const literals = globSync("src/cluster/core/scheduler/{act,place}/*.ts", { cwd: root }).flatMap((file) =>
    [...readFileSync(path.join(root, file), "utf8").matchAll(/\breason(?:s\[[^\]]*\])? ?(?:\?\?=|:|=) "([^"]+)"/g)].map(
      ([, words = ""]) => words,
    ),
  );
  expect(literals.length).toBeGreaterThan(5);
  expect(literals.filter((words) => reasonFrom(words).code === "other")).toEqual([]);
});

test("no action is without a reason that the table knows: 300 generated CIBs", () => {
  const codes = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) for (const code of codesOf(randomCib(seed))) codes.add(code);
  expect(untold(codes)).toEqual([]);
});

describe.skipIf(skips(!existsSync(cases), `there are no reference cases at ${cases}`))(
  `the reference cases (skipped when ${cases} is absent)`,
  () => {
    test("give no action without a reason that the table knows, and between them most of it", () => {
      const codes = new Set<string>();
      for (const name of readdirSync(cases))
        for (const code of codesOf(readFileSync(path.join(cases, name), "utf8"))) codes.add(code);
      expect(untold(codes)).toEqual([]);
      expect(codes.size).toBeGreaterThan(25);
    });
  },
);
