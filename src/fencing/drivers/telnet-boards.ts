/**
 * The boards that are driven by telnet: IBM RSA and RSA II, BladeCenter AMM; Dell DRAC/MC, DRAC 4, DRAC 5 and CMC.
 * Facts: dialogs in reference stonith.md, section 5 and 6 (from the old plugins and agents), and what fence_drac,
 * fence_drac5 and fence_bladecenter were seen to say; no unit was seen.
 */
import * as v from "valibot";
import { defineDriver } from "./define-driver.ts";
import { port, powerTimes, text, timesOf } from "./parameter.ts";
import { type ShellDialect, shellDevice } from "./shell-dialect.ts";
import { racadm } from "./ssh-boards.ts";

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

/** A chassis by its advanced management module; `blade`: its number. The prompt names the blade. */
export function amm(blade: string): ShellDialect {
  return {
    login: { user: /username ?: ?$/i, password: /password ?: ?$/i },
    enter: { welcome: /system> ?$/, command: `env -T system:blade[${blade}]` },
    prompt: new RegExp(`system:blade\\[${blade}\\]> ?$`),
    off: "power -off",
    on: "power -on",
    status: "power -state",
    accepted: /(?:^|[\r\n])ok\b/i,
    denied: /not authorized|permission|authority/i,
    power: /(?:^|[\r\n])(on|off)\b/i,
  };
}

/** It says nothing where it obeys, so only an empty answer is a yes. */
export const DRAC4: ShellDialect = {
  login: { user: /login: ?$/i, password: /password: ?$/i },
  prompt: /\[[^\]\r\n]+\]# ?$/,
  off: "serveraction -d 0 powerdown",
  on: "serveraction -d 0 powerup",
  status: "getmodinfo",
  accepted: /^serveraction -d 0 \w+\s*\[[^\]\r\n]+\]# ?$/,
  denied: /privilege|permission/i,
  power: /present\s+(on|off)\b/i,
};

/** `module`: the blade of a CMC, as server-3; undefined: the DRAC 5's own machine. */
export function racadmByTelnet(module: string | undefined): ShellDialect {
  const dialect = racadm(module);
  return { ...dialect, login: { user: /login: ?$/i, password: /password: ?$/i }, prompt: /[$>] ?$/ };
}

interface Login {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

function targetOf({ host, port: tcpPort, secret }: Login) {
  return { host, port: tcpPort, secret, logout: "exit" };
}

export const rsaTelnet = defineDriver("rsa-telnet", v.strictObject(login), (written) => ({
  transport: "telnet",
  target: targetOf(written),
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
  target: targetOf(written),
  times: timesOf(written),
  expectedUuid: undefined,
  device: (line) => shellDevice(line, dracMc(written.module), written.user),
}));

const ammParameters = v.strictObject({
  ...login,
  module: v.pipe(v.string(), v.regex(/^([1-9]|1[0-4])$/, "write the number of the blade, from 1 to 14")),
});

export const ammTelnet = defineDriver("amm-telnet", ammParameters, (written) => ({
  transport: "telnet",
  target: targetOf(written),
  times: timesOf(written),
  expectedUuid: undefined,
  device: (line) => shellDevice(line, amm(written.module), written.user),
}));

export const drac4Telnet = defineDriver("drac4-telnet", v.strictObject(login), (written) => ({
  transport: "telnet",
  target: targetOf(written),
  times: timesOf(written),
  expectedUuid: undefined,
  device: (line) => shellDevice(line, DRAC4, written.user),
}));

const racadmParameters = v.strictObject({
  ...login,
  module: v.optional(v.pipe(v.string(), v.regex(/^server-\d{1,2}[a-d]?$/, "write the blade as server-3"))),
});

export const racadmTelnet = defineDriver("racadm-telnet", racadmParameters, (written) => ({
  transport: "telnet",
  target: targetOf(written),
  times: timesOf(written),
  expectedUuid: undefined,
  device: (line) => shellDevice(line, racadmByTelnet(written.module), written.user),
}));
