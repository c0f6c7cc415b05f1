/**
 * A board with a shell over ssh: iDRAC (racadm) or iLO. It counts as honest because OpenSSH's client logs in to it and
 * reads its power, and fence_drac5 switches it (see its test). Account admin, password adminpw.
 * Facts: dialogs in reference stonith.md, sections 4 and 6.
 */
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import ssh, { type ServerChannel } from "ssh2";
import { fingerprintOf } from "../../src/hw/edge/ssh-login.ts";
import type { ShellVice } from "./shell-board.ts";

export interface SshBoardOptions {
  readonly dialect: "racadm" | "ilo";
  readonly vice?: ShellVice;
  readonly lagMs?: number;
  /** Speaks only what boards of 2008 spoke. */
  readonly isOld?: boolean;
  /** Asks for the password as a question, as some boards do. */
  readonly asks?: boolean;
}

export interface SshBoard {
  readonly port: number;
  /** As ssh-keygen prints it. */
  readonly hostKey: string;
  power: "on" | "off";
  readonly commands: readonly string[];
  close(): Promise<void>;
}

const LINE_PAUSE_MS = 5;
const PROMPTS = { racadm: "/admin1-> ", ilo: "</>hpiLO-> " } as const;
const OLD = {
  kex: ["diffie-hellman-group14-sha1"],
  cipher: ["aes128-cbc"],
  serverHostKey: ["ssh-rsa"],
  hmac: ["hmac-sha1"],
} as const;

function wantedPower(command: string): "on" | "off" | undefined {
  const racadm = /^racadm serveraction (?:-m server-\d+ )?power(up|down)$/.exec(command);
  if (racadm !== null) return racadm[1] === "up" ? "on" : "off";
  if (/^(power on|start( -f)? \/system1)$/.test(command)) return "on";
  return /^(power off hard|stop -f \/system1)$/.test(command) ? "off" : undefined;
}

function statusOf(command: string, power: "on" | "off"): string {
  if (/^racadm serveraction (-m server-\d+ )?powerstatus$/.test(command)) {
    return `Server power status: ${power.toUpperCase()}`;
  }
  if (command === "power")
    return `status=0\r\nstatus_tag=COMMAND COMPLETED\r\n\r\npower: server power is currently: ${power}`;
  if (command !== "show /system1") return "status=2\r\nstatus_tag=COMMAND PROCESSING FAILED";
  const state = power === "on" ? "enabled" : "disabled";
  return `status=0\r\nstatus_tag=COMMAND COMPLETED\r\n\r\n/system1\r\n  Properties\r\n    EnabledState=${state}`;
}

const DONE = {
  racadm: "Server power operation successful",
  ilo: "status=0\r\nstatus_tag=COMMAND COMPLETED\r\n\r\nServer powering .......",
} as const;

export function startSshBoard(options: SshBoardOptions): Promise<SshBoard> {
  const { dialect, vice = "none", lagMs = 100, isOld = false, asks = false } = options;
  const key = ssh.utils.generateKeyPairSync("rsa", { bits: 2048 });
  const parsed = ssh.utils.parseKey(key.private);
  if (parsed instanceof Error) throw parsed;
  const commands: string[] = [];
  const prompt = `\r\n${PROMPTS[dialect]}`;

  /** Line by line, as a board's console does. */
  async function tell(channel: ServerChannel, text: string): Promise<void> {
    for (const line of text.split(/(?<=\n)/)) {
      if (channel.destroyed) return;
      channel.write(line);
      await setTimeout(LINE_PAUSE_MS);
    }
  }

  async function run(channel: ServerChannel, command: string, end: () => void): Promise<void> {
    commands.push(command);
    const wanted = wantedPower(command);
    if (command === "exit") {
      // The client hangs up when its shell has ended; to cut the line now could lose what was said last.
      channel.exit(0);
      channel.end();
    } else if (wanted === undefined) await tell(channel, `\r\n${statusOf(command, board.power)}${prompt}`);
    else if (vice === "hang-up") end();
    else if (vice === "error") await tell(channel, `\r\nstatus=1\r\nERROR: command failed${prompt}`);
    else if (vice === "denied") await tell(channel, `\r\nERROR: You do not have sufficient privileges${prompt}`);
    else if (vice !== "no-answer") {
      if (vice !== "does-nothing") void setTimeout(lagMs).then(() => (board.power = wanted));
      await tell(channel, `\r\n${DONE[dialect]}${prompt}`);
    }
  }

  function serveShell(channel: ServerChannel, end: () => void): void {
    let typed = "";
    // What is typed ahead waits until the command before it has answered.
    let working = Promise.resolve();
    channel.write(`User:admin logged-in${prompt}`);
    channel.on("data", (bytes: Buffer) => {
      // A terminal echoes what is typed.
      channel.write(bytes.toString("latin1"));
      typed += bytes.toString("latin1");
      for (let at = /\r\n|\r|\n/.exec(typed); at !== null; at = /\r\n|\r|\n/.exec(typed)) {
        const line = typed.slice(0, at.index).trim();
        typed = typed.slice(at.index + at[0].length);
        if (line !== "") working = working.then(() => run(channel, line, end));
      }
    });
  }

  const clients = new Set<ssh.Connection>();
  const server = new ssh.Server(
    {
      hostKeys: [key.private],
      ...(isOld
        ? {
            algorithms: {
              kex: [...OLD.kex],
              cipher: [...OLD.cipher],
              serverHostKey: [...OLD.serverHostKey],
              hmac: [...OLD.hmac],
            },
          }
        : {}),
    },
    (client) => {
      clients.add(client);
      client.on("error", () => {});
      client.on("authentication", (context) => {
        if (context.username === "admin" && !asks && context.method === "password" && context.password === "adminpw") {
          context.accept();
        } else if (context.method === "keyboard-interactive" && asks) {
          context.prompt([{ prompt: "Password: ", echo: false }], (answers) => {
            if (answers[0] === "adminpw") context.accept();
            else context.reject();
          });
        } else context.reject([asks ? "keyboard-interactive" : "password"]);
      });
      client.on("session", (accept) => {
        const session = accept();
        session.on("pty", (acceptPty) => acceptPty?.());
        session.on("shell", (acceptShell) => serveShell(acceptShell(), () => client.end()));
      });
    },
  );
  const board: SshBoard = {
    port: 0,
    hostKey: fingerprintOf(parsed.getPublicSSH()),
    power: "on",
    commands,
    close() {
      for (const client of clients) client.end();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", function (this: { address(): AddressInfo }) {
      resolve(Object.assign(board, { port: this.address().port }));
    });
  });
}
