/**
 * `gemel why`: what a proof says of the pair, and what every proof must keep: each cited fact counts, what is not cited
 * does not, and each change that is proposed brings the resource to where it is promised.
 */
import { describe, expect, test } from "vitest";
import { childOf, parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { isReached } from "../../../src/cluster/core/scheduler/why/change.ts";
import { conclusionOf, targetsOf, textOf } from "../../../src/cluster/core/scheduler/why/conclusion.ts";
import type { Candidate, CitedFact } from "../../../src/cluster/core/scheduler/why/fact.ts";
import { candidatesFor } from "../../../src/cluster/core/scheduler/why/facts-of-cib.ts";
import { prove } from "../../../src/cluster/core/scheduler/why/prove.ts";
import { factText, proofText } from "../../../src/cluster/core/scheduler/why/why-text.ts";
import { applyChange, removeFacts, sameFact } from "../../support/apply-change.ts";
import { randomCib } from "../../support/random-cib/cib.ts";
import { NOW_SECONDS } from "../../support/random-cib/draw.ts";
import { terseCib } from "../../support/terse-cib.ts";
import { ACTIVE, pairCib, STANDBY } from "./pair-cib.ts";

const NOW_WALL_MS = NOW_SECONDS * 1000;

function parse(text: string): XmlElement {
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}

function conclude(cib: XmlElement, name: string) {
  const worked = work(cib, NOW_WALL_MS);
  const targets = targetsOf(worked, name);
  return targets === undefined ? undefined : conclusionOf(worked, targets);
}

function candidates(cib: XmlElement, name: string): Candidate[] {
  const worked = work(cib, NOW_WALL_MS);
  return candidatesFor(worked, targetsOf(worked, name) ?? []);
}

const SEEDS = 24;
/** Others that found something: the many records of a cloned group, of which only two together tell anything. */
const FOUND = [65];
/** Nodes where something is not, and those of them for which a change is proposed. */
const [away, proposed]: [string[], string[]] = [[], []];
describe.each([...Array.from({ length: SEEDS }, (_, index) => index + 1), ...FOUND])("seed %i", (seed) => {
  const cib = parse(randomCib(seed));
  const names = (childOf(childOf(cib, "configuration"), "resources")?.children ?? []).map(
    ({ attributes }) => attributes["id"] ?? "",
  );
  test.each(names.slice(0, 2))("%s: every citation counts, nothing else does, every change moves it", (name) => {
    const proof = prove(cib, NOW_WALL_MS, name);
    const before = conclude(cib, name);
    if (proof === undefined || before === undefined) throw new Error(`no proof for ${name}`);
    const all = candidates(cib, name);
    const textWithout = (facts: readonly CitedFact[]) => {
      const after = conclude(removeFacts(cib, all, facts), name);
      return after === undefined ? "gone" : textOf(after);
    };
    for (const { facts } of proof.citations) expect(textWithout(facts)).not.toBe(textOf(before));
    const cited = proof.citations.flatMap(({ facts }) => facts);
    const rest = all.filter((fact) => !cited.some((each) => sameFact(each, fact)));
    expect(textWithout(rest)).toBe(textOf(before));
    away.push(...proof.conclusion.nodes.filter(({ roles }) => roles.length === 0).map(({ node }) => node));
    proposed.push(...proof.changes.map(({ node }) => node));
    // Of every other node it is said why there is none.
    const answered = [...proof.changes, ...proof.obstacles].flatMap(({ node, role }) => (role ? [] : [node]));
    const asked = proof.conclusion.nodes.filter(({ roles }) => roles.length === 0).map(({ node }) => node);
    expect(answered.toSorted()).toEqual(asked.toSorted());
    for (const change of proof.changes) {
      const after = conclude(applyChange(cib, all, change), name);
      expect(after !== undefined && isReached(after, change)).toBe(true);
    }
    for (const fact of cited)
      for (const language of ["en", "ja"] as const) expect(factText(fact, language)).not.toMatch(/[{}]/);
  });
});

test("for nearly every node a change is found", () => {
  // The rest are puzzles: one thing would have to go, and what looks like it to stay.
  expect(away.length).toBeGreaterThan(50);
  expect(proposed.length).toBeGreaterThan(0.9 * away.length);
});

test("of facts that count only together none can be spared", () => {
  // Found by looking at hundreds: which of them can be spared depends on which others have gone.
  const cib = parse(randomCib(247));
  const all = candidates(cib, "r2");
  const textWithout = (facts: readonly CitedFact[]) => {
    const after = conclude(removeFacts(cib, all, facts), "r2");
    return after === undefined ? "gone" : textOf(after, "alpha");
  };
  const sets = prove(cib, NOW_WALL_MS, "r2", "alpha")?.citations.filter(({ facts }) => facts.length > 1) ?? [];
  expect(sets.length).toBeGreaterThan(0);
  for (const { facts } of sets)
    for (const fact of facts) expect(textWithout(facts.filter((each) => each !== fact))).toBe(textWithout([]));
});

const pair = pairCib(ACTIVE, STANDBY);

test("the service is where DRBD is promoted: the claim to be promoted decides, the colocation counts", () => {
  const proof = prove(pair, NOW_WALL_MS, "http");
  const deciding = proof?.citations.filter(({ moves }) => moves).flatMap(({ facts }) => facts);
  expect(deciding?.map(({ kind }) => kind)).toContain("promotion-score");
  const text = proof === undefined ? "" : proofText(proof, "en");
  expect(text).toContain("http is Started on alpha");
  expect(text).toContain("colocation service-on-drbd: service with drbd INFINITY");
});

test("after three failures of three the proof says so, and the cleanup is the change", () => {
  const attributes = { "master-drbd0": "10000", "fail-count-http#monitor_5000": "3" };
  const proof = prove(pairCib({ ...ACTIVE, attributes }, STANDBY), NOW_WALL_MS, "http", "alpha");
  expect(proof?.conclusion.nodes.find(({ node }) => node === "alpha")?.score).toBe(-1_000_000);
  const [change] = proof?.changes ?? [];
  expect(change?.node).toBe("alpha");
  expect(change?.remove.map(({ kind, values }) => `${kind} ${values["value"]}`)).toEqual(["fail-count 3"]);
});

test("of a node that nothing can be placed on the proof says why, also when nobody has heard of it", () => {
  const cib = parse(
    terseCib(`
nodes alpha bravo=offline charlie delta
Dummy p
rsc_location rsc=p node=bravo score=100
rsc_location rsc=p node=delta score=50
node charlie standby=on
p on alpha: start`).replace(/<node_state id="4".*?<\/node_state>/s, ""),
  );
  const proof = prove(cib, NOW_WALL_MS, "p");
  expect(proof?.conclusion.nodes.map(({ unusable }) => unusable)).toEqual([undefined, "offline", "standby", "offline"]);
  const down = proof?.citations.flatMap(({ facts }) => facts).filter(({ kind }) => kind === "node-down");
  expect(down?.map(({ values }) => values["node"]).toSorted()).toEqual(["bravo", "delta"]);
  const told = (["en", "ja"] as const).map((language) => (proof === undefined ? "" : proofText(proof, language)));
  expect(told[0]).toContain("delta: cannot run anything (it is not up), score 50");
  expect(told[1]).toContain("charlie: 実行不可 (スタンバイ中)");
});

/** Without any fencing device nothing is acted on: written nowhere, it is what decides all the same. */
const UNPROTECTED = `
nodes alpha bravo
option stonith-enabled=true
Dummy p
Dummy q
q on alpha: start`;

test("that there is nothing to fence with is told, and stands in the way of every change", () => {
  const cib = parse(terseCib(UNPROTECTED));
  const [p, q] = ["p", "q"].map((name) => prove(cib, NOW_WALL_MS, name));
  expect(p?.citations.filter(({ moves }) => moves).flatMap(({ facts }) => facts)).toMatchObject([
    { kind: "no-fencing" },
  ]);
  expect(p === undefined ? "" : proofText(p, "en")).toContain("neither a fencing device nor a watchdog");
  expect(q?.changes).toMatchObject([{ node: "bravo", remove: [{ kind: "no-fencing" }] }]);
});

/** Either ban would be enough. */
const BANNED_TWICE = `
nodes alpha bravo
Dummy p
rsc_location rsc=p node=bravo score=-INFINITY
rsc_location rsc=p node=bravo score=-INFINITY
rsc_location rsc=p node=alpha score=100`;

test("a change takes away all that say the same, and prefers the node as well where need be", () => {
  const [change] = prove(parse(terseCib(BANNED_TWICE)), NOW_WALL_MS, "p")?.changes ?? [];
  expect(change?.node).toBe("bravo");
  expect(change?.remove.map(({ kind, values }) => `${kind} ${values["score"]}`)).toEqual([
    "location -INFINITY",
    "location -INFINITY",
  ]);
  expect(change?.prefer).toEqual({ resource: "p", score: 101 });
});

test("of a member of a group it is told what it goes with, and the group is what is moved", () => {
  const cib = parse(terseCib("nodes alpha bravo\ngroup g\n  Dummy p\n  Dummy q\np on alpha: start\nq on alpha: start"));
  const proof = prove(cib, NOW_WALL_MS, "q");
  expect(proof?.following).toEqual({ group: "g", first: "p" });
  expect(proof?.changes).toEqual([{ node: "bravo", remove: [], prefer: { resource: "g", score: 1 } }]);
  expect(proof === undefined ? "" : proofText(proof, "en")).toContain("goes where p goes");
});

test("a node that would be gone is no place to be moved to", () => {
  const cib = parse(terseCib("nodes alpha\nDummy vm remote-node=guest\nvm on alpha: start"));
  const proof = prove(cib, NOW_WALL_MS, "vm", "guest");
  expect(proof?.changes).toEqual([]);
  expect(proof?.obstacles).toEqual([{ kind: "members-only", node: "guest" }]);
});

test("where nothing is in question that nobody has named, a preference puts it in question", () => {
  const cib = parse(
    terseCib(`
nodes alpha bravo
option symmetric-cluster=false
Dummy p
rsc_location rsc=p node=alpha score=100`),
  );
  const changes = [{ node: "bravo", remove: [], prefer: { resource: "p", score: 101 } }];
  expect(prove(cib, NOW_WALL_MS, "p")).toMatchObject({ changes, obstacles: [] });
});

test("what must be with another one that does not listen to it is moved by moving that one", () => {
  const cib = parse(
    terseCib(`
nodes alpha bravo
Dummy p
Dummy q
rsc_colocation rsc=p with-rsc=q score=INFINITY influence=false
p on alpha: start
q on alpha: start`),
  );
  const change = { node: "bravo", remove: [], prefer: { resource: "q", score: 1 } };
  expect(prove(cib, NOW_WALL_MS, "p")?.changes).toEqual([change]);
});

test("what keeps it from a node is all taken away together: that it is not up, and that it would be on standby", () => {
  const cib = parse(terseCib("nodes alpha bravo=offline\nDummy p\nnode bravo standby=on\np on alpha: start"));
  const [change] = prove(cib, NOW_WALL_MS, "p")?.changes ?? [];
  expect(change?.remove.map(({ kind }) => kind).toSorted()).toEqual(["node-attribute", "node-down"]);
  expect(change?.prefer).toEqual({ resource: "p", score: 1 });
});

test("that a place is for others only is said instead of a change", () => {
  const cib = parse(terseCib("nodes alpha\nDummy vm remote-node=guest\nDummy p\nvm on alpha: start"));
  const told = (name: string) => {
    const proof = prove(cib, NOW_WALL_MS, name);
    return proof === undefined ? "" : proofText(proof, "en");
  };
  expect(told("vm")).toContain("guest: none: only a member of the cluster can run it");
  expect(told("guest")).toContain("guest: none: only a member of the cluster can run it");
  expect(told("p")).not.toContain("none");
});

test("told in Japanese, with the same names and numbers", () => {
  const proof = prove(pair, NOW_WALL_MS, "http");
  const text = proof === undefined ? "" : proofText(proof, "ja");
  expect(text).toContain("同居制約 service-on-drbd: service を drbd と同居 INFINITY");
  expect(text).toContain("根拠");
});

test("a name that is not there has no proof", () => {
  expect(prove(pair, NOW_WALL_MS, "nothing")).toBeUndefined();
});
