/** What `gemel status` says of the proofs of the fencing devices: their age, their end, and what is wrong with them. */
import { expect, test } from "vitest";
import { printScreen, printStatus, proofLines } from "../../../src/app/commands/status.ts";
import type { StatusReport } from "../../../src/app/control-protocol.ts";
import type { ProofStatus } from "../../../src/app/fencing-report.ts";
import { columnsOf, foldText } from "../../../src/base/fold.ts";

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

function told(...proofs: readonly ProofStatus[]): readonly string[] {
  const fencing = { isEnabled: true, devices: [], history: [], proofs, race: { order: [], delayMs: 0 } };
  return proofLines({ fencing, atWallMs: NOW });
}

const proven = (node: string, agoMs: number): ProofStatus => ({
  node,
  device: "fence-bravo",
  state: "proven",
  provenWallMs: NOW - agoMs,
  expiresWallMs: NOW - agoMs + 60 * MINUTE,
});

test("each device is told by the node that has not seen it for the longest, with the end of its proof", () => {
  expect(told(proven("alpha", MINUTE), proven("charlie", 5 * MINUTE))).toEqual([
    "  fence-bravo by charlie: seen well 5 min ago, counts for another 55 min",
  ]);
});

test("one node that cannot use it is more than all that can", () => {
  const failing = { ...proven("charlie", MINUTE), state: "failing", reason: "wrong password" } as const;
  expect(told(proven("alpha", 5 * MINUTE), failing)).toEqual([
    "  fence-bravo by charlie: seen well 60 s ago, counts for another 59 min, FAILING NOW",
  ]);
  const expired = { ...proven("alpha", 61 * MINUTE), state: "expired" } as const;
  expect(told(expired, failing)).toEqual(["  fence-bravo by alpha: seen well 61 min ago, TOO OLD, NOT PROVEN"]);
});

test("a new one, one without an end, and one that has really switched", () => {
  expect(told({ node: "alpha", device: "fence-bravo", state: "new" })).toEqual([
    "  fence-bravo by alpha: not seen yet",
  ]);
  const { expiresWallMs: _, ...endless } = proven("alpha", MINUTE);
  expect(told({ ...endless, switchedWallMs: NOW - 3 * 86_400_000 })).toEqual([
    "  fence-bravo by alpha: seen well 60 s ago; really switched 3 d ago",
  ]);
});

const RECORD = { by: "alpha", evidence: "", device: "", reason: "" };
const REPORT: StatusReport = {
  program: "gemel test",
  self: "alpha",
  atWallMs: NOW,
  dc: "alpha",
  hasQuorum: true,
  isSettled: true,
  cibVersion: "0.5.1",
  nodes: [
    { name: "alpha", state: "online", membership: "self", isDc: true, attributes: {} },
    { name: "bravo", state: "unclean", membership: "lost", isDc: false, attributes: { pingd: "0" } },
  ],
  links: [{ name: "heart", peer: "bravo", kind: "udp", state: "down" }],
  resources: [
    {
      id: "ip",
      agent: "ocf:gemel:IPaddr2",
      parents: [],
      active: [{ node: "alpha", role: "Started", sinceWallMs: NOW - 5 * MINUTE }],
      isManaged: false,
      isWanted: true,
      failCounts: [{ node: "bravo", count: "2" }],
    },
    { id: "d", agent: "ocf:gemel:Dummy", parents: [], active: [], isManaged: true, isWanted: true, failCounts: [] },
  ],
  failures: [],
  drbd: [],
  fencing: {
    isEnabled: true,
    devices: [],
    history: [{ target: "bravo", action: "off", outcome: "running", ...RECORD, atWallMs: NOW - MINUTE }],
    proofs: [proven("alpha", MINUTE)],
    race: { order: ["alpha", "bravo"], delayMs: 0 },
  },
  transition: { number: 3, isRunning: true, actionCount: 4, doneCount: 1, inFlight: ["ip_start_0"], summary: [] },
  leases: [{ kind: "move", subject: "ip", owner: "root", reason: "", endWallMs: NOW + 3 * MINUTE }],
  problems: [],
};

