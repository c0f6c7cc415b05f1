/** What `gemel status` says of the keeper: timing and margin, links that lose beats, watchdog, sickness. */
import { expect, test } from "vitest";
import { keeperLines, linkWords } from "../../../src/app/commands/keeper-lines.ts";
import type { KeeperReport } from "../../../src/cluster/core/keeper/report.ts";

const WELL: KeeperReport = {
  lateness: { count: 1000, p99Ms: 0.5, worstMs: 31.4 },
  silence: { count: 1000, p99Ms: 110, worstMs: 140.2 },
  keepaliveMs: 100,
  deadtimeMs: 1000,
  links: [],
};

test("the margin is what is left of deadtime after the longest silence of a living node", () => {
  expect(keeperLines(WELL)).toEqual([
    "Timing: deadtime 1000 ms; longest silence of a living node 140 ms, 860 ms are left; " +
      "own beats late by 0.5 ms (1 of 100), 31 ms at worst",
  ]);
  expect(keeperLines({ ...WELL, takeoverGoalMs: 2000 })[0]).toContain("for a takeover within 2000 ms");
});

test("whether packets are encrypted, and who does it otherwise; nothing where all send in the clear", () => {
  const said = (hides: boolean, unlike: readonly string[]) => keeperLines({ ...WELL, sealing: { hides, unlike } })[1];
  expect(said(false, [])).toBeUndefined();
  expect(said(true, [])).toBe("Packets: encrypted (AES-256-GCM)");
  expect(said(true, ["bravo"])).toBe("Packets: this node encrypts, bravo DOES NOT: switch auth there, too");
  expect(said(false, ["bravo"])).toBe("Packets: bravo encrypts, this node DOES NOT: switch auth here, too");
});

test("the watchdog with all that is special about it, and why it is not fed", () => {
  const special = { pretimeoutMs: 3000, nowayout: true, causedBoot: true };
  const watchdog = { identity: "i6300ESB timer", module: "i6300esb", timeoutMs: 10_000, ...special };
  const ailment = "the manager ended 6 times lately";
  expect(keeperLines({ ...WELL, watchdog, ailment }).slice(1)).toEqual([
    "Watchdog: i6300ESB timer (i6300esb), 10000 ms, alarm 3000 ms before, cannot be disarmed; " +
      "the last boot was its doing",
    "SICK: the manager ended 6 times lately; the watchdog is not fed",
  ]);
});

test("a link says only what is worth a look", () => {
  const down = { state: "down", agoMs: 1000 } as const;
  const links: KeeperReport["links"] = [
    { name: "a", peer: "bravo", state: "up", heardPercent: 100, changes: [{ state: "up", agoMs: 5000 }] },
    { name: "b", peer: "bravo", state: "up", heardPercent: 81, changes: [down, { state: "late", agoMs: 2000 }, down] },
  ];
  expect(linkWords({ links }, "a", "bravo")).toBe("");
  expect(linkWords({ links }, "b", "bravo")).toBe("81 % of its beats, was down 2 times lately");
  expect(linkWords({ links }, "c", "bravo")).toBe("");
});
