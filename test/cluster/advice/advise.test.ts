/** Each row of the how-to table: the trouble as a CIB and facts, the diagnosis with its proof, the command. */
import { describe, expect, test } from "vitest";
import { languageOf } from "../../../src/base/language.ts";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import { type Code, ROW_OF } from "../../../src/cluster/core/advice/codes.ts";
import type { FencingFact } from "../../../src/cluster/core/advice/situation.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { NOW_MS, runsOn, type Scene, situationOf } from "./scene.ts";

const told = (scene: Scene) =>
  advise(situationOf(scene)).map(({ code, values }) => {
    const { what, doNow } = textOf("en", code, values);
    return `${code}: ${what} -> ${doNow}`;
  });
const codes = (scene: Scene) => advise(situationOf(scene)).map(({ code }) => code);

const fenced = (more: Partial<FencingFact> = {}): FencingFact => ({
  target: "srv01",
  action: "off",
  outcome: "confirmed",
  by: "srv02: the cluster",
  evidence: "ipmi01: power read: off",
  reason: "",
  atWallMs: NOW_MS - 60_000,
  ...more,
});
const monitorFailed = (node: "srv01" | "srv02") =>
  [
    { node, resource: "prmDB", task: "start" },
    { node, resource: "prmDB", task: "monitor", intervalMs: 10_000, rc: 1, timedOut: true },
    { node, resource: "prmDB", task: "stop" },
  ] as const;
const failCount = { "fail-count-prmDB#monitor_10000": "1" };

test("a pair that is well has nothing to tell", () => {
  expect(codes({ done: runsOn("srv01") })).toEqual([]);
});

