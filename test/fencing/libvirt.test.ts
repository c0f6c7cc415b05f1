/** Virtual machines by libvirtd: the contract on a virtual one, then a real libvirtd with a machine of QEMU. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import path from "node:path";
import ssh from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { libvirt, virtualMachine } from "../../src/fencing/drivers/libvirt.ts";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import type { Hypervisor, HypervisorAnswer, MachineState } from "../../src/hw/core/libvirt/hypervisor.ts";
import { createReader, decodeReply, encodeCall, lengthOf, PROCEDURE } from "../../src/hw/core/libvirt/packet.ts";
import { fingerprintOf } from "../../src/hw/edge/ssh-login.ts";
import { type LibvirtHost, MACHINE_UUID, missingForLibvirt, startLibvirtHost } from "../support/libvirt-host.ts";
import { skips } from "../support/skip.ts";
import { ContractDevice, describeContract } from "./driver-contract.ts";
import { useRunner } from "./real-line.ts";

const times = { answerMs: 5_000, confirmMs: 30_000, pollMs: 500, settleMs: 500 };
const RUNNING: MachineState = { state: 1, reason: 1 };
const DESTROYED: MachineState = { state: 5, reason: 2 };

function told(state: MachineState): Hypervisor {
  const refuse = async () => ({ kind: "error", code: 55, message: "domain is not running" }) as const;
  const identity = { kind: "value", value: { uuid: MACHINE_UUID, isPersistent: true } } as const;
  return {
    state: async () => ({ kind: "value", value: state }),
    destroy: refuse,
    boot: refuse,
    identity: async () => identity,
  };
}

describeContract("libvirt", {
  boundMs: boundMs(times),
  // libvirtd queues what it cannot do at once, and a machine's state is that of its process.
  skips: ["is busy at first", "says off for a moment while it runs"],
  async run(behaviour, clock, action) {
    const device = new ContractDevice(behaviour, clock);
    const lost = (maybeReceived: boolean): HypervisorAnswer<never> => {
      clock.advance(times.answerMs);
      return { kind: "lost", maybeReceived, reason: "no answer" };
    };
    async function order(wanted: "on" | "off"): Promise<HypervisorAnswer<undefined>> {
      if (behaviour.unreachable === true) return lost(false);
      if (device.isSilent("command")) return lost(true);
      const answer = device.command(wanted);
      if (answer === "lost") return lost(true);
      return answer === "done"
        ? { kind: "value", value: undefined }
        : { kind: "error", code: 29, message: "read only" };
    }
    const isGone = () => behaviour.unreachable === true || device.isSilent("other");
    const hypervisor: Hypervisor = {
      state: async () =>
        isGone() ? lost(false) : { kind: "value", value: device.status() === "on" ? RUNNING : DESTROYED },
      destroy: () => order("off"),
      boot: () => order("on"),
      identity: async () =>
        isGone() ? lost(false) : { kind: "value", value: { uuid: MACHINE_UUID, isPersistent: true } },
    };
    return { outcome: await provePower(virtualMachine(hypervisor), clock, times, action), power: device.power() };
  },
});

describe("what libvirtd says of a machine", () => {
  test.each([
    ["paused", { state: 3, reason: 1 }, "on"],
    ["being shut down", { state: 4, reason: 1 }, "on"],
    ["crashed, and kept for a look", { state: 6, reason: 0 }, "on"],
    ["asleep", { state: 7, reason: 0 }, "on"],
    ["destroyed", DESTROYED, "off"],
  ])("one that is %s is %s", async (_, state, power) => {
    expect(await virtualMachine(told(state)).readPower()).toEqual({ kind: "power", power });
  });

  test("one that was migrated runs on another host: this one proves nothing", async () => {
    const reading = await virtualMachine(told({ state: 5, reason: 4 })).readPower();
    expect(reading).toMatchObject({ kind: "unreadable", reason: expect.stringContaining("runs on another host") });
  });

  test("a state that nobody knows is no power", async () => {
    expect((await virtualMachine(told({ state: 8, reason: 0 })).readPower()).kind).toBe("unreadable");
    expect((await virtualMachine(told({ state: 0, reason: 0 })).readPower()).kind).toBe("unreadable");
  });

  test("one that ends with its end is told before it is needed", async () => {
    const identity = { kind: "value", value: { uuid: MACHINE_UUID, isPersistent: false } } as const;
    const transient = { ...told(RUNNING), identity: async () => identity };
    expect(await virtualMachine(transient).readIdentity()).toMatchObject({
      reason: expect.stringContaining("virsh define"),
    });
  });
});

describe("the wire", () => {
  test("a packet that is too short, too long or none of libvirt's is refused; nothing is read beyond its end", () => {
    const call = encodeCall(PROCEDURE.domainGetState, 7, []);
    expect(lengthOf(call)).toBe(28);
    expect(lengthOf(call.subarray(0, 3))).toBeUndefined();
    expect(lengthOf(Uint8Array.of(0, 0, 0, 27))).toBe("broken");
    expect(lengthOf(Uint8Array.of(0x7f, 0, 0, 0))).toBe("broken");
    expect(decodeReply(call, PROCEDURE.domainGetState, 7)).toBeUndefined();
    const reply = call.slice();
    reply[19] = 1;
    expect(decodeReply(reply, PROCEDURE.domainGetState, 7)).toMatchObject({ kind: "done" });
    expect(decodeReply(reply, PROCEDURE.domainGetState, 8)).toBeUndefined();
    expect(createReader(Uint8Array.of(0x7f, 0xff, 0xff, 0xff)).text()).toBeUndefined();
    expect(createReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff)).text()).toBeUndefined();
  });
});

test.each([
  [{}, ["machine"]],
  [{ machine: "bravo", host: "hv1", user: "root" }, ["host"]],
  [{ machine: "bravo", socket: "libvirt-sock", uri: "qemu" }, ["uri", "socket"]],
])("parameters %o are refused for %o", (given, expected) => {
  const read = libvirt.read(given);
  expect(read.kind === "wrong" ? read.complaints.map(({ parameter }) => parameter) : []).toEqual(expected);
});

const missing = missingForLibvirt();
const BOUND_MS = 120_000;

describe.skipIf(skips(missing.length > 0, `not installed: ${missing.join(", ")}`))("a real libvirtd", () => {
  const runner = useRunner("board=adminpw\nwrong=other\n");
  let host: LibvirtHost;
  // A hypervisor on a busy machine needs half a minute before its guest runs, or has ended.
  const quick = { confirm_time: "100s", settle_time: "100ms", poll_time: "100ms" };
  const device = (more: Readonly<Record<string, string>> = {}) => {
    const place = { machine: "bravo", socket: host.socket, uri: host.uri };
    return { id: "vm", driver: "libvirt", parameters: { ...place, ...quick, ...more } };
  };
  const state = async () => (await host.virsh("domstate", "bravo")).trim();

  beforeAll(async () => {
    host = await startLibvirtHost("bravo");
  });
  afterAll(() => host.close());

  test("the machine goes off, and on again; virsh sees the same; off a second time is still off", async () => {
    const expected = { system_uuid: MACHINE_UUID };
    expect((await runner.run(device(expected), "status")).outcome).toEqual({ kind: "confirmed", power: "on" });
    expect((await runner.run(device(expected), "off", BOUND_MS)).outcome).toEqual({ kind: "confirmed", power: "off" });
    expect(await state()).toBe("shut off");
    expect((await runner.run(device(expected), "off", BOUND_MS)).outcome).toEqual({ kind: "confirmed", power: "off" });
    expect((await runner.run(device(expected), "on", BOUND_MS)).outcome).toEqual({ kind: "confirmed", power: "on" });
    expect(await state()).toBe("running");
  });

  test("a paused machine is not off, and is ended", async () => {
    await host.virsh("suspend", "bravo");
    expect((await runner.run(device(), "status")).outcome).toEqual({ kind: "confirmed", power: "on" });
    expect((await runner.run(device(), "off", BOUND_MS)).outcome).toEqual({ kind: "confirmed", power: "off" });
    await runner.run(device(), "on", BOUND_MS);
  });

  test("memory that was saved is never woken: on is a boot", async () => {
    await host.virsh("managedsave", "bravo");
    expect(await host.virsh("dominfo", "bravo")).toMatch(/Managed save:\s+yes/);
    expect((await runner.run(device(), "on", BOUND_MS)).outcome).toEqual({ kind: "confirmed", power: "on" });
    expect(await host.virsh("domstate", "bravo", "--reason")).toContain("running (booted)");
  });

  test("another machine's UUID: nothing is switched", async () => {
    const { outcome } = await runner.run(device({ system_uuid: "0".repeat(32) }), "off");
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("this is another board") });
    expect(await state()).toBe("running");
  });

  test.each([
    ["a machine that is not there", { machine: "charlie" }, /no domain with matching name.*virsh list --all/],
    ["a hypervisor that is not there", { uri: "xen:///system" }, /does not open xen:\/\/\/system.*correct uri/],
    ["no libvirtd", { socket: "/run/no-such-socket" }, /no socket \/run\/no-such-socket: is libvirtd installed/],
  ])("%s: not done, and the remedy is said", async (_, more, reason) => {
    const { outcome } = await runner.run(device(more), "off");
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringMatching(reason) });
    expect(await state()).toBe("running");
  });

  test("what speaks there is not libvirtd: told at once", async () => {
    const socket = path.join(runner.directory, "other");
    const other = createServer((line) => line.end("SSH-2.0-OpenSSH_9.2\r\n")).listen(socket);
    await expect.poll(() => existsSync(socket)).toBe(true);
    const { outcome } = await runner.run(device({ socket }), "off");
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("is not libvirtd") });
    other.close();
  });

  test("by ssh: the host's socket is carried over; OpenSSH's client and virsh are the judges of the host", async () => {
    const there = await startSshHost();
    try {
      const local = path.join(runner.directory, "judged");
      const login = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=no"];
      const askpass = { SSH_ASKPASS: "/bin/echo", SSH_ASKPASS_REQUIRE: "force" };
      const argv = [...login, "-N", "-L", `${local}:${host.socket}`, "-p", String(there.port), "admin@127.0.0.1"];
      const judge = execFile("ssh", argv, { env: { ...process.env, ...askpass } });
      await expect.poll(() => existsSync(local), { timeout: 20_000 }).toBe(true);
      const said = await new Promise<string>((resolve) => {
        execFile("virsh", ["-c", `qemu+unix:///session?socket=${local}`, "domstate", "bravo"], (_, out) =>
          resolve(out),
        );
      });
      judge.kill();
      expect(said).toContain("running");

      const ssh_ = { host: "127.0.0.1", port: String(there.port), user: "admin", hostkey: there.hostKey };
      const good = device({ ...ssh_, secret: "board" });
      expect((await runner.run(good, "off", BOUND_MS)).outcome).toEqual({ kind: "confirmed", power: "off" });
      expect((await runner.run(good, "on", BOUND_MS)).outcome).toEqual({ kind: "confirmed", power: "on" });
      const reasonOf = async (more: Readonly<Record<string, string>>) => {
        const { outcome } = await runner.run(device({ ...ssh_, secret: "board", ...more }), "off");
        return outcome.kind === "not-done" ? outcome.reason : outcome.kind;
      };
      expect(await reasonOf({ secret: "wrong" })).toContain("does not know this user or password");
      expect(await reasonOf({ hostkey: `SHA256:${"A".repeat(43)}` })).toContain("its host key is");
      expect(await reasonOf({ socket: "/run/no-such-socket" })).toContain("does libvirtd run there");
    } finally {
      there.close();
    }
  });
});

/** A host's sshd, as far as it leads to sockets. */
async function startSshHost(): Promise<{ readonly port: number; readonly hostKey: string; close(): void }> {
  const key = ssh.utils.generateKeyPairSync("rsa", { bits: 2048 });
  const parsed = ssh.utils.parseKey(key.private);
  if (parsed instanceof Error) throw parsed;
  const server = new ssh.Server({ hostKeys: [key.private] }, (client) => {
    client.on("error", () => {});
    client.on("authentication", (context) => {
      // `echo`, asked for the password by the judge, repeats the question.
      const isJudge = context.method === "password" && context.password.includes("password:");
      if (context.method === "password" && (context.password === "adminpw" || isJudge)) context.accept();
      else context.reject(["password"]);
    });
    client.on("openssh.streamlocal", (accept, reject, { socketPath }) => {
      const socket = connect({ path: socketPath });
      socket.once("error", () => reject?.());
      socket.once("connect", () => {
        const channel = accept();
        channel.on("error", () => socket.destroy());
        socket.pipe(channel).pipe(socket);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, hostKey: fingerprintOf(parsed.getPublicSSH()), close: () => server.close() };
}
