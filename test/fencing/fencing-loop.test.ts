/** Fencer, runner and a real ipmi_sim joined by one loop, as in a node: what a lost node's fencing looks like. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { parseXml } from "../../src/base/xml.ts";
import { stepFencer } from "../../src/fencing/core/fencer.ts";
import {
  certificateFor,
  createFencer,
  type FencerEffect,
  type FencerEvent,
  type FencerState,
  wakeAtMs,
} from "../../src/fencing/core/fencer-state.ts";
import { readFencingConfiguration } from "../../src/fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { createRunner, type DeviceRunner } from "../../src/fencing/edge/runner.ts";
import { freeUdpPort, type IpmiSim, startIpmiSim } from "../support/ipmi-sim.ts";

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-fencing-"));
const secretsFile = path.join(directory, "secrets");
let board: IpmiSim;
let loop: Loop | undefined;

class Loop {
  #state: FencerState;
  readonly #runner: DeviceRunner = createRunner({ secretsFile });
  readonly #waiting = new Map<string, (answer: Extract<FencerEffect, { kind: "answer" }>) => void>();
  #timer: NodeJS.Timeout | undefined;
  readonly log: string[] = [];

  constructor(xml: string) {
    const read = parseXml(xml);
    if (read.kind !== "xml") throw new Error(read.reason);
    const { configuration, problems } = readFencingConfiguration(read.root, CATALOGUE);
    expect(problems).toEqual([]);
    this.#state = createFencer("bravo", configuration);
  }
  get state(): FencerState {
    return this.#state;
  }
  step(event: FencerEvent): void {
    const stepped = stepFencer(this.#state, event, performance.now());
    this.#state = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "log") this.log.push(effect.text);
      if (effect.kind === "answer") this.#waiting.get(effect.requestId)?.(effect);
      if (effect.kind === "run-device") {
        const { device, action, timeoutMs, attemptId } = effect;
        void this.#runner.run(device, action, timeoutMs).then((report) => {
          this.step({ kind: "attempt-result", atWallMs: Date.now(), attemptId, report });
        });
      }
    }
    clearTimeout(this.#timer);
    const atMs = wakeAtMs(this.#state);
    if (atMs === undefined) return;
    const tick = () => this.step({ kind: "tick", atWallMs: Date.now() });
    this.#timer = setTimeout(tick, Math.max(0, atMs - performance.now()) + 1);
  }
  request(requestId: string): Promise<Extract<FencerEffect, { kind: "answer" }>> {
    return new Promise((resolve) => {
      this.#waiting.set(requestId, resolve);
      const origin = { kind: "scheduler", by: "transition 1" } as const;
      const common = { target: "alpha", action: "off", origin, seed: 1, isTargetPreferred: false } as const;
      this.step({ kind: "request", atWallMs: Date.now(), requestId, ...common });
    });
  }
  close(): void {
    clearTimeout(this.#timer);
    this.#runner.close();
  }
}

function cib(devices: Readonly<Record<string, number>>, topology = ""): string {
  const pairs = (values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .map(([name, value]) => `<nvpair name="${name}" value="${value}"/>`)
      .join("");
  const primitives = Object.entries(devices).map(([id, port]) => {
    const login = { host: "127.0.0.1", port: String(port), user: "admin", secret: "alpha", pcmk_host_list: "alpha" };
    const times = {
      settle_time: "200ms",
      poll_time: "50ms",
      answer_time: "1s",
      confirm_time: "2s",
      pcmk_off_retries: "1",
    };
    const attributes = `<instance_attributes>${pairs({ ...login, ...times })}</instance_attributes>`;
    return `<primitive id="${id}" class="stonith" type="ipmi-lan">${attributes}</primitive>`;
  });
  const resources = `<resources>${primitives.join("")}</resources>`;
  return `<cib><configuration>${resources}<fencing-topology>${topology}</fencing-topology></configuration></cib>`;
}

beforeEach(async () => {
  board = await startIpmiSim({ machine: "file" });
  writeFileSync(secretsFile, "alpha=adminpw\n", { mode: 0o600 });
  return async () => {
    loop?.close();
    loop = undefined;
    await board.stop();
  };
});
afterAll(() => rmSync(directory, { recursive: true }));

test("a lost node is fenced, and its certificate says what was asked and what was read back", async () => {
  loop = new Loop(cib({ bmc: board.port }));
  const startedWallMs = Date.now();
  const { outcome, record } = await loop.request("r1");
  expect([outcome, board.power()]).toEqual([{ kind: "confirmed", power: "off" }, "off"]);
  expect(record.devices).toMatchObject([
    {
      device: "bmc",
      evidence: [
        { asked: "switch off", answered: "accepted" },
        { asked: "read power", answered: "off" },
      ],
    },
  ]);
  expect(certificateFor(loop.state, "alpha", startedWallMs)).toEqual(record);
  expect(certificateFor(loop.state, "alpha", Date.now() + 1)).toBeUndefined();
});

test("a wrong password says so within seconds, is tried again, and works once it is corrected", async () => {
  writeFileSync(secretsFile, "alpha=not-this-one\n", { mode: 0o600 });
  loop = new Loop(cib({ bmc: board.port }));
  const startedAtMs = performance.now();
  const first = await loop.request("r1");
  expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  expect(first.outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("password") });
  expect(loop.log.join("\n")).toContain("nothing is taken over");
  expect(loop.log.join("\n") + JSON.stringify(loop.state)).not.toContain("not-this-one");
  expect(board.power()).toBe("on");
  writeFileSync(secretsFile, "alpha=adminpw\n", { mode: 0o600 });
  expect((await loop.request("r2")).outcome.kind).toBe("confirmed");
});

test("a dead board gives way to the next level", async () => {
  const levels =
    `<fencing-level id="l1" index="1" target="alpha" devices="dead"/>` +
    `<fencing-level id="l2" index="2" target="alpha" devices="good"/>`;
  loop = new Loop(cib({ dead: await freeUdpPort(), good: board.port }, levels));
  const { outcome, record } = await loop.request("r1");
  expect(outcome.kind).toBe("confirmed");
  expect(record.devices.map(({ device, outcome: each }) => [device, each.kind])).toEqual([
    ["dead", "not-done"],
    ["good", "confirmed"],
  ]);
});

test("a board that says yes and does nothing never lets anybody take over, until a person has gone there", async () => {
  board.setFaults({ stuckOff: true });
  loop = new Loop(cib({ bmc: board.port }));
  expect((await loop.request("r1")).outcome.kind).toBe("unknown");
  expect(certificateFor(loop.state, "alpha", 0)).toBeUndefined();
  const by = "root on ttyS0";
  loop.step({ kind: "operator-confirmation", atWallMs: Date.now(), target: "alpha", by, answersOn: ["BMC: power on"] });
  expect(certificateFor(loop.state, "alpha", 0)).toBeUndefined();
  loop.step({ kind: "operator-confirmation", atWallMs: Date.now(), target: "alpha", by, answersOn: [] });
  expect(certificateFor(loop.state, "alpha", 0)?.by).toEqual([by]);
});
