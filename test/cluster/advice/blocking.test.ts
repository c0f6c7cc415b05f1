/** What is an error: failures after which the cluster waits for a person (a stop without fencing, on-fail=block). */
import { expect, test } from "vitest";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { NOW_MS, runsOn, type Scene, situationOf } from "./scene.ts";

const told = (scene: Scene) =>
  advise(situationOf(scene)).map(({ code, severity, values }) => {
    const { what, doNow } = textOf("en", code, values);
    return `${severity} ${code}: ${what} -> ${doNow}`;
  });

const stopFailed = { node: "srv01", resource: "prmDB", task: "stop", rc: 1, reason: "clients" } as const;
const monitorFailed = { node: "srv01", resource: "prmDB", task: "monitor", intervalMs: 10_000, rc: 7 } as const;
const STUCK =
  "error stop-failed: prmDB did not stop on srv01 (stop_0 rc=1, clients): it may still run there, and nothing moves " +
  "until you act -> on srv01: stop by hand what prmDB runs, and see that nothing of it is left; " +
  "then: crm resource cleanup prmDB srv01";

test.each([
  ["that on-fail leaves to a person", { onFail: { stop: "block" } }],
  ["without fencing", { isFencing: false }],
])("a failed stop %s is an error that says what to do, told once", (_name, scene) => {
  const lines = told({ ...scene, done: [...runsOn("srv01"), monitorFailed, stopFailed] });
  expect(lines.filter((line) => !line.includes("fencing-disabled"))).toEqual([STUCK]);
});

test("a failed monitor with on-fail=block is an error; without, what the cluster mends is a warning", () => {
  const done = [...runsOn("srv01"), monitorFailed];
  expect(told({ onFail: { monitor: "block" }, done })).toEqual([
    "error failure-blocks: prmDB failed on srv01 (monitor_10000 rc=7), and on-fail=block leaves it so: nothing is " +
      "done until you act -> mend the cause on srv01 (load (batch, virus scan), max_connections, pg_hba.conf, files " +
      "deleted below /tmp, owner of the log file); then: crm resource cleanup prmDB srv01",
  ]);
  expect(told({ done })).toMatchObject([expect.stringMatching(/^warning resource-failed/)]);
});

test("a node that cannot leave for it tells of it once", () => {
  const srv01 = { shutdown: String(NOW_MS / 1000 - 30) };
  const lines = told({ onFail: { stop: "block" }, done: [...runsOn("srv01"), stopFailed], srv01 });
  expect(lines).toMatchObject([expect.stringMatching(/^error shutdown-hangs/)]);
});

test("an address that cannot start on one node is an error where it serves nowhere, else a warning", () => {
  const failed = { node: "srv01", resource: "prmIp", task: "start", rc: 1 } as const;
  const stopped = { node: "srv01", resource: "prmIp", task: "stop" } as const;
  const lines = (scene: Scene) => told(scene).filter((line) => line.includes("address-without-interface"));
  expect(lines({ done: [failed, stopped] })).toMatchObject([expect.stringMatching(/^error /)]);
  expect(lines({ done: [failed, stopped, ...runsOn("srv02")] })).toMatchObject([expect.stringMatching(/^warning /)]);
});
