/**
 * A board with a command shell over telnet: RSA by default. It counts as honest because fence_rsa, fence_bladecenter,
 * fence_drac and fence_drac5, which we did not write, drive it (see its test). Its vices are those that made the old
 * plugin lie: an error, no answer, a hang-up.
 * Facts: dialogs in reference stonith.md, section 5 and 6.
 */
import { createServer, type Socket } from "node:net";

export type ShellVice = "none" | "error" | "no-answer" | "hang-up" | "does-nothing" | "denied";

export type ShellDialectName = "rsa" | "drac-mc" | "amm" | "drac4" | "drac5" | "cmc";

export interface ShellBoardOptions {
  readonly dialect: ShellDialectName;
  readonly vice?: ShellVice;
  /** The power follows the command so much later. */
  readonly lagMs?: number;
  /** Begins with telnet negotiation, as real boards do. */
  readonly negotiates?: boolean;
  /** The machine behind it; without one the board only notes what it was told. */
  readonly machine?: { readonly power: () => "on" | "off"; readonly set: (power: "on" | "off") => void };
}

export interface ShellBoard {
  readonly port: number;
  power: "on" | "off";
  /** May change while it runs. */
  vice: ShellVice;
  readonly commands: readonly string[];
  close(): Promise<void>;
}

const WORDS = {
  rsa: { user: "\r\nusername: ", password: "\r\npassword: ", prompt: "\r\nsystem> ", done: "ok" },
  "drac-mc": { user: "\r\nLogin: ", password: "\r\nPassword: ", prompt: "\r\nDRAC/MC: ", done: "OK" },
  amm: { user: "\r\nusername: ", password: "\r\npassword: ", prompt: "\r\nsystem> ", done: "OK" },
  drac4: {
    user: "Dell Remote Access Controller 4/P (DRAC 4/P)\r\nLogin: ",
    password: "\r\nPassword: ",
    prompt: "\r\n[admin]# ",
    done: "",
  },
  drac5: {
    user: "\r\nLogin: ",
    password: "\r\nPassword: ",
    prompt: "\r\n$ ",
    done: "Server power operation successful",
  },
  cmc: { user: "\r\nLogin: ", password: "\r\nPassword: ", prompt: "\r\n$ ", done: "Server power operation successful" },
} as const;

/** Blade 3 is there, and no other. */
const BLADE_PROMPT = "\r\nsystem:blade[3]> ";

function wantedPower(command: string): "on" | "off" | undefined {
  const power = /^power -?(on|off)$/.exec(command);
  if (power !== null) return power[1] === "on" ? "on" : "off";
  // A chassis controller takes the blade before or behind the action.
  const ofBlade = /^racadm serveraction (?:-m server-3 power(up|down)|power(up|down) -m server-3)$/.exec(command);
  if (ofBlade !== null) return (ofBlade[1] ?? ofBlade[2]) === "up" ? "on" : "off";
  const serveraction = /^(?:racadm )?serveraction (?:-s Server-1 |-d 0 )?power(up|down)$/.exec(command);
  if (serveraction === null) return undefined;
  return serveraction[1] === "up" ? "on" : "off";
}

function statusOf(dialect: ShellDialectName, command: string, power: "on" | "off"): string {
  if (command === "power -state") return power === "on" ? "On" : "Off";
  if (command === "racadm serveraction powerstatus") return `Server power status: ${power.toUpperCase()}`;
  if (/^racadm serveraction (-m server-3 powerstatus|powerstatus -m server-3)$/.test(command))
    return power.toUpperCase();
  if (command === "power state") return `Power: ${power === "on" ? "On" : "Off"}\r\nState:Booting OS`;
  if (command !== "getmodinfo") return "command not understood";
  const state = power.toUpperCase();
  const head = "#   <module>   <presence> <pwrState>";
  if (dialect === "drac4") return [head, `1   ----> chassis   Present   ${state}   Normal`].join("\r\n");
  return [head, `1   ----> Server-1   Present   ${state}`, "2   ----> Server-2   Present   ON"].join("\r\n");
}

/** Account admin, password adminpw. */
export function startShellBoard(options: ShellBoardOptions): Promise<ShellBoard> {
  const { dialect, lagMs = 100, negotiates = false, machine } = options;
  let noted: "on" | "off" = "on";
  const words = WORDS[dialect];
  let prompt: string = words.prompt;
  const commands: string[] = [];
  const sockets = new Set<Socket>();

  function run(socket: Socket, command: string): void {
    commands.push(command);
    const { vice } = board;
    const wanted = wantedPower(command);
    if (command === "exit") {
      socket.end();
      return;
    }
    const goesTo = /^env -T (\S+)$/.exec(command)?.[1];
    if (dialect === "amm" && goesTo !== undefined) {
      if (goesTo === "system:blade[3]") prompt = BLADE_PROMPT;
      if (goesTo === "system") ({ prompt } = words);
      const isKnown = goesTo === "system" || goesTo === "system:blade[3]";
      socket.write(`${command}\r\n${isKnown ? "OK" : "The target path is invalid."}${prompt}`);
    } else if (dialect === "amm" && prompt === words.prompt && /^power/.test(command))
      socket.write(`${command}\r\nThe target of this command is no blade.${prompt}`);
    else if (wanted === undefined) socket.write(`${command}\r\n${statusOf(dialect, command, board.power)}${prompt}`);
    else if (vice === "hang-up") socket.destroy();
    else if (vice === "error") socket.write(`${command}\r\nError: command failed${prompt}`);
    else if (vice === "denied") socket.write(`${command}\r\nUser is not authorized: permission denied${prompt}`);
    else if (vice !== "no-answer") {
      socket.write(`${command}\r\n${words.done}${prompt}`);
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
        ({ prompt } = words);
        socket.write(prompt);
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
    get power() {
      return machine?.power() ?? noted;
    },
    set power(power) {
      noted = power;
      machine?.set(power);
    },
    vice: options.vice ?? "none",
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
