/**
 * One Ethernet segment: a hub with a socket a port, which QEMU joins as `-netdev stream`. It repeats each frame to
 * all other ports, and can be cut: then frames vanish silently, and no carrier is lost, as behind a dead switch.
 */
import { rmSync } from "node:fs";
import net from "node:net";
import { type Sender, senderOf, takeFrames, wrapFrame } from "./frames.ts";

/** What a port may have waiting before frames are dropped, as a switch does: a frozen guest takes nothing. */
const PORT_BUFFER_MAX_BYTES = 1 << 20;

interface Port {
  readonly name: string;
  readonly server: net.Server;
  socket: net.Socket | undefined;
  /** Frames from this port vanish. */
  cutIn: boolean;
  /** Frames to this port vanish. */
  cutOut: boolean;
}

export interface Hub {
  /** Cuts every port, or one port, in both directions or one (seen from the machine). */
  cut(port?: string, direction?: "both" | "from" | "to"): void;
  join(port?: string): void;
  /** True when any direction of any port is cut. */
  isCut(): boolean;
  close(): void;
}

export interface HubOptions {
  /** Port name -> path of its unix socket. */
  readonly ports: Readonly<Record<string, string>>;
  /** Called with the sender of each frame that reached another port. */
  readonly onSender?: (sender: Sender, port: string) => void;
}

export async function openHub({ ports: paths, onSender }: HubOptions): Promise<Hub> {
  const ports: Port[] = [];

  function repeat(from: Port, frame: Buffer): void {
    if (from.cutIn) return;
    const wrapped = wrapFrame(frame);
    for (const to of ports) {
      if (to === from || to.cutOut || to.socket === undefined) continue;
      if (to.socket.writableLength < PORT_BUFFER_MAX_BYTES) to.socket.write(wrapped);
    }
    const sender = onSender === undefined ? undefined : senderOf(frame);
    if (sender !== undefined) onSender?.(sender, from.name);
  }

  function plug(port: Port, socket: net.Socket): void {
    port.socket?.destroy();
    port.socket = socket;
    let waiting: Buffer = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (port.socket === socket) port.socket = undefined;
    });
    socket.on("data", (bytes: Buffer) => {
      const taken = takeFrames(waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]));
      if (taken === undefined) return void socket.destroy();
      waiting = taken.rest;
      for (const frame of taken.frames) repeat(port, frame);
    });
  }

  for (const [name, file] of Object.entries(paths)) {
    rmSync(file, { force: true });
    const server = net.createServer();
    const port: Port = { name, server, socket: undefined, cutIn: false, cutOut: false };
    server.on("connection", (socket) => plug(port, socket));
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(file, resolve));
    ports.push(port);
  }
  const chosen = (name: string | undefined) => ports.filter((port) => name === undefined || port.name === name);
  return {
    cut(name, direction = "both") {
      for (const port of chosen(name)) {
        port.cutIn ||= direction !== "to";
        port.cutOut ||= direction !== "from";
      }
    },
    join(name) {
      for (const port of chosen(name)) {
        port.cutIn = false;
        port.cutOut = false;
      }
    },
    isCut: () => ports.some((port) => port.cutIn || port.cutOut),
    close() {
      for (const { server, socket } of ports) {
        socket?.destroy();
        server.close();
      }
    },
  };
}
