/** Leases: an override has an owner, a reason and an end, and when the end has come nothing of it is left. */
import { describe, expect, test } from "vitest";
import { childOf, parseXml, type XmlElement } from "../../src/base/xml.ts";
import { verifyCib } from "../../src/cib/schema/verify.ts";
import { applyOperations } from "../../src/cluster/core/cib-store/operations.ts";
import type { ConfigurationOperation } from "../../src/cluster/core/cib-store/types.ts";
import {
  dropLease,
  dueLeases,
  endOf,
  LEASE_DEFAULT_MS,
  type Lease,
  leaseOperations,
  leasesOf,
  trialOf,
  withoutTrial,
} from "../../src/cluster/core/overrides/lease.ts";
import { banFrom, clear, moveTo } from "../../src/cluster/core/overrides/move.ts";
import { fc } from "../support/repeatable.ts";

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

function blank(option = ""): XmlElement {
  const read = parseXml(`<cib><configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="false"/>${option}
    </cluster_property_set></crm_config>
    <nodes><node id="1" uname="srv01"/><node id="2" uname="srv02"/></nodes>
    <resources><primitive id="web" class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints/>
  </configuration><status/></cib>`);
  const configuration = read.kind === "xml" ? childOf(read.root, "configuration") : undefined;
  if (configuration === undefined) throw new Error("no configuration");
  return configuration;
}

function changed(configuration: XmlElement, operations: readonly ConfigurationOperation[]): XmlElement {
  const applied = applyOperations(configuration, operations);
  if (applied.kind === "invalid") throw new Error(JSON.stringify(applied.problems));
  return applied.value;
}

const lease = (more: Partial<Lease>): Lease => ({
  kind: "standby",
  subject: "srv01",
  endWallMs: NOW_MS + HOUR_MS,
  owner: "alice",
  reason: "disk | change",
  ...more,
});
const standby = (node: string): ConfigurationOperation => ({
  kind: "set-option",
  target: `//node[@uname="${node}"]`,
  setName: "instance_attributes",
  name: "standby",
  value: "on",
});

/** Each kind of override as it is set. */
const SET: Readonly<
  Record<Exclude<Lease["kind"], "trial">, (configuration: XmlElement) => readonly ConfigurationOperation[]>
> = {
  standby: () => [standby("srv01")],
  maintenance: () => [{ ...standby("srv01"), name: "maintenance", value: "true" } as ConfigurationOperation],
  unmanage: () => [
    { kind: "set-option", target: "web", setName: "meta_attributes", name: "is-managed", value: "false" },
  ],
  move: (configuration) =>
    moveTo(configuration, { resource: "web", node: "srv02", endWallMs: NOW_MS + HOUR_MS, isPromoted: false }),
  ban: () => banFrom({ resource: "web", node: "srv02", endWallMs: NOW_MS + HOUR_MS, isPromoted: false }),
};

describe.each(Object.keys(SET) as (keyof typeof SET)[])("%s", (kind) => {
  const subject = kind === "standby" || kind === "maintenance" ? "srv01" : "web";
  const mine = lease({ kind, subject });
  const start = blank();
  const set = changed(start, [...SET[kind](start), ...leaseOperations(mine)]);

  test("is remembered with owner, reason and end, and the configuration stays sound", () => {
    expect(leasesOf(set)).toEqual([mine]);
    const cib: XmlElement = {
      name: "cib",
      attributes: {},
      children: [set, { name: "status", attributes: {}, children: [] }],
    };
    const reasons = verifyCib(cib).map(({ reason }) => reason);
    expect(reasons.filter((reason) => /lease/.test(reason))).toEqual([]);
  });

  test("stands until its end, then goes and leaves nothing of itself", () => {
    expect(dueLeases(set, NOW_MS)).toEqual({
      operations: [],
      ended: [],
      goBackTo: undefined,
      nextWallMs: NOW_MS + HOUR_MS,
    });
    const due = dueLeases(set, NOW_MS + HOUR_MS);
    expect(due.ended).toEqual([mine]);
    const end = changed(set, due.operations);
    expect(leasesOf(end)).toEqual([]);
    const text = JSON.stringify(end);
    expect(text).not.toMatch(/cli-|"standby"|"maintenance"|is-managed|lease\./);
  });

  test("for ever it stands", () => {
    const forever = changed(set, [...leaseOperations({ ...mine, endWallMs: undefined })]);
    expect(dueLeases(forever, NOW_MS + 1000 * HOUR_MS)).toEqual({
      operations: [],
      ended: [],
      goBackTo: undefined,
      nextWallMs: undefined,
    });
  });
});

test("an override that somebody took back by another tool loses its lease, and nothing else happens", () => {
  const start = blank();
  const set = changed(start, [standby("srv01"), ...leaseOperations(lease({}))]);
  const taken = changed(set, [{ ...standby("srv01"), value: null } as ConfigurationOperation]);
  const due = dueLeases(taken, NOW_MS);
  expect(due.ended).toEqual([]);
  expect(leasesOf(changed(taken, due.operations))).toEqual([]);
});

test("two nodes set leases at the same moment, and both are there", () => {
  const start = blank();
  const other = lease({ kind: "maintenance", subject: "srv02" });
  // Each was asked for before the other was known.
  const both = changed(changed(start, leaseOperations(lease({}))), leaseOperations(other));
  expect(leasesOf(both)).toEqual([lease({}), other]);
});

