/** Boards by telnet: the contract on a virtual line, then real telnet to boards that their fence agents have judged. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { type ShellDialect, shellDevice } from "../../src/fencing/drivers/shell-dialect.ts";
import { amm, DRAC4, dracMc, RSA, racadmByTelnet } from "../../src/fencing/drivers/telnet-boards.ts";
import { type Expected, stripTelnet, type TextLine } from "../../src/hw/core/text/line.ts";
import { type ShellBoard, type ShellBoardOptions, startShellBoard } from "../support/shell-board.ts";
import { skips } from "../support/skip.ts";
import type { VirtualClock } from "../support/virtual-clock.ts";
import { type Behaviour, ContractDevice, describeContract } from "./driver-contract.ts";
import { createJudge, LOGIN, useBoards, useRunner } from "./real-line.ts";

const times = { answerMs: 10_000, confirmMs: 40_000, pollMs: 1_000, settleMs: 1_000 };

interface VirtualShell {
  readonly name: string;
  readonly dialect: ShellDialect;
  readonly prompt: string;
  readonly status: (power: string) => string;
  readonly done: string;
  /** The prompt after the login, where one board serves several machines. */
  readonly welcome?: string;
}

const SHELLS: readonly VirtualShell[] = [
  { name: "rsa-telnet", dialect: RSA, prompt: "\r\nsystem> ", status: (power) => `Power: ${power}`, done: "ok" },
  {
    name: "drac-mc-telnet",
    dialect: dracMc("Server-1"),
    prompt: "\r\nDRAC/MC: ",
    status: (power) => `1  ----> Server-1   Present   ${power}`,
    done: "OK",
  },
  {
    name: "drac4-telnet",
    dialect: DRAC4,
    prompt: "\r\n[admin]# ",
    status: (power) => `1  ----> chassis   Present   ${power}   Normal`,
    done: "",
  },
  {
    name: "racadm-telnet",
    dialect: racadmByTelnet(undefined),
    prompt: "\r\n$ ",
    status: (power) => `Server power status: ${power}`,
    done: "Server power operation successful",
  },
  {
    name: "amm-telnet",
    dialect: amm("3"),
    prompt: "\r\nsystem:blade[3]> ",
    status: (power) => power,
    done: "OK",
    welcome: "\r\nsystem> ",
  },
];

