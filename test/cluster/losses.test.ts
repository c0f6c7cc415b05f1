/** What an order takes down without a successor: judged by the scheduler, for every kind of resource and order. */
import { expect, test } from "vitest";
import { parseXml } from "../../src/base/xml.ts";
import { lossWarning, lostBy } from "../../src/cluster/core/overrides/losses.ts";
import { schedule } from "../../src/cluster/core/scheduler/schedule.ts";
import { terseCib } from "../support/terse-cib.ts";

const NOW_WALL_MS = 1_800_000_000_000;

function decide(text: string) {
  const read = parseXml(terseCib(text));
  if (read.kind !== "xml") throw new Error(read.reason);
  return schedule(read.root, NOW_WALL_MS, { quorate: true });
}

const RUNNING = `
option stonith-enabled=true
fencing board
Dummy web
Dummy local
clone all
  Dummy every
clone mirror promotable=true
  Stateful disk
rsc_location rsc=local node=bravo score=-INFINITY
board on alpha: start
web on alpha: start
local on alpha: start
every:0 on alpha: start
disk:0 on alpha: start promote
status alpha master-disk=10
`;
const PEER = `
every:1 on bravo: start
disk:1 on bravo: start
status bravo master-disk=5
`;
const ALPHA_STANDBY = "node alpha standby=on";

const lost = (before: string, order: string) => lostBy(decide(before), decide(`${before}\n${order}`));

test("what goes to the other node is no loss, what may not run there is", () => {
  const pair = `nodes alpha bravo${RUNNING}${PEER}`;
  expect(lost(pair, ALPHA_STANDBY)).toEqual(["local"]);
  // Without a score of its own the other one is not promoted.
  expect(lost(pair.replace("status bravo master-disk=5", ""), ALPHA_STANDBY)).toEqual(["disk (promoted)", "local"]);
});

test("the last node takes down everything but its fencing devices", () => {
  const alone = `nodes alpha bravo=offline${RUNNING}`;
  expect(lost(alone, ALPHA_STANDBY)).toEqual(["disk", "every", "local", "web"]);
  // What is on its way down already is not the order's.
  const leaving = `${alone}\noption stop-all-resources=true`;
  expect(lost(leaving, ALPHA_STANDBY)).toEqual([]);
});

test("the warning names what stops, and there is none where nothing does", () => {
  expect(lossWarning([], "standby of alpha")).toBeUndefined();
  expect(lossWarning(["web"], "standby of alpha")?.reason).toBe(
    "standby of alpha stops web: no other node may run it now",
  );
});
