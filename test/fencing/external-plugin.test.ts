/** Plugins of cluster-glue: the contract, scripts with the vices of plugins, and Debian's rackpdu on a real agent. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { pluginDevice } from "../../src/fencing/drivers/external-plugin.ts";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { createRunner } from "../../src/fencing/edge/runner.ts";
import type { AgentAnswer, ExternalPlugin } from "../../src/hw/core/agent/answer.ts";
import { createExternalPlugin } from "../../src/hw/edge/external-plugin.ts";
import { skips } from "../support/skip.ts";
import { startSnmpPdu } from "../support/snmp-pdu.ts";
import { createVirtualClock } from "../support/virtual-clock.ts";
import { ContractDevice, describeContract } from "./driver-contract.ts";

const times = { answerMs: 40_000, confirmMs: 45_000, pollMs: 1_000, settleMs: 0 };
const exited = (code: number, output = ""): AgentAnswer => ({ kind: "exited", code, output });

describeContract("external-plugin with proof=exit-code", {
  boundMs: boundMs(times) + times.answerMs,
  // Whoever takes a plugin's word gives up what only a reading could tell; that is why it must be written.
  skips: [
    "obeys after 4 s",
    "says yes and does nothing",
    "obeys an hour later",
    "says off for a moment while it runs",
    "obeys, but its answer is lost",
    "denies",
    "hangs up after the command",
  ],
  tellsPower: false,
  onWithoutEffect: "confirmed",
  async run(behaviour, clock, action) {
    const device = new ContractDevice(behaviour, clock);
    const plugin: ExternalPlugin = {
      async call(operation) {
        if (behaviour.unreachable === true) return exited(1, "no route");
        if (device.isSilent(operation === "status" ? "other" : "command")) {
          clock.advance(times.answerMs);
          return { kind: "killed", reason: "it did not end" };
        }
        if (operation === "status") return exited(0);
        return exited(device.command(operation === "on" ? "on" : "off") === "done" ? 0 : 1);
      },
    };
    const use = { node: "alpha", isBelieved: true, offOperation: "off", options: {} } as const;
    const outcome = await provePower(pluginDevice(plugin, use), clock, times, action);
    return { outcome, power: device.power() };
  },
});

test("without proof=exit-code a plugin's success is unknown, and the remedy is said", async () => {
  const plugin: ExternalPlugin = { call: () => Promise.resolve(exited(0)) };
  const use = { node: "alpha", isBelieved: false, offOperation: "off", options: {} } as const;
  const outcome = await provePower(pluginDevice(plugin, use), createVirtualClock(), times, "off");
  expect(outcome).toMatchObject({ kind: "unknown", reason: expect.stringContaining("proof=exit-code") });
});

test("every external plugin has a driver: its own, or the general one; a password in the CIB is refused", () => {
  const driverOf = (agent: string) => CATALOGUE.choose(agent, {})?.driver;
  expect(driverOf("external/ipmi")).toBe("ipmi-lan");
  expect(["external/libvirt", "external/vcenter", "external/hetzner"].map(driverOf)).toEqual(
    Array.from({ length: 3 }, () => "external-plugin"),
  );
  const complaints = CATALOGUE.choose("external/hetzner", { node: "alpha", passwd: "x" })?.complaints;
  expect(complaints?.map(({ parameter }) => parameter)).toEqual(["passwd"]);
});

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-plugin-"));
afterAll(() => rmSync(directory, { recursive: true }));

function script(name: string, body: string, mode = 0o755): void {
  writeFileSync(path.join(directory, name), `#!/bin/sh\ncd ${directory}\n${body}\n`);
  chmodSync(path.join(directory, name), mode);
}

describe("a plugin as a process", () => {
  const pluginOf = (plugin: string, budgetMs = 5_000) =>
    createExternalPlugin({ plugin, password: "hunter2", passwordOption: "passwd", budgetMs, directory });

  test("gets operation and node as arguments, its parameters and the password in the environment", async () => {
    script(
      "echo",
      'tr "\\0" " " < /proc/$$/cmdline > cmdline; [ $passwd = hunter2 ] && echo "$1 $2 $ipaddr it was $passwd"; exit 3',
    );
    const answer = await pluginOf("echo").call("off", "alpha", { ipaddr: "192.0.2.1" });
    expect(answer).toEqual(exited(3, "off alpha 192.0.2.1 it was ***\n"));
    expect(readFileSync(path.join(directory, "cmdline"), "utf8")).not.toContain("hunter2");
  });

  test("that does not end is killed, and may have acted", async () => {
    script("slow", 'case "$1" in status) exit 0;; *) sleep 600;; esac');
    const use = { node: "alpha", isBelieved: true, offOperation: "reset", options: {} } as const;
    expect(await pluginDevice(pluginOf("slow", 300), use).switchPower("off")).toMatchObject({ kind: "maybe" });
  });

  test("that others can change, or that is not there, is not run", async () => {
    script("open", "exit 0", 0o777);
    expect(await pluginOf("open").call("off", "alpha", {})).toMatchObject({ kind: "not-started" });
    expect(await pluginOf("absent").call("off", "alpha", {})).toMatchObject({
      kind: "not-started",
      reason: expect.stringContaining("install the package cluster-glue"),
    });
  });
});

/** The plugin knows no other port than SNMP's own, and pings its PDU. */
const ADDRESS = "127.77.0.5";
const rackpdu = "/usr/lib/stonith/plugins/external/rackpdu";
if (!existsSync(rackpdu))
  process.stderr.write("test/fencing/external-plugin: cluster-glue is missing, no real plugin\n");

test.skipIf(skips(!existsSync(rackpdu), "cluster-glue, which has rackpdu, is not installed"))(
  "Debian's rackpdu through our runner switches a real agent's outlet",
  async () => {
    const command = "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4";
    const names = "1.3.6.1.4.1.318.1.1.12.3.3.1.1.2";
    const pdu = await startSnmpPdu(
      {
        systemId: "1.3.6.1.4.1.318.1.3.4.5",
        state: "1.3.6.1.4.1.318.1.1.12.3.5.1.1.4",
        isOn: 1,
        isOff: 2,
        onCommand: command,
        onValue: 1,
        offCommand: command,
        offValue: 2,
        more: ["alpha", "bravo"].map((node, at) => [`${names}.${at + 1}`, "string", node] as const),
      },
      ADDRESS,
    );
    const secretsFile = path.join(directory, "secrets");
    writeFileSync(secretsFile, "pdu=private\n", { mode: 0o600 });
    const runner = createRunner({ secretsFile });
    const options = { hostlist: "AUTO", pduip: ADDRESS, secret: "pdu", secret_option: "community" };
    const parameters = { plugin: "rackpdu", node: "bravo", proof: "exit-code", ...options };
    try {
      const device = { id: "pdu", driver: "external-plugin", parameters };
      const { outcome, evidence } = await runner.run(device, "off", 60_000);
      expect([outcome, pdu.power(1), pdu.power(2)]).toEqual([{ kind: "confirmed", power: "off" }, "on", "off"]);
      expect(evidence.at(-1)?.answered).toBe("off by the plugin's exit code alone, as configured");
    } finally {
      runner.close();
      await pdu.close();
    }
  },
);
