/** The configuration on two real nodes: acknowledged means on both disks, whatever dies; and who was apart. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { skips } from "../support/skip.ts";
import { LOSING_TIMES, NODES, type NodeName, type NodePair, openNodePair, PATIENT_TIMES } from "./node-pair.ts";

const asRoot = test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces"));
const START = `primitive a ocf:gemel:Dummy op monitor interval=9s op start timeout=9s op stop timeout=9s
property no-quorum-policy=ignore stonith-enabled=false
`;

let open: NodePair | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

const ready = async (pair: NodePair, node: NodeName, online: number) => {
  const status = await pair.status(node);
  const count = status?.nodes.filter(({ state }) => state === "online").length;
  return count === online && status?.dc !== undefined && !status.transition.isRunning;
};

async function startPair(times: readonly string[] = PATIENT_TIMES): Promise<NodePair> {
  const pair = openNodePair({ times, configuration: START });
  open = pair;
  for (const node of NODES) pair.start(node);
  for (const node of NODES) await pair.until(`both online at ${node}`, () => ready(pair, node, 2));
  return pair;
}

const stateFolder = (pair: NodePair, node: NodeName) => path.join(pair.folder, node, "state");
function files(pair: NodePair, node: NodeName, pattern: RegExp): string[] {
  const all = readdirSync(stateFolder(pair, node), { recursive: true, encoding: "utf8" });
  return all
    .filter((name) => pattern.test(path.basename(name)))
    .map((name) => path.join(stateFolder(pair, node), name));
}
const onDisk = (pair: NodePair, node: NodeName) =>
  files(pair, node, /^cib\.xml$/)
    .map((file) => readFileSync(file, "utf8"))
    .join("");
const shown = (pair: NodePair, node: NodeName) => pair.gemel(node, "crm", "configure", "show").output;

asRoot("a command returns when both disks have its change, at whichever node it was given", async () => {
  const pair = await startPair();
  for (const [index, node] of [...NODES, ...NODES].entries()) {
    const name = `cluster-name=change-${index}`;
    expect(pair.gemel(node, "crm", "configure", "property", name)).toMatchObject({ code: 0 });
    for (const each of NODES) expect(onDisk(pair, each)).toContain(`value="change-${index}"`);
  }
  const file = path.join(pair.folder, "more.crm");
  writeFileSync(file, "primitive b ocf:gemel:Dummy op monitor interval=9s op start timeout=9s op stop timeout=9s\n");
  expect(pair.gemel("bravo", "crm", "-w", "configure", "load", "update", file).code).toBe(0);
  expect(shown(pair, "alpha")).toBe(shown(pair, "bravo"));
  expect(shown(pair, "alpha")).toContain("primitive b ocf:gemel:Dummy");
  await pair.until("b runs", async () => {
    const status = await pair.status("alpha");
    return status?.resources.some(({ id, active }) => id === "b" && active.length === 1) === true;
  });
  const section = pair.gemel("alpha", "cibadmin", "-Q", "-A", '//primitive[@id="b"]');
  expect(section.output).toMatch(/^<primitive id="b" class="ocf" provider="gemel" type="Dummy">/);
  expect(pair.gemel("bravo", "crm", "configure", "delete", "b")).toMatchObject({
    code: 1,
    output: expect.stringContaining("what runs is not deleted: b"),
  });
  expect(pair.gemel("bravo", "crm", "-w", "resource", "stop", "b").code).toBe(0);
  expect(pair.gemel("bravo", "crm", "configure", "delete", "b").code).toBe(0);
  expect(shown(pair, "alpha")).not.toContain("primitive b");
});

asRoot("an address that is changed, then removed, leaves neither the old one nor the new one behind", async () => {
  const pair = await startPair();
  const file = path.join(pair.folder, "address.crm");
  const times = "op start timeout=9s op stop timeout=9s op monitor interval=9s";
  const load = (last: number) => {
    const parameters = `ip=198.18.0.${last} cidr_netmask=24 nic=service`;
    writeFileSync(file, `primitive vip ocf:gemel:IPaddr2 params ${parameters} ${times}\n`);
    expect(pair.gemel("alpha", "crm", "-w", "configure", "load", "update", file).code).toBe(0);
  };
  const holders = (last: number) => NODES.filter((node) => pair.hasAddress(node, `198.18.0.${last}`)).length;
  load(77);
  await pair.until("it is up", () => holders(77) === 1);
  load(78);
  await pair.until("the new one is up", () => holders(78) === 1);
  expect(holders(77)).toBe(0);
  writeFileSync(file, START);
  expect(pair.gemel("alpha", "crm", "-w", "configure", "load", "replace", file).code).toBe(0);
  await pair.until("it is gone", () => holders(78) === 0);
  expect((await pair.status("alpha"))?.problems.map(({ code }) => code)).not.toContain("resource-failed");
});

asRoot("managers are killed in the middle: what was acknowledged is there, on both", async () => {
  const pair = await startPair();
  const acknowledged: number[] = [];
  for (let number = 0; number < 5; number += 1) {
    const victim = NODES[number % 2] ?? "alpha";
    const at = NODES[(number + (number >> 1)) % 2] ?? "alpha";
    if (number > 0) pair.killManager(victim);
    if (pair.gemel(at, "crm", "configure", "node", "alpha", "attributes", `n${number}=1`).code === 0)
      acknowledged.push(number);
    await pair.until(
      "a manager answers at both",
      async () => (await ready(pair, "alpha", 2)) && ready(pair, "bravo", 2),
    );
    expect(pair.gemel(at, "crm", "configure", "tag", `t${number}`, "a")).toMatchObject({ code: 0 });
  }
  for (let number = 0; number < 5; number += 1)
    for (const each of NODES) expect(onDisk(pair, each)).toContain(`<tag id="t${number}">`);
  expect(shown(pair, "alpha")).toBe(shown(pair, "bravo"));
  expect(acknowledged).toContain(0);
});

asRoot("who was away takes the newer truth; who changed as well is told what it lost", async () => {
  // Each starts alone once, and waits for the other until then.
  const pair = await startPair([...LOSING_TIMES.slice(0, -1), "initdead 8s"]);
  pair.signal("bravo", "SIGTERM");
  await pair.ended("bravo");
  await pair.until("alpha is alone", () => ready(pair, "alpha", 1));
  expect(pair.gemel("alpha", "crm", "configure", "property", "cluster-name=newer").code).toBe(0);
  pair.start("bravo");
  await pair.until("bravo is back", () => ready(pair, "bravo", 2));
  await pair.until("bravo has it on disk", () => onDisk(pair, "bravo").includes('value="newer"'));
  expect(files(pair, "alpha", /^cib-conflict/)).toEqual([]);

  for (const [one, two] of [
    ["bravo", "alpha"],
    ["alpha", "bravo"],
  ] as const) {
    pair.signal(one, "SIGTERM");
    await pair.ended(one);
    await pair.until(`${two} is alone`, () => ready(pair, two, 1));
    expect(pair.gemel(two, "crm", "configure", "property", `cluster-name=${two}-alone`).code).toBe(0);
    if (two === "alpha") {
      pair.signal(two, "SIGTERM");
      await pair.ended(two);
      pair.start("bravo");
    }
    if (two === "bravo") pair.start("alpha");
    await pair.until("somebody serves", () => ready(pair, "bravo", two === "bravo" ? 2 : 1));
  }
  await pair.until("both are back", () => ready(pair, "alpha", 2));
  await pair.until("both have the same on disk", () => onDisk(pair, "alpha") === onDisk(pair, "bravo"));
  expect(shown(pair, "alpha")).toBe(shown(pair, "bravo"));
  expect(shown(pair, "alpha")).toMatch(/cluster-name=(alpha|bravo)-alone/);
  const kept = NODES.flatMap((node) => files(pair, node, /^cib-conflict-.*\.xml$/));
  expect(kept).toHaveLength(1);
  expect(readFileSync(kept[0] ?? "", "utf8")).toMatch(/value="(alpha|bravo)-alone"/);
});
