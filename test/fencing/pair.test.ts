/** Two real nodes and their boards: a takeover waits for the power to be read as off by IPMI. Needs root. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { askControl, controlSocketPath } from "../../src/app/control-client.ts";
import { ADDRESS, NODES, type NodeName, type NodePair, openNodePair } from "../app/node-pair.ts";
import { type IpmiSim, startIpmiSim } from "../support/ipmi-sim.ts";
import { skips } from "../support/skip.ts";

/** Each starts two nodes and two boards, and waits for real deaths; on a busy machine that takes its time. */
const TIMEOUT_MS = 180_000;
const isSkipped = skips(process.getuid?.() !== 0, "it needs root for its network namespaces");
const asRoot = (name: string, run: () => Promise<void>) => test.skipIf(isSkipped)(name, { timeout: TIMEOUT_MS }, run);
/** The client's own address, where the boards listen: both nodes reach it, and lose it when they are cut off. */
const BOARDS = "198.18.3.9";

let pair: NodePair | undefined;
const boards = new Map<NodeName, IpmiSim>();

afterEach(async () => {
  await pair?.close();
  pair = undefined;
  for (const board of boards.values()) await board.stop();
  boards.clear();
});

function configuration(port: (node: NodeName) => number, meta: string): string {
  const devices = NODES.map((node) => {
    const login = `host=${BOARDS} port=${port(node)} user=admin secret=board pcmk_host_list=${node}`;
    const times = "settle_time=200ms answer_time=2s pcmk_off_retries=1";
    return `primitive fence-${node} stonith:ipmi-lan params ${login} ${times}${meta}
location fence-${node}-elsewhere fence-${node} -inf: ${node}`;
  });
  return `primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service op monitor interval=5s
${devices.join("\n")}
property no-quorum-policy=ignore stonith-enabled=true stonith-action=off
`;
}

/** A pair that starts, with a board for each node; the secrets file holds `password`. */
async function open(password: string, meta = ""): Promise<NodePair> {
  // The boards need the pair's network, and the pair's configuration the boards' ports.
  const opened = openNodePair({ times: ["keepalive 200ms", "deadtime 2s", "initdead 5s"], configuration: "" });
  pair = opened;
  for (const node of NODES) {
    const launch = (file: string, argv: readonly string[]) => opened.client(file, ...argv);
    boards.set(node, await startIpmiSim({ machine: "file", address: BOARDS, launch }));
  }
  writeFileSync(
    path.join(opened.folder, "cluster.crm"),
    configuration((node) => boards.get(node)?.port ?? 0, meta),
  );
  setPassword(opened, password);
  return opened;
}

/** A pair that runs its one resource. */
async function start(password: string, more = ""): Promise<{ opened: NodePair; dead: NodeName; alive: NodeName }> {
  const opened = await open(password, more);
  for (const node of NODES) opened.start(node);
  await opened.until("the address is up on one node, and the pair is idle", async () => {
    const status = await opened.status("bravo");
    const isUp = NODES.filter((node) => opened.hasAddress(node)).length === 1;
    return isUp && status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
  });
  const [dead, alive] = opened.hasAddress("alpha") ? (["alpha", "bravo"] as const) : (["bravo", "alpha"] as const);
  return { opened, dead, alive };
}

function setPassword({ folder }: NodePair, password: string): void {
  writeFileSync(path.join(folder, "secrets"), `board=${password}\n`, { mode: 0o600 });
}

