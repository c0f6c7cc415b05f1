/**
 * A UPS with outlets: Debian's upsd, fed by a driver of ours over upsd's own socket. It counts as honest because upsc
 * and upscmd read and switch it (see its test). Account fencer, password adminpw; `looker` may only look.
 * Fact: NUT's docs/sock-protocol.txt.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

export interface Upsd {
  readonly port: number;
  /** Where drivers open their sockets. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Once the drivers' sockets are there; resolves when upsd listens. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Debian's upsd for one UPS called `rack`, which `driver` is to feed (the lines of ups.conf). */
export async function prepareUpsd(driver: string): Promise<Upsd> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-ups-"));
  const port = await freePort();
  const files = {
    "ups.conf": `[rack]\n${driver}`,
    "upsd.conf": `LISTEN 127.0.0.1 ${port}\n`,
    "upsd.users": "[fencer]\npassword = adminpw\ninstcmds = ALL\n[looker]\npassword = lookerpw\n",
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), text);
    chmodSync(path.join(folder, name), 0o640);
  }
  const env = { ...process.env, NUT_CONFPATH: folder, NUT_STATEPATH: folder, NUT_ALTPIDPATH: folder, MIBS: "" };
  let daemon: ChildProcess | undefined;
  let ended = Promise.resolve();
  return {
    port,
    folder,
    env,
    async run() {
      const started = spawn("/lib/nut/upsd", ["-u", "root", "-D"], { env, stdio: ["ignore", "ignore", "pipe"] });
      daemon = started;
      let log = "";
      started.stderr.on("data", (bytes) => (log += String(bytes)));
      ended = new Promise<void>((resolve) => started.once("exit", () => resolve()));
      const listening = `:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`;
      for (let tries = 0; !readFileSync("/proc/net/tcp", "latin1").includes(listening); tries++) {
        if (tries > 100) throw new Error(`upsd does not come up: ${log}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async close() {
      daemon?.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * NUT's own driver for PDUs, `snmp-ups`, with upsd before it: a client of a PDU's SNMP that is not ours. `say` is what
 * upscmd or upsc answers.
 */
export async function startPduClient(port: number, mib: string) {
  const login = `port = 127.0.0.1:${port}\nmibs = ${mib}\ncommunity = private\npollfreq = 1\n`;
  const upsd = await prepareUpsd(`driver = snmp-ups\n${login}`);
  const driver = spawn("/lib/nut/snmp-ups", ["-a", "rack", "-u", "root", "-D", "-i", "1"], {
    env: upsd.env,
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => driver.once("exit", () => resolve()));
  const socket = path.join(upsd.folder, "snmp-ups-rack");
  for (let tries = 0; !existsSync(socket); tries++) {
    if (tries > 300 || driver.exitCode !== null) throw new Error(`snmp-ups does not come up with mibs = ${mib}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await upsd.run();
  const at = `rack@127.0.0.1:${upsd.port}`;
  const call = (file: string, ...argv: readonly string[]) =>
    execFileSync(file, [...argv], { stdio: ["ignore", "pipe", "pipe"] })
      .toString()
      .trim();
  return {
    variable: (name: string) => call("upsc", at, name),
    command: (name: string) => call("upscmd", "-u", "fencer", "-p", "adminpw", at, name),
    async close() {
      driver.kill("SIGKILL");
      await ended;
      await upsd.close();
    },
  };
}

export async function startUps(): Promise<Ups> {
  const upsd = await prepareUpsd("driver = dummy-ups\nport = none\n");
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
  await new Promise<void>((resolve) => driver.listen(path.join(upsd.folder, "dummy-ups-rack"), resolve));
  await upsd.run();
  for (let tries = 0; sockets.size === 0; tries++) {
    if (tries > 100) throw new Error("upsd does not ask the driver");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    port: upsd.port,
    power: (outlet) => power.get(outlet) ?? "on",
    setVice(to) {
      vice = to;
    },
    async close() {
      await upsd.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => driver.close(closed));
    },
  };
}
