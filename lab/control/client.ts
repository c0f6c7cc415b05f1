/** A second terminal: sends one command to the running lab, or joins a serial console. */
import net from "node:net";
import path from "node:path";
import process from "node:process";
import type { Call } from "../arguments.ts";
import type { NodeName } from "../names.ts";
import { nodeDirectory, type Place } from "../place.ts";
import { formatLine, lineSplitter, type Reply } from "./protocol.ts";

/** Ctrl-], as telnet has it. */
const DETACH = 0x1d;

/** Runs the call in the lab; answers with its exit code, 1 when the lab went away meanwhile. */
export function callLab(place: Place, call: Call, show: (line: string) => void): Promise<number> {
  return new Promise((resolve) => {
    const socket = net.connect(place.controlSocket, () => socket.write(formatLine(call)));
    let code: number | undefined;
    const receive = lineSplitter((line) => {
      const reply: Reply = JSON.parse(line);
      if (reply.kind === "text") show(reply.line);
      else code = reply.code;
    });
    socket.setEncoding("utf8").on("data", receive);
    socket.on("error", () => {});
    socket.on("close", () => {
      if (code === undefined) process.stderr.write("lab: the lab ended before it answered\n");
      resolve(code ?? 1);
    });
  });
}

/** Joins the serial console until Ctrl-] is typed or the machine loses its power. */
export function joinConsole(place: Place, node: NodeName): Promise<number> {
  return new Promise((resolve) => {
    const socket = net.connect(path.join(nodeDirectory(place, node), "console.sock"));
    const { stdin, stdout } = process;
    let joined = false;
    function leave(line: string): void {
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write(`\r\nlab: ${line}\r\n`);
      socket.destroy();
      resolve(joined ? 0 : 1);
    }
    socket.on("connect", () => {
      joined = true;
      process.stderr.write(`lab: the serial console of ${node}; Ctrl-] leaves it\r\n`);
      if (stdin.isTTY) stdin.setRawMode(true);
      socket.pipe(stdout, { end: false });
      stdin.on("data", (bytes: Buffer) => {
        const at = bytes.indexOf(DETACH);
        if (at < 0) socket.write(bytes);
        else leave("left the console");
      });
      // Without a terminal the end of the input is no reason to go: a pipe may only want to read.
    });
    socket.on("error", () => leave(`${node} has no power; press its button: npm run lab -- power-on ${node}`));
    socket.on("close", () => {
      if (joined && !socket.destroyed) leave(`${node} lost its power`);
    });
    socket.on("end", () => leave(`${node} lost its power`));
  });
}
