/**
 * A UPS with outlets: Debian's upsd, fed by a driver of ours over upsd's own socket. It counts as honest because upsc
 * and upscmd read and switch it (see its test). Account fencer, password adminpw; `looker` may only look.
 * Fact: NUT's docs/sock-protocol.txt.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, createServer as createTcp, type Socket } from "node:net";
import os from "node:os";
import path from "node:path";

export interface Ups {
  readonly port: number;
  power(outlet: 1 | 2): "on" | "off";
  /** `stuck`: takes the command and does nothing. */
  setVice(vice: "none" | "stuck"): void;
  close(): Promise<void>;
}

const OUTLETS = [1, 2] as const;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createTcp();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

export async function startUps(): Promise<Ups> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-ups-"));
  const port = await freePort();
  const files = {
    "ups.conf": "[rack]\ndriver = dummy-ups\nport = none\n",
    "upsd.conf": `LISTEN 127.0.0.1 ${port}\n`,
    "upsd.users": "[fencer]\npassword = adminpw\ninstcmds = ALL\n[looker]\npassword = lookerpw\n",
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), text);
    chmodSync(path.join(folder, name), 0o640);
  }
  const power = new Map<number, "on" | "off">(OUTLETS.map((outlet) => [outlet, "on"]));
  let vice = "none";
  const sockets = new Set<Socket>();
  const show = (outlet: number) => `SETINFO outlet.${outlet}.status "${power.get(outlet)}"\n`;
  const status = () => `SETINFO ups.status "${[...power.values()].includes("on") ? "OL" : "OL OFF"}"\n`;

  function obey(command: string): void {
    const match = /^(?:outlet\.(\d)\.)?load\.(on|off)$/.exec(command);
    if (match === null || vice === "stuck") return;
    const [, outlet, wanted] = match;
    for (const each of OUTLETS) {
      if (outlet === undefined || Number(outlet) === each) power.set(each, wanted === "on" ? "on" : "off");
    }
    for (const socket of sockets) socket.write(OUTLETS.map(show).join("") + status());
  }

  function serve(socket: Socket, line: string): void {
    if (line === "PING") socket.write("PONG\n");
    else if (line === "DUMPALL") {
      const commands = OUTLETS.flatMap((outlet) => ["on", "off"].map((way) => `ADDCMD outlet.${outlet}.load.${way}\n`));
      const all = [...commands, "ADDCMD load.on\n", "ADDCMD load.off\n", ...OUTLETS.map(show), status()];
      socket.write(`${all.join("")}SETINFO ups.model "test UPS"\nDATAOK\nDUMPDONE\n`);
    } else if (line.startsWith("INSTCMD ")) obey((line.split(" ")[1] ?? "").replaceAll('"', ""));
  }

  const driver = createServer((socket) => {
    sockets.add(socket);
    let waiting = "";
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const lines = (waiting + bytes.toString()).split("\n");
      waiting = lines.pop() ?? "";
      for (const line of lines) serve(socket, line);
    });
  });
  await new Promise<void>((resolve) => driver.listen(path.join(folder, "dummy-ups-rack"), resolve));
  const env = { ...process.env, NUT_CONFPATH: folder, NUT_STATEPATH: folder, NUT_ALTPIDPATH: folder };
  const daemon = spawn("/lib/nut/upsd", ["-u", "root", "-D"], { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  daemon.stderr.on("data", (bytes) => (log += String(bytes)));
  const ended = new Promise<void>((resolve) => daemon.once("exit", () => resolve()));
  const isListening = () =>
    readFileSync("/proc/net/tcp", "latin1").includes(
      `:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`,
    );
  for (let tries = 0; !isListening() || sockets.size === 0; tries++) {
    if (tries > 100) throw new Error(`upsd does not come up: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    port,
    power: (outlet) => power.get(outlet) ?? "on",
    setVice(to) {
      vice = to;
    },
    async close() {
      daemon.kill("SIGKILL");
      await ended;
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => driver.close(closed));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
