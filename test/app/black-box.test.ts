/** A real takeover, and its journal decided again: byte for byte, and not when a byte was changed. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { sha256 } from "../../src/app/manager/black-box.ts";
import { NODE_TOOLS } from "../../src/app/manager/manager.ts";
import { stepNode } from "../../src/cluster/core/controller/node-core.ts";
import { type JournalEntry, NO_HASH, writeLine } from "../../src/cluster/core/journal/journal.ts";
import { replay } from "../../src/cluster/core/journal/replay.ts";
import { PROGRAM } from "../support/program.ts";
import { runHere } from "../support/run-here.ts";
import { skips } from "../support/skip.ts";
import { LOSING_TIMES, NODES, type NodePair, openNodePair } from "./node-pair.ts";

const asRoot = test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces"));
const CONFIGURATION = `primitive a ocf:gemel:Dummy op monitor interval=2s op start timeout=9s op stop timeout=9s
primitive b ocf:gemel:Dummy op monitor interval=2s op start timeout=9s op stop timeout=9s
group service a b
location near service 10: alpha
property no-quorum-policy=ignore stonith-enabled=false
`;

let open: NodePair | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

function replayFiles(...places: string[]) {
  const [file, ...own] = PROGRAM;
  const { stdout, stderr, status } = spawnSync(file, [...own, "replay", ...places], { encoding: "utf8" });
  return { output: stdout + stderr, code: status };
}

asRoot("a takeover, a restarted manager, a standby: all as recorded", async () => {
  const pair = openNodePair({ times: LOSING_TIMES, configuration: CONFIGURATION });
  open = pair;
  for (const node of NODES) pair.start(node);
  const runsOn = async (node: string, asked: "alpha" | "bravo") =>
    (await pair.status(asked))?.resources.every(({ active }) => active[0]?.node === node && active.length === 1);
  await pair.until("the group runs on alpha", async () => (await runsOn("alpha", "bravo")) === true);
  expect(pair.gemel("bravo", "crm", "node", "standby", "alpha").code).toBe(0);
  await pair.until("it has moved", async () => (await runsOn("bravo", "bravo")) === true);
  expect(pair.gemel("bravo", "crm", "node", "online", "alpha").code).toBe(0);
  pair.killManager("bravo");
  await pair.until("bravo answers again", async () => (await pair.status("bravo"))?.dc !== undefined);
  pair.cut("bravo");
  await pair.until("alpha has taken over", async () => (await runsOn("alpha", "alpha")) === true);
  pair.signal("alpha", "SIGTERM");
  await pair.ended("alpha");

  for (const node of NODES) {
    const journal = path.join(pair.folder, node, "state", "journal");
    const { output, code } = replayFiles(journal);
    expect(output).toMatch(/^\d+ events, \d+ decisions: all as recorded/);
    expect(code).toBe(0);
    expect(execFileSync("stat", ["-c", "%a", journal], { encoding: "utf8" }).trim()).toBe("700");
  }

  // Whoever was DC before: alpha has decided in the end.
  const journal = path.join(pair.folder, "alpha", "state", "journal");
  const [first = ""] = readdirSync(journal).toSorted();
  const text = readFileSync(path.join(journal, first), "utf8");
  const told = replayFiles(path.join(journal, first), "--story").output;
  expect(told).toContain("decision -> ");

  // The history level of the shell on the same journal: what was decided, of what, and what came of it.
  const script = path.join(pair.folder, "history.crm");
  const words = [
    "transitions",
    "show 0",
    "show 0 status",
    "diff 0 0",
    "graph 0",
    "transition save 0 enigma",
    "transition",
  ];
  writeFileSync(script, ["history", ...words, "show 4711"].join("\n"));
  const past = await runHere(["crm", "-H", journal, "-f", script], { CIB_shadow_dir: pair.folder });
  expect(past).toMatchObject({ code: 1, errors: expect.stringContaining("no decision 4711") });
  expect(past.output).toMatch(
    /^decision-\d+\t.*\t\d to do\n {4}\w+ +a .*alpha[\s\S]*group service a b[\s\S]*Online: \[ alpha[\s\S]*digraph/,
  );
  expect(past.output).toMatch(/decision-\d+, [\s\S]*Transition Summary/);
  expect(readFileSync(path.join(pair.folder, "shadow.enigma"), "utf8")).toContain('id="service"');

  // One byte in the middle: the chain shows it.
  const forged = path.join(pair.folder, "forged.jsonl");
  writeFileSync(forged, text.replace('"kind":"tick"', '"kind":"tock"'));
  const forgedAt = text.slice(0, text.indexOf('"kind":"tick"')).split("\n").length;
  const whole = path.join(journal, first);
  expect(replayFiles(whole, forged)).toMatchObject({ code: 65 });
  expect(replayFiles(forged).output).toContain(`${forged}, line ${forgedAt}, after `);
  expect(replayFiles(forged).code).toBe(65);

  // Another past, chained anew from its start: every hash fits, and the core itself disagrees.
  const lines = text.split("\n").slice(0, -1);
  const entries = lines.map((line) => JSON.parse(line.slice(0, line.lastIndexOf("\t"))) as JournalEntry);
  const decided = entries.findIndex((entry) => entry.kind === "event" && entry.event.kind === "decision");
  expect(decided).toBeGreaterThan(0);
  let before = NO_HASH;
  const rewritten = entries.map((entry, index) => {
    const isTarget = index === decided && entry.kind === "event" && entry.event.kind === "decision";
    const changed = isTarget ? { ...entry, event: { ...entry.event, hash: NO_HASH } } : entry;
    const { line, hash } = writeLine(changed as JournalEntry, before, sha256);
    before = hash;
    return `${line}\n`;
  });
  const step: Parameters<typeof replay>[1]["step"] = (state, event, now) => stepNode(state, event, now, NODE_TOOLS);
  expect(replay([rewritten.join("")], { step, hash: sha256 })).toMatchObject({
    kind: "different",
    atLine: decided + 1,
    reason: expect.stringContaining("comes out differently"),
  });
  // A power cut in the middle of a line is no break.
  expect(replay([text.slice(0, -20)], { step, hash: sha256 })).toMatchObject({ kind: "same" });
});

test.each([
  [[], 64],
  [["/nowhere"], 66],
  [["/dev/null"], 66],
  [["--nonsense"], 64],
])("gemel replay %j ends with %i", (argv, code) => {
  expect(replayFiles(...argv).code).toBe(code);
});
