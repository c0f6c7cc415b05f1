/** Packaged fence agents as devices: the contract, a script with the vices of agents, and a real agent on our board. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { failureOf } from "../../src/fencing/drivers/agent-words.ts";
import { agentDevice } from "../../src/fencing/drivers/fence-agent.ts";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { createRunner } from "../../src/fencing/edge/runner.ts";
import type { AgentAnswer, FenceAgent } from "../../src/hw/core/agent/answer.ts";
import { createFenceAgent } from "../../src/hw/edge/fence-agent.ts";
import { obedientMachine, startRedfish } from "../support/redfish-emulator.ts";
import { skips } from "../support/skip.ts";
import { ContractDevice, describeContract } from "./driver-contract.ts";

const times = { answerMs: 40_000, confirmMs: 40_000, pollMs: 1_000, settleMs: 1_000 };

describeContract("fence-agent", {
  boundMs: boundMs(times),
  async run(behaviour, clock, action) {
    const device = new ContractDevice(behaviour, clock);
    const killed = (): AgentAnswer => {
      clock.advance(times.answerMs);
      return { kind: "killed", reason: "it did not end" };
    };
    const exited = (code: number, output = ""): AgentAnswer => ({ kind: "exited", code, output });
    const agent: FenceAgent = {
      async call(options) {
        const { action: asked } = options;
        if (behaviour.unreachable === true) {
          return asked === "status" ? exited(1, "Unable to connect") : exited(3, "Unable to connect/login");
        }
        if (device.isSilent(asked === "status" ? "other" : "command")) return killed();
        if (asked === "status")
          return device.status() === "on" ? exited(0, "Status: ON\n") : exited(2, "Status: OFF\n");
        const answer = device.command(asked === "on" ? "on" : "off");
        if (answer === "lost") return killed();
        if (answer === "denied") return exited(3, "access denied");
        return exited(answer === "busy" ? 1 : 0);
      },
    };
    const outcome = await provePower(agentDevice(agent, {}), clock, times, action);
    return { outcome, power: device.power() };
  },
});

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-agent-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** An agent as a script; `$action` and the other options are set. */
function script(name: string, body: string): void {
  const head = `#!/bin/sh\ncd ${directory}\ntr '\\0' ' ' < /proc/$$/cmdline > ${name}.cmdline\n`;
  writeFileSync(path.join(directory, name), `${head}while read -r line; do export "$line"; done\n${body}\n`);
  chmodSync(path.join(directory, name), 0o755);
}

const agentOf = (agent: string, budgetMs = 5_000) =>
  createFenceAgent({ agent, password: "hunter2", passwordOption: "password", budgetMs, directory });

test("an agent that hands its password on as an argument is refused, unless its community is no secret", () => {
  const given = { ip: "192.0.2.9", plug: "3", secret: "pdu", secret_option: "community" };
  const complaints = CATALOGUE.choose("fence_tripplite_snmp", given)?.complaints ?? [];
  expect(complaints.map(({ parameter }) => parameter)).toEqual(["secret"]);
  expect(complaints[0]?.remedy).toContain("snmp-pdu");
  expect(CATALOGUE.choose("fence_tripplite_snmp", { ...given, argv_secret: "accept" })?.complaints).toEqual([]);
  expect(CATALOGUE.choose("fence_apc", { ...given, secret_option: "password" })?.complaints).toEqual([]);
});

