/** Two keepers as real processes, in namespaces joined by two cables: lives, deaths, cuts, sleeps and restores. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test as plain } from "vitest";
import { type NamespacePair, NODES, openNamespacePair } from "../support/namespace-pair.ts";

// They mostly wait: side by side, each with a pair of its own.
const withPair = (...times: string[]) =>
  plain.extend<{ pair: NamespacePair }>({
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern what a fixture needs
    async pair({}, use) {
      const pair = openNamespacePair(["keepalive 200ms", ...times]);
      await use(pair);
      await pair.close();
    },
  }).concurrent;
/** Where nobody is to be lost, a machine that stands still for seconds loses nobody. */
const test = withPair("deadtime 30s", "initdead 60s");
const testLosing = withPair("deadtime 3s", "initdead 60s");
/** A manager is given three deadtimes to answer. */
const testHanging = withPair("deadtime 5s", "initdead 60s");
const testNeverSettled = withPair("deadtime 300s", "initdead 600s");

const phaseOf = (pair: NamespacePair, node: "alpha" | "bravo") => pair.view(node)?.peers[0]?.phase;
const joined = (pair: NamespacePair) =>
  NODES.every((node) => pair.view(node)?.members.length === 2 && pair.view(node)?.agreed === true);

const reportOf = (pair: NamespacePair, node: "alpha" | "bravo") =>
  pair.records(node).findLast(({ kind }) => kind === "report")?.["report"];

async function startBoth(pair: NamespacePair): Promise<void> {
  for (const node of NODES) pair.start(node);
  await pair.until("both nodes are members of one view", () => joined(pair));
}

testLosing(
  "both join, their managers talk, a killed node is lost, and joins again with its next start",
  async ({ pair }) => {
    await startBoth(pair);
    expect(pair.view("alpha")?.epoch).toBe(pair.view("bravo")?.epoch);
    await pair.until("the managers' messages have arrived", () =>
      NODES.every((node) => pair.records(node).some(({ kind }) => kind === "delivered")),
    );
    pair.signal("bravo", "SIGKILL");
    await pair.until("bravo is lost", () => phaseOf(pair, "alpha") === "lost");
    expect(pair.view("alpha")).toMatchObject({ members: ["alpha"], quorate: true, settled: true });
    pair.order("alpha", "fenced bravo 1");
    await pair.until("bravo is awaited", () => phaseOf(pair, "alpha") === "awaited");
    await pair.ended("bravo");
    pair.start("bravo");
    await pair.until("bravo has joined again", () => phaseOf(pair, "alpha") === "member");
    expect(pair.view("alpha")?.peers[0]?.generation).toBe(2);
  },
);

test("an orderly stop says goodbye: the peer has left and is never lost", async ({ pair }) => {
  await startBoth(pair);
  pair.signal("bravo", "SIGTERM");
  expect(await pair.ended("bravo")).toBe(0);
  await pair.until("bravo has left", () => phaseOf(pair, "alpha") === "left");
  expect(pair.log("alpha")).not.toContain("peer-lost");
});

testHanging("a manager that crashes or hangs is started again, and nobody is lost over it", async ({ pair }) => {
  await startBoth(pair);
  const starts = () => pair.records("alpha").filter(({ kind }) => kind === "start").length;
  pair.order("alpha", "crash");
  await pair.until("the manager runs again", () => starts() === 2);
  await pair.until("it has a view", () => pair.records("alpha").at(-1)?.["kind"] !== "start");
  pair.order("alpha", "hang");
  await pair.until("the hanging manager was killed and runs again", () => starts() === 3);
  expect(pair.log("alpha")).toContain("the manager has not answered");
  expect(phaseOf(pair, "bravo")).toBe("member");
});

testLosing(
  "one cable cut loses nobody; both cut lose both; put back, they stay lost until they are accepted",
  async ({ pair }) => {
    await startBoth(pair);
    pair.cable("one", "down");
    await pair.until("the link is down", () => pair.view("bravo")?.links[0]?.state === "down");
    expect(joined(pair)).toBe(true);
    pair.cable("two", "down");
    await pair.until("both are lost", () => NODES.every((node) => phaseOf(pair, node) === "lost"));
    pair.cable("one", "up");
    pair.cable("two", "up");
    await pair.until("both have returned", () => NODES.every((node) => pair.view(node)?.peers[0]?.returned === true));
    pair.order("alpha", "accept bravo");
    pair.order("bravo", "accept alpha");
    await pair.until("both are members again, over both links", () => {
      const links = NODES.flatMap((node) => pair.view(node)?.links ?? []);
      return joined(pair) && links.every(({ state }) => state === "up");
    });
  },
);

testLosing("a node that slept through its deadtime fences itself when it wakes", async ({ pair }) => {
  await startBoth(pair);
  pair.signal("bravo", "SIGSTOP");
  await pair.until("bravo is lost", () => phaseOf(pair, "alpha") === "lost");
  pair.signal("bravo", "SIGCONT");
  expect(await pair.ended("bravo")).toBe(70);
  expect(pair.log("bravo")).toContain("self-late");
  expect(pair.log("bravo")).toContain("self-fencing: alpha has declared this node lost");
});

