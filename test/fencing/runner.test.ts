/** The runner against a real `ipmi_sim` whose chassis has the vices of real boards, and `gemel fence ipmi`. */
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRunner, type DeviceRunner, type RunnableDevice } from "../../src/fencing/edge/runner.ts";
import { readSecret } from "../../src/fencing/edge/secrets.ts";
import { freeUdpPort, type IpmiSim, startIpmiSim } from "../support/ipmi-sim.ts";
import { PROGRAM } from "../support/program.ts";

let board: IpmiSim;
let runner: DeviceRunner;
const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-runner-"));
const secretsFile = path.join(directory, "secrets");

beforeAll(async () => {
  board = await startIpmiSim({ machine: "file" });
});
afterAll(async () => {
  await board.stop();
  rmSync(directory, { recursive: true });
});
afterEach(() => {
  runner.close();
  board.setFaults({});
  board.setPower("on");
});

function start(): void {
  writeFileSync(secretsFile, "# boards\nboard=adminpw\nwrong=not-this-one\n", { mode: 0o600 });
  runner = createRunner({ secretsFile });
}

function device(parameters: Readonly<Record<string, string>> = {}): RunnableDevice {
  const common = { host: "127.0.0.1", port: String(board.port), user: "admin", secret: "board" };
  const quick = { confirm_time: "2s", settle_time: "200ms", poll_time: "50ms", answer_time: "1s" };
  return { id: "fence-alpha", driver: "ipmi-lan", parameters: { ...common, ...quick, ...parameters } };
}

describe("a device that", () => {
  test("obeys: off is confirmed, with what was asked and read back", async () => {
    start();
    const { outcome, evidence } = await runner.run(device(), "off", 10_000);
    expect(outcome).toEqual({ kind: "confirmed", power: "off" });
    expect(evidence.map(({ asked, answered }) => `${asked}: ${answered}`)).toEqual([
      "switch off: accepted",
      "read power: off",
    ]);
    expect(board.power()).toBe("off");
    expect((await runner.run(device(), "on", 10_000)).outcome).toEqual({ kind: "confirmed", power: "on" });
    expect(board.power()).toBe("on");
  });

  test("takes almost its whole time for each answer: copies do not drown it, and off is confirmed", async () => {
    start();
    board.setFaults({ dullMs: 800 });
    const { outcome } = await runner.run(device({ confirm_time: "6s" }), "off", 15_000);
    expect(outcome).toEqual({ kind: "confirmed", power: "off" });
  });

  test("obeys late: off is confirmed only when the power has gone", async () => {
    start();
    board.setFaults({ offAfterReads: 1 });
    const { outcome, evidence } = await runner.run(device(), "off", 10_000);
    expect([outcome.kind, board.power()]).toEqual(["confirmed", "off"]);
    expect(evidence.map(({ answered }) => answered)).toEqual(["accepted", "on", "off"]);
  });

  test("says yes and does nothing: unknown", async () => {
    start();
    board.setFaults({ stuckOff: true });
    const { outcome } = await runner.run(device(), "off", 10_000);
    expect(outcome).toMatchObject({ kind: "unknown", reason: expect.stringContaining("it still reads on") });
  });

  test("is called off once it has read off: a machine that somebody switches on stays on", async () => {
    start();
    const slowly = device({ settle_time: "800ms" });
    const story = async (stopping: AbortController | undefined) => {
      board.setPower("off");
      const report = runner.run(slowly, "off", 10_000, stopping?.signal);
      await sleep(300);
      stopping?.abort();
      board.setPower("on");
      const { outcome } = await report;
      await sleep(1_200);
      return [outcome.kind, board.power()];
    };
    // Left alone it asks again, for a board that had only restarted said "off" as well.
    expect(await story(undefined)).toEqual(["confirmed", "off"]);
    expect(await story(new AbortController())).toEqual(["unknown", "on"]);
  });

  test("refuses: not done", async () => {
    start();
    board.setFaults({ refuse: true });
    expect((await runner.run(device(), "off", 10_000)).outcome.kind).toBe("not-done");
    expect(board.power()).toBe("on");
  });

  test("is frozen: not done, within the time for an answer", async () => {
    start();
    board.freeze();
    const startedAtMs = performance.now();
    try {
      expect((await runner.run(device(), "off", 10_000)).outcome.kind).toBe("not-done");
    } finally {
      board.thaw();
    }
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });

  test("takes longer than its time: unknown, and it is not asked any more", async () => {
    start();
    board.setFaults({ stuckOff: true });
    const { outcome } = await runner.run(device({ confirm_time: "60s" }), "off", 400);
    expect(outcome).toMatchObject({ kind: "unknown", reason: expect.stringContaining("within 400 ms") });
    board.setPower("on");
    board.setFaults({});
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(board.power()).toBe("on");
  });

  test("is this machine's own is never switched off from here, and its proof fails before it is needed", async () => {
    const cautious = createRunner({ secretsFile, ownUuid: "A1234567-89AB-CDEF-A123-456789000001" });
    for (const action of ["status", "off"] as const) {
      const { outcome } = await cautious.run(device(), action, 10_000);
      expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("this is our own board") });
    }
    expect(board.power()).toBe("on");
    cautious.close();
    const other = createRunner({ secretsFile, ownUuid: "00000000-89ab-cdef-a123-456789000001" });
    expect((await other.run(device(), "off", 10_000)).outcome).toEqual({ kind: "confirmed", power: "off" });
    expect((await other.run(device(), "on", 10_000)).outcome.kind).toBe("confirmed");
    other.close();
  });

  test("is another board than expected is never switched", async () => {
    start();
    const wrong = device({ board_guid: "00000000-1111-2222-3333-444444444444" });
    const { outcome } = await runner.run(wrong, "off", 10_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("this is another board") });
    expect(board.power()).toBe("on");
    const right = device({ board_guid: "a1234567-89ab-cdef-a123-456789000001" });
    expect((await runner.run(right, "off", 10_000)).outcome.kind).toBe("confirmed");
  });
});

