/** Keepers as real processes over every kind of network link, three nodes on one switch among them. */
import { afterEach, expect, test } from "vitest";
import type { KeeperReport } from "../../src/cluster/core/keeper/report.ts";
import type { MembershipView } from "../../src/cluster/core/membership/view.ts";
import { type NamespacePair, NODES, openNamespacePair } from "../support/namespace-pair.ts";
import { createNoise, noisePacket } from "../support/noise.ts";
import { openPtyCable } from "../support/pty-cable.ts";

let pair: NamespacePair | undefined;
afterEach(async () => {
  await pair?.close();
  pair = undefined;
});

/** A machine that stands still for seconds loses nobody, and each loss of a link is waited for so long. */
const TIMES = ["keepalive 200ms", "deadtime 6s", "initdead 60s"];
const LOSING_TIMES = ["keepalive 200ms", "deadtime 3s", "initdead 60s"];
const KINDS = [
  "link cast broadcast device=one",
  "link group multicast group=239.77.0.1 device=one",
  "link group-six multicast group=ff02::77:1 device=two port=700",
  "link six udp alpha=[fd77:2::1]:694 bravo=[fd77:2::2]:694 device=two",
];

const isUp = (opened: NamespacePair, node: string, count: number) => {
  const links = opened.view(node)?.links ?? [];
  return links.length === count && links.every(({ state }) => state === "up");
};

test("broadcast, multicast and IPv6 links work, and come back after their cable and their interface", async () => {
  const opened = openNamespacePair(TIMES, { links: KINDS });
  pair = opened;
  for (const node of NODES) opened.start(node);
  await opened.until("every link is up on both nodes", () => NODES.every((node) => isUp(opened, node, KINDS.length)));
  const stateOf = (node: string, name: string) => opened.view(node)?.links.find((link) => link.name === name)?.state;
  opened.cable("one", "down");
  await opened.until(
    "cable one is down",
    () => stateOf("bravo", "cast") === "down" && stateOf("alpha", "group") === "down",
  );
  expect(stateOf("bravo", "six")).toBe("up");
  opened.cable("one", "up");
  await opened.until("cable one is up again", () => NODES.every((node) => isUp(opened, node, KINDS.length)));
  // As when a network card is pulled and put back: a new interface of the old name.
  opened.ip("alpha", "link del one");
  await opened.until("its links are down", () => stateOf("bravo", "cast") === "down");
  opened.relay("one");
  await opened.until("the new interface is used", () => NODES.every((node) => isUp(opened, node, KINDS.length)));
  // Of links that share an interface and a port each hears its own packets only.
  expect(NODES.map((node) => opened.log(node)).join("")).not.toMatch(/peer-lost|misdirected/);
});

const isAloneAndQuorate = (view: unknown) => {
  const { members, quorate } = (view ?? {}) as Partial<MembershipView>;
  return members?.length === 1 && quorate === true;
};

const qualityOf = (opened: NamespacePair, node: string) => {
  const reports = opened.records(node).filter(({ kind }) => kind === "report");
  const last = reports.at(-1)?.["report"] as KeeperReport | undefined;
  return { count: reports.length, heardPercent: last?.links[0]?.heardPercent ?? 0 };
};

test("a serial line full of noise carries the heartbeats, and is said at most once a second", async () => {
  const cable = openPtyCable();
  const random = createNoise(3);
  const [left, right] = cable.paths;
  const opened = openNamespacePair(TIMES, {
    links: [`link cable serial alpha=${left} bravo=${right} baud=115200`],
  });
  pair = opened;
  const noise = setInterval(() => cable.noise(noisePacket(random)), 10);
  try {
    for (const node of NODES) opened.start(node);
    await opened.until("both are members", () => NODES.every((node) => opened.view(node)?.members.length === 2));
    const lengths = NODES.map((node) => opened.log(node).length);
    const startedAtMs = performance.now();
    // Each report is two seconds of noise, and tells of the last 32 heartbeats by their numbers.
    const before = NODES.map((node) => qualityOf(opened, node).count);
    await opened.until("six seconds of noise have passed", () =>
      NODES.every((node, index) => qualityOf(opened, node).count >= (before[index] ?? 0) + 3),
    );
    for (const node of NODES) expect(qualityOf(opened, node).heardPercent).toBeGreaterThanOrEqual(90);
    const said = NODES.map((node, index) => opened.log(node).slice(lengths[index]));
    const seconds = (performance.now() - startedAtMs) / 1000;
    for (const text of said) {
      const lines = text.split("\n").filter((line) => line.includes("link cable: a noise packet is not heard"));
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.length).toBeLessThanOrEqual(seconds + 1);
      expect(text).not.toMatch(/link-down|peer-lost/);
    }
  } finally {
    clearInterval(noise);
    cable.close();
  }
});