const ROWS: readonly (readonly [row: number, name: string, scene: Scene, code: Code, says: readonly string[]])[] = [
  [
    1,
    "services failed over, the other node is impaired",
    { done: [...monitorFailed("srv01"), ...runsOn("srv02")], srv01: failCount },
    "failed-over",
    ["services run on srv02 (prmIp, prmDB)", "srv01 cannot take them: fail-count prmDB", "gemel report"],
  ],
  [
    2,
    "the node has no power",
    { done: runsOn("srv02"), offline: "srv01", live: { fencing: [fenced()] } },
    "node-without-power",
    ["srv01 has no power", "srv02: the cluster", "power read: off", "gemel fence on srv01"],
  ],
  [
    3,
    "the node was restarted, the service was not",
    {
      done: runsOn("srv02"),
      offline: "srv01",
      live: { fencing: [fenced({ action: "reboot", atWallMs: NOW_MS - 600_000 })] },
    },
    "service-not-running",
    ["restarted by fencing", "gemel does not run there", "systemctl start gemel"],
  ],
  [
    3,
    "the service was stopped in order",
    { done: runsOn("srv02"), offline: "srv01", live: { phases: { srv01: "left", srv02: "self" } } },
    "service-not-running",
    ["it said goodbye", "systemctl start gemel"],
  ],
  [
    3,
    "nothing is known of the node",
    { done: runsOn("srv02"), offline: "srv01", live: { phases: { srv01: "awaited", srv02: "self" } } },
    "node-silent",
    ["srv01 is silent (awaited)", "power"],
  ],
  [
    4,
    "one node has lost the ping target",
    {
      done: runsOn("srv02"),
      srv01: { default_ping_set: "0", standby: "on" },
      srv02: { default_ping_set: "100" },
    },
    "network-lost",
    ["srv01: default_ping_set is 0: Connectivity is lost", "crm node online srv01"],
  ],
  [
    5,
    "one node has lost its disk",
    { done: runsOn("srv02"), srv01: { diskcheck_status: "ERROR" }, srv02: { diskcheck_status: "normal" } },
    "disk-lost",
    ["srv01: diskcheck_status is ERROR", "multipathd"],
  ],
  [
    6,
    "a resource has failed on one node",
    { done: [...monitorFailed("srv01"), ...runsOn("srv02")], srv01: failCount },
    "resource-failed",
    [
      "prmDB failed on srv01 (monitor_10000 Timed Out; fail-count 1)",
      "max_connections",
      "crm node standby srv01; ",
      "crm resource cleanup prmDB srv01; crm node online srv01",
    ],
  ],
  [
    7,
    "services run on neither node",
    { srv02: { standby: "on" } },
    "runs-nowhere",
    [
      "grpDB does not serve: prmIp, prmDB run nowhere, though srv01 could run it",
      "gemel why grpDB",
      "crm node online srv02",
    ],
  ],
  [
    8,
    "both nodes have lost the ping target",
    { srv01: { default_ping_set: "0" }, srv02: { default_ping_set: "0", standby: "on" } },
    "network-lost-everywhere",
    ["all nodes (srv01, srv02)", "services return by themselves", "crm node online srv02"],
  ],
  [
    9,
    "both disk checks say ERROR",
    { srv01: { diskcheck_status: "ERROR" }, srv02: { diskcheck_status: "ERROR" } },
    "disk-lost-everywhere",
    ["shared disk itself is broken", "stop the cluster at once", "start nothing"],
  ],
  [
    10,
    "a resource has failed on both nodes",
    {
      done: [
        { node: "srv01", resource: "prmDB", task: "start" },
        { node: "srv01", resource: "prmDB", task: "monitor", intervalMs: 10_000, rc: 7 },
        { node: "srv01", resource: "prmDB", task: "stop" },
        { node: "srv02", resource: "prmDB", task: "start", rc: 1, timedOut: true },
        { node: "srv02", resource: "prmDB", task: "stop" },
      ],
    },
    "failed-everywhere",
    [
      "srv01: monitor_10000 rc=7; srv02: start_0 Timed Out",
      "crm resource cleanup prmDB srv01; look that it runs; crm resource cleanup prmDB srv02; crm node online srv02",
    ],
  ],
  [
    11,
    "a constraint of an earlier move keeps the group away",
    {
      constraints: `<rsc_location id="cli-standby-grpDB" rsc="grpDB"><rule id="cli-standby-rule-grpDB"
        score="-INFINITY"><expression id="cli-standby-expr-grpDB" attribute="#uname" operation="eq" value="srv02"/>
        </rule></rsc_location>`,
      srv01: { standby: "on" },
    },
    "left-over-constraint",
    ["cli-standby-grpDB, left by an earlier move of grpDB, keeps it from srv02", "crm resource unmove grpDB"],
  ],
  [
    12,
    "a node cannot leave",
    {
      done: [
        { node: "srv01", resource: "prmDB", task: "start" },
        { node: "srv01", resource: "prmDB", task: "stop", rc: 1, reason: "clients" },
      ],
      srv01: { shutdown: String(NOW_MS / 1000 - 30) },
    },
    "shutdown-hangs",
    ["srv01 cannot leave: prmDB: stop_0 rc=1, clients", "crm resource cleanup prmDB", "reboot -f"],
  ],
  [
    13,
    "started before its files were there",
    {
      done: [
        ...runsOn("srv02"),
        { node: "srv01", resource: "prmDB", task: "monitor", rc: 5, reason: "psql is not installed" },
      ],
    },
    "not-ready",
    ["srv01 is not ready for prmDB", "psql is not installed", "crm resource cleanup prmDB srv01"],
  ],
  [
    14,
    "a restored node is heard, and not let in",
    {
      done: runsOn("srv02"),
      offline: "srv01",
      live: {
        phases: { srv01: "lost", srv02: "self" },
        links: [{ name: "eth1", kind: "udp", peer: "srv01", state: "up" }],
      },
    },
    "start-refused",
    ["srv01 is heard on eth1", "systemctl restart gemel"],
  ],
  [
    15,
    "both nodes shot each other",
    {
      done: runsOn("srv02"),
      live: { fencing: [fenced(), fenced({ target: "srv02", by: "srv01: the cluster", atWallMs: NOW_MS - 58_000 })] },
    },
    "mutual-fencing",
    ["have fenced each other", "priority-fencing-delay=15s"],
  ],
  [
    16,
    "fencing fails again and again",
    {
      unclean: "srv01",
      live: {
        fencing: [
          fenced({ outcome: "unknown", evidence: "no answer" }),
          fenced({ outcome: "not-done", evidence: "denied" }),
        ],
      },
    },
    "fencing-fails",
    ["has failed 2 times", "(denied)", "gemel fence confirm srv01"],
  ],
  [
    17,
    "one resource, two nodes",
    { done: [...runsOn("srv01"), ...runsOn("srv02")] },
    "active-twice",
    ["prmIp is active on srv01, srv02", "crm node standby srv02"],
  ],
  [
    18,
    "an address without an interface",
    {
      done: [
        { node: "srv01", resource: "prmIp", task: "start", rc: 1 },
        { node: "srv01", resource: "prmIp", task: "stop" },
      ],
    },
    "address-without-interface",
    ["srv01 has no interface in the network of 192.0.2.200", "crm resource param prmIp set nic"],
  ],
  [
    19,
    "an address has just moved",
    {
      done: [
        // Of start and stop a node keeps the last one only.
        { node: "srv01", resource: "prmIp", task: "stop", agoSeconds: 21 },
        ...runsOn("srv02", 20),
      ],
    },
    "address-moved",
    ["came from srv01 to srv02 20 s ago", "arping -U"],
  ],
  [
    20,
    "a link is down",
    { done: runsOn("srv01"), live: { links: [{ name: "eth1", kind: "udp", peer: "srv01", state: "down" }] } },
    "link-down",
    ["link eth1 to srv01 is down", "heals by itself"],
  ],
];