describe("secrets", () => {
  test("a wrong password says so, and a corrected one works with the next try", async () => {
    start();
    const wrong = await runner.run(device({ secret: "wrong" }), "off", 10_000);
    expect(wrong.outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("password") });
    expect(board.power()).toBe("on");
    expect(JSON.stringify(wrong)).not.toContain("not-this-one");
    writeFileSync(secretsFile, "wrong=adminpw\n");
    expect((await runner.run(device({ secret: "wrong" }), "off", 10_000)).outcome.kind).toBe("confirmed");
  });

  test.each([
    ["a file that others can read", "board", 0o644, /open to others \(mode 644\).*chmod 600/],
    ["a file without the entry", "absent", 0o600, /no entry absent/],
  ])("%s is refused", (_, name, mode, expected) => {
    start();
    chmodSync(secretsFile, mode);
    const read = readSecret(secretsFile, name);
    expect(read.kind === "no-secret" ? `${read.reason}; ${read.remedy}` : read.value).toMatch(expected);
  });

  test("a file that is not there", () => {
    expect(readSecret("/nonexistent/secrets", "board")).toMatchObject({ kind: "no-secret" });
  });
});

function gemel(argv: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const [file, ...own] = PROGRAM;
  return new Promise((resolve) => {
    execFile(file, [...own, ...argv], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), out: `${stdout}${stderr}` });
    });
  });
}

describe("gemel fence ipmi", () => {
  const common = () => ["--host", "127.0.0.1", "--user", "admin", "--secrets", secretsFile, "--port"];

  test("status, off and on, each with its proof", async () => {
    start();
    const argv = ["fence", "ipmi", ...common(), String(board.port), "--secret", "board"];
    const status = await gemel([...argv, "status"]);
    expect(status).toMatchObject({ code: 0, out: expect.stringMatching(/manufacturer 4753.*\n.*power is on/s) });
    expect(await gemel([...argv, "off"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("power is off"),
    });
    expect(board.power()).toBe("off");
    expect((await gemel([...argv, "on"])).code).toBe(0);
    expect(board.power()).toBe("on");
  });

  test("a wrong password, a dead board and a wrong call: each its own code and words", async () => {
    start();
    const wrong = await gemel(["fence", "ipmi", ...common(), String(board.port), "--secret", "wrong", "off"]);
    expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining("does not know this password") });
    const port = String(await freeUdpPort());
    const dead = await gemel(["fence", "ipmi", ...common(), port, "--secret", "board", "status"]);
    expect(dead).toMatchObject({ code: 1, out: expect.stringContaining("nothing listens on UDP port") });
    const call = await gemel(["fence", "ipmi", ...common(), "0", "--cipher-suite", "0", "off"]);
    expect(call.code).toBe(64);
    for (const part of ["--port", "--cipher-suite", "--secret"]) expect(call.out).toContain(part);
  });

  test("a configured device, and the plan with its bound", async () => {
    start();
    const file = path.join(directory, "cib.xml");
    const pair = (name: string, value: string) => `<nvpair name="${name}" value="${value}"/>`;
    const parameters = { host: "127.0.0.1", port: String(board.port), user: "admin", secret: "board" };
    const pairs = Object.entries({ ...parameters, pcmk_host_list: "alpha" }).map(([name, value]) => pair(name, value));
    const attributes = `<instance_attributes>${pairs.join("")}</instance_attributes>`;
    const primitive = `<primitive id="fence-alpha" class="stonith" type="ipmi-lan">${attributes}</primitive>`;
    const resources = `<resources>${primitive}</resources>`;
    writeFileSync(file, `<cib><configuration>${resources}</configuration></cib>`);
    const plan = await gemel(["fence", "plan", "--cib", file]);
    expect(plan).toEqual({ code: 0, out: "alpha: fence-alpha (ipmi-lan); at most 120 s\n" });
    const argv = ["fence", "test", "fence-alpha", "off", "--cib", file, "--secrets", secretsFile];
    expect((await gemel(argv)).code).toBe(0);
    expect(board.power()).toBe("off");
    const wrong = await gemel(argv.with(2, "fence-omega"));
    expect(wrong).toMatchObject({ code: 64, out: expect.stringContaining("usable are: fence-alpha") });
  });
});

