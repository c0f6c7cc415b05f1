/**
 * `gemel why`, one kind of fact after another: where it counts it is cited, without it the conclusion is another one,
 * and it is told in both languages with its names and numbers.
 */
import { expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { work } from "../../../src/cluster/core/scheduler/schedule.ts";
import { isReached } from "../../../src/cluster/core/scheduler/why/change.ts";
import { conclusionOf, targetsOf, textOf } from "../../../src/cluster/core/scheduler/why/conclusion.ts";
import type { CitedFact } from "../../../src/cluster/core/scheduler/why/fact.ts";
import { candidatesFor } from "../../../src/cluster/core/scheduler/why/facts-of-cib.ts";
import { prove } from "../../../src/cluster/core/scheduler/why/prove.ts";
import { factText, proofText } from "../../../src/cluster/core/scheduler/why/why-text.ts";
import { applyChange, removeFacts } from "../../support/apply-change.ts";
import { terseCib } from "../../support/terse-cib.ts";

const NOW_WALL_MS = 1_700_000_000_000;

function parse(text: string): XmlElement {
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}

function askAbout(cib: XmlElement, name: string, node?: string) {
  const worked = work(cib, NOW_WALL_MS);
  const targets = targetsOf(worked, name) ?? [];
  const proof = prove(cib, NOW_WALL_MS, name, node);
  if (proof === undefined) throw new Error(`no proof for ${name}`);
  const all = candidatesFor(worked, targets);
  const concludeOf = (changed: XmlElement) => {
    const after = work(changed, NOW_WALL_MS);
    return conclusionOf(after, targetsOf(after, name) ?? []);
  };
  const textWithout = (facts: readonly CitedFact[]) => textOf(concludeOf(removeFacts(cib, all, facts)));
  for (const change of proof.changes)
    expect(isReached(concludeOf(applyChange(cib, all, change)), change), JSON.stringify(change)).toBe(true);
  return { proof, before: textOf(proof.conclusion), textWithout };
}

type Case = readonly [kind: string, why: string, name: string, cib: string, told: Readonly<Record<string, string>>];

/** `+xml` lines go into the configuration, `*xml` lines among the constraints, `@xml` lines into the status. */
function cibOf(text: string): XmlElement {
  const lines = text.split("\n");
  const rest = (mark: string) =>
    lines
      .filter((line) => line.startsWith(mark))
      .map((line) => line.slice(1))
      .join("");
  const plain = lines.filter((line) => !/^[+*@]/.test(line)).join("\n");
  const cib = terseCib(plain)
    .replace("</configuration>", `${rest("+")}</configuration>`)
    .replace("</constraints>", `${rest("*")}</constraints>`);
  return parse(cib.replace("</status>", `${rest("@")}</status>`));
}

const GROUP = "group g\n  Dummy a\n  Dummy b";

const CASES: readonly Case[] = [
  [
    "colocation",
    "of what its group must be with",
    "b",
    `nodes alpha bravo\n${GROUP}\nDummy p\nrsc_colocation rsc=g with-rsc=p score=INFINITY
rsc_location rsc=p node=bravo score=10`,
    { dependent: "g", primary: "p" },
  ],
  [
    "colocation",
    "that keeps two apart",
    "q",
    `nodes alpha bravo\nDummy p\nDummy q\nrsc_colocation rsc=q with-rsc=p score=-INFINITY
rsc_location rsc=p node=alpha score=10\nrsc_location rsc=q node=alpha score=5`,
    { score: "-INFINITY" },
  ],
  [
    "location",
    "of what its company prefers, three steps away",
    "p",
    `nodes alpha bravo\nDummy p\nDummy q\nDummy r\nrsc_colocation rsc=p with-rsc=q score=INFINITY
rsc_colocation rsc=q with-rsc=r score=INFINITY\nrsc_location rsc=r node=bravo score=3`,
    { resource: "r" },
  ],
  [
    "meta",
    "stickiness",
    "p",
    `nodes alpha bravo\nDummy p resource-stickiness=100\nrsc_location rsc=p node=alpha score=50\np on bravo: start`,
    { name: "resource-stickiness" },
  ],
  [
    "meta",
    "migration-threshold of a member of its group",
    "a",
    `nodes alpha bravo\ngroup g\n  Dummy a\n  Dummy b migration-threshold=2\na on alpha: start\nb on alpha: start
status alpha fail-count-b#monitor_10000=2`,
    { resource: "b", name: "migration-threshold" },
  ],
  [
    "utilization",
    "of what takes the room",
    "q",
    `nodes alpha bravo\noption placement-strategy=utilization\nnode alpha memory=1\nDummy q
  utilization memory=4\nrsc_location rsc=q node=alpha score=10`,
    { resource: "q", name: "memory" },
  ],
  [
    "ticket",
    "not granted, of which nothing is recorded",
    "p",
    "nodes alpha bravo\nDummy p\nrsc_ticket rsc=p ticket=T loss-policy=stop",
    { id: "T", granted: "false" },
  ],
  [
    "ticket",
    "lost, so that the node of another resource is fenced",
    "q",
    `nodes alpha bravo\noption stonith-enabled=true\nfencing f\nDummy p\nDummy q\np on alpha: start
rsc_location rsc=q node=alpha score=10\nrsc_ticket rsc=p ticket=T loss-policy=fence
@<tickets><ticket_state id="T" granted="false" standby="false"/></tickets>`,
    { id: "T" },
  ],
  [
    "ticket-constraint",
    "of another resource whose loss costs a node",
    "q",
    `nodes alpha bravo\noption stonith-enabled=true\nfencing f\nDummy p\nDummy q\np on alpha: start
rsc_location rsc=q node=alpha score=10\nrsc_ticket rsc=p ticket=T loss-policy=fence`,
    { resource: "p", ticket: "T" },
  ],
  [
    "ticket",
    "granted, but on standby",
    "p",
    `nodes alpha\nDummy p\nrsc_ticket rsc=p ticket=T loss-policy=stop
@<tickets><ticket_state id="T" granted="true" standby="true"/></tickets>`,
    { standby: "true" },
  ],
  [
    "transient-attribute",
    "health",
    "p",
    "nodes alpha bravo\noption node-health-strategy=migrate-on-red\nDummy p\nstatus alpha #health-disk=red",
    { name: "#health-disk", value: "red" },
  ],
  [
    "location-rule",
    "by an attribute of the node",
    "p",
    `nodes alpha bravo\nnode bravo rack=1\nDummy p
*<rsc_location id="by-rack" rsc="p"><rule id="r" score="100"><expression id="e" attribute="rack"
* operation="eq" value="1"/></rule></rsc_location>`,
    { id: "by-rack", score: "100" },
  ],
  [
    "location",
    "that ends like a ban",
    "p",
    "nodes alpha bravo\nDummy p\nrsc_location rsc=p node=alpha score=-INFINITY",
    { node: "alpha" },
  ],
  [
    "location",
    "that forbids to look there",
    "p",
    "nodes alpha bravo\nDummy p\nrsc_location rsc=p node=alpha score=-INFINITY resource-discovery=never",
    { node: "alpha" },
  ],
  ["no-quorum", "", "p", "nodes alpha bravo\noption no-quorum-policy=stop\nDummy p", {}],
  [
    "option",
    "maintenance of all",
    "p",
    "nodes alpha\noption maintenance-mode=true\nDummy p",
    { name: "maintenance-mode" },
  ],
  ["node-attribute", "standby", "p", "nodes alpha bravo\nnode alpha standby=on\nDummy p", { node: "alpha" }],
  [
    "node-attribute",
    "maintenance of a node",
    "p",
    "nodes alpha bravo\nnode alpha maintenance=true\nDummy p",
    { name: "maintenance" },
  ],
  [
    "node-unclean",
    "",
    "p",
    "nodes alpha bravo=unclean\noption stonith-enabled=true\nfencing f\nDummy p\nrsc_location rsc=p node=bravo score=9",
    { node: "bravo" },
  ],
  [
    "operation",
    "that failed, of another resource: its node is left by all",
    "q",
    `nodes alpha bravo\nDummy p\n  monitor 10s on-fail=standby\nDummy q\nrsc_location rsc=q node=alpha score=9
p on alpha: start monitor/10s=1`,
    { resource: "p", code: "1" },
  ],
  [
    "on-fail",
    "of another resource: its node is left by all",
    "q",
    `nodes alpha bravo\nDummy p\n  monitor 10s on-fail=standby\nDummy q\nrsc_location rsc=q node=alpha score=9
p on alpha: start monitor/10s=1`,
    { resource: "p", value: "standby" },
  ],
  [
    "default",
    "of operations: what follows a failure",
    "q",
    `nodes alpha bravo\nDummy p\n  monitor 10s\nDummy q\nrsc_location rsc=q node=alpha score=9
p on alpha: start monitor/10s=1
+<op_defaults><meta_attributes id="od"><nvpair id="od-1" name="on-fail" value="standby"/></meta_attributes>
+</op_defaults>`,
    { section: "op_defaults", value: "standby" },
  ],
  [
    "default",
    "of resources",
    "p",
    `nodes alpha bravo\nDummy p\np on bravo: start\nrsc_location rsc=p node=alpha score=1
+<rsc_defaults><meta_attributes id="rd"><nvpair id="rd-1" name="resource-stickiness" value="7"/></meta_attributes>
+</rsc_defaults>`,
    { section: "rsc_defaults", value: "7" },
  ],
  [
    "location",
    "of what it waits for, which may run nowhere",
    "p",
    "nodes alpha\nDummy p\nDummy q\nrsc_order first=q then=p\nrsc_location rsc=q node=alpha score=-INFINITY",
    { resource: "q" },
  ],
  ["order", "", "p", "nodes alpha\nDummy p\nDummy q target-role=Stopped\nrsc_order first=q then=p", { first: "q" }],
  ["fail-count", "", "p", "nodes alpha bravo\nDummy p\nstatus alpha fail-count-p#start_0=INFINITY", { node: "alpha" }],
  [
    "node-score",
    "of a node that is worth less than nothing to all",
    "p",
    "nodes alpha:-2000 bravo\nDummy p",
    { node: "alpha", score: "-2000" },
  ],
  ["resource", "", "q", "nodes alpha bravo\nDummy p\nDummy q", { resource: "p" }],
];

test.each(CASES)("%s %s", (kind, _why, name, text, told) => {
  const cib =
    kind === "no-quorum"
      ? { ...cibOf(text), attributes: { ...cibOf(text).attributes, "have-quorum": "0" } }
      : cibOf(text);
  const { proof, before, textWithout } = askAbout(cib, name);
  const cited = proof.citations.find(({ facts }) =>
    facts.some(
      (fact) => fact.kind === kind && Object.entries(told).every(([key, value]) => fact.values[key] === value),
    ),
  );
  expect(cited, JSON.stringify(proof.citations.map(({ facts }) => facts))).toBeDefined();
  expect(textWithout(cited?.facts ?? [])).not.toBe(before);
  for (const fact of cited?.facts ?? [])
    for (const language of ["en", "ja"] as const) expect(factText(fact, language)).not.toMatch(/[{}]/);
});

test("what a template or a borrowed set says is cited like what the resource says itself", () => {
  const own = '<primitive id="p"';
  const text = terseCib("nodes alpha bravo\nDummy p\nrsc_location rsc=p node=alpha score=1\np on bravo: start")
    .replace(/<primitive id="p"[^>]*>/, `${own} template="t">`)
    .replace(
      "<resources>",
      `<resources><template id="t" class="ocf" provider="pacemaker" type="Dummy"><meta_attributes id="tm">
<nvpair id="tm-1" name="resource-stickiness" value="100"/></meta_attributes></template>`,
    );
  const { proof } = askAbout(parse(text), "p");
  expect(proof.citations.flatMap(({ facts }) => facts)).toContainEqual(
    expect.objectContaining({ kind: "meta", values: { resource: "t", name: "resource-stickiness", value: "100" } }),
  );
  const borrowed = terseCib(
    `nodes alpha bravo\nDummy o resource-stickiness=100\nDummy p
rsc_location rsc=p node=alpha score=1\np on bravo: start`,
  ).replace(/(<primitive id="p"[^>]*>)/, '$1<meta_attributes id="m" id-ref="o-meta_attributes"/>');
  expect(askAbout(parse(borrowed), "p").proof.citations.flatMap(({ facts }) => facts)).toContainEqual(
    expect.objectContaining({ values: { resource: "p", name: "resource-stickiness", value: "100" } }),
  );
});

test("of a promotable clone it is told what would promote another instance", () => {
  const cib = cibOf(`nodes alpha bravo\nclone c promotable=true\n  Stateful p\nstatus alpha master-p=10
status bravo master-p=5\np on alpha: start promote\np on bravo: start`);
  const { proof } = askAbout(cib, "c", "bravo");
  const [change] = proof.changes;
  expect(change).toMatchObject({ node: "bravo", role: "Promoted", prefer: { resource: "c", role: "Promoted" } });
  expect(proofText(proof, "en")).toContain(
    "bravo (Promoted): with a location constraint of 6 for c as Promoted on bravo",
  );
  expect(proofText(proof, "ja")).toContain("c の bravo での Promoted への配置制約 6 を加える");
});

test("what may not be started is not told as if it ran", () => {
  const cib = cibOf("nodes alpha bravo\noption no-quorum-policy=stop\nDummy p");
  const { proof } = askAbout({ ...cib, attributes: { ...cib.attributes, "have-quorum": "0" } }, "p");
  expect(proof.conclusion.blocked).toMatchObject([
    { operation: "start", node: "alpha", reason: { code: "no-quorum" } },
  ]);
  expect(proof.obstacles).toEqual([{ kind: "no-quorum", node: "bravo" }]);
  expect(proofText(proof, "en")).toContain("p is to be Started on alpha (held back)");
  expect(proofText(proof, "ja")).toContain("alpha で Started の予定 (保留中)");
});

test("asked about the node where it is, it is told what would move it to any other", () => {
  const { proof } = askAbout(cibOf("nodes alpha bravo charlie\nDummy p\np on alpha: start"), "p", "alpha");
  expect(proof.changes.map(({ node }) => node)).toEqual(["bravo", "charlie"]);
});

test("facts that stand in the same place are taken away together", () => {
  const cib = parse(
    terseCib("nodes alpha=offline bravo=offline\nDummy p").replaceAll(/<node_state.*?<\/node_state>/gs, ""),
  );
  const all = candidatesFor(work(cib, NOW_WALL_MS), targetsOf(work(cib, NOW_WALL_MS), "p") ?? []);
  const down = all.filter(({ kind }) => kind === "node-down");
  expect(down.map(({ values }) => values["node"])).toEqual(["alpha", "bravo"]);
  const { nodes } = work(removeFacts(cib, all, down), NOW_WALL_MS).facts;
  expect(nodes.map(({ online }) => online)).toEqual([true, true]);
});

test("what is not configured any more goes nowhere, and what is inside of a bundle nowhere else", () => {
  const removed = askAbout(cibOf("nodes alpha bravo\nDummy p\nold on alpha: start"), "old");
  expect(removed.proof.obstacles.map(({ kind }) => kind)).toEqual(["not-configured", "not-configured"]);
  expect(proofText(removed.proof, "ja")).toContain("設定から削除済み");
  const bundle = terseCib("nodes alpha bravo").replace(
    /<resources\/>|<resources>/,
    `<resources><bundle id="w"><podman image="w" replicas="1"/><network ip-range-start="10.0.0.1" control-port="9"/>
<primitive id="web" class="ocf" provider="pacemaker" type="Dummy"/></bundle>`,
  );
  const inside = askAbout(parse(bundle), "web");
  expect(inside.proof.obstacles).toContainEqual({ kind: "inside-bundle", node: "alpha", bundle: "w" });
  expect(proofText(inside.proof, "en")).toContain("only inside the containers of bundle w");
});

test("of two replicas that are alike none is moved to where the other one is", () => {
  const cib = terseCib("nodes alpha bravo charlie\nrsc_location rsc=w node=charlie score=-INFINITY").replace(
    "<resources>",
    '<resources><bundle id="w"><podman image="w" replicas="2"/></bundle>',
  );
  const { proof } = askAbout(parse(cib), "w-podman-0");
  const [place] = proof.conclusion.nodes.filter(({ roles }) => roles.length > 0);
  expect(place?.node).toBe("alpha");
  expect(proof.obstacles).toEqual([{ kind: "like-instance", node: "bravo", instance: "w-podman-1" }]);
  expect(proofText(proof, "en")).toContain("bravo: none: w-podman-1 is there, and it is all one");
  expect(proofText(proof, "ja")).toContain("同等の w-podman-1 が既にあり");
});

test("of a remote node it is told what keeps its connection down, or that it has none", () => {
  const node = '<node id="r" uname="r" type="remote"/></nodes>';
  const at = "rsc_location rsc=p node=alpha score=-INFINITY";
  const stopped = terseCib(`nodes alpha\nremote r target-role=Stopped\nDummy p\n${at}\nr on alpha: start`);
  const [change] = askAbout(parse(stopped), "p", "r").proof.changes;
  expect(change?.remove).toMatchObject([{ kind: "meta", values: { resource: "r", name: "target-role" } }]);
  const alone = parse(terseCib(`nodes alpha\nDummy p\n${at}`).replace("</nodes>", node));
  expect(askAbout(alone, "p", "r").proof.obstacles).toEqual([{ kind: "no-connection", node: "r" }]);
  expect(proofText(askAbout(alone, "p", "r").proof, "ja")).toContain("接続リソースが設定されていない");
});

test("what sticks where it is and is kept out elsewhere is let in by taking away both, with a preference", () => {
  // Not everything can go: nothing would be started without fencing, were it not switched off.
  const cib = cibOf(`nodes alpha bravo\ngroup g\n  Dummy q\n  Dummy p\nrsc_location rsc=g node=bravo score=-INFINITY
q on alpha: start
+<rsc_defaults><meta_attributes id="rd"><nvpair id="rd-1" name="resource-stickiness" value="INFINITY"/>
+</meta_attributes></rsc_defaults>`);
  const [change] = askAbout(cib, "p", "bravo").proof.changes;
  expect(change?.remove.map(({ kind }) => kind).toSorted()).toEqual(["default", "location"]);
  expect(change?.prefer).toEqual({ resource: "g", score: 1 });
});
