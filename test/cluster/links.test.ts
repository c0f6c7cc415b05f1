/** The links of two nodes in one process: UDP on loopback and a serial cable of pseudo terminals. */
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import type { NodeConfig } from "../../src/cib/node-config.ts";
import type { LinkConfig } from "../../src/cib/node-links.ts";
import { type Links, openLinks } from "../../src/cluster/edge/links.ts";
import { createSigner } from "../../src/cluster/edge/signer.ts";
import { openPtyCable, type PtyCable } from "../support/pty-cable.ts";

const NODES = [
  { name: "alpha", id: 1 },
  { name: "bravo", id: 2 },
  { name: "charlie", id: 3 },
];
const PORTS = 14;
/** Below those that the kernel gives to whoever asks for any. */
const PORT = 10_000 + (process.pid % 1_500) * PORTS;
const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

interface OpenedNode {
  readonly links: Links;
  readonly heard: string[];
  readonly refused: string[];
  readonly troubles: string[];
}

function open(self: number, links: readonly LinkConfig[], secret = "0123456789abcdef"): OpenedNode {
  const config: NodeConfig = {
    cluster: "test",
    nodes: NODES,
    keepaliveMs: 100,
    warntimeMs: 500,
    deadtimeMs: 1000,
    initdeadMs: 2000,
    links,
    deadpingMs: 1000,
    pings: [],
    quorum: { waitForAll: false, tieBreaker: { kind: "none" } },
    authkeys: "",
    watchdog: { kind: "none" },
    storageChecks: [],
    selfFencing: "exit",
    fencingDisks: [],
    agents: "",
    linkAttributes: false,
    realtime: false,
  };
  const node: Omit<OpenedNode, "links"> = { heard: [], refused: [], troubles: [] };
  const entry = NODES[self] ?? { name: "", id: 0 };
  const signer = createSigner({ signing: 1, keys: [{ number: 1, method: "sha256", secret }] }, "test");
  const result = openLinks(config, entry, signer, {
    onPacket: (link, { from, payload }) => node.heard.push(`${link} ${from} ${Buffer.from(payload).toString()}`),
    onRefused: (link, refusal) => node.refused.push(`${link} ${refusal}`),
    onTrouble: (_, reason) => node.troubles.push(reason),
    onOpened: (link) => node.troubles.push(`${link} open`),
  });
  opened.push(result);
  return { links: result, ...node };
}

const udp = (name: string, port: number, addresses = ["127.0.0.1", "127.0.0.1"]): LinkConfig => ({
  kind: "udp",
  name,
  endpoints: NODES.slice(0, 2).map(({ name: node }, index) => ({
    node,
    address: addresses[index] ?? "",
    port: port + index,
  })),
});

function serial({ paths }: PtyCable): LinkConfig {
  return { kind: "serial", name: "cable", baud: 19_200, devices: { alpha: [paths[0]], bravo: [paths[1]] } };
}

const text = (words: string) => new TextEncoder().encode(words);

test("packets cross UDP links of both families, to all or to one node", async () => {
  const links = [udp("four", PORT), udp("six", PORT + 2, ["::1", "::1"])];
  const [alpha, bravo] = [open(0, links), open(1, links)];
  expect(alpha.links.send("four", "heartbeat", 1, text("one"))).toBeUndefined();
  expect(alpha.links.send("six", "datagram", 1, text("two"), NODES[1])).toBeUndefined();
  expect(bravo.links.send("six", "heartbeat", 1, text("three"))).toBeUndefined();
  await expect.poll(() => bravo.heard.toSorted()).toEqual(["four 1 one", "six 1 two"]);
  await expect.poll(() => alpha.heard).toEqual(["six 2 three"]);
});

