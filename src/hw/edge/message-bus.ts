/**
 * A connection to a D-Bus by its socket: authentication by the peer credentials of the kernel (EXTERNAL), calls with
 * their answers, signals. One for each piece of work: nothing is shared, and so nothing has to be mended.
 * Facts: D-Bus Specification 0.43, "Authentication Protocol", "Message Bus Specification".
 */
import { createConnection, type Socket } from "node:net";
import process from "node:process";
import { type BusCall, type BusMessage, readMessage, writeCall } from "../core/bus/message.ts";
import type { BusValue } from "../core/bus/value.ts";

export type BusAnswer =
  | { readonly kind: "reply"; readonly body: readonly BusValue[] }
  /** `name`: `org.freedesktop.systemd1.NoSuchUnit`; `gone`: the bus, or we, have ended the connection. */
  | { readonly kind: "error"; readonly name: string; readonly reason: string }
  | { readonly kind: "gone"; readonly reason: string };

export interface Bus {
  readonly call: (call: BusCall) => Promise<BusAnswer>;
  readonly close: () => void;
}

export const SYSTEM_BUS = "/run/dbus/system_bus_socket";
/** A daemon on this machine answers at once, or hangs. */
const GREETING_MS = 5_000;
const GREETING_LENGTH_MAX = 4_096;
const DAEMON = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};

/** Resolves with what the daemon has sent behind its greeting, or with why there is no talking to it. */
function greet(socket: Socket): Promise<{ readonly rest: Buffer } | { readonly reason: string }> {
  return new Promise((resolve) => {
    let heard = Buffer.alloc(0);
    const end = (result: { rest: Buffer } | { reason: string }) => {
      clearTimeout(timer);
      socket.removeAllListeners();
      resolve(result);
    };
    const late = () => end({ reason: `it does not answer within ${GREETING_MS} ms` });
    // After a stall of ours the answer may be there and wait behind the timer.
    const timer = setTimeout(() => setImmediate(late), GREETING_MS);
    socket.on("error", (error) => end({ reason: error.message }));
    socket.on("close", () => end({ reason: "it has ended the connection" }));
    socket.on("connect", () => {
      const user = Buffer.from(String(process.getuid?.() ?? 0)).toString("hex");
      socket.write(`\0AUTH EXTERNAL ${user}\r\n`);
    });
    socket.on("data", (bytes: Buffer) => {
      heard = Buffer.concat([heard, bytes]);
      const lineEnd = heard.indexOf("\r\n");
      if (lineEnd < 0) {
        if (heard.length > GREETING_LENGTH_MAX) end({ reason: "its greeting does not end" });
        return;
      }
      const line = heard.subarray(0, lineEnd).toString("latin1");
      if (!line.startsWith("OK ")) return end({ reason: `it refuses us: ${line}` });
      socket.write("BEGIN\r\n");
      end({ rest: heard.subarray(lineEnd + 2) });
    });
  });
}

/** `onSignal` is told every signal that the daemon sends us. */
export async function openBus(
  address: string,
  onSignal: (signal: BusMessage) => void,
): Promise<{ readonly kind: "bus"; readonly bus: Bus } | { readonly kind: "away"; readonly reason: string }> {
  const socket = createConnection(address);
  const greeted = await greet(socket);
  if ("reason" in greeted) {
    socket.on("error", () => {});
    socket.destroy();
    return { kind: "away", reason: `${address}: ${greeted.reason}` };
  }
  const waiting = new Map<number, (answer: BusAnswer) => void>();
  let serial = 0;
  let gone: string | undefined;
  let heard = greeted.rest;

  const end = (reason: string) => {
    gone ??= reason;
    socket.destroy();
    for (const resolve of waiting.values()) resolve({ kind: "gone", reason });
    waiting.clear();
  };
  const take = (message: BusMessage) => {
    if (message.kind === "signal") return onSignal(message);
    const resolve = waiting.get(message.replySerial);
    if (resolve === undefined || message.kind === "call") return;
    waiting.delete(message.replySerial);
    const [first] = message.body;
    if (message.kind === "reply") resolve({ kind: "reply", body: message.body });
    else resolve({ kind: "error", name: message.errorName, reason: typeof first === "string" ? first : "" });
  };
  const drain = () => {
    for (;;) {
      const read = readMessage(heard);
      if (read.kind === "incomplete") return;
      if (read.kind === "broken") return end(`its message cannot be read: ${read.reason}`);
      heard = heard.subarray(read.length);
      take(read.message);
    }
  };
  socket.on("error", (error) => end(error.message));
  socket.on("close", () => end("the connection has ended"));
  socket.on("data", (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
    drain();
  });
  const bus: Bus = {
    call: (call) =>
      new Promise((resolve) => {
        if (gone !== undefined) return resolve({ kind: "gone", reason: gone });
        serial += 1;
        waiting.set(serial, resolve);
        socket.write(writeCall(call, serial));
      }),
    close: () => end("it was closed here"),
  };
  drain();
  const hello = await bus.call({ ...DAEMON, member: "Hello", signature: "", body: [] });
  if (hello.kind === "reply") return { kind: "bus", bus };
  bus.close();
  return { kind: "away", reason: `${address}: ${hello.reason}` };
}

/** Has the bus pass on the signals that fit; see the specification, "Match Rules". */
export function matchSignals(bus: Bus, rule: string): Promise<BusAnswer> {
  return bus.call({ ...DAEMON, member: "AddMatch", signature: "s", body: [rule] });
}