describe("rows", () => {
  test.each(ROWS)("%i: %s", (row, _name, scene, code, says) => {
    expect(ROW_OF[code]).toBe(row);
    const line = told(scene).find((each) => each.startsWith(`${code}:`));
    for (const part of says) expect(line).toContain(part);
  });

  test("all twenty have a test", () => {
    expect([...new Set(ROWS.map(([row]) => row))]).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });
});

describe("beyond the table", () => {
  test("a takeover that waits says why the last fencing failed, and that one is under way", () => {
    const history = [
      fenced({ atWallMs: NOW_MS - 90_000 }),
      fenced({
        outcome: "not-done",
        reason: "ipmi01: the board does not know this password",
        atWallMs: NOW_MS - 10_000,
      }),
      fenced({ outcome: "running", atWallMs: NOW_MS - 1000 }),
    ];
    const [line] = told({ unclean: "srv01", live: { fencing: history } });
    expect(line).toContain(
      "srv01 is lost and not known to be off, so nothing of it is taken over; the last fencing, 10 s ago, was " +
        "not-done: ipmi01: the board does not know this password; a fencing is under way",
    );
    expect(line).toContain("gemel fence confirm srv01");
  });

  test("a fencing of an earlier life of the node is not told as the last one", () => {
    const history = [fenced({ outcome: "not-done", reason: "old", atWallMs: NOW_MS - 95_000 }), fenced()];
    expect(told({ unclean: "srv01", live: { fencing: history } })[0]).not.toContain("last fencing");
  });

  test("a fencing device that does not answer while all is well, and one whose proof has ended", () => {
    const proof = { node: "srv01", device: "bmc-2", provenWallMs: 1_700_000_000_000, reason: "wrong password" };
    const failing = told({ done: runsOn("srv01"), live: { proofs: [{ ...proof, state: "failing" }] } });
    expect(failing.join()).toMatch(/srv01 could not fence by bmc-2 now \(last proven .*\): wrong password/);
    expect(codes({ done: runsOn("srv01"), live: { proofs: [{ ...proof, state: "expired" }] } })).toEqual([
      "fencing-unproven",
    ]);
    expect(codes({ done: runsOn("srv01"), live: { proofs: [{ ...proof, state: "proven" }] } })).toEqual([]);
  });

  test("a DC that may not decide: nothing else looks wrong", () => {
    expect(
      told({ done: runsOn("srv01"), live: { heldUp: "the members do not agree who is there: srv01" } })[0],
    ).toContain("decisions-held-up: nothing is decided, and nothing would be taken over: the members do not agree");
  });

  test("a disk that does not take the configuration; one that both sides have changed", () => {
    const [line] = told({ done: runsOn("srv01"), live: { cibRefusal: "ENOSPC" } });
    expect(line).toContain("cib-not-written: the disk of srv02 does not take the configuration: ENOSPC; changes wait");
    expect(told({ live: { conflict: { version: "0.8", lost: 3 } } }).join()).toContain("configuration-conflict: both");
  });

  test("a sick keeper, and a silence that came near to a false death", () => {
    const keeper = { ailment: "disk hangs", tieTrouble: "gone", deadtimeMs: 2000, worstSilenceMs: 1600, lateP99Ms: 12 };
    const lines = told({ done: runsOn("srv01"), live: { keeper } });
    expect(lines[0]).toContain("node-sick: srv02 is sick and its watchdog is not fed: disk hangs");
    expect(lines.join()).toMatch(/tie-breaker-unready: srv02 .* gone.*silent for 1600 ms, deadtime is 2000 ms/s);
    const well = { deadtimeMs: 2000, worstSilenceMs: 1400, lateP99Ms: 12 };
    expect(codes({ done: runsOn("srv01"), live: { keeper: well } })).toEqual([]);
  });

  test("links of a node that is no member are not told one by one", () => {
    const links = [{ name: "eth1", kind: "udp", peer: "srv01", state: "down" }] as const;
    expect(codes({ unclean: "srv01", live: { links } })).not.toContain("link-down");
  });
});

