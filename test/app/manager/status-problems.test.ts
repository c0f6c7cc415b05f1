/** What `gemel status` says is wrong, and what helps: what fails to serve is always told, and nothing is told twice. */
import { expect, test } from "vitest";
import type { DrbdStatus, FencingRecord, ResourceStatus, StatusReport } from "../../../src/app/control-protocol.ts";
import { findProblems } from "../../../src/app/manager/status-problems.ts";

type Report = Omit<StatusReport, "problems">;

const node = (name: string, state: "online" | "unclean", membership: "self" | "member" | "lost") => ({
  name,
  state,
  membership,
  isDc: name === "alpha",
  attributes: {},
});

function resource(id: string, parents: ResourceStatus["parents"], more: Partial<ResourceStatus> = {}): ResourceStatus {
  const active = [{ node: "alpha", role: "Started" as const }];
  return {
    id,
    agent: "ocf:heartbeat:Dummy",
    parents,
    isManaged: true,
    isWanted: true,
    active,
    failCounts: [],
    ...more,
  };
}

const SERVICE = [{ id: "service", kind: "group" as const }];
const MIRROR = [{ id: "mirror", kind: "promotable" as const }];
const DRBD: DrbdStatus = {
  resource: "records",
  role: "Primary",
  disk: "UpToDate",
  connection: "Connected",
  peerRole: "Secondary",
  peerDisk: "UpToDate",
  replication: "Established",
  outOfSyncKib: 0,
  isSuspended: false,
};

const WHOLE: Report = {
  program: "gemel 0",
  self: "alpha",
  atWallMs: 100_000,
  dc: "alpha",
  hasQuorum: true,
  isSettled: true,
  cibVersion: "0.1.1",
  nodes: [node("alpha", "online", "self"), node("bravo", "online", "member")],
  links: [{ name: "private", kind: "udp", peer: "bravo", state: "up" }],
  resources: [
    resource("disk", MIRROR, {
      active: [
        { node: "alpha", role: "Promoted" },
        { node: "bravo", role: "Unpromoted" },
      ],
    }),
    resource("filesystem", SERVICE),
    resource("address", SERVICE),
  ],
  failures: [],
  drbd: [DRBD],
  fencing: {
    isEnabled: true,
    devices: [{ id: "any", driver: "ipmi-lan", targets: [] }],
    history: [],
    race: { order: ["alpha", "bravo"], delayMs: 5_000 },
  },
  transition: { number: 1, isRunning: false, actionCount: 0, doneCount: 0, inFlight: [], summary: [] },
};

const told = (change: Partial<Report>) =>
  findProblems({ ...WHOLE, ...change }, []).map(({ severity, what }) => `${severity}: ${what}`);
const advice = (change: Partial<Report>) => findProblems({ ...WHOLE, ...change }, []).map(({ doNow }) => doNow);

test("a whole pair has no problems", () => expect(told({})).toEqual([]));

const LOST = [node("alpha", "online", "self"), node("bravo", "unclean", "lost")];
const DOWN = [{ name: "private", kind: "udp" as const, peer: "bravo", state: "down" as const }];
const round = (outcome: FencingRecord["outcome"], atWallMs: number, reason: string): FencingRecord => ({
  target: "bravo",
  action: "off",
  outcome,
  device: "fence-bravo",
  atWallMs,
  by: "the cluster",
  evidence: "much",
  reason,
});

test("a takeover that waits says for what, why the last fencing failed, and that one is under way", () => {
  const history = [
    round("confirmed", 10_000, ""),
    round("not-done", 90_000, "fence-bravo: the board does not know this password"),
    round("running", 99_000, ""),
  ];
  const change = { nodes: LOST, links: DOWN, fencing: { ...WHOLE.fencing, history } };
  expect(told(change)).toEqual([
    "error: bravo is lost and not known to be off, so nothing of it is taken over; the last fencing, 10 s ago, was " +
      "not-done: fence-bravo: the board does not know this password; a fencing is under way",
  ]);
  expect(advice(change)[0]).toContain("gemel fence confirm bravo");
});

test("a fencing of an earlier life of the node is not told as the last one", () => {
  const history = [round("not-done", 5_000, "old"), round("confirmed", 10_000, "")];
  expect(told({ nodes: LOST, fencing: { ...WHOLE.fencing, history } })[0]).not.toContain("last fencing");
});

test("a link that is down beside a living peer is told", () => {
  expect(told({ links: DOWN })).toEqual(["warning: link private to bravo is down"]);
});

test("what should serve and does not is an error, once for each group", () => {
  const resources = [
    resource("disk", MIRROR, { active: [{ node: "alpha", role: "Unpromoted" }] }),
    resource("filesystem", SERVICE, { active: [] }),
    resource("address", SERVICE, { active: [] }),
    resource("alone", [], { active: [] }),
  ];
  expect(told({ resources })).toEqual([
    "error: mirror is promoted nowhere",
    "error: service does not serve: filesystem, address run nowhere",
    "error: alone runs nowhere",
  ]);
  expect(told({ resources, transition: { ...WHOLE.transition, isRunning: true } })).toEqual([]);
});

test("what an operator has stopped, and the device of a node that is gone, are no problem", () => {
  const resources = [
    resource("filesystem", SERVICE, { active: [], isWanted: false }),
    resource("fence-alpha", [], { active: [], agent: "stonith:ipmi-lan" }),
  ];
  expect(told({ resources })).toEqual([]);
});

for (const [what, change, severity, help] of [
  ["data that may be old", { disk: "Consistent", connection: "Connecting" }, "error", "start the peer"],
  ["a broken disk", { disk: "Diskless" }, "warning", "drbdadm attach records"],
  ["a split", { connection: "StandAlone" }, "warning", "--discard-my-data"],
  ["a resync", { disk: "Inconsistent", replication: "SyncTarget" }, "warning", "wait"],
  ["a frozen Primary", { connection: "Connecting", isSuspended: true }, "warning", "proven to be off"],
] as const) {
  test(`DRBD, ${what}: ${severity}, and what helps`, () => {
    const drbd = [{ ...DRBD, ...change }];
    expect(told({ drbd })[0]).toMatch(new RegExp(`^${severity}: DRBD records`));
    expect(advice({ drbd })[0]).toContain(help);
  });
}