test("the first line says whether somebody has to do something, and what is wrong first", () => {
  const problem = (severity: "error" | "warning", what: string) => ({
    ...{ severity, code: "of-a-later-version" as StatusReport["problems"][number]["code"], row: 0, values: {} },
    ...{ what, doNow: "look" },
  });
  const first = (language: "en" | "ja", ...problems: StatusReport["problems"]) =>
    printStatus({ ...REPORT, problems }, language).split("\n", 1)[0];
  const [worst, other] = [problem("error", "ip runs nowhere"), problem("warning", "a link is down")];
  expect(first("en", worst, other)).toBe("NOT WELL: 1 error, 1 warning; first: ip runs nowhere");
  expect(first("en", other)).toBe("Well: 0 errors, 1 warning; first: a link is down");
  expect(first("ja", worst)).toBe("異常: エラー 1 件、警告 0 件。最初の問題: ip runs nowhere");
  expect(first("en")).toContain("DC: alpha");
});

test("the status in both languages: in Japanese only names and the words of the field are not Japanese", () => {
  const english = printStatus(REPORT, "en");
  expect(english).toContain("DC: alpha, with quorum; CIB 0.5.1; WAITING for the proof that bravo is off; transition 3");
  expect(english).toContain("  move ip: for another 3 min, by root\n");
  const japanese = printStatus(REPORT, "ja");
  expect(japanese).toContain(
    "DC: alpha、クォーラムあり、CIB 0.5.1、bravo の停止の証明を待機中; 遷移 3: 4 件中 1 件完了",
  );
  expect(japanese).toContain("  move ip: あと 3分、設定者 root\n");
  const words = ["DC", "CIB", "UNCLEAN", "alpha", "bravo", "online", "unclean", "lost", "heart", "down", "ip_start_0"];
  const more = ["ip", "ocf[:\\w]*", "Started", "pingd", "root", "move", "off", "running", "fence"];
  const field = new RegExp([...words, ...more].join("|"), "g");
  expect(japanese.replaceAll(field, "").match(/[A-Za-z]{3,}/g)).toBeNull();
});

test("on a terminal of 80 columns no line is longer, in either language, and every command is in one piece", () => {
  const command = "crm resource cleanup prmExampleDatabase alpha.example.net";
  const doNow = `on alpha: stop by hand what prmExampleDatabase runs, see that nothing of it is left; then: ${command}`;
  const problem = { severity: "error", code: "of-a-later-version", row: 0, values: {}, what: "it failed", doNow };
  const problems = [problem as unknown as StatusReport["problems"][number]];
  for (const language of ["en", "ja"] as const)
    for (const text of [
      printStatus({ ...REPORT, problems }, language),
      printScreen({ ...REPORT, problems }, language),
    ]) {
      const lines = foldText(text, 80);
      expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(80);
      expect(lines.some((line) => line.includes(command))).toBe(true);
    }
});

test("on a screen what is wrong stands above everything else", () => {
  const problem = { severity: "error", code: "no-dc", row: 0, values: {}, what: "", doNow: "" } as const;
  const [first = "", second = ""] = printScreen({ ...REPORT, problems: [problem] }, "en").split("\n");
  expect(first).toMatch(/^NOT WELL: 1 error/);
  expect(second).toBe("Problems, and what to do now:");
});

test("what nobody has left alone is not called unmanaged: it is blocked, or there is nothing to fence with", () => {
  const [ip] = REPORT.resources;
  const shown = (heldBy: "block" | "no-fencing" | undefined) =>
    printStatus(
      { ...REPORT, resources: ip === undefined ? [] : [{ ...ip, ...(heldBy === undefined ? {} : { heldBy }) }] },
      "en",
    );
  expect(shown(undefined)).toContain("[unmanaged, failed 2 times on bravo]");
  expect(shown("block")).toContain("[BLOCKED, failed 2 times on bravo]");
  expect(shown("no-fencing")).toContain("[nothing to fence with: left as it is, failed");
});