/** A shell on a virtual line: what it will say is known as soon as the command is written. */
function createLine(behaviour: Behaviour, clock: VirtualClock, device: ContractDevice, shell: VirtualShell): TextLine {
  const { dialect, prompt, welcome = prompt } = shell;
  let waiting: string | undefined = behaviour.unreachable === true ? undefined : "\r\nusername/login: ";
  if (waiting !== undefined && dialect.login?.user.test(waiting) === false) waiting = "\r\nusername: ";
  return {
    sendPassword: () => {
      waiting = welcome;
    },
    sendLine(words) {
      const isSilent = words === dialect.status ? device.isSilent("other") : false;
      if (words === "admin") waiting = "\r\npassword: ";
      else if (words === dialect.enter?.command) waiting = `OK${prompt}`;
      else if (words === dialect.status) {
        const said = shell.status(device.status() === "on" ? "ON" : "OFF");
        waiting = isSilent ? undefined : `${words}\r\n${said}${prompt}`;
      } else if (device.isSilent("command")) waiting = undefined;
      else {
        const answer = device.command(words === dialect.on ? "on" : "off");
        const said = { done: shell.done, denied: "permission denied", busy: "Error: try again", lost: "garbage" };
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

for (const shell of SHELLS) {
  describeContract(shell.name, {
    boundMs: boundMs(times) + 3 * times.answerMs,
    async run(behaviour, clock, action) {
      const device = new ContractDevice(behaviour, clock);
      const board = shellDevice(createLine(behaviour, clock, device, shell), shell.dialect, "admin");
      return { outcome: await provePower(board, clock, times, action), power: device.power() };
    },
  });
}

const runner = useRunner();
const boards = useBoards<ShellBoard>();

function start(options: Partial<ShellBoardOptions> = {}): Promise<ShellBoard> {
  return boards.keep(startShellBoard({ dialect: "rsa", ...options }));
}

function device(port: number, more: Readonly<Record<string, string>> = {}, driver = "rsa-telnet") {
  const quick = { confirm_time: "1s", settle_time: "100ms", poll_time: "50ms", answer_time: "3s" };
  const parameters = { ...LOGIN, port: String(port), ...quick, ...more };
  return { id: "f", driver, parameters };
}

const judges = ["fence_rsa", "fence_bladecenter", "fence_drac", "fence_drac5"].map((agent) => `/usr/sbin/${agent}`);
describe.skipIf(skips(!judges.every(existsSync), "fence-agents, the judges, are not installed"))("the judges", () => {
  test.concurrent.each([
    ["fence_rsa", "rsa", []],
    ["fence_bladecenter", "amm", ["-n", "3"]],
    ["fence_drac", "drac4", []],
    ["fence_drac5", "drac5", []],
    ["fence_drac5", "drac-mc", ["-d", "DRAC MC", "-n", "Server-1", "-c", "DRAC/MC:"]],
    ["fence_drac5", "cmc", ["-d", "DRAC CMC", "-n", "server-3"]],
  ] as const)("%s drives our board %s: status, off and on", async (agent, dialect, more) => {
    const board = await start({ dialect });
    const fence = createJudge(agent, board.port, ...more);
    expect(await fence("status")).toContain("Status: ON");
    expect(await fence("off")).toContain("Success: Powered OFF");
    expect(board.power).toBe("off");
    expect(await fence("on")).toContain("Success: Powered ON");
  });
});

describe("our driver over a real line", () => {
  test.concurrent.each([
    ["an RSA", {}, {}, "rsa-telnet"],
    ["an RSA that negotiates", { negotiates: true }, {}, "rsa-telnet"],
    ["a DRAC/MC", { dialect: "drac-mc" }, { module: "Server-1" }, "drac-mc-telnet"],
    ["a blade behind an AMM", { dialect: "amm" }, { module: "3" }, "amm-telnet"],
    ["a DRAC 4", { dialect: "drac4" }, {}, "drac4-telnet"],
    ["a DRAC 5", { dialect: "drac5" }, {}, "racadm-telnet"],
    ["a blade behind a CMC", { dialect: "cmc" }, { module: "server-3" }, "racadm-telnet"],
  ] as const)("%s: off is confirmed, then on, and it logs out", async (_, options, parameters, driver) => {
    const board = await start(options);
    const { port, commands } = board;
    expect((await runner.run(device(port, parameters, driver), "off", 10_000)).outcome).toEqual({
      kind: "confirmed",
      power: "off",
    });
    expect(board.power).toBe("off");
    await expect.poll(() => commands.at(-1)).toBe("exit");
    expect((await runner.run(device(port, parameters, driver), "on", 10_000)).outcome.kind).toBe("confirmed");
    expect(board.power).toBe("on");
  });

  // The first two are what cluster-glue's plugin took for a success.
  test.concurrent.each([
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

  test("a blade that is not there is not done, and no command is given to anything else", async () => {
    const board = await start({ dialect: "amm" });
    const { outcome } = await runner.run(device(board.port, { module: "4" }, "amm-telnet"), "off", 10_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("does not know this machine") });
    expect(board.commands.filter((command) => command.startsWith("power"))).toEqual([]);
  });

  test("a wrong password is not done, and says so", async () => {
    const { port } = await start();
    const { outcome } = await runner.run(device(port, { secret: "wrong" }), "off", 10_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("user or password") });
  });

  test("nobody listens", async () => {
    const board = await start();
    await board.close();
    const { outcome } = await runner.run(device(board.port), "status", 10_000);
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