test("the key is changed for one that encrypts without a stop, and a broken key file changes nothing", async ({
  pair,
}) => {
  await startBoth(pair);
  const old = "1 sha256 only-for-this-test-run";
  // From then on nobody reads what is in a packet.
  const next = "2 aes256-gcm the-key-that-follows";
  const count = (node: "alpha" | "bravo") => pair.log(node).split("the keys ").length;
  async function reread(node: "alpha" | "bravo", keys: string): Promise<string> {
    pair.writeKeys(keys);
    const [before, length] = [count(node), pair.log(node).length];
    pair.signal(node, "SIGHUP");
    await pair.until("the keys are read", () => count(node) > before);
    return pair.log(node).slice(length);
  }
  const [all, only] = [`${old}\n${next}\n`, `auth 2\n${next}\n`];
  // What would make a node deaf, or unheard, is not taken.
  expect(await reread("alpha", `auth 2\n${all}`)).toMatch(/auth names key 2, which .*\n.*the keys stay as they were/);
  for (const node of NODES) expect(await reread(node, `auth 1\n${all}`)).toContain("2 accepted, 1 is used for sending");
  expect(await reread("alpha", `auth 2\n${all}`)).toContain("2 accepted, 2 is used for sending");
  await pair.until("both say that one encrypts", () => {
    const clear = pair.log("alpha").includes("this node encrypts, and bravo sends in the clear: switch auth there");
    return clear && pair.log("bravo").includes("alpha encrypts, and this node sends in the clear: switch auth here");
  });
  expect(await reread("alpha", only)).toMatch(/key 1 is gone or changed, and bravo still sends with it.*\n.*stay/);
  expect(await reread("bravo", `auth 2\n${all}`)).toContain("2 accepted, 2 is used for sending");
  // Until bravo's next beat the last word of it is sealed by the old key.
  await pair.until("alpha does without the old key", () => {
    pair.writeKeys(only);
    pair.signal("alpha", "SIGHUP");
    return pair.log("alpha").includes("1 accepted, 2 is used for sending");
  });
  expect(await reread("bravo", only)).toContain("1 accepted, 2 is used for sending");
  expect(await reread("bravo", "auth 3\n")).toContain("the keys stay as they were");
  // Each report is seconds of heartbeats, and the second one has none of before.
  const reports = (node: "alpha" | "bravo") => pair.records(node).filter(({ kind }) => kind === "report").length;
  const told = { alpha: reports("alpha"), bravo: reports("bravo") };
  await pair.until("both tell of the time since", () => NODES.every((node) => reports(node) >= told[node] + 2));
  for (const node of NODES) expect(pair.log(node)).toContain("packets are encrypted (AES-256-GCM)");
  expect(pair.log("alpha")).not.toMatch(/forged|peer-lost/);
  expect(joined(pair)).toBe(true);
});

testLosing("a manager that turns but cannot work is sick: it is said once, and the node ends", async ({ pair }) => {
  await startBoth(pair);
  await pair.until("the keeper tells of itself", () => reportOf(pair, "alpha") !== undefined);
  expect(reportOf(pair, "alpha")).toMatchObject({ deadtimeMs: 3000, links: [{ name: "one", heardPercent: 100 }, {}] });
  pair.order("alpha", "complain");
  await pair.until("alpha is sick", () => pair.log("alpha").includes("sick: the manager cannot work: its disk hangs"));
  expect(await pair.ended("alpha")).toBe(70);
  expect(pair.log("alpha").split("the watchdog is not fed").length - 1).toBe(1);
  await pair.until("bravo has lost it", () => phaseOf(pair, "bravo") === "lost");
});

test("a node restored from a backup, or without its state file, is told its start and goes past it", async ({
  pair,
}) => {
  await startBoth(pair);
  const file = path.join(pair.stateFolder("bravo"), "membership.json");
  const stop = async () => {
    pair.signal("bravo", "SIGTERM");
    await pair.ended("bravo");
  };
  const raisedLines = () => pair.log("bravo").match(/generation-raised to \d+: .*/g) ?? [];
  await stop();
  pair.start("bravo");
  const hasJoined = (generation: number) => pair.view("alpha")?.peers[0]?.generation === generation && joined(pair);
  await pair.until("bravo has joined with its second start", () => hasJoined(2));
  await stop();
  writeFileSync(file, `${JSON.stringify({ generation: 0, peers: {} })}\n`);
  pair.start("bravo");
  await pair.until("the restored node has joined", () => hasJoined(3));
  expect(raisedLines()).toEqual(["generation-raised to 3: alpha knows start 2 of this node"]);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ generation: 3 });
  await stop();
  rmSync(file);
  pair.start("bravo");
  await pair.until("it has joined without its file", () => hasJoined(4));
  expect(raisedLines().at(-1)).toBe("generation-raised to 4: alpha knows start 3 of this node");
  expect(pair.log("alpha")).not.toContain("peer-lost");
});

testNeverSettled(
  "a stop never waits for the other nodes: alone and not settled, a node ends at once",
  async ({ pair }) => {
    pair.start("alpha");
    await pair.until("its manager runs", () => pair.records("alpha").some(({ kind }) => kind === "view"));
    expect(pair.view("alpha")?.settled).toBe(false);
    pair.signal("alpha", "SIGTERM");
    // It would be ten minutes.
    expect(await pair.ended("alpha")).toBe(0);
  },
);
