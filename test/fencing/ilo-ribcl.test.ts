/** iLO 1 and 2: the contract on a virtual clock, then RIBCL over real TLS to a board that fence_ilo has judged. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { iloDevice } from "../../src/fencing/drivers/ilo-ribcl.ts";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import type { DocumentAnswer, DocumentBoard } from "../../src/hw/core/tls/document.ts";
import { FINGERPRINT } from "../support/board-certificate.ts";
import {
  ACCOUNT,
  answerLogin,
  CUT,
  type RibclMachine,
  type RibclOptions,
  type RibclServer,
  startRibcl,
} from "../support/ribcl-emulator.ts";
import { skips } from "../support/skip.ts";
import { ContractDevice, describeContract } from "./driver-contract.ts";
import { createJudge, LOGIN, useBoards, useRunner } from "./real-line.ts";

const times = { answerMs: 15_000, confirmMs: 60_000, pollMs: 1_000, settleMs: 1_000 };

for (const [processor, firmware] of [
  ["iLO", "1.94"],
  ["iLO2", "2.33"],
] as const) {
  describeContract(`ilo-ribcl on ${processor}`, {
    // Switching looks first: three more answers.
    boundMs: boundMs(times) + 3 * times.answerMs,
    async run(behaviour, clock, action) {
      const device = new ContractDevice(behaviour, clock);
      const machine: RibclMachine = {
        power: () => device.status(),
        button(kind) {
          const answer = device.command(kind === "hold" ? "off" : "on");
          return answer === "lost" ? "cut" : answer;
        },
      };
      const silent = (): DocumentAnswer => {
        clock.advance(times.answerMs);
        return { kind: "silent", reason: "no answer" };
      };
      const board: DocumentBoard = {
        async exchange(pieces) {
          if (behaviour.unreachable === true) return { kind: "refused", reason: "nothing listens" };
          const text = pieces(ACCOUNT.password).join("");
          if (device.isSilent(text.includes("PWR_BTN") ? "command" : "other")) return silent();
          const answer = answerLogin({ machine, processor, firmware }, text);
          return answer === CUT ? silent() : { kind: "text", text: answer };
        },
      };
      return { outcome: await provePower(iloDevice(board, "admin"), clock, times, action), power: device.power() };
    },
  });
}

const runner = useRunner();
const boards = useBoards<RibclServer>();

function createMachine(): RibclMachine {
  let power: "on" | "off" = "on";
  return {
    power: () => power,
    button(kind) {
      setTimeout(() => (power = kind === "hold" ? "off" : "on"), 100);
      return "done";
    },
  };
}

async function start(options: Partial<RibclOptions> & { readonly isOld?: boolean } = {}) {
  const machine = createMachine();
  const { port } = await boards.keep(startRibcl({ machine, processor: "iLO2", firmware: "2.33", ...options }));
  return { machine, port };
}

function device(port: number, more: Readonly<Record<string, string>> = {}) {
  const quick = { confirm_time: "3s", settle_time: "100ms", poll_time: "50ms", answer_time: "2s" };
  const login = { ...LOGIN, port: String(port), certificate: FINGERPRINT };
  return { id: "f", driver: "ilo-ribcl", parameters: { ...login, ...quick, ...more } };
}

const canJudge = existsSync("/usr/sbin/fence_ilo") && existsSync("/usr/bin/gnutls-cli");
describe.skipIf(skips(!canJudge, "fence-agents, the judge, is not installed"))(
  "the judge: fence_ilo drives our board",
  () => {
    test.concurrent.each([
      ["iLO", "1.94"],
      ["iLO2", "2.33"],
    ] as const)("%s with firmware %s: status, off and on", async (processor, firmware) => {
      const { machine, port } = await start({ processor, firmware });
      const fence = createJudge("fence_ilo", port, "--ssl-insecure");
      expect(await fence("status")).toContain("Status: ON");
      expect(await fence("off")).toContain("Success: Powered OFF");
      expect(machine.power()).toBe("off");
      expect(await fence("on")).toContain("Success: Powered ON");
    });
  },
);

describe("our driver over a real line", () => {
  test.concurrent.each([
    ["an iLO 2", {}],
    ["an iLO 2 before TOGGLE", { firmware: "1.20" }],
    ["an iLO 1", { processor: "iLO", firmware: "1.94" }],
    ["a board that speaks TLS 1.0 only", { isOld: true }],
  ] as const)("%s: off is confirmed, then on", async (_, options) => {
    const { machine, port } = await start(options);
    expect((await runner.run(device(port), "off", 20_000)).outcome).toEqual({ kind: "confirmed", power: "off" });
    expect(machine.power()).toBe("off");
    // Off again must not toggle it on.
    expect((await runner.run(device(port), "off", 20_000)).outcome).toEqual({ kind: "confirmed", power: "off" });
    expect(machine.power()).toBe("off");
    expect((await runner.run(device(port), "on", 20_000)).outcome).toEqual({ kind: "confirmed", power: "on" });
  });

  test("an old board is refused where only new TLS is allowed, with the remedy", async () => {
    const { port } = await start({ isOld: true });
    const { outcome } = await runner.run(device(port, { tls: "strict" }), "status", 20_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("tls=legacy") });
  });

  test("a wrong password is not done, and says so", async () => {
    const { port } = await start();
    const { outcome } = await runner.run(device(port, { secret: "wrong" }), "off", 20_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("user or password") });
  });

  test("a board without the right for the button is not done", async () => {
    const machine: RibclMachine = { power: () => "on", button: () => "denied" };
    const { port } = await start({ machine });
    const { outcome } = await runner.run(device(port), "off", 20_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("Virtual Power and Reset") });
  });
});