describe("what is not said", () => {
  test("what covers both nodes is told once, not also for each", () => {
    const lost = { default_ping_set: "0" };
    expect(codes({ srv01: lost, srv02: lost })).toEqual(["network-lost-everywhere"]);
  });

  test("nothing is missed while a transition runs, or before the peer can be judged", () => {
    expect(codes({ live: { isBusy: true } })).toEqual([]);
    expect(codes({ offline: "srv01", live: { isSettled: false } })).toEqual([]);
  });

  test("fencing that fails for good stands in place of the waiting for it", () => {
    const tries = [fenced({ outcome: "unknown" }), fenced({ outcome: "unknown" })];
    expect(codes({ unclean: "srv01", live: { fencing: tries } })).not.toContain("node-unclean");
    expect(codes({ unclean: "srv01", live: { fencing: tries.slice(1) } })).toContain("node-unclean");
  });

  test("an address that has stood here for long has not moved", () => {
    const before = { node: "srv01", resource: "prmIp", task: "start" } as const;
    expect(codes({ done: [before, { ...before, task: "stop" }, ...runsOn("srv02", 300)] })).not.toContain(
      "address-moved",
    );
  });

  test("a constraint with an end of its own is no leftover", () => {
    const constraints = `<rsc_location id="cli-ban-grpDB-on-srv02" rsc="grpDB"><rule id="r" score="-INFINITY">
      <expression id="e" attribute="#uname" operation="eq" value="srv02"/>
      <date_expression id="d" operation="lt" end="2036-01-01 00:00:00Z"/></rule></rsc_location>`;
    expect(codes({ constraints, done: runsOn("srv01") })).toEqual([]);
  });
});

test("every text exists in both languages, names the same things, and they differ", () => {
  const names = "node nodes survivor resource resources why at evidence by how attribute online proof count hint first";
  const more = "second nowhere constraint from cleanup links phase one two last address before seconds link peer state";
  const rest =
    "outcome reason running holder silence deadtime late role stopped disk connection frozen behind key standby device";
  const values = Object.fromEntries(
    `${names} ${more} ${rest} target lost version`.split(" ").map((name) => [name, `<${name}>`]),
  );
  const placeholders = (text: string) => [...new Set(text.match(/<\w+>/g))].toSorted();
  for (const code of Object.keys(ROW_OF) as Code[]) {
    const [en, ja] = [textOf("en", code, values), textOf("ja", code, values)];
    expect(ja.what, code).not.toBe(en.what);
    expect(placeholders(`${ja.what} ${ja.doNow}`), code).toEqual(placeholders(`${en.what} ${en.doNow}`));
    expect(JSON.stringify([en, ja]), code).not.toContain("undefined");
  }
});

test.each([
  ["ja_JP.UTF-8", "ja"],
  ["ja", "ja"],
  ["en_GB.UTF-8", "en"],
  ["C", "en"],
  [undefined, "en"],
])("LANG=%s reads %s", (name, language) => {
  expect(languageOf(name)).toBe(language);
});
