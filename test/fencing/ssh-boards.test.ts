/** racadm and iLO by ssh: the contract on a virtual line, then real ssh to a board that others have judged. */
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { shellDevice } from "../../src/fencing/drivers/shell-dialect.ts";
import { ILO, racadm } from "../../src/fencing/drivers/ssh-boards.ts";
import type { Expected, TextLine } from "../../src/hw/core/text/line.ts";
import { skips } from "../support/skip.ts";
import { type SshBoard, type SshBoardOptions, startSshBoard } from "../support/ssh-board.ts";
import type { VirtualClock } from "../support/virtual-clock.ts";
import { type Behaviour, ContractDevice, describeContract } from "./driver-contract.ts";
import { createJudge, LOGIN, say, useBoards, useRunner } from "./real-line.ts";

const times = { answerMs: 15_000, confirmMs: 40_000, pollMs: 1_000, settleMs: 1_000 };

/** A shell that has logged in by itself; what it will say is known as soon as the command is written. */
function createLine(behaviour: Behaviour, clock: VirtualClock, device: ContractDevice, prompt: string): TextLine {
  let waiting: string | undefined = behaviour.unreachable === true ? undefined : prompt;
  return {
    sendPassword: () => {
      throw new Error("ssh has logged in already");
    },
    sendLine(words) {
      const isOn = () => device.status() === "on";
      const isSilent = /status$|^show/.test(words) ? device.isSilent("other") : device.isSilent("command");
      if (isSilent) waiting = undefined;
      else if (words.endsWith("powerstatus")) waiting = `Server power status: ${isOn() ? "ON" : "OFF"}${prompt}`;
      else if (words.startsWith("show")) waiting = `EnabledState=${isOn() ? "enabled" : "disabled"}${prompt}`;
      else {
        const answer = device.command(/^start|up$/.test(words) ? "on" : "off");
        const said = { done: "status=0 successful", denied: "privilege missing", busy: "try again", lost: "garbage" };
        waiting = `${words}\r\n${said[answer]}${prompt}`;
      }
    },
    expect(pattern): Promise<Expected> {
      const text = waiting ?? "";
      waiting = undefined;
      if (pattern.test(text)) return Promise.resolve({ kind: "seen", text });
      clock.advance(times.answerMs);
      return Promise.resolve({ kind: "silent", text });
    },
  };
}

for (const [name, dialect, prompt] of [
  ["racadm-ssh", racadm(undefined), "\r\n/admin1-> "],
  ["racadm-ssh of a DRAC 5", racadm(undefined), "\r\n$ "],
  ["ilo-ssh", ILO, "\r\n</>hpiLO-> "],
] as const) {
  describeContract(name, {
    boundMs: boundMs(times) + times.answerMs,
    async run(behaviour, clock, action) {
      const device = new ContractDevice(behaviour, clock);
      const shell = shellDevice(createLine(behaviour, clock, device, prompt), dialect);
      return { outcome: await provePower(shell, clock, times, action), power: device.power() };
    },
  });
}

test("a machine that is powering off is not off", () => {
  expect(racadm("server-3").off).toBe("racadm serveraction -m server-3 powerdown");
  expect(racadm(undefined).power.test("Server power status: Powering OFF")).toBe(false);
});

const RUNNER_MS = 60_000;
/** On a busy machine; half of what a device has for an answer. */
const AT_ONCE_MS = 10_000;
const runner = useRunner();
const boards = useBoards<SshBoard>();
const askpass = path.join(runner.directory, "askpass");
beforeAll(() => writeFileSync(askpass, "#!/bin/sh\necho adminpw\n", { mode: 0o755 }));

const start = (options: SshBoardOptions): Promise<SshBoard> => boards.keep(startSshBoard(options));

function device({ port, hostKey }: SshBoard, driver: string, more: Readonly<Record<string, string>> = {}) {
  const quick = { confirm_time: "30s", settle_time: "100ms", poll_time: "50ms", answer_time: "20s" };
  const login = { ...LOGIN, port: String(port), hostkey: hostKey };
  return { id: "f", driver, parameters: { ...login, ...quick, ...more } };
}

