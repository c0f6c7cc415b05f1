/** The pulse with a watchdog of paper: what feeds it, and what does not. */
import { afterEach, expect, test } from "vitest";
import type { ManagerVitals } from "../../../src/app/keeper/manager-process.ts";
import { type Pulse, startPulse } from "../../../src/app/keeper/pulse.ts";
import { readNodeConfig } from "../../../src/cib/node-config.ts";
import { createSigner } from "../../../src/cluster/edge/signer.ts";

const read = readNodeConfig(
  "cluster test\nnode alpha id 1\nnode bravo id 2\nlink a udp alpha=198.18.1.1:1 bravo=198.18.1.2:1\n" +
    "deadtime 30s\nauthkeys keys\nwatchdog /dev/watchdog timeout 60s\nstorage-check /no/such/disk\n",
  "node.conf",
);
if (read.kind === "invalid") throw new Error(JSON.stringify(read.problems));
const config = read.value;

let pulse: Pulse | undefined;
afterEach(() => pulse?.close());

function open(vitals: () => ManagerVitals) {
  const fed: number[] = [];
  const said: string[] = [];
  pulse = startPulse({
    config,
    self: { name: "alpha", id: 1 },
    signer: createSigner(
      { signing: 1, keys: [{ number: 1, method: "aes256-gcm", secret: "a secret of this test" }] },
      "test",
    ),
    generation: 3,
    watchdog: {
      identity: "paper",
      module: undefined,
      timeoutMs: 60_000,
      pretimeoutMs: undefined,
      nowayout: false,
      causedBoot: undefined,
      feed: () => fed.push(performance.now()),
      disarm: () => undefined,
    },
    managerVitals: vitals,
    quorumEndAtMs: () => undefined,
    log: { say: (_, text) => said.push(text), limited: (_, __, text) => said.push(text), flush: () => undefined },
    onEnd: (reason) => said.push(`end: ${reason}`),
  });
  return { pulse, fed, said };
}

const well = (): ManagerVitals => ({
  managerAnsweredAtMs: performance.now(),
  managerComplaint: undefined,
  managerEnds: 0,
});

test("its own end is no trouble: an orderly stop says nothing critical", async () => {
  const opened = open(well);
  opened.pulse.close();
  await new Promise(setImmediate);
  expect(opened.said).toEqual([]);
});

test("each beat feeds once, and only when it has come back through the loop", async () => {
  const opened = open(well);
  opened.pulse.beat(1, 0);
  expect(opened.fed.length).toBe(0);
  await expect.poll(() => opened.fed.length).toBe(1);
  opened.pulse.beat(2, 5);
  await expect.poll(() => opened.fed.length).toBe(2);
  expect(opened.pulse.report()).toMatchObject({ lateness: { count: 2, worstMs: 5 }, watchdog: { identity: "paper" } });
  expect(opened.pulse.suspendedMs()).toBeUndefined();
});

test("a beat that comes back to a manager that keeps ending feeds nothing, and that is said once", async () => {
  const opened = open(() => ({ ...well(), managerEnds: 9 }));
  for (const beat of [1, 2, 3]) opened.pulse.beat(beat, 0);
  await expect.poll(() => opened.said.length).toBeGreaterThan(0);
  expect(opened.said).toEqual(["sick: the manager ended 9 times lately; the watchdog is not fed"]);
  expect(opened.fed).toEqual([]);
  expect(opened.pulse.report().ailment).toBe("the manager ended 9 times lately");
});

test("a disk that answers with an error is told once, and is no reason to end", async () => {
  const opened = open(well);
  await expect.poll(() => opened.said.length).toBe(1);
  expect(opened.said[0]).toMatch(/^storage-check \/no\/such\/disk: .*ENOENT/);
  opened.pulse.beat(1, 0);
  await expect.poll(() => opened.fed.length).toBe(1);
});