test("what is recorded and sent again, or signed with another key, is refused", async () => {
  const link = udp("four", PORT + 4);
  const [alpha, bravo] = [open(0, [link]), open(1, [link])];
  const recorder = createSocket("udp4");
  const recorded: Buffer[] = [];
  recorder.on("message", (bytes) => recorded.push(bytes));
  await new Promise<void>((resolve) => recorder.bind(PORT + 6, "127.0.0.1", resolve));
  opened.push({ close: () => recorder.close() });
  // A node whose peer's address is the recorder's: what it sends is what a listener on the wire would see.
  const tapped = open(0, [udp("four", PORT + 5, ["127.0.0.2", "127.0.0.1"])]);
  tapped.links.send("four", "heartbeat", 1, text("recorded"));
  await expect.poll(() => recorded).toHaveLength(1);
  for (let time = 0; time < 3; time += 1) recorder.send(recorded[0] ?? "", PORT + 5, "127.0.0.1");
  const stranger = open(0, [udp("four", PORT + 4, ["127.0.0.3", "127.0.0.1"])], "another secret key");
  stranger.links.send("four", "heartbeat", 1, text("forged"));
  const refusals = ["four forged", "four replayed", "four replayed"];
  await expect.poll(() => bravo.refused.toSorted()).toEqual(refusals);
  expect(bravo.heard).toEqual(["four 1 recorded"]);
  expect(alpha.heard).toEqual([]);
});

