/** IPaddr2 in a real network namespace; what the other end of a veth pair hears of it. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import type { AgentCall } from "../../../src/cluster/edge/agents/contract.ts";
import { ipAddress } from "../../../src/cluster/edge/agents/ip-address.ts";
import {
  AF_PACKET,
  bindSocket,
  closeDescriptor,
  MSG_DONTWAIT,
  openSocket,
  receive,
  SOCK_RAW,
} from "../../../src/hw/edge/native.ts";
import { listLinks } from "../../../src/hw/edge/netlink.ts";
import { inNetworkNamespace } from "../../support/network-namespace.ts";

function call(operation: string, parameters: Record<string, string>): AgentCall {
  const signal = AbortSignal.timeout(60_000);
  const rest = { instance: "ip", environment: {}, timeoutMs: 10_000, runDirectory: "/nonexistent" };
  return { operation, parameters, signal, ...rest };
}

const operate = (operation: string, parameters: Record<string, string>) =>
  ipAddress.operate(call(operation, parameters));
const shown = (device: string) => execFileSync("ip", ["-o", "addr", "show", "dev", device]).toString();

/** Listens on b0 for frames of a kind, as the other machines on the wire do. */
function listen(etherType: number) {
  const fd = openSocket(AF_PACKET, SOCK_RAW, ((etherType & 255) << 8) | (etherType >> 8));
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(etherType, 2);
  address.writeInt32LE(listLinks().find(({ name }) => name === "b0")?.index ?? 0, 4);
  bindSocket(fd, address);
  const frames: string[] = [];
  return {
    close: () => closeDescriptor(fd),
    frames: () => {
      const buffer = Buffer.alloc(2048);
      for (let got = receive(fd, buffer, MSG_DONTWAIT); got !== undefined; got = receive(fd, buffer, MSG_DONTWAIT))
        frames.push(buffer.subarray(0, got).toString("hex"));
      return frames;
    },
  };
}

test("an address comes, is announced as often as told, is seen, and goes", () =>
  inNetworkNamespace(async () => {
    const parameters = { ip: "198.18.7.50", arp_count: "3", arp_interval: "20" };
    const wire = listen(0x0806);
    expect((await operate("monitor", parameters)).code).toBe(7);
    expect(await operate("start", parameters)).toEqual({ code: 0, reason: "" });
    expect(shown("a0")).toContain("198.18.7.50/24 brd 198.18.7.255");
    expect((await operate("monitor", parameters)).code).toBe(0);
    expect((await operate("start", parameters)).code).toBe(0);
    const announcements = () => wire.frames().filter((frame) => frame.endsWith("c6120732"));
    await expect.poll(() => announcements().length).toBe(2 + 3 * 2);
    expect((await operate("stop", parameters)).code).toBe(0);
    expect(shown("a0")).not.toContain("198.18.7.50");
    expect((await operate("stop", parameters)).code).toBe(0);
    wire.close();
  }));

test("an interface is found by its other name as well, as ip finds it", () =>
  inNetworkNamespace(async () => {
    execFileSync("ip", ["link", "property", "add", "dev", "a0", "altname", "service0", "altname", "eth0"]);
    const parameters = { ip: "198.18.7.52", nic: "eth0", arp_count: "0" };
    expect(await operate("start", parameters)).toEqual({ code: 0, reason: "" });
    expect(shown("a0")).toContain("198.18.7.52/24");
    expect((await operate("monitor", parameters)).code).toBe(0);
    expect((await operate("stop", parameters)).code).toBe(0);
    expect(shown("a0")).not.toContain("198.18.7.52");
    expect((await operate("start", { ...parameters, nic: "eth1" })).reason).toBe("there is no interface eth1");
  }));

test("a stop ends the announcements", () =>
  inNetworkNamespace(async () => {
    const parameters = { ip: "198.18.7.51", arp_count: "500", arp_interval: "10" };
    const wire = listen(0x0806);
    await operate("start", parameters);
    await operate("stop", parameters);
    const heard = wire.frames().length;
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(wire.frames().length).toBe(heard);
    wire.close();
  }));

test("interface, prefix, label and route are as told", () =>
  inNetworkNamespace(async () => {
    const parameters = { ip: "203.0.113.9", nic: "b0", cidr_netmask: "255.255.255.240", iflabel: "svc" };
    expect(await operate("start", parameters)).toEqual({ code: 0, reason: "" });
    expect(shown("b0")).toMatch(/203\.0\.113\.9\/28 .*b0:svc/);
    const routes = execFileSync("ip", ["route"]).toString();
    expect(routes).toContain("203.0.113.0/28");
    expect((await operate("monitor", { ...parameters, nic: "a0" })).code).toBe(7);
    await operate("stop", parameters);
    const noRoute = { ...parameters, noprefixroute: "true" };
    await operate("start", noRoute);
    expect(execFileSync("ip", ["route"]).toString()).not.toContain("203.0.113.0");
    await operate("stop", noRoute);
  }));

test("an IPv6 address is announced by neighbour advertisements", () =>
  inNetworkNamespace(async () => {
    const parameters = { ip: "fd77:7::50", nodad: "true", arp_count: "1" };
    const wire = listen(0x86dd);
    expect(await operate("start", parameters)).toEqual({ code: 0, reason: "" });
    expect(shown("a0")).toContain("fd77:7::50/64");
    const about = "fd770007000000000000000000000050";
    // Ethernet 14 bytes, IPv6 40 bytes, then ICMPv6 type 136 with the address as its target.
    const advertisements = () => wire.frames().filter((frame) => frame.slice(108).startsWith("88"));
    await expect.poll(() => advertisements().filter((frame) => frame.slice(124).startsWith(about)).length).toBe(1);
    expect((await operate("stop", parameters)).code).toBe(0);
    wire.close();
  }));

test("an interface that is down is an error, before and after", () =>
  inNetworkNamespace(async () => {
    const parameters = { ip: "198.18.7.52", arp_count: "0" };
    await operate("start", parameters);
    execFileSync("ip", ["link", "set", "a0", "down"]);
    expect(await operate("monitor", parameters)).toEqual({ code: 1, reason: "interface a0 is down" });
    await operate("stop", parameters);
    expect(await operate("start", { ...parameters, nic: "a0" })).toEqual({ code: 1, reason: "interface a0 is down" });
  }));

test("without an interface for it, the remedy is named", () =>
  inNetworkNamespace(async () => {
    const { code, reason } = await operate("start", { ip: "192.0.2.1" });
    expect(code).toBe(5);
    expect(reason).toContain("give nic and cidr_netmask");
  }));

test.each([
  [{ ip: "198.18.7" }, "is no address"],
  [{ ip: "198.18.7.9", cidr_netmask: "33" }, "is no prefix length"],
  [{ ip: "198.18.7.9", cidr_netmask: "255.0.255.0" }, "is no prefix length"],
  [{ ip: "198.18.7.9", lvs_support: "true" }, "lvs_support=true is not supported"],
  [{ ip: "198.18.7.9", arp_count: "many" }, "arp_count"],
  [{ ip: "198.18.7.9", iflabel: "x" }, "needs nic"],
])("%j is refused: %s", async (parameters, words) => {
  const { code, reason } = await operate("start", parameters);
  expect(code).toBe(6);
  expect(reason).toContain(words);
  // A stop must not fail for it: that would fence the node.
  expect((await operate("stop", parameters)).code).toBe(0);
});
