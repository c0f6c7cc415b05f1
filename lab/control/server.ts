/** The control socket of a running lab: commands from other terminals, each answered on its own connection. */
import { rmSync } from "node:fs";
import net from "node:net";
import type { Call } from "../arguments.ts";
import type { Lab } from "../lab.ts";
import { runVerb } from "../verbs.ts";
import { formatLine, lineSplitter, type Reply } from "./protocol.ts";

export interface ControlServer {
  close(): void;
}

/** `onDown` is called when someone asked for the end of the lab; he is answered first. */
export async function serveLab(lab: Lab, onDown: () => void): Promise<ControlServer> {
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    const send = (reply: Reply) => {
      if (!socket.destroyed) socket.write(formatLine(reply));
    };
    const tell = (line: string) => send({ kind: "text", line });
    async function answer(line: string): Promise<void> {
      let code = 1;
      try {
        const call: Call = JSON.parse(line);
        if (call.command === "down") {
          tell("the lab goes down");
          onDown();
          code = 0;
        } else code = await runVerb(lab, call, tell);
      } catch (error) {
        tell(`lab: ${error instanceof Error ? error.message : String(error)}`);
      }
      send({ kind: "end", code });
      socket.end();
    }
    const receive = lineSplitter((line) => void answer(line));
    socket.setEncoding("utf8").on("data", receive);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  });
  rmSync(lab.place.controlSocket, { force: true });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(lab.place.controlSocket, resolve));
  return {
    close() {
      server.close();
      for (const socket of open) socket.destroySoon();
    },
  };
}