test("of what no node can have sent the kernel lets a sample in, and every packet of a node", async () => {
  const links = [udp("four", PORT + 12), udp("six", PORT + 14, ["::1", "::1"])];
  const [alpha, bravo] = [open(0, links), open(1, links)];
  const ours = Buffer.alloc(80, 1);
  ours.set([0x67, 0x4d, 1, 0, 9]);
  const floods = {
    "another protocol": Buffer.from("no packet of ours at all, but long enough to be one"),
    "cut off": ours.subarray(0, 30),
    "of a node that there is not": ours,
    "of bravo itself": Buffer.from(ours).fill(2, 4, 5),
  };
  const [four, six] = [createSocket("udp4"), createSocket("udp6")];
  opened.push({ close: () => four.close() }, { close: () => six.close() });
  const count = 4_000;
  const shots = Object.values(floods).flatMap((packet) => Array.from({ length: count / 4 }, () => packet));
  for (const [index, packet] of shots.entries()) {
    four.send(packet, PORT + 13, "127.0.0.1");
    six.send(packet, PORT + 15, "::1");
    if (index % 100 > 0) continue;
    alpha.links.send("four", "heartbeat", 1, text("x"));
    alpha.links.send("six", "heartbeat", 1, text("x"));
    // Sockets of Node send when the loop turns.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => bravo.heard.length, { timeout: 20_000 }).toBe((2 * count) / 100);
  // One in 32 by the kernel's dice: 250 of 8,000, and never as few as 50 or as many as 800.
  await expect.poll(() => bravo.refused.length, { timeout: 20_000 }).toBeGreaterThan(50);
  expect(bravo.refused.length).toBeLessThan(800);
  expect(new Set(bravo.refused)).toEqual(new Set(["four foreign", "four forged", "six foreign", "six forged"]));
});

test("a serial cable carries packets, through noise, and again after it was cut", async () => {
  const cable = openPtyCable();
  opened.push(cable);
  const link = serial(cable);
  const [alpha, bravo] = [open(0, [link]), open(1, [link])];
  alpha.links.send("cable", "heartbeat", 1, text("one"));
  bravo.links.send("cable", "heartbeat", 1, text("two"));
  await expect.poll(() => [alpha.heard, bravo.heard]).toEqual([["cable 2 two"], ["cable 1 one"]]);
  cable.noise(Uint8Array.from({ length: 500 }, (_, index) => (index * 7919) % 256));
  alpha.links.send("cable", "heartbeat", 1, text("three"));
  alpha.links.send("cable", "heartbeat", 1, text("four"));
  await expect.poll(() => bravo.heard.at(-1)).toBe("cable 1 four");
  cable.cut = true;
  alpha.links.send("cable", "heartbeat", 1, text("five"));
  await expect.poll(() => cable.lostBytes).toBeGreaterThan(20);
  cable.cut = false;
  alpha.links.send("cable", "heartbeat", 1, text("six"));
  await expect.poll(() => bravo.heard.at(-1)).toBe("cable 1 six");
  expect(alpha.heard).toEqual(["cable 2 two"]);
  expect(bravo.heard.filter((line) => !line.includes("three"))).toEqual(["cable 1 one", "cable 1 four", "cable 1 six"]);
  expect(bravo.refused.length).toBeGreaterThan(0);
});

test("round a ring of three each packet is heard once, and along the line that a cut leaves", async () => {
  const cables = [openPtyCable(), openPtyCable(), openPtyCable()] as const;
  opened.push(...cables);
  const [ab, bc, ca] = cables;
  const ring: LinkConfig = {
    kind: "serial",
    name: "ring",
    baud: 19_200,
    devices: {
      alpha: [ab.paths[0], ca.paths[1]],
      bravo: [ab.paths[1], bc.paths[0]],
      charlie: [bc.paths[1], ca.paths[0]],
    },
  };
  const nodes = [open(0, [ring]), open(1, [ring]), open(2, [ring])] as const;
  const [alpha, bravo, charlie] = nodes;
  for (const [index, node] of nodes.entries()) node.links.send("ring", "heartbeat", 1, text(`one of ${index + 1}`));
  const all = [
    ["ring 2 one of 2", "ring 3 one of 3"],
    ["ring 1 one of 1", "ring 3 one of 3"],
    ["ring 1 one of 1", "ring 2 one of 2"],
  ];
  await expect.poll(() => nodes.map(({ heard }) => heard.toSorted())).toEqual(all);
  ca.cut = true;
  // Lost in the cut: it goes the way on which charlie was heard; sent again it goes both ways.
  for (let time = 0; time < 2; time += 1) alpha.links.send("ring", "datagram", 1, text("to charlie"), NODES[2]);
  await expect.poll(() => charlie.heard.at(-1)).toBe("ring 1 to charlie");
  charlie.links.send("ring", "heartbeat", 1, text("to all"));
  await expect
    .poll(() => nodes.map(({ heard }) => heard.slice(2)))
    .toEqual([["ring 3 to all"], ["ring 3 to all"], ["ring 1 to charlie"]]);
  expect(bravo.heard).not.toContain("ring 1 to charlie");
  // By now it is known that charlie is behind bravo: the cut line gets nothing.
  const lostBytes = ca.lostBytes;
  alpha.links.send("ring", "datagram", 1, text("again to charlie"), NODES[2]);
  await expect.poll(() => charlie.heard.at(-1)).toBe("ring 1 again to charlie");
  expect(ca.lostBytes).toBe(lostBytes);
  expect(nodes.flatMap(({ refused }) => refused)).toEqual([]);
});

test("a link that cannot be opened is said once and tried again, and the others work", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-links-"));
  opened.push({ close: () => rmSync(folder, { recursive: true }) });
  const there = path.join(folder, "port");
  const links = [udp("away", PORT + 8, ["192.0.2.1", "192.0.2.2"]), udp("four", PORT + 10)];
  const missing: LinkConfig = { kind: "serial", name: "cable", baud: 19_200, devices: { "*": [there] } };
  const [alpha, bravo] = [open(0, [...links, missing]), open(1, links)];
  const troubles = ["bind: EADDRNOTAVAIL", `ENOENT: no such file or directory, open '${there}'`];
  expect(alpha.troubles).toEqual(troubles);
  // By then each was tried again, for a link that can be opened between is open.
  const later = openPtyCable();
  opened.push(later);
  rmSync(there, { force: true });
  symlinkSync(later.paths[0], there);
  await expect.poll(() => alpha.troubles.slice(troubles.length)).toEqual(["cable open"]);
  expect(alpha.links.send("away", "heartbeat", 1, text("x"))).toBe("bind: EADDRNOTAVAIL");
  alpha.links.send("four", "heartbeat", 1, text("here"));
  await expect.poll(() => bravo.heard).toEqual(["four 1 here"]);
});