test("a probe says what the board can do, and ends with the device to configure", async () => {
  start();
  const saved = path.join(directory, "fence-alpha.crm");
  const login = ["--host", "127.0.0.1", "--port", String(board.port), "--user", "admin", "--secret", "board"];
  const ports = ["--https-port", "1", "--ssh-port", "1"];
  const argv = ["fence", "probe", ...login, "--secrets", secretsFile, ...ports, "--node", "alpha", "--save", saved];
  const { code, out } = await gemel(argv);
  expect(code).toBe(0);
  expect(out).toMatch(/^ipmi suite 17 +the board does not speak cipher suite 17/m);
  expect(out).toMatch(/^ipmi suite 3 +works; power is on; GUID [0-9a-f]{32}/m);
  expect(out).toMatch(/^https \(redfish\) +no: /m);
  const primitive = readFileSync(saved, "utf8");
  expect(out.endsWith(primitive)).toBe(true);
  expect(primitive).toMatch(/stonith:ipmi-lan params .* cipher_suite=3 board_guid=\w{32} pcmk_host_list=alpha/);
  expect((await gemel(argv.with(argv.indexOf("board"), "absent"))).code).toBe(1);
});

test("stonith -n names what a type takes, required ones first, and -p is refused", async () => {
  expect((await gemel(["stonith", "-t", "external/ipmi", "-n"])).out).toMatch(/^ipaddr userid secret ipport .*priv /);
  expect((await gemel(["stonith", "-t", "external/ipmi", "-h"])).out).toContain(
    "ipaddr* (string): write the address of the board",
  );
  expect((await gemel(["stonith", "-t", "teapot", "-n"])).code).toBe(8);
  const refused = await gemel(["stonith", "-t", "external/ipmi", "-p", "a b c", "-S"]);
  expect(refused).toMatchObject({ code: 3, out: expect.stringContaining("NAME=VALUE") });
});

test("stonith -t external/ipmi: status, and a reset that is off, read as off, then on", async () => {
  start();
  const words = ["hostname=alpha", "ipaddr=127.0.0.1", `ipport=${board.port}`, "userid=admin", "interface=lanplus"];
  const argv = ["stonith", "-t", "external/ipmi", "--secrets", secretsFile, ...words];
  expect(await gemel([...argv, "secret=board", "-S"])).toEqual({
    code: 0,
    out: "external/ipmi device OK: power is on\n",
  });
  expect(await gemel([...argv, "secret=board", "-l"])).toEqual({ code: 0, out: "alpha\n" });
  expect(await gemel([...argv, "secret=board", "-T", "reset", "alpha"])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/power is off\n.*power is on\n/),
  });
  expect((await gemel([...argv, "secret=board", "-T", "off", "bravo"])).code).toBe(4);
  const withPassword = await gemel([...argv, "passwd=adminpw", "-T", "off", "alpha"]);
  expect(withPassword).toMatchObject({ code: 1, out: expect.stringContaining("secret=NAME") });
  expect(board.power()).toBe("on");
});