asRoot(
  "a lost node is switched off by its board, then its address is taken over; it learns of its death when it is back",
  async () => {
    const { opened, dead, alive } = await start("adminpw");
    boards.get(dead)?.setFaults({ offAfterReads: 1_000 });
    opened.cut(dead);
    await opened.until("its board is asked", () => opened.log(alive).includes(`off of ${dead}, asked by`));
    expect(boards.get(dead)?.power()).toBe("on");
    expect(opened.hasAddress(alive)).toBe(false);
    boards.get(dead)?.setFaults({ offAfterReads: 1 });
    await opened.until("the other has the address", () => opened.hasAddress(alive));
    expect(boards.get(dead)?.power()).toBe("off");
    expect(boards.get(alive)?.power()).toBe("on");
    const history = opened.gemel(alive, "fence", "history").output;
    expect(history).toContain(`off of ${dead}: confirmed by fence-${dead} on ${alive}, asked by ${alive}: the cluster`);
    expect(history).toMatch(new RegExp(`fence-${dead} \\(ipmi-lan\\): off confirmed: power read as off`));
    expect(history).toMatch(/switch off: accepted[\s\S]*read power: on[\s\S]*read power: off/);
    expect(opened.gemel(alive, "stonith-admin", "-H", dead).output).toMatch(/off of .*: confirmed.*1 event found/s);
    expect(opened.gemel(alive, "stonith-admin", "-l", dead).output).toBe(`fence-${dead}\n1 fence device found\n`);
    const refused = opened.gemel(alive, "stonith-admin", "-C", alive);
    expect([refused.code, opened.hasAddress(alive)]).toEqual([1, true]);
    opened.join(dead);
    opened.start(dead);
    const certificate = `off of ${dead}: confirmed by fence-${dead} on ${alive}`;
    const knows = (node: NodeName) => opened.gemel(node, "fence", "history").output.includes(certificate);
    await opened.until("it knows of its own death", () => knows(dead), 40_000);
    opened.killManager(alive);
    await opened.until("the manager is back and still knows", () => knows(alive), 90_000);
  },
);

asRoot(
  "both nodes ask for the same at once: the board is asked by one round, and both are told its record",
  async () => {
    // Long enough that the second wish comes while the first is tried; an `on`, for an off would end one of the askers.
    const { opened } = await start("adminpw", " pcmk_on_retries=4");
    const dc = (await opened.status("alpha"))?.dc;
    const [target, other] = dc === "alpha" ? (["bravo", "alpha"] as const) : (["alpha", "bravo"] as const);
    boards.get(target)?.setPower("off");
    boards.get(target)?.setFaults({ refuse: true });
    const ask = (node: NodeName) =>
      askControl(controlSocketPath(opened.runDirectory(node)), { kind: "fence", target, action: "on" }, 60_000);
    const answers = await Promise.all(NODES.map(ask));
    const [first, second] = answers.map((answer) => (answer.kind === "answer" ? answer.value : undefined));
    expect(first).toMatchObject({ target, action: "on", outcome: "not-done" });
    expect(second).toEqual(first);
    const history = opened.gemel(other, "fence", "history").output;
    expect(history.match(new RegExp(`on of ${target}: not-done`, "g"))).toHaveLength(1);
  },
);

