/** What is said of a DRBD resource in trouble, and what to do. */
import { expect, test } from "vitest";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { runsOn, situationOf } from "./scene.ts";

test.each([
  ["data that may be old", { disk: "Consistent", connection: "Connecting" }, "error", "start the peer"],
  [
    "blocks that differ unseen",
    { doubt: "out-of-sync", outOfSyncKib: 8 },
    "error",
    "drbdadm disconnect records; drbdadm connect records",
  ],
  ["a bitmap UUID left behind", { doubt: "bitmap-left" }, "error", "drbdadm invalidate records"],
  ["a broken disk", { disk: "Diskless" }, "warning", "drbdadm attach records"],
  ["a split", { connection: "StandAlone" }, "error", "--discard-my-data"],
  ["a resync", { disk: "Inconsistent", replication: "SyncTarget" }, "warning", "wait"],
  ["no disk, and writes that wait", { disk: "Diskless", isSuspended: true }, "error", "drbdadm attach records"],
  ["a frozen Primary", { connection: "Connecting", isSuspended: true }, "error", "proven to be off"],
] as const)("DRBD, %s", (_what, change, severity, help) => {
  const whole = { resource: "records", role: "Primary", disk: "UpToDate", connection: "Connected" } as const;
  const rest = { replication: "Established", isSuspended: false, outOfSyncKib: 0 };
  const drbd = [{ ...whole, ...rest, ...change }];
  const [advice] = advise(situationOf({ done: runsOn("srv01"), live: { drbd } }));
  expect(advice?.severity).toBe(severity);
  expect(advice === undefined ? "" : textOf("en", advice.code, advice.values).doNow).toContain(help);
});