test("a ban that ends takes no other ban of the same resource with it", () => {
  const ban = (node: string, endWallMs: number | undefined) => [
    ...banFrom({ resource: "web", node, endWallMs, isPromoted: false }),
    ...leaseOperations(lease({ kind: "ban", subject: "web", node, endWallMs })),
  ];
  const set = changed(changed(blank(), ban("srv01", undefined)), ban("srv02", NOW_MS));
  expect(leasesOf(set).map(({ node }) => node)).toEqual(["srv01", "srv02"]);
  const after = changed(set, dueLeases(set, NOW_MS).operations);
  expect(leasesOf(after)).toEqual([lease({ kind: "ban", subject: "web", node: "srv01", endWallMs: undefined })]);
  expect(childOf(after, "constraints")?.children.map(({ attributes }) => attributes["id"])).toEqual([
    "cli-ban-web-on-srv01",
  ]);
  expect(leasesOf(changed(set, dropLease(set, { kind: "ban", subject: "web" })))).toEqual([]);
});

test("a ban that an earlier version has noted names no node, and holds all of its resource", () => {
  const old = lease({ kind: "ban", subject: "web", endWallMs: NOW_MS });
  const banned = changed(blank(), banFrom({ resource: "web", node: "srv02", endWallMs: NOW_MS, isPromoted: false }));
  const set = changed(banned, leaseOperations(old));
  expect(dueLeases(set, NOW_MS).ended).toEqual([old]);
  expect(JSON.stringify(changed(set, dueLeases(set, NOW_MS).operations))).not.toMatch(/cli-ban|lease\.ban/);
});

test("a version of the time of a trial is put in force without that trial", () => {
  const set = changed(blank(), [
    ...leaseOperations(lease({ kind: "trial", subject: "0.7" })),
    ...leaseOperations(lease({})),
  ]);
  expect(leasesOf(withoutTrial(set))).toEqual([lease({})]);
  expect(withoutTrial(blank())).toEqual(blank());
});

test("a trial that nobody confirms names the version to go back to, once its end has come", () => {
  const mine = lease({ kind: "trial", subject: "0.7", reason: "" });
  const start = blank();
  const set = changed(start, leaseOperations(mine));
  expect(trialOf(set)).toEqual(mine);
  expect(dueLeases(set, NOW_MS).goBackTo).toBeUndefined();
  expect(dueLeases(set, NOW_MS + HOUR_MS)).toMatchObject({ operations: [], ended: [mine], goBackTo: "0.7" });
  expect(trialOf(changed(set, dropLease(set, mine)))).toBeUndefined();
});

test.each([
  [undefined, "", { kind: "end", wallMs: NOW_MS + LEASE_DEFAULT_MS }],
  ["PT1H", "", { kind: "end", wallMs: NOW_MS + HOUR_MS }],
  ["30min", "", { kind: "end", wallMs: NOW_MS + HOUR_MS / 2 }],
  ["forever", "", { kind: "end", wallMs: undefined }],
  ["soon", "", { kind: "bad" }],
  ["0", "", { kind: "bad" }],
  [undefined, "PT1H", { kind: "end", wallMs: NOW_MS + HOUR_MS }],
  [undefined, "forever", { kind: "end", wallMs: undefined }],
  ["PT1H", "forever", { kind: "end", wallMs: NOW_MS + HOUR_MS }],
])("lifetime %s where the configuration says %j", (wish, option, end) => {
  const pair = option === "" ? "" : `<nvpair id="o-m" name="manual-override-lifetime" value="${option}"/>`;
  expect(endOf(blank(pair), wish, NOW_MS)).toEqual(end);
});

test("a move takes back what an earlier one has left, by whatever tool", () => {
  const start = blank();
  const old = changed(start, banFrom({ resource: "web", node: "srv02", endWallMs: undefined, isPromoted: false }));
  const moved = changed(old, moveTo(old, { resource: "web", node: "srv02", endWallMs: undefined, isPromoted: false }));
  const ids = childOf(moved, "constraints")?.children.map(({ attributes }) => attributes["id"]);
  expect(ids).toEqual(["cli-prefer-web"]);
});

test("clear takes all, or one node's, or what is over", () => {
  let configuration = blank();
  for (const [node, endWallMs] of [
    ["srv01", undefined],
    ["srv02", NOW_MS],
  ] as const)
    configuration = changed(configuration, banFrom({ resource: "web", node, endWallMs, isPromoted: false }));
  const targets = (wish: Parameters<typeof clear>[2]) =>
    clear(configuration, "web", wish).map((operation) => (operation.kind === "delete" ? operation.target : ""));
  expect(targets({})).toEqual(["cli-ban-web-on-srv01", "cli-ban-web-on-srv02"]);
  expect(targets({ node: "srv02" })).toEqual(["cli-ban-web-on-srv02"]);
  expect(targets({ expiredAtWallMs: NOW_MS })).toEqual(["cli-ban-web-on-srv02"]);
  expect(targets({ expiredAtWallMs: NOW_MS - 1000 })).toEqual([]);
});

test("whatever owner and reason are, both are read back, the end to the second", () => {
  const text = fc.string({ unit: "grapheme-ascii", maxLength: 20 });
  fc.assert(
    fc.property(text, text, fc.integer({ min: 0, max: 10 ** 6 }), (owner, reason, seconds) => {
      const mine = lease({ owner: owner.replaceAll("|", "/"), reason, endWallMs: NOW_MS + seconds * 1000 });
      expect(leasesOf(changed(blank(), leaseOperations(mine)))).toEqual([mine]);
    }),
  );
});
