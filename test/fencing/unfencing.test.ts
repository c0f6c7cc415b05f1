/** Letting a node in: by all of its devices, never after or beside its fencing, and never by a reboot's "on". */
import { expect, test } from "vitest";
import { parseXml } from "../../src/base/xml.ts";
import { planUnfencing } from "../../src/fencing/core/configuration.ts";
import type { FencerEvent } from "../../src/fencing/core/fencer-state.ts";
import { readFencingConfiguration } from "../../src/fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { configuration, device, NOT_DONE, obedient, start } from "./fencer-world.ts";

const door = (id: string, more = {}) => device(id, { unfences: true, staysOff: true, bannedFrom: ["alpha"], ...more });

/** The fencer is bravo's; alpha is to be let in. */
const letIn = (...devices: readonly string[]): FencerEvent => ({
  kind: "request",
  atWallMs: 0,
  requestId: "in",
  target: "alpha",
  action: "on",
  origin: { kind: "scheduler", by: "the cluster" },
  seed: 1,
  isTargetPreferred: false,
  unfenceBy: devices,
});

test("a node lets itself in; what it must not use the first other member does; what nobody may use is told", () => {
  const own = door("own", { bannedFrom: [] });
  const closed = door("closed", { bannedFrom: ["alpha", "bravo"] });
  const all = configuration([own, door("far"), closed, device("bmc"), door("other", { targets: ["bravo"] })]);
  expect(planUnfencing(all, "alpha", ["bravo", "alpha"])).toEqual({
    shares: { alpha: ["own"], bravo: ["far"] },
    nobodys: ["closed"],
  });
  expect(planUnfencing(all, "alpha", ["bravo", "charlie"]).shares).toMatchObject({ charlie: ["closed"] });
});

test("all devices must let it in, and no other device is asked", () => {
  const world = start(configuration([door("a"), door("b"), device("bmc")], [["bmc"]]), obedient);
  world.send(letIn("a", "b"));
  world.run(10_000);
  expect(world.story).toEqual(["0 run a on", "1000 run b on", "2000 answer in confirmed"]);
});

test("one that refuses keeps it out", () => {
  const world = start(configuration([door("a"), door("b")]), (id) => (id === "b" ? NOT_DONE : obedient(id, "on", 1)));
  world.send(letIn("a", "b"));
  world.run(10_000);
  expect(world.story.at(-1)).toBe("2000 answer in not-done");
});

test("a reboot leaves the door shut: only a new start of the node opens it", () => {
  const world = start(configuration([door("a")]), obedient);
  world.request("r", "reboot");
  world.run(10_000);
  expect(world.story).toEqual(["0 run a off", "1000 fenced alpha", "1000 answer r confirmed"]);
});

test("who is being fenced is not let in, neither now nor when the fencing is over", () => {
  const world = start(configuration([door("a")]), obedient);
  world.request("r", "off");
  world.send(letIn("a"));
  world.run(10_000);
  expect(world.story.filter((line) => line.includes("in") || line.includes("on"))).toEqual([
    "0 answer in not-done",
    "1000 answer r confirmed",
  ]);
  expect(world.story.filter((line) => line.startsWith("0 run") || line.endsWith(" on"))).toEqual(["0 run a off"]);
});

test("a fencing that comes while the door is being opened shuts it, and no further door is opened", () => {
  const world = start(configuration([door("a"), door("b")], [["a", "b"]]), obedient);
  world.send(letIn("a", "b"));
  world.request("r", "off");
  world.run(10_000);
  expect(world.story).toEqual([
    "0 run a on",
    "1000 answer in not-done",
    "1000 run a off",
    "2000 run b off",
    "3000 fenced alpha",
    "3000 answer r confirmed",
  ]);
});

test("`provides=unfencing` is read, and makes the device one that is never asked for a reboot's on", () => {
  const xml = `<cib><configuration><resources><primitive id="scsi" class="stonith" type="fence_scsi">
    <meta_attributes><nvpair name="provides" value="unfencing"/></meta_attributes>
    <instance_attributes><nvpair name="devices" value="/dev/sda"/><nvpair name="pcmk_host_list" value="alpha bravo"/>
    </instance_attributes></primitive></resources></configuration></cib>`;
  const parsed = parseXml(xml);
  if (parsed.kind !== "xml") throw new Error(parsed.reason);
  const [read] = readFencingConfiguration(parsed.root, CATALOGUE).configuration.devices;
  expect(read).toMatchObject({ unfences: true, staysOff: true, targets: ["alpha", "bravo"] });
});
