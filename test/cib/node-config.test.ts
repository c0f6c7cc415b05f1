/** The node's configuration file: what it means, what it derives, and all of what is wrong with it at once. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { formatProblem } from "../../src/base/problem.ts";
import { describeDirectives, readNodeConfig } from "../../src/cib/node-config.ts";

const PAIR = `
cluster pair            # the name
node alpha id 1
node bravo id 2
keepalive 500ms
deadtime 5
link service udp alpha=10.77.1.1:694 bravo=10.77.1.2:694 device=eth0
link six udp alpha=[fd00::1]:694 bravo=[fd00::2]:694
link cable serial device=/dev/ttyS1 baud=115200
authkeys authkeys
watchdog /dev/watchdog timeout 10s
configuration cluster.crm
`;

function problemsOf(text: string): string[] {
  const read = readNodeConfig(text, "node.conf");
  return (read.kind === "invalid" ? read.problems : read.warnings).map(formatProblem);
}

test("a whole configuration, with the defaults that it derives", () => {
  const read = readNodeConfig(PAIR, "node.conf");
  expect(read).toMatchObject({
    kind: "valid",
    warnings: [],
    value: {
      cluster: "pair",
      nodes: [
        { name: "alpha", id: 1 },
        { name: "bravo", id: 2 },
      ],
      keepaliveMs: 500,
      warntimeMs: 2500,
      deadtimeMs: 5000,
      initdeadMs: 10_000,
      authkeys: "authkeys",
      watchdog: { kind: "device", path: "/dev/watchdog", timeoutMs: 10_000 },
      selfFencing: "reboot",
      configuration: "cluster.crm",
      agents: "/usr/lib/ocf",
      linkAttributes: false,
      realtime: true,
    },
  });
  expect(read.kind === "valid" ? read.value.links : []).toEqual([
    {
      kind: "udp",
      name: "service",
      endpoints: [
        { node: "alpha", address: "10.77.1.1", port: 694 },
        { node: "bravo", address: "10.77.1.2", port: 694 },
      ],
      device: "eth0",
    },
    {
      kind: "udp",
      name: "six",
      endpoints: [
        { node: "alpha", address: "fd00::1", port: 694 },
        { node: "bravo", address: "fd00::2", port: 694 },
      ],
    },
    { kind: "serial", name: "cable", baud: 115_200, devices: { "*": ["/dev/ttyS1"] } },
  ]);
});

test("without a watchdog a node ends its processes only, and never reboots the host it is tried out on", () => {
  const read = readNodeConfig(PAIR.replace("/dev/watchdog timeout 10s", "none"), "node.conf");
  expect(read).toMatchObject({ kind: "valid", value: { watchdog: { kind: "none" }, selfFencing: "exit" } });
});

test("every problem of a file is told at once, in the order of the lines", () => {
  const wrong = `
nod alpha id 1
node alpha id one
node bravo id 2
node bravo id 3
keepalive 5 parsecs
deadtime 1s
deadtime 2s
link service udp alpha=10.77.1.300:694 bravo=10.77.1.2:694
link cable serial device=ttyS1 baud=19201
link cable serial charlie=/dev/ttyS1
watchdog softdog
`;
  expect(problemsOf(wrong)).toEqual([
    "node.conf: error: the directive cluster is missing; write cluster NAME",
    "node.conf: error: the directive authkeys is missing; write authkeys FILE",
    "node.conf:2: error: there is no directive nod; write node",
    "node.conf:3: error: node: an id is a number from 1 to 16; write node NAME id NUMBER",
    "node.conf:5: error: the node bravo stands a second time; remove line 5 or 4",
    "node.conf:6: error: keepalive: one value is expected; write keepalive TIME",
    "node.conf:7: error: deadtime 1000ms is not above twice keepalive 1000ms; write deadtime 3000ms or more",
    "node.conf:8: error: deadtime stands a second time; remove it here or in line 7",
    "node.conf:9: error: link: alpha=10.77.1.300:694 is no endpoint: write NODE=IPV4:PORT or NODE=[IPV6]:PORT; " +
      "write link NAME udp NODE=ADDRESS:PORT NODE=ADDRESS:PORT [device=INTERFACE]",
    "node.conf:10: error: link: baud=19201: write 19200 or another known rate; " +
      "write link NAME serial device=PATH[,PATH] [baud=RATE]",
    "node.conf:10: error: link: device=ttyS1: the path of the port must be absolute, as /dev/ttyS1; " +
      "write link NAME serial device=PATH[,PATH] [baud=RATE]",
    "node.conf:11: error: the link cable names charlie, which is no node; write a configured node",
    "node.conf:12: error: watchdog: write /dev/watchdog timeout TIME, or none; " +
      "write watchdog PATH timeout TIME [pretimeout TIME] | none",
  ]);
});

test("node names in links are checked, with the nearest that was meant", () => {
  const read = problemsOf(PAIR.replace("bravo=10.77.1.2:694 device", "brave=10.77.1.2:694 device"));
  expect(read).toEqual(["node.conf:7: error: the link service names brave, which is no node; write bravo"]);
});

test("a single link and a deadtime shorter than a pause are warned of", () => {
  const lines = PAIR.split("\n").filter((line) => !/six|cable|deadtime|keepalive/.test(line));
  const warnings = problemsOf([...lines, "keepalive 100ms", "deadtime 300ms"].join("\n"));
  expect(warnings).toEqual([
    "node.conf:5: warning: there is one link only: one cable decides over a takeover; add a second one",
    "node.conf:11: warning: deadtime 300ms is shorter than a busy machine may pause; write 500ms or more",
  ]);
});

const withLinks = (...links: readonly string[]) =>
  [
    ...PAIR.split("\n").filter((line) => !/^link/.test(line)),
    "link x udp alpha=10.7.1.1:1 bravo=10.7.1.2:1",
    ...links,
  ].join("\n");

test("broadcast, multicast and ring links, with interfaces and ports of each node", () => {
  const text = withLinks(
    "link cast broadcast device=eth1",
    "link group multicast group=239.77.0.1 alpha=eth1 bravo=enp2s0 port=700 hops=2",
    "link six multicast group=ff02::77:1 device=eth1",
    "link ring serial device=/dev/ttyS0,/dev/ttyS1 baud=9600",
  );
  const read = readNodeConfig(text, "node.conf");
  expect(read.kind === "valid" ? read.value.links.slice(1) : read).toEqual([
    { kind: "broadcast", name: "cast", address: "255.255.255.255", port: 694, devices: { "*": "eth1" } },
    {
      kind: "multicast",
      name: "group",
      group: "239.77.0.1",
      port: 700,
      hops: 2,
      devices: { alpha: "eth1", bravo: "enp2s0" },
    },
    { kind: "multicast", name: "six", group: "ff02::77:1", port: 694, hops: 1, devices: { "*": "eth1" } },
    { kind: "serial", name: "ring", baud: 9600, devices: { "*": ["/dev/ttyS0", "/dev/ttyS1"] } },
  ]);
  const wrong = problemsOf(
    withLinks("link cast broadcast port=0", "link group multicast group=10.0.0.1 device=eth1 hops=0", "link y tcp"),
  );
  expect(wrong.map((line) => line.replace(/; write link.*/, ""))).toEqual([
    "node.conf:12: error: link: the link cast needs device=INTERFACE, or NODE=INTERFACE of each node",
    "node.conf:12: error: link: port=0: a port is a number from 1 to 65535",
    "node.conf:13: error: link: group=10.0.0.1 is no multicast address: write one of 224.0.0.0/4 or ff00::/8",
    "node.conf:13: error: link: hops=0: write a number from 1 (this network only) to 32",
    "node.conf:14: error: link: write udp, broadcast, multicast or serial after the name",
  ]);
});

