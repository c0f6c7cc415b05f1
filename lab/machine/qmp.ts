/** QEMU's control protocol (QMP): one command on a connection of its own, or the stream of events. */
import net from "node:net";

/** QEMU answers at once unless the machine is overloaded; then it is better to say so than to wait. */
const ANSWER_MAX_MS = 20_000;

type Json = Readonly<Record<string, unknown>>;

function readLines(socket: net.Socket, onMessage: (message: Json) => void): void {
  let waiting = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const lines = (waiting + text).split("\n");
    waiting = lines.pop() ?? "";
    for (const line of lines) {
      const message: unknown = JSON.parse(line);
      if (typeof message === "object" && message !== null) onMessage({ ...message });
    }
  });
}

/** Runs one command. Rejects when the machine is off, refuses, or gives no answer. */
export function askQemu(socketFile: string, execute: string, argument: Json = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketFile);
    const timer = setTimeout(() => socket.destroy(new Error(`QEMU gave no answer to ${execute}`)), ANSWER_MAX_MS);
    let greeted = false;
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      reject(new Error(`QEMU ended before it answered ${execute}`));
    });
    readLines(socket, (message) => {
      if ("QMP" in message) return void socket.write('{"execute":"qmp_capabilities"}\n');
      if ("event" in message) return;
      if (!greeted) {
        greeted = true;
        return void socket.write(`${JSON.stringify({ execute, arguments: argument })}\n`);
      }
      if ("error" in message) reject(new Error(`QEMU refused ${execute}: ${JSON.stringify(message["error"])}`));
      else resolve(message["return"]);
      socket.end();
    });
  });
}

/** Calls `onEvent` with the name of each event until the machine's process ends; then calls `onEnd`. */
export function followQemu(socketFile: string, onEvent: (name: string) => void, onEnd: () => void): net.Socket {
  const socket = net.connect(socketFile);
  socket.on("error", () => {});
  socket.on("close", onEnd);
  readLines(socket, (message) => {
    if ("QMP" in message) socket.write('{"execute":"qmp_capabilities"}\n');
    else if (typeof message["event"] === "string") onEvent(message["event"]);
  });
  return socket;
}