describe("the judges", () => {
  const found = ["/usr/bin/ssh", "/usr/sbin/fence_drac5"].filter(existsSync);

  // fence_ilo_ssh 4.12.1 is no judge: it now and then takes the "e" of "EnabledState=enabled" for the whole word (OFF).
  test.skipIf(skips(found.length < 2, "OpenSSH's client and fence-agents are not installed")).each([
    ["racadm", "racadm serveraction powerstatus", "Server power status: ON"],
    ["ilo", "show /system1", "EnabledState=enabled"],
  ] as const)(
    "OpenSSH's client sees the key that we pin, logs in and reads the power: %s",
    async (dialect, question, answer) => {
      const { port, hostKey } = await start({ dialect });
      const known = path.join(runner.directory, "known_hosts");
      const options = ["-o", `UserKnownHostsFile=${known}`, "-o", "StrictHostKeyChecking=accept-new", "-tt"];
      const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force", DISPLAY: "none" };
      const argv = [...options, "-p", String(port), "admin@127.0.0.1"];
      const said = await say("/usr/bin/ssh", argv, `${question}\nexit\n`, env);
      expect(said).toContain(answer);
      expect(await say("/usr/bin/ssh-keygen", ["-lf", known])).toContain(hostKey);
    },
  );

  test.skipIf(skips(found.length < 2, "OpenSSH's client and fence-agents are not installed"))(
    "fence_drac5 switches our board",
    async () => {
      const board = await start({ dialect: "racadm" });
      const options = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no";
      // On a busy machine the agents' own 5 s for a login are too short.
      const patient = ["--command-prompt=admin1->", "--login-timeout=30", "--shell-timeout=30"];
      const fence = createJudge("fence_drac5", board.port, "-x", `--ssh-options=${options}`, ...patient);
      expect(await fence("status")).toContain("Status: ON");
      expect(await fence("off")).toContain("Success: Powered OFF");
      expect(board.power).toBe("off");
      expect(await fence("on")).toContain("Success: Powered ON");
    },
  );
});

describe("our drivers over real ssh", () => {
  test.concurrent.each([
    ["an iDRAC", "racadm-ssh", { dialect: "racadm" }, {}],
    ["a blade of a CMC", "racadm-ssh", { dialect: "racadm" }, { module: "server-3" }],
    ["an iLO that asks for its password", "ilo-ssh", { dialect: "ilo", asks: true }, {}],
    ["a board of 2008", "ilo-ssh", { dialect: "ilo", isOld: true }, { ssh: "legacy" }],
  ] as const)("%s: off is confirmed, then on, and it logs out", async (_, driver, options, more) => {
    const started = await start(options);
    expect((await runner.run(device(started, driver, more), "off", RUNNER_MS)).outcome).toEqual({
      kind: "confirmed",
      power: "off",
    });
    expect(started.power).toBe("off");
    await expect.poll(() => started.commands.at(-1)).toBe("exit");
    expect((await runner.run(device(started, driver, more), "on", RUNNER_MS)).outcome.kind).toBe("confirmed");
    expect(started.power).toBe("on");
  });

  test.concurrent.each([
    ["error", "unknown"],
    ["no-answer", "unknown"],
    ["hang-up", "unknown"],
    ["does-nothing", "unknown"],
    ["denied", "not-done"],
  ] as const)("an iDRAC with the vice %s is %s", async (vice, expected) => {
    const started = await start({ dialect: "racadm", vice });
    // What never comes is waited for.
    const short = { confirm_time: "1s", answer_time: "5s" };
    const { outcome } = await runner.run(device(started, "racadm-ssh", short), "off", RUNNER_MS);
    expect(outcome.kind).toBe(expected);
    expect(started.power).toBe("on");
  });

  const otherKey = `SHA256:${"A".repeat(43)}`;
  test.each([
    ["a wrong password", {}, { secret: "wrong" }, /does not know this user or password; correct the secrets file/],
    ["an unknown user", {}, { user: "nobody" }, /does not know this user or password/],
    ["another host key", {}, { hostkey: otherKey }, /this is another board.*its host key is SHA256:.{43}, expected/],
    ["old ciphers only", { isOld: true }, {}, /speaks none of the ciphers.*ssh=legacy/],
    ["a name that nobody knows", {}, { host: "no-such-board.invalid" }, /cannot be resolved/],
    ["a port where nobody listens", {}, { port: "1" }, /nothing listens on TCP port 1 .*is ssh running there/],
  ] as const)(
    "%s: not done without waiting for an answer, and the remedy is said",
    async (_, options, more, reason) => {
      const started = await start({ dialect: "racadm", ...options });
      const startedAtMs = performance.now();
      const { outcome } = await runner.run(device(started, "racadm-ssh", more), "off", RUNNER_MS);
      expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringMatching(reason) });
      expect(performance.now() - startedAtMs).toBeLessThan(AT_ONCE_MS);
      expect(started.commands).toEqual([]);
    },
  );
});