test("a serial line that heartbeats would fill is refused, and a ring in which a node has one port", () => {
  const fast = withLinks("link cable serial device=/dev/ttyS1 baud=9600").replace("500ms", "60ms");
  expect(problemsOf(fast)).toEqual([
    "node.conf:12: error: heartbeats take 87ms of cable at 9600 baud, keepalive is 60ms; " +
      "write keepalive 130ms or more, or a higher baud",
  ]);
  // A message of 1290 bytes takes 1.34 s there, the heartbeat 87 ms.
  const slow = withLinks("link cable serial device=/dev/ttyS1 baud=9600").replace("deadtime 5", "deadtime 1900ms");
  expect(problemsOf(slow)).toEqual([
    "node.conf:12: warning: a message takes 1344ms of cable at 9600 baud, and heartbeats over it may come 1931ms " +
      "apart; deadtime is 1900ms: over this link alone a living node may be taken for dead; " +
      "write deadtime 2100ms or more, or a higher baud",
  ]);
  expect(problemsOf(slow.replace("1900ms", "1940ms"))).toEqual([]);
  const three = withLinks("node charlie id 3", "link ring serial device=/dev/ttyS0,/dev/ttyS1 charlie=/dev/ttyS0");
  expect(problemsOf(three)).toEqual([
    "node.conf:13: error: the serial link ring joins 3 nodes, and charlie has one port in it; " +
      "write charlie=PATH,PATH to make it a ring, or name two nodes only",
  ]);
});

