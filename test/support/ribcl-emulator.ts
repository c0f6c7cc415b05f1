/**
 * An iLO 1 or 2: RIBCL documents over TLS. It counts as honest because fence_ilo, which we did not write, drives it
 * (see its test). Facts: reference stonith.md, section 4: status codes, texts, header alone in its packet, TOGGLE.
 */
import { createServer, type TLSSocket } from "node:tls";
import { CERTIFICATE, KEY } from "./board-certificate.ts";

export interface RibclMachine {
  power(): "on" | "off";
  /** The button is held (hard off) or pressed; what the board then answers. */
  button(kind: "hold" | "press"): "done" | "denied" | "cut" | "busy";
}

export interface RibclOptions {
  readonly machine: RibclMachine;
  readonly processor: "iLO" | "iLO2";
  readonly firmware: string;
}

export const ACCOUNT = { user: "admin", password: "adminpw" } as const;

const document = (inner: string) => `<?xml version="1.0"?>\r\n<RIBCL VERSION="2.22">\r\n${inner}\r\n</RIBCL>\r\n`;
const status = (code: string, message: string) =>
  document(`<RESPONSE\r\n STATUS="${code}"\r\n MESSAGE='${message}'\r\n />`);
const FINE = status("0x0000", "No error");

/** No answer: the board hangs up instead. */
export const CUT = "";
const BLOCK_END = /<\/(?:RIB|SERVER)_INFO>/;

/** What the board says to one block with its login, or CUT. */
export function answerLogin({ machine, processor, firmware }: RibclOptions, block: string): string {
  const [, user, password] = /USER_LOGIN\s*=\s*"([^"]*)"\s+PASSWORD\s*=\s*"([^"]*)"/.exec(block) ?? [];
  if (user !== ACCOUNT.user || password !== ACCOUNT.password) return status("0x005f", "Login credentials rejected.");
  const fine = (inner: string) => FINE + FINE + document(`<RESPONSE STATUS="0x0000" MESSAGE='No error' />\r\n${inner}`);
  if (/<GET_FW_VERSION\s*\/>/.test(block)) {
    return fine(
      `<GET_FW_VERSION\r\n FIRMWARE_VERSION = "${firmware}"\r\n MANAGEMENT_PROCESSOR = "${processor}"\r\n />`,
    );
  }
  if (/<GET_HOST_POWER_STATUS\s*\/>/.test(block)) {
    return fine(`<GET_HOST_POWER\r\n HOST_POWER="${machine.power().toUpperCase()}"\r\n />`);
  }
  const button = /<(HOLD|PRESS)_PWR_BTN(\s+TOGGLE\s*=\s*"Yes")?\s*\/>/i.exec(block);
  if (button === null) return status("0x0001", "Syntax error: Line #0: unknown tag");
  if (!/MODE\s*=\s*"write"/.test(block)) {
    return status("0x0023", "Server information is open for read-only access. Write access is required.");
  }
  const isHold = button[1] === "HOLD";
  const wantsToggle = processor === "iLO2" && Number(firmware) > 1.29;
  if (isHold && wantsToggle && button[2] === undefined && machine.power() === "off") {
    return status("0x0054", "Command without TOGGLE=Yes ignored when host power is off");
  }
  const result = machine.button(isHold && machine.power() === "on" ? "hold" : "press");
  if (result === "cut") return CUT;
  if (result === "denied") return status("0x0023", "User does NOT have correct privilege for action.");
  return result === "busy" ? status("0x0009", "Busy, try later") : FINE + FINE + FINE;
}

export interface RibclServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `isOld`: TLS 1.0 and nothing newer. */
export function startRibcl(options: RibclOptions & { readonly isOld?: boolean }): Promise<RibclServer> {
  const sockets = new Set<TLSSocket>();
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  const server = createServer({ key: KEY, cert: CERTIFICATE, ...(options.isOld === true ? old : {}) }, (socket) => {
    let text = "";
    let hasHeader = false;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      if (!hasHeader) {
        hasHeader = true;
        // The board looks at the first packet alone: a document behind the header is lost.
        socket.write(/^<\?xml version="1\.0"\?>\s*$/.test(bytes.toString()) ? FINE : status("0x0001", "Syntax error"));
        return;
      }
      text += bytes.toString();
      // The board answers each block as it ends, before the login is closed.
      for (let end = BLOCK_END.exec(text); end !== null; end = BLOCK_END.exec(text)) {
        const answer = answerLogin(options, text.slice(0, end.index));
        text = text.slice(end.index + end[0].length);
        if (answer === CUT) socket.destroy();
        else socket.write(answer);
      }
      if (text.includes("</RIBCL>")) socket.end();
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        close() {
          for (const socket of sockets) socket.destroy();
          return new Promise((closed) => server.close(() => closed()));
        },
      });
    });
  });
}
