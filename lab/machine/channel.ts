/**
 * The lab's own line into a guest: the virtio-serial port `gemel.lab`, answered by the lab agent of the image. It
 * works without any network. A line `ID BASE64(script)` goes in, a line `ID EXIT-CODE BASE64(output)` comes back.
 */
import net from "node:net";

export interface Answer {
  readonly exitCode: number;
  readonly output: string;
}

export interface Channel {
  /** Runs a shell script in the guest; undefined when there was no answer within `timeoutMs`. */
  run(script: string, timeoutMs: number): Promise<Answer | undefined>;
  close(): void;
}

interface Waiting {
  readonly settle: (answer: Answer | undefined) => void;
}

export function openChannel(socketFile: string): Channel {
  const waiting = new Map<string, Waiting>();
  let socket: net.Socket | undefined;
  let next = 1;

  function forgetAll(): void {
    for (const { settle } of waiting.values()) settle(undefined);
  }

  function receive(line: string): void {
    // After a reset of the guest half a line of the old one may stand before the answer.
    const match = /(q\d+) (\d+)(?: ([A-Za-z0-9+/=]*))?$/.exec(line.trim());
    if (match === null) return;
    const [, id = "", code = "", encoded = ""] = match;
    waiting.get(id)?.settle({ exitCode: Number(code), output: Buffer.from(encoded, "base64").toString() });
  }

  function connected(): net.Socket {
    if (socket !== undefined) return socket;
    const opened = net.connect(socketFile);
    let text = "";
    opened.setEncoding("utf8");
    opened.on("error", () => {});
    opened.on("close", () => {
      if (socket === opened) socket = undefined;
      forgetAll();
    });
    opened.on("data", (more: string) => {
      const lines = (text + more).split("\n");
      text = lines.pop() ?? "";
      lines.forEach(receive);
    });
    socket = opened;
    return opened;
  }

  return {
    run(script, timeoutMs) {
      const id = `q${next++}`;
      return new Promise((resolve) => {
        const settle = (answer: Answer | undefined) => {
          clearTimeout(timer);
          waiting.delete(id);
          resolve(answer);
        };
        const timer = setTimeout(() => settle(undefined), timeoutMs);
        waiting.set(id, { settle });
        connected().write(`${id} ${Buffer.from(script).toString("base64")}\n`);
      });
    },
    close() {
      socket?.destroy();
      forgetAll();
    },
  };
}
