/** The history level of the crm shell on a report: period, patterns, sessions; and times as operators type them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { wordDiff } from "../../src/app/crm/word-diff.ts";
import { readMoment } from "../../src/app/moment.ts";
import { runHere } from "../support/run-here.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-history-"));
afterAll(() => rmSync(folder, { recursive: true }));
const report = path.join(folder, "incident");
const env = { HOME: folder, GEMEL_RUN: path.join(folder, "nobody"), TZ: "UTC" };

beforeAll(() => {
  const lines = {
    alpha: ["08:00:00.000Z INFO: members: alpha, bravo", "08:10:00.000Z ERROR: web: monitor failed on alpha"],
    bravo: ["08:00:00.500Z INFO: members: alpha, bravo", "08:10:05.000Z INFO: decision 7: Recover web ( alpha )"],
  };
  for (const [node, written] of Object.entries(lines)) {
    mkdirSync(path.join(report, node), { recursive: true });
    writeFileSync(path.join(report, node, "log.txt"), written.map((line) => `2026-07-18T${line}\n`).join(""));
  }
});

async function history(source: string, ...lines: string[]) {
  const script = path.join(folder, "batch.crm");
  writeFileSync(script, ["history", ...lines].join("\n"));
  return await runHere(["crm", "-H", source, "-f", script], env);
}

describe("of a report", () => {
  test("what two nodes say alike is told once; a resource, a node, the log of one", async () => {
    const { code, output } = await history(report, "events");
    expect([code, output.match(/members: alpha, bravo/g)]).toEqual([0, ["members: alpha, bravo"]]);
    expect((await history(report, "resource we.")).output).toMatch(/web: monitor failed[\s\S]*Recover web/);
    expect((await history(report, "resource we")).output).toBe("");
    expect((await history(report, "node bravo")).output).toContain("members");
    expect((await history(report, "log bravo")).output).not.toContain("monitor failed");
    expect((await history(report, "latest")).output).not.toContain("monitor failed");
    expect(await history(report, "log charlie")).toMatchObject({
      code: 1,
      errors: expect.stringContaining("alpha, bravo"),
    });
  });

  test("packed as gemel report packs it", async () => {
    execFileSync("tar", ["-C", folder, "-czf", path.join(folder, "packed.tar.gz"), "incident"]);
    expect((await history(path.join(folder, "packed.tar.gz"), "info")).output).toContain("Nodes: alpha bravo\n");
    expect(await history(path.join(folder, "nothing.tar.gz"), "info")).toMatchObject({ code: 66 });
  });

  test("a period, a pattern that is left out, and how much of it hold for the words behind them", async () => {
    expect((await history(report, 'limit "2026-07-18 08:05:00"', "events")).output).not.toContain("members");
    expect((await history(report, 'limit "Jul 18 2026 08:05" "2026/7/18 08:10:02"', "events")).output).not.toContain(
      "Recover",
    );
    expect((await history(report, "exclude ^members", "exclude", "events")).output).toMatch(
      /^\^members\n.*monitor failed/,
    );
    expect((await history(report, "exclude ^members", "exclude clear", "events")).output).toContain("members");
    expect((await history(report, "detail 0", "events")).output).not.toContain("Recover");
    for (const wrong of ["limit yesterdayish", "exclude (", "detail 7", "refresh now", "resource"])
      expect([wrong, (await history(report, wrong)).code]).toEqual([wrong, 64]);
  });

  test("a session is kept under a name and taken up another day", async () => {
    expect((await history(report, "limit 2h", "exclude ^members", "session save case-1", "session list")).output).toBe(
      "case-1\n",
    );
    const { output } = await history("/elsewhere", "session load case-1", "session");
    expect(output).toBe(`source ${report}\nlimit 2h\nexclude ^members\ndetail 1\n`);
    expect((await history(report, "session delete case-1", "session list")).output).toBe("");
    expect((await history(report, "session load case-1")).code).toBe(1);
    writeFileSync(path.join(folder, ".gemel_crm_sessions", "spoilt.json"), "{");
    expect(await history(report, "session load spoilt")).toMatchObject({
      code: 1,
      errors: expect.stringContaining("holds no"),
    });
  });

  test("decisions are not in it, and that is said", async () => {
    expect(await history(report, "transitions")).toMatchObject({
      code: 1,
      errors: expect.stringContaining("only the DC"),
    });
  });
});

describe("times as they are typed", () => {
  const now = Date.parse("2026-11-22T03:00:00Z");
  test.each([
    ["2026-11-21 08:00:00Z", "2026-11-21T08:00:00.000Z"],
    ["2026-11-21 08:00:00", "2026-11-20T23:00:00.000Z"],
    ["10min", "2026-11-22T02:50:00.000Z"],
    ["11:30", "2026-11-22T02:30:00.000Z"],
    ["11:30:15", "2026-11-22T02:30:15.000Z"],
    ["2pm", "2026-11-22T05:00:00.000Z"],
    ["Jul 18 12:00", "2026-07-18T03:00:00.000Z"],
    ["2010/9/1 12:30", "2010-09-01T03:30:00.000Z"],
    ["25:00", undefined],
    ["soon", undefined],
    ["", undefined],
  ])("%s in Tokyo is %s", (text, instant) => {
    vi.stubEnv("TZ", "Asia/Tokyo");
    const found = readMoment(text, now);
    vi.unstubAllEnvs();
    expect(found === undefined ? undefined : new Date(found).toISOString()).toBe(instant);
  });
});

test("word by word: only what differs, with what stands around it on its line", () => {
  expect(wordDiff("a b\nsame\nmove web alpha\n", "a b\nsame\nmove web bravo\nmore\n")).toBe(
    "move web [-alpha-]{+bravo\nmore+}\n",
  );
  expect(wordDiff("x\n", "x\n")).toBe("");
});
