/** The emulated wires: what goes in comes out at the other ports, and nothing when they are cut. */
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCable } from "../../lab/net/cable.ts";
import { senderOf, takeFrames, wrapFrame } from "../../lab/net/frames.ts";
import { openHub } from "../../lab/net/hub.ts";
import { fc } from "../support/repeatable.ts";

let directory = "";
const open: { destroy: () => void }[] = [];
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "lab-links-"));
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  rmSync(directory, { recursive: true });
});

/** A plugged-in end, with all bytes that it got. */
async function plug(file: string): Promise<{ readonly socket: net.Socket; readonly got: () => Buffer }> {
  const socket = net.connect(file);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  open.push(socket);
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return { socket, got: () => Buffer.concat(chunks) };
}

const until = (condition: () => boolean) => expect.poll(condition).toBe(true);

/** What was sent has been read by then: after a pause of this process its timers come before its sockets. */
async function settle(): Promise<void> {
  await sleep(100);
  for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("frames survive any cutting of the stream", () => {
  const stream = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 20 });
  fc.assert(
    fc.property(stream, fc.integer({ min: 1, max: 17 }), (frames, step) => {
      const bytes = Buffer.concat(frames.map(wrapFrame));
      let rest: Buffer = Buffer.alloc(0);
      const found: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += step) {
        const taken = takeFrames(Buffer.concat([rest, bytes.subarray(at, at + step)]));
        found.push(...(taken?.frames ?? []));
        rest = taken?.rest ?? rest;
      }
      expect(found.map((frame) => [...frame])).toEqual(frames.map((frame) => [...frame]));
    }),
  );
});

test("a stream that is none is refused", () => {
  expect(takeFrames(Buffer.from("GET / HTTP/1.1"))).toBeUndefined();
});

test("the sender of an ARP announcement is read", () => {
  const arp = `ffffffffffff525400001102080600010800060400015254000011020a0b0064${"0".repeat(12)}0a0b0064`;
  expect(senderOf(Buffer.from(arp, "hex"))).toEqual({ mac: "52:54:00:00:11:02", address: "10.11.0.100" });
});

test("a hub repeats to all others, and a cut port neither hears nor is heard", async () => {
  const file = (name: string) => path.join(directory, name);
  const hub = await openHub({ ports: { a: file("a"), b: file("b"), c: file("c") } });
  open.push({ destroy: () => hub.close() });
  const [a, b, c] = [await plug(file("a")), await plug(file("b")), await plug(file("c"))];
  a.socket.write(wrapFrame(Buffer.from("one")));
  await until(() => b.got().length === 7 && c.got().length === 7);
  hub.cut("b");
  expect(hub.isCut()).toBe(true);
  a.socket.write(wrapFrame(Buffer.from("two")));
  await until(() => c.got().length === 14);
  b.socket.write(wrapFrame(Buffer.from("lost")));
  await settle();
  expect([a.got().length, b.got().length, c.got().length]).toEqual([0, 7, 14]);
  hub.join();
  expect(hub.isCut()).toBe(false);
  b.socket.write(wrapFrame(Buffer.from("back")));
  await until(() => a.got().toString().includes("back"));
});

test("a serial line carries both ways, and falls silent when it is cut", async () => {
  const files = [path.join(directory, "left"), path.join(directory, "right")] as const;
  const cable = await openCable(files);
  open.push({ destroy: () => cable.close() });
  const [left, right] = [await plug(files[0]), await plug(files[1])];
  left.socket.write("hello");
  right.socket.write("there");
  await until(() => right.got().toString() === "hello" && left.got().toString() === "there");
  cable.cut();
  left.socket.write("lost");
  await settle();
  cable.join();
  left.socket.write("!");
  await until(() => right.got().toString() === "hello!");
});
