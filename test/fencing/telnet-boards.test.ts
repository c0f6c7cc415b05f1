/** RSA and DRAC/MC: the contract on a virtual line, then real telnet to a board that fence_rsa has judged. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { shellDevice } from "../../src/fencing/drivers/shell-dialect.ts";
import { dracMc, RSA } from "../../src/fencing/drivers/telnet-boards.ts";
import { type Expected, stripTelnet, type TextLine } from "../../src/hw/core/text/line.ts";
import { type ShellBoard, type ShellBoardOptions, startShellBoard } from "../support/shell-board.ts";
import { skips } from "../support/skip.ts";
import type { VirtualClock } from "../support/virtual-clock.ts";
import { type Behaviour, ContractDevice, describeContract } from "./driver-contract.ts";
import { createJudge, LOGIN, useBoard, useRunner } from "./real-line.ts";

const times = { answerMs: 10_000, confirmMs: 40_000, pollMs: 1_000, settleMs: 1_000 };

/** A shell on a virtual line: what it will say is known as soon as the command is written. */
function createLine(
  behaviour: Behaviour,
  clock: VirtualClock,
  device: ContractDevice,
  dialect: "rsa" | "drac-mc",
): TextLine {
  const prompt = dialect === "rsa" ? "\r\nsystem> " : "\r\nDRAC/MC: ";
  let waiting: string | undefined = behaviour.unreachable === true ? undefined : "\r\nlogin: ";
  return {
    sendPassword: () => {
      waiting = prompt;
    },
    sendLine(words) {
      const state = () => (device.status() === "on" ? "ON" : "OFF");
      if (words === "admin") waiting = "\r\npassword: ";
      else if (words === "power state") waiting = device.isSilent("other") ? undefined : `Power: ${state()}${prompt}`;
      else if (words === "getmodinfo") {
        waiting = device.isSilent("other") ? undefined : `1  ----> Server-1   Present   ${state()}${prompt}`;
      } else if (device.isSilent("command")) waiting = undefined;
      else {
        const answer = device.command(/on$|up$/.test(words) ? "on" : "off");
        const said = { done: "ok", denied: "permission denied", busy: "Error: try again", lost: "garbage" };
        waiting = `${words}\r\n${said[answer]}${prompt}`;
      }
    },
    async expect(pattern): Promise<Expected> {
      const text = waiting ?? "";
      waiting = undefined;
      if (pattern.test(text)) return { kind: "seen", text };
      clock.advance(times.answerMs);
      return { kind: "silent", text };
    },
  };
}

for (const [name, dialect] of [
  ["rsa-telnet", "rsa"],
  ["drac-mc-telnet", "drac-mc"],
] as const) {
  describeContract(name, {
    boundMs: boundMs(times) + 2 * times.answerMs,
    async run(behaviour, clock, action) {
      const device = new ContractDevice(behaviour, clock);
      const line = createLine(behaviour, clock, device, dialect);
      const shell = shellDevice(line, dialect === "rsa" ? RSA : dracMc("Server-1"), "admin");
      return { outcome: await provePower(shell, clock, times, action), power: device.power() };
    },
  });
}

const runner = useRunner();
const boards = useBoard<ShellBoard>();

function start(options: Partial<ShellBoardOptions> = {}): Promise<ShellBoard> {
  return boards.keep(startShellBoard({ dialect: "rsa", ...options }));
}

function device(port: number, more: Readonly<Record<string, string>> = {}) {
  const quick = { confirm_time: "1s", settle_time: "100ms", poll_time: "50ms", answer_time: "500ms" };
  const parameters = { ...LOGIN, port: String(port), ...quick, ...more };
  return { id: "f", driver: "module" in more ? "drac-mc-telnet" : "rsa-telnet", parameters };
}

describe.skipIf(skips(!existsSync("/usr/sbin/fence_rsa"), "fence-agents, the judge, is not installed"))(
  "the judge: fence_rsa drives our board",
  () => {
    test("status, off and on", async () => {
      const board = await start();
      const fence = createJudge("fence_rsa", board.port);
      expect(await fence("status")).toContain("Status: ON");
      expect(await fence("off")).toContain("Success: Powered OFF");
      expect(board.power).toBe("off");
      expect(await fence("on")).toContain("Success: Powered ON");
    });
  },
);

describe("our driver over a real line", () => {
  test.each([
    ["an RSA", {}, {}],
    ["an RSA that negotiates", { negotiates: true }, {}],
    ["a DRAC/MC", { dialect: "drac-mc" }, { module: "Server-1" }],
  ] as const)("%s: off is confirmed, then on, and it logs out", async (_, options, parameters) => {
    const board = await start(options);
    const { port, commands } = board;
    expect((await runner.run(device(port, parameters), "off", 10_000)).outcome).toEqual({
      kind: "confirmed",
      power: "off",
    });
    expect(board.power).toBe("off");
    await expect.poll(() => commands.at(-1)).toBe("exit");
    expect((await runner.run(device(port, parameters), "on", 10_000)).outcome.kind).toBe("confirmed");
    expect(board.power).toBe("on");
  });

  // The first two are what cluster-glue's plugin took for a success.
  test.each([
    ["error", "unknown"],
    ["no-answer", "unknown"],
    ["hang-up", "unknown"],
    ["does-nothing", "unknown"],
    ["denied", "not-done"],
  ] as const)("an RSA with the vice %s is %s", async (vice, expected) => {
    const board = await start({ vice });
    const { outcome } = await runner.run(device(board.port), "off", 10_000);
    expect(outcome.kind).toBe(expected);
    expect(board.power).toBe("on");
  });

  test("a wrong password is not done, and says so", async () => {
    const { port } = await start();
    const { outcome } = await runner.run(device(port, { secret: "wrong" }), "off", 10_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("user or password") });
  });

  test("nobody listens", async () => {
    const { port } = await start();
    await boards.end();
    const { outcome } = await runner.run(device(port), "status", 10_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("nothing listens") });
  });
});

test("telnet options are declined, and text is text, however it is cut", () => {
  const bytes = Uint8Array.of(255, 251, 1, 104, 255, 253, 31, 255, 250, 24, 1, 255, 240, 105, 13, 0, 255, 255);
  const whole = stripTelnet(bytes);
  expect(whole.text).toBe("hi\r\u00ff");
  expect([...whole.reply]).toEqual([255, 254, 1, 255, 252, 31]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const first = stripTelnet(bytes.subarray(0, cut));
    const second = stripTelnet(Uint8Array.from([...first.rest, ...bytes.subarray(cut)]));
    expect(first.text + second.text, `cut at ${cut}`).toBe(whole.text);
  }
});
