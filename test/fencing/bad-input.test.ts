/**
 * What an administrator may have got wrong, over the dialects of boards: each mistake has its own words, says what to
 * do, is told within a stated time, and switches nothing. (ssh, SNMP, NUT and disks have theirs in their own tests.)
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRunner, type DeviceRunner } from "../../src/fencing/edge/runner.ts";
import { FINGERPRINT } from "../support/board-certificate.ts";
import { freeUdpPort, type IpmiSim, startIpmiSim } from "../support/ipmi-sim.ts";
import { startRedfish } from "../support/redfish-emulator.ts";
import { startRibcl } from "../support/ribcl-emulator.ts";
import { startRmcpBoard } from "../support/rmcp-board.ts";
import { type ShellBoard, startShellBoard } from "../support/shell-board.ts";

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-bad-"));
/** An answer may take as long as `answer_time`; what needs none is told at once. */
const ANSWER_MS = 1_000;
const TOLD_WITHIN_MS = 2 * ANSWER_MS + 1_500;
let runner: DeviceRunner;
let ipmi: IpmiSim;
let shell: ShellBoard;
const machine = { power: "on" as "on" | "off" };
const ports = new Map<string, number>();
const closers: (() => Promise<void>)[] = [];

/** Behind both web boards: whatever reaches its power shows. */
const touch = () => {
  machine.power = "off";
};
const redfishMachine = {
  state: () => (machine.power === "on" ? "On" : "Off"),
  reset() {
    touch();
    return { status: 204 };
  },
};
const ribclMachine = {
  power: () => machine.power,
  button() {
    touch();
    return "done" as const;
  },
};

beforeAll(async () => {
  const secretsFile = path.join(directory, "secrets");
  writeFileSync(secretsFile, "board=adminpw\nwrong=not-this\nkg=wrong-key\n", { mode: 0o600 });
  runner = createRunner({ secretsFile });
  ipmi = await startIpmiSim({ machine: "file" });
  const redfish = await startRedfish({ machine: redfishMachine });
  const ribcl = await startRibcl({ machine: ribclMachine, processor: "iLO2", firmware: "2.33" });
  const strict = await startRmcpBoard({ suites: [17], user: "admin", password: "adminpw", roleMax: 3 });
  shell = await startShellBoard({ dialect: "rsa" });
  for (const [driver, port] of [
    ["ipmi-lan", ipmi.port],
    ["redfish", redfish.port],
    ["ilo-ribcl", ribcl.port],
    ["rsa-telnet", shell.port],
    ["strict", strict.port],
    ["dead-udp", await freeUdpPort()],
    ["dead-tcp", 1],
  ] as const)
    ports.set(driver, port);
  closers.push(
    () => ipmi.stop(),
    () => Promise.resolve(strict.close()),
    () => redfish.close(),
    () => ribcl.close(),
    () => shell.close(),
  );
});
afterAll(async () => {
  runner.close();
  for (const close of closers) await close();
  rmSync(directory, { recursive: true });
});

const pinned = { certificate: FINGERPRINT };
const port = (name: string) => () => ({ port: String(ports.get(name)) });
const nothing = () => ({});
const strictBoard = () => ({ ...port("strict")(), cipher_suite: "17", privilege: "administrator" });

/** Driver, mistake, what is configured so, and the words. */
const TABLE: readonly (readonly [string, string, () => Readonly<Record<string, string>>, RegExp])[] = [
  ["ipmi-lan", "a wrong password", () => ({ secret: "wrong" }), /does not know this password/],
  ["ipmi-lan", "an unknown user", () => ({ user: "nobody" }), /does not know this user, or the user is disabled/],
  ["ipmi-lan", "a disabled user", () => ({ user: "off" }), /does not know this user, or the user is disabled/],
  // ipmi_sim grants any level; our own board, which ipmitool has judged, does not.
  ["ipmi-lan", "too high a privilege", strictBoard, /does not grant this privilege level/],
  ["ipmi-lan", "a cipher suite it has not", () => ({ cipher_suite: "17" }), /does not speak cipher suite 17/],
  ["ipmi-lan", "a wrong KG key", () => ({ kg_secret: "kg" }), /KG|key/],
  ["ipmi-lan", "nobody listens", port("dead-udp"), /nothing listens on UDP port|opened no session within/],
  ["ipmi-lan", "an unknown host", () => ({ host: "no-such-board.invalid" }), /cannot be resolved/],
  ["ipmi-lan", "another board", () => ({ board_guid: "0".repeat(32) }), /this is another board/],
  ["ipmi-lan", "no such secret", () => ({ secret: "absent" }), /has no entry absent; add a line absent=/],
  ["redfish", "a wrong password", () => ({ secret: "wrong" }), /user or password|password/],
  ["redfish", "another certificate", () => ({ certificate: "0".repeat(64) }), /certificate/],
  ["redfish", "nobody listens", port("dead-tcp"), /nothing listens/],
  ["redfish", "an unknown host", () => ({ host: "no-such-board.invalid" }), /cannot be resolved/],
  ["redfish", "another system", () => ({ system_uuid: "0".repeat(32) }), /UUID|system/],
  ["ilo-ribcl", "a wrong password", () => ({ secret: "wrong" }), /password/],
  ["ilo-ribcl", "another certificate", () => ({ certificate: "0".repeat(64) }), /certificate/],
  ["ilo-ribcl", "nobody listens", port("dead-tcp"), /nothing listens/],
  ["ilo-ribcl", "an unknown host", () => ({ host: "no-such-board.invalid" }), /cannot be resolved/],
  ["rsa-telnet", "a wrong password", () => ({ secret: "wrong" }), /user or password; correct the secrets file/],
  ["rsa-telnet", "nobody listens", port("dead-tcp"), /nothing listens on TCP port/],
  ["rsa-telnet", "an unknown host", () => ({ host: "no-such-board.invalid" }), /cannot be resolved/],
];

const told = new Map<string, string>();

test.each(TABLE)("%s: %s", async (driver, mistake, more, words) => {
  const quick = { confirm_time: "2s", settle_time: "0", poll_time: "100ms", answer_time: `${ANSWER_MS}ms` };
  const login = { host: "127.0.0.1", port: String(ports.get(driver)), user: "admin", secret: "board" };
  const certified = driver === "redfish" || driver === "ilo-ribcl" ? pinned : nothing();
  const parameters = { ...login, ...certified, ...quick, ...more() };
  const startedAtMs = performance.now();
  const { outcome } = await runner.run({ id: `${driver} ${mistake}`, driver, parameters }, "off", 10_000);
  expect(performance.now() - startedAtMs).toBeLessThan(TOLD_WITHIN_MS);
  expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringMatching(words) });
  told.set(`${driver} ${mistake}`, outcome.kind === "confirmed" ? "" : outcome.reason);
  expect([ipmi.power(), machine.power, shell.power]).toEqual(["on", "on", "on"]);
});

test("no two mistakes of one dialect are told in the same words, but for what a board cannot tell apart", () => {
  for (const driver of ["ipmi-lan", "redfish", "ilo-ribcl", "rsa-telnet"]) {
    const reasons = [...told].filter(([name]) => name.startsWith(driver) && !name.includes("disabled"));
    expect(new Set(reasons.map(([, reason]) => reason)).size, driver).toBe(reasons.length);
  }
});
