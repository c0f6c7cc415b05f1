/**
 * A board with a command shell over telnet: RSA by default. It counts as honest because fence_rsa, which we did not
 * write, drives it (see its test). Its vices are those that made the old plugin lie: an error, no answer, a hang-up.
 * Facts: dialogs in reference stonith.md, section 5 and 6.
 */
import { createServer, type Socket } from "node:net";

export type ShellVice = "none" | "error" | "no-answer" | "hang-up" | "does-nothing" | "denied";

export interface ShellBoardOptions {
  readonly dialect: "rsa" | "drac-mc";
  readonly vice?: ShellVice;
  /** The power follows the command so much later. */
  readonly lagMs?: number;
  /** Begins with telnet negotiation, as real boards do. */
  readonly negotiates?: boolean;
}

export interface ShellBoard {
  readonly port: number;
  power: "on" | "off";
  readonly commands: readonly string[];
  close(): Promise<void>;
}

const WORDS = {
  rsa: { user: "\r\nusername: ", password: "\r\npassword: ", prompt: "\r\nsystem> " },
  "drac-mc": { user: "\r\nLogin: ", password: "\r\nPassword: ", prompt: "\r\nDRAC/MC: " },
} as const;

function wantedPower(command: string): "on" | "off" | undefined {
  if (/^power (on|off)$/.test(command)) return command === "power on" ? "on" : "off";
  const serveraction = /^serveraction -s Server-1 power(up|down)$/.exec(command);
  if (serveraction === null) return undefined;
  return serveraction[1] === "up" ? "on" : "off";
}

function statusOf(command: string, power: "on" | "off"): string {
  if (command === "power state") return `Power: ${power === "on" ? "On" : "Off"}\r\nState:Booting OS`;
  if (command !== "getmodinfo") return "command not understood";
  const state = power.toUpperCase();
  const head = "#   <module>   <presence> <pwrState>";
  return [head, `1   ----> Server-1   Present   ${state}`, "2   ----> Server-2   Present   ON"].join("\r\n");
}

/** Account admin, password adminpw. */
export function startShellBoard(options: ShellBoardOptions): Promise<ShellBoard> {
  const { dialect, vice = "none", lagMs = 100, negotiates = false } = options;
  const words = WORDS[dialect];
  const commands: string[] = [];
  const sockets = new Set<Socket>();

  function run(socket: Socket, command: string): void {
    commands.push(command);
    const wanted = wantedPower(command);
    if (command === "exit") {
      socket.end();
      return;
    }
    if (wanted === undefined) socket.write(`${command}\r\n${statusOf(command, board.power)}${words.prompt}`);
    else if (vice === "hang-up") socket.destroy();
    else if (vice === "error") socket.write(`${command}\r\nError: command failed${words.prompt}`);
    else if (vice === "denied") socket.write(`${command}\r\nUser is not authorized: permission denied${words.prompt}`);
    else if (vice !== "no-answer") {
      socket.write(`${command}\r\nok${words.prompt}`);
      if (vice !== "does-nothing") setTimeout(() => (board.power = wanted), lagMs);
    }
  }

  function serve(socket: Socket): void {
    let user: string | undefined;
    let isIn = false;
    let buffer = "";
    const take = (line: string) => {
      if (isIn) run(socket, line);
      else if (user === undefined) {
        user = line;
        socket.write(words.password);
      } else if (user === "admin" && line === "adminpw") {
        isIn = true;
        socket.write(words.prompt);
      } else socket.end("\r\nInvalid login\r\n");
    };
    // WILL ECHO, DO NAWS: a client that does not answer them correctly never gets to the login.
    if (negotiates) socket.write(Uint8Array.of(255, 251, 1, 255, 253, 31));
    socket.write(words.user);
    socket.on("data", (bytes: Buffer) => {
      buffer += bytes.toString("latin1").replaceAll(/\xff[\xfb-\xfe]./gs, "");
      for (let end = /\r\n|\r\0|\r|\n/.exec(buffer); end !== null; end = /\r\n|\r\0|\r|\n/.exec(buffer)) {
        const line = buffer.slice(0, end.index).trim();
        buffer = buffer.slice(end.index + end[0].length);
        if (line !== "") take(line);
      }
    });
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  const board: ShellBoard = {
    port: 0,
    power: "on",
    commands,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve(Object.assign(board, { port }));
    });
  });
}