asRoot("a drill switches a node that runs nothing off and on; devices carry the date of their proof", async () => {
  const { opened, dead: runs, alive: idle } = await start("adminpw");
  const drill = (node: NodeName) => opened.gemel(runs, "fence", "drill", node, "--yes", node);
  const dc = (await opened.status(runs))?.dc;
  if (dc === idle) {
    // The DC does not drill itself: it is asked to hand over.
    expect(drill(idle).output).toContain("is the DC and would do it to itself");
    opened.killManager(idle);
    await opened.until("the other is the DC", async () => (await opened.status(runs))?.dc === runs);
  }
  expect(opened.gemel(runs, "fence", "prove").code).toBe(0);
  expect(opened.gemel(runs, "fence", "proofs").output).toMatch(
    new RegExp(`${runs}  fence-${idle}: proven; seen well .*; counts until .*; never switched off by it`),
  );
  const done = drill(idle);
  expect([done.code, done.output]).toEqual([
    0,
    expect.stringContaining(`reboot of ${idle}: confirmed by fence-${idle}`),
  ]);
  expect(done.output).toContain("drill of level 1");
  await opened.until("it is on again", () => boards.get(idle)?.power() === "on");
  await opened.until("the drill has its date", () =>
    opened.gemel(runs, "fence", "proofs").output.includes("; switched off by it "),
  );
  setPassword(opened, "expired");
  expect(opened.gemel(runs, "fence", "prove").code).toBe(1);
  const status = await opened.status(runs);
  expect(status?.problems.map(({ what }) => what).join()).toMatch(/could not fence by .* now \(last proven .*password/);
  expect(opened.hasAddress(runs)).toBe(true);
});

asRoot("a person's word is refused while the board reads that the node is on", async () => {
  const { opened, dead, alive } = await start("adminpw");
  boards.get(dead)?.setFaults({ stuckOff: true });
  opened.cut(dead);
  await opened.until("its board is asked", () => opened.log(alive).includes(`off of ${dead}, asked by`));
  const confirm = () => opened.gemel(alive, "fence", "confirm", dead, "--yes", dead);
  // A word about a node that there is not would be put on record, and nothing would come of it.
  for (const words of [
    ["confirm", "brav", "--yes", "brav"],
    ["off", "Bravo"],
    ["drill", "bravo1", "--yes", "bravo1"],
  ]) {
    const { code, output } = opened.gemel(alive, "fence", ...words);
    expect([code, output]).toEqual([1, expect.stringContaining("write the exact name: alpha, bravo")]);
  }
  expect(confirm()).toMatchObject({ code: 1, output: expect.stringContaining(`fence-${dead} reads that it is on`) });
  expect(opened.hasAddress(alive)).toBe(false);
  await boards.get(dead)?.stop();
  boards.delete(dead);
  expect(confirm().code).toBe(0);
  await opened.until("the other has the address", () => opened.hasAddress(alive));
  expect(opened.gemel(alive, "fence", "history").output).toContain("is this node switched off?: confirmed by root");
  expect(opened.gemel(alive, "fence", "history").output).toContain("nothing was read: a person has said so");
});

asRoot("a wrong password says so within seconds and keeps the takeover waiting until it is corrected", async () => {
  const { opened, dead, alive } = await start("adminpw");
  setPassword(opened, "not-this-one");
  const cutAtMs = performance.now();
  opened.cut(dead);
  await opened.until("the reason is told", () => opened.log(alive).includes("does not know this password"));
  expect(performance.now() - cutAtMs).toBeLessThan(15_000);
  await opened.until("what follows is told", () => opened.log(alive).includes("nothing is taken over"));
  expect(opened.hasAddress(alive)).toBe(false);
  expect(boards.get(dead)?.power()).toBe("on");
  expect(opened.log(alive)).not.toContain("not-this-one");
  setPassword(opened, "adminpw");
  await opened.until("the other has the address", () => opened.hasAddress(alive), 60_000);
  expect(boards.get(dead)?.power()).toBe("off");
});

asRoot("a node starts nothing before its device has let it in, which is done once a start", async () => {
  const opened = await open("adminpw", " meta provides=unfencing");
  for (const board of boards.values()) board.setPower("off");
  boards.get("alpha")?.setFaults({ refuse: true });
  for (const node of NODES) opened.start(node);
  await opened.until("it is said that alpha is not let in", () =>
    NODES.some((node) => opened.log(node).includes("unfencing of alpha is not-done, so nothing starts there")),
  );
  expect([boards.get("alpha")?.power(), boards.get("bravo")?.power()]).toEqual(["off", "on"]);
  expect(NODES.filter((node) => opened.hasAddress(node))).toEqual([]);
  boards.get("alpha")?.setFaults({});
  await opened.until("the address is up", () => NODES.some((node) => opened.hasAddress(node)), 60_000);
  expect(boards.get("alpha")?.power()).toBe("on");
  const history = opened.gemel("bravo", "fence", "history").output;
  expect(history.match(/on of bravo: confirmed/g)).toHaveLength(1);
  // By another device than the one that they were let in by, both are let in again, and the service starts after it.
  expect(opened.gemel("bravo", "crm", "resource", "param", "fence-alpha", "set", "settle_time", "250ms").code).toBe(0);
  const letIns = () =>
    opened.gemel("bravo", "fence", "history").output.match(/on of (?:alpha|bravo): confirmed/g) ?? [];
  await opened.until("both were let in again", () => letIns().length === 4, 60_000);
  await opened.until("the address is up again", () => NODES.some((node) => opened.hasAddress(node)), 60_000);
  expect(NODES.map((node) => opened.log(node)).join("\n")).toContain(
    "a fencing device that lets the node in was changed",
  );
});
