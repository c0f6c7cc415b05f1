/**
 * The null-modem line between the second serial ports: two unix sockets (QEMU is the client and reconnects by itself)
 * and bytes both ways at the pace of the line. A cut line is silence; QEMU shows no change of carrier on a socket.
 */
import { rmSync } from "node:fs";
import net from "node:net";

/** 115200 baud with one start and one stop bit. */
const RATE_BYTES_PER_S = 11_520;
const PACE_MS = 10;
/** A second of line: more than the FIFOs of two UARTs hold is lost, as without flow control. */
const QUEUE_MAX_BYTES = RATE_BYTES_PER_S;

interface End {
  socket: net.Socket | undefined;
  /** Bytes that came from this end and are on their way to the other. */
  queue: Buffer;
  readonly server: net.Server;
}

export interface Cable {
  cut(): void;
  join(): void;
  /** Share of bytes that arrive garbled, 0 to 1. */
  setNoise(share: number): void;
  noise(): number;
  isCut(): boolean;
  close(): void;
}

export async function openCable(paths: readonly [string, string]): Promise<Cable> {
  let isCut = false;
  let noise = 0;
  const ends: End[] = [];

  function plug(end: End, socket: net.Socket): void {
    end.socket?.destroy();
    end.socket = socket;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (end.socket === socket) end.socket = undefined;
    });
    socket.on("data", (bytes: Buffer) => {
      if (!isCut) end.queue = Buffer.concat([end.queue, bytes]).subarray(0, QUEUE_MAX_BYTES);
    });
  }

  function carry(from: End, to: End): void {
    if (from.queue.length === 0) return;
    const bytes = Buffer.from(from.queue.subarray(0, Math.ceil((RATE_BYTES_PER_S * PACE_MS) / 1000)));
    from.queue = from.queue.subarray(bytes.length);
    if (noise > 0) {
      for (let at = 0; at < bytes.length; at++) {
        if (Math.random() < noise) bytes[at] = Math.floor(Math.random() * 256);
      }
    }
    to.socket?.write(bytes);
  }

  for (const file of paths) {
    rmSync(file, { force: true });
    const end: End = { socket: undefined, queue: Buffer.alloc(0), server: net.createServer() };
    end.server.on("connection", (socket) => plug(end, socket));
    await new Promise<void>((resolve, reject) => end.server.once("error", reject).listen(file, resolve));
    ends.push(end);
  }
  const [left, right] = ends;
  const pace = setInterval(() => {
    if (left === undefined || right === undefined) return;
    carry(left, right);
    carry(right, left);
  }, PACE_MS);
  return {
    cut() {
      isCut = true;
      for (const end of ends) end.queue = Buffer.alloc(0);
    },
    join() {
      isCut = false;
    },
    setNoise(share) {
      noise = share;
    },
    noise: () => noise,
    isCut: () => isCut,
    close() {
      clearInterval(pace);
      for (const { server, socket } of ends) {
        socket?.destroy();
        server.close();
      }
    },
  };
}
