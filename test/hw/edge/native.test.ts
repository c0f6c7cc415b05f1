/** The native calls against the real kernel: results, errors by name, and reading in the event loop. */
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  AF_INET,
  bindSocket,
  closeDescriptor,
  interfaceIndex,
  ioctl,
  openSocket,
  receive,
  receiveFrom,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SystemCallError,
  sendTo,
  setSocketOption,
  watchReadable,
} from "../../../src/hw/edge/native.ts";

function loopbackAddress(port: number): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  return address;
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof SystemCallError) return error.code;
    throw error;
  }
  return "";
}

test("a refused call throws with the name of the error", () => {
  const fd = openSync("/dev/null", "r");
  expect(codeOf(() => ioctl(fd, 0x5401, Buffer.alloc(60)))).toBe("ENOTTY");
  closeSync(fd);
  expect(codeOf(() => closeDescriptor(1_000_000))).toBe("EBADF");
  expect(codeOf(() => interfaceIndex("no-such-link"))).toBe("ENODEV");
  expect(interfaceIndex("lo")).toBeGreaterThan(0);
});

test("a watched socket delivers each datagram once, with its sender, until it is no longer watched", async () => {
  const receiver = openSocket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const sender = openSocket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  // Below those that the kernel gives to whoever asks for any.
  const port = 10_000 + (process.pid % 20_000);
  setSocketOption(receiver, SOL_SOCKET, SO_REUSEADDR, 1);
  bindSocket(receiver, loopbackAddress(port));
  const buffer = Buffer.alloc(2048);
  expect(receive(receiver, buffer)).toBeUndefined();

  const heard: string[] = [];
  const from = Buffer.alloc(28);
  const unwatch = watchReadable(receiver, () => {
    for (let size = receiveFrom(receiver, buffer, from); size !== undefined; size = receiveFrom(receiver, buffer, from))
      heard.push(`${buffer.toString("utf8", 0, size)} from ${from.subarray(4, 8).join(".")}`);
  });
  const all: string[] = [];
  for (const text of ["one", "two", "three"]) {
    expect(sendTo(sender, Buffer.from(text), loopbackAddress(port))).toBe(text.length);
    all.push(`${text} from 127.0.0.1`);
    await expect.poll(() => heard).toEqual(all);
  }
  unwatch();
  sendTo(sender, Buffer.from("four"), loopbackAddress(port));
  await sleep(20);
  expect(heard.length).toBe(3);
  closeDescriptor(receiver);
  closeDescriptor(sender);
});