test("a takeover goal derives the times, and does not stand beside them", () => {
  const goal = PAIR.replace("keepalive 500ms", "takeover-goal 2s").replace("deadtime 5\n", "");
  expect(readNodeConfig(goal, "node.conf")).toMatchObject({
    kind: "valid",
    value: { takeoverGoalMs: 2000, deadtimeMs: 1000, keepaliveMs: 100, warntimeMs: 500, deadpingMs: 1000 },
  });
  expect(problemsOf(PAIR.replace("keepalive 500ms", "takeover-goal 500ms"))).toEqual([
    "node.conf:5: error: a takeover within 500ms leaves no time to tell death from a pause; write 600ms or more",
    "node.conf:6: error: deadtime and takeover-goal exclude each other; remove one of the two",
    "node.conf:6: warning: deadtime 250ms is shorter than a busy machine may pause; write 500ms or more",
  ]);
  // What excludes each other is told once, and not measured by what came of it.
  const both = PAIR.replace("keepalive 500ms", "keepalive 900ms").replace("deadtime 5", "takeover-goal 2s");
  expect(problemsOf(both)).toEqual([
    "node.conf:5: error: keepalive and takeover-goal exclude each other; remove one of the two",
  ]);
});

test("ping nodes, groups and tie-breakers", () => {
  const beyond = ["ping gate 10.77.1.254", "ping dns 10.77.1.53 fd00::53", "tie-breaker ping gate", "wait-for-all on"];
  expect(readNodeConfig([PAIR, ...beyond].join("\n"), "node.conf")).toMatchObject({
    kind: "valid",
    value: {
      pings: [
        { name: "gate", addresses: ["10.77.1.254"] },
        { name: "dns", addresses: ["10.77.1.53", "fd00::53"] },
      ],
      quorum: { waitForAll: true, tieBreaker: { kind: "ping", name: "gate" } },
    },
  });
  const wrong = [PAIR.trim(), "ping gate 10.77.1.256", "ping gate 10.77.1.254", "tie-breaker ping gaet", "deadping 1s"];
  expect(problemsOf(wrong.join("\n"))).toEqual([
    "node.conf:12: error: ping: 10.77.1.256 is no IPv4 or IPv6 address; write ping NAME ADDRESS [ADDRESS...]",
    "node.conf:14: error: the tie-breaker gaet is no ping node; write gate",
    "node.conf:15: error: deadping 1000ms is not above twice keepalive 500ms; remove deadping, or write 1500ms or more",
  ]);
});

test("a watchdog's pretimeout, and disks that have to answer", () => {
  const text = PAIR.replace("timeout 10s", "timeout 10s pretimeout 3s");
  const disks = ["storage-check /dev/drbd0", "storage-check /dev/sda timeout 10s"];
  expect(readNodeConfig([text, ...disks].join("\n"), "node.conf")).toMatchObject({
    kind: "valid",
    value: {
      watchdog: { path: "/dev/watchdog", timeoutMs: 10_000, pretimeoutMs: 3000 },
      storageChecks: [
        { path: "/dev/drbd0", timeoutMs: 30_000 },
        { path: "/dev/sda", timeoutMs: 10_000 },
      ],
    },
  });
  const wrong = [PAIR.trim().replace("timeout 10s", "timeout 10s pretimeout 10s"), "storage-check sda timeout 1s"];
  expect(problemsOf(wrong.join("\n")).map((line) => line.replace(/; write.*/, ""))).toEqual([
    "node.conf:10: error: watchdog: the pretimeout is 1s at least, and shorter than the timeout",
    "node.conf:12: error: storage-check: write the absolute path of a disk, and timeout TIME if 30s is wrong",
  ]);
});

test("no text makes the reader throw", () => {
  for (const text of [
    "",
    "\0\0",
    "link",
    "link a",
    "link a udp",
    "link a serial =",
    "node",
    "watchdog",
    "deadtime 1e9",
  ])
    expect(readNodeConfig(text, "x").kind).toBe("invalid");
});

test("the reference page holds every directive as the schema declares it", () => {
  expect(readFileSync("docs/operations/node-configuration.md", "utf8")).toContain(describeDirectives());
});

test.each([
  ["link y udp alpha=10.7.1.1:1 bravo=10.7.1.3:1", [], "on alpha the link y listens where x does: port 1 of 10.7.1.1"],
  ["link y broadcast device=eth1", ["link z broadcast alpha=eth2 bravo=eth1"], "broadcasts to port 694 at eth1"],
  ["link y serial device=/dev/ttyS0", ["link z serial device=/dev/ttyS1,/dev/ttyS0"], "/dev/ttyS0"],
  ["link y multicast group=239.0.0.1 device=eth1", ["link z multicast group=239.0.0.1 device=eth1"], "239.0.0.1"],
])("two links that take the same packets are an error: %s", (one, more, what) => {
  const problems = problemsOf(withLinks(one, ...more));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(what);
  expect(problems[0]).toContain("error: on ");
});

test("links of one interface by different kinds, ports or groups are none", () => {
  const links = [
    "link a broadcast device=eth1",
    "link b broadcast device=eth1 port=695",
    "link c multicast group=239.0.0.1 device=eth1",
    "link d multicast group=239.0.0.1 device=eth2",
    "link e udp alpha=10.7.1.1:2 bravo=10.7.1.2:2",
    "link f serial device=/dev/ttyS0",
    "link g serial device=/dev/ttyS1",
  ];
  expect(problemsOf(withLinks(...links))).toEqual([]);
});