describe("an agent as a process", () => {
  test("gets its options and the password on standard input, never as arguments", async () => {
    script("fence_echo", '[ "$password" = hunter2 ] && echo "$action $plug it was $password"; exit 7');
    const answer = await agentOf("fence_echo").call({ action: "off", plug: "3\naction=on" });
    expect(answer).toEqual({ kind: "exited", code: 7, output: "off 3 action=on it was ***\n" });
    expect(readFileSync(path.join(directory, "fence_echo.cmdline"), "utf8")).not.toContain("hunter2");
  });

  test("that fails says what to do, and a name that does not resolve is told by us", async () => {
    script("fence_deaf", 'echo "ERROR: Unable to connect/login to fencing device"; exit 1');
    const resolve = (name: string) =>
      name === "bmc" ? Promise.resolve() : Promise.reject(Object.assign(new Error(name), { code: "ENOTFOUND" }));
    const target = {
      agent: "fence_deaf",
      password: "x",
      passwordOption: "password",
      budgetMs: 5_000,
      directory,
      resolve,
    };
    const read = async (ip: string) => agentDevice(createFenceAgent(target), { ip }).readPower();
    expect(await read("bmc")).toEqual({
      kind: "unreadable",
      reason: expect.stringMatching(/ended with 1: ERROR: Unable to connect.*; look whether its address answers, then/),
    });
    expect(await read("bmd")).toEqual({
      kind: "unreadable",
      reason: "the agent ended with 1: the name bmd cannot be resolved; correct host, or write the address itself",
    });
  });

  test.each([
    [
      "Can't locate VMware/VIRuntime.pm\nBEGIN failed--\n\t...propagated at line 22.",
      /VIRuntime.pm; install what it needs/,
    ],
    ["Failed: Timed out waiting to power OFF", /OFF; look whether the device has power and network/],
    ["Failed: You have to enter plug number", /look at pcmk_host_map/],
    ["something else", /something else; try it with the same parameters by stonith -t/],
  ])("%j as its last words", (output, reason) => {
    expect(failureOf("agent", 1, output)).toMatch(reason);
  });

  test("that does not end is killed with its children, and may have acted", async () => {
    script("fence_slow", "sleep 600 & echo $! > child; wait");
    const device = agentDevice(agentOf("fence_slow", 500), {});
    expect((await device.switchPower("off")).kind).toBe("maybe");
    const child = readFileSync(path.join(directory, "child"), "utf8").trim();
    const isGone = () => !existsSync(`/proc/${child}`) || /\) Z/.test(readFileSync(`/proc/${child}/stat`, "utf8"));
    await expect.poll(isGone).toBe(true);
  });

  test("that says success and does nothing is not believed", async () => {
    script("fence_liar", '[ "$action" = status ] && { echo "Status: ON"; exit 0; }; echo "Success: Powered OFF"');
    const device = agentDevice(agentOf("fence_liar"), {});
    const quick = { answerMs: 1_000, confirmMs: 300, pollMs: 50, settleMs: 10 };
    const clock = {
      nowMs: () => performance.now(),
      sleep: (ms: number) => new Promise<void>((go) => setTimeout(go, ms)),
    };
    expect((await provePower(device, clock, quick, "off")).kind).toBe("unknown");
  });

  test("whose code 2 means bad arguments is not read as off", async () => {
    script("fence_bad", 'echo "Failed: You have to set login name"; exit 2');
    expect((await agentDevice(agentOf("fence_bad"), {}).readPower()).kind).toBe("unreadable");
  });

  test("that others can change, or that is not there, is not run", async () => {
    script("fence_open", "exit 0");
    chmodSync(path.join(directory, "fence_open"), 0o777);
    expect((await agentOf("fence_open").call({})).kind).toBe("not-started");
    expect((await agentOf("fence_absent").call({})).kind).toBe("not-started");
  });
});

test.skipIf(skips(!existsSync("/usr/sbin/fence_redfish"), "fence-agents, the judge, is not installed"))(
  "a real agent through the runner, on our Redfish board",
  async () => {
    const machine = obedientMachine();
    const server = await startRedfish({ machine });
    const secretsFile = path.join(directory, "secrets");
    writeFileSync(secretsFile, "board=adminpw\n", { mode: 0o600 });
    const runner = createRunner({ secretsFile });
    try {
      const login = { ip: "127.0.0.1", ipport: String(server.port), username: "admin", ssl_insecure: "1" };
      const common = { agent: "fence_redfish", secret: "board", redfish_uri: "/redfish/v1", settle_time: "100ms" };
      const device = { id: "f", driver: "fence-agent", parameters: { ...login, ...common } };
      const { outcome } = await runner.run(device, "off", 50_000);
      expect([outcome, machine.state()]).toEqual([{ kind: "confirmed", power: "off" }, "Off"]);
    } finally {
      runner.close();
      await server.close();
    }
  },
);
