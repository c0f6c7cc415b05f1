/**
 * The boards that are driven by telnet: IBM RSA and RSA II, Dell DRAC/MC.
 * Facts: dialogs in reference stonith.md, section 5 and 6 (from the old plugins and agents); no unit was seen.
 */
import * as v from "valibot";
import { defineDriver } from "./define-driver.ts";
import { port, powerTimes, text, timesOf } from "./parameter.ts";
import { type ShellDialect, shellDevice } from "./shell-dialect.ts";

const login = {
  host: text("write the address of the board"),
  port: port(23),
  user: text("write the board's user"),
  secret: text("name the entry of the secrets file that holds the password"),
  ...powerTimes({ answerMs: 10_000, confirmMs: 40_000, pollMs: 1_000, settleMs: 1_000 }),
};

export const RSA: ShellDialect = {
  login: { user: /(?:login|username) ?: ?$/i, password: /password ?: ?$/i },
  prompt: /(?:system)?> ?$/,
  off: "power off",
  on: "power on",
  status: "power state",
  accepted: /(?:^|[\r\n])ok\b/i,
  denied: /not authorized|permission|read.only/i,
  power: /power:\s*(on|off)\b/i,
};

/** `module`: as `getmodinfo` names it. */
export function dracMc(module: string): ShellDialect {
  return {
    login: { user: /login: ?$/i, password: /password: ?$/i },
    prompt: /DRAC\/MC: ?$/,
    off: `serveraction -s ${module} powerdown`,
    on: `serveraction -s ${module} powerup`,
    status: "getmodinfo",
    accepted: /(?:^|[\r\n])ok\b/i,
    denied: /privilege|permission/i,
    power: new RegExp(`${module}\\s+Present\\s+(ON|OFF)\\b`, "i"),
  };
}

export const rsaTelnet = defineDriver("rsa-telnet", v.strictObject(login), (written) => ({
  transport: "telnet",
  target: { host: written.host, port: written.port, secret: written.secret, logout: "exit" },
  times: timesOf(written),
  expectedUuid: undefined,
  device: (line) => shellDevice(line, RSA, written.user),
}));

const dracMcParameters = v.strictObject({
  ...login,
  module: v.pipe(v.string(), v.regex(/^Server-\d{1,2}$/, "write the blade as Server-1")),
});

export const dracMcTelnet = defineDriver("drac-mc-telnet", dracMcParameters, (written) => ({
  transport: "telnet",
  target: { host: written.host, port: written.port, secret: written.secret, logout: "exit" },
  times: timesOf(written),
  expectedUuid: undefined,
  device: (line) => shellDevice(line, dracMc(written.module), written.user),
}));