test("three nodes on a serial ring alone: a cable may break, and with a second one a node is alone", async () => {
  const cables = [openPtyCable(), openPtyCable(), openPtyCable()] as const;
  const [ab, bc, ca] = cables;
  const ports = {
    alpha: `${ab.paths[0]},${ca.paths[1]}`,
    bravo: `${ab.paths[1]},${bc.paths[0]}`,
    charlie: `${bc.paths[1]},${ca.paths[0]}`,
  };
  const nodes = Object.keys(ports);
  const named = Object.entries(ports).map(([node, paths]) => `${node}=${paths}`);
  const opened = openNamespacePair(TIMES, { nodes, links: [`link ring serial ${named.join(" ")} baud=115200`] });
  pair = opened;
  const hasView = (node: string, count: number) => {
    const view = opened.view(node);
    return view?.members.length === count && view.agreed;
  };
  try {
    for (const node of nodes) opened.start(node);
    await opened.until("all are members of one agreed view", () => nodes.every((node) => hasView(node, 3)));
    ca.cut = true;
    const cutAtMs = performance.now();
    await opened.until("one cable is out for longer than deadtime", () => performance.now() - cutAtMs > 4_000);
    expect(nodes.map((node) => opened.log(node)).join("")).not.toContain("peer-lost");
    ab.cut = true;
    await opened.until("alpha is alone without quorum", () => opened.view("alpha")?.quorate === false);
    await opened.until("the others are a majority", () => hasView("bravo", 2) && hasView("charlie", 2));
  } finally {
    for (const cable of cables) cable.close();
  }
});

test("ping nodes are counted on either side, and the half without the tie-breaker may not decide", async () => {
  const reached = ["ping gate 198.18.1.1", "ping dns 198.18.9.9 198.18.2.1", "tie-breaker ping gate"];
  const opened = openNamespacePair([...LOSING_TIMES, "deadping 1s", ...reached]);
  pair = opened;
  for (const node of NODES) opened.start(node);
  await opened.until("both reach everything, and each knows it of the other", () =>
    NODES.every((node) => {
      const view = opened.view(node);
      return view?.reachable === 2 && view.peers[0]?.reachable === 2;
    }),
  );
  // The gate's address is alpha's own: alpha reaches it whatever happens to the cables.
  opened.cable("one", "down");
  await opened.until("bravo has lost the gate, and alpha knows", () => opened.view("alpha")?.peers[0]?.reachable === 1);
  expect(opened.log("bravo")).toContain("ping-node-dead: gate");
  opened.cable("two", "down");
  await opened.until("both are alone, one of them with quorum", () => {
    const views = NODES.map((node) => opened.view(node));
    const isAlone = views.every((view) => view?.members.length === 1);
    return isAlone && views.map((view) => view?.quorate).join() === "true,false";
  });
  expect(opened.records("bravo").some(({ view }) => isAloneAndQuorate(view))).toBe(false);
});

test("three nodes on two switches are members of one view, by broadcast and each to each", async () => {
  const nodes = ["alpha", "bravo", "charlie"];
  const opened = openNamespacePair(LOSING_TIMES, {
    nodes,
    links: [
      "link one broadcast device=one",
      "link two udp alpha=198.18.2.1:694 bravo=198.18.2.2:694 charlie=198.18.2.3:694",
    ],
  });
  pair = opened;
  for (const node of nodes) opened.start(node);
  await opened.until("all are members of one agreed view", () =>
    nodes.every((node) => opened.view(node)?.members.length === 3 && opened.view(node)?.agreed === true),
  );
  opened.signal("charlie", "SIGKILL");
  await opened.until("two are members of one agreed view with quorum", () =>
    ["alpha", "bravo"].every((node) => {
      const view = opened.view(node);
      return view?.members.length === 2 && view.agreed && view.quorate;
    }),
  );
  // Its log comes by another pipe than its view.
  await opened.until("alpha says whom it has lost", () => opened.log("alpha").includes("peer-lost: charlie"));
});
