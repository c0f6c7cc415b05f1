/**
 * Boards whose shell is reached by ssh: Dell's racadm (DRAC 5, iDRAC, CMC) and HP's iLO.
 * The host key is pinned: it is the board's identity, checked before the password goes out.
 * Facts: reference stonith.md, sections 4 and 6 (from the packaged agents' behaviour); no unit was seen.
 */
import * as v from "valibot";
import { defineDriver } from "./define-driver.ts";
import { port, powerTimes, text, timesOf } from "./parameter.ts";
import { type ShellDialect, shellDevice } from "./shell-dialect.ts";

const login = {
  host: text("write the address of the board"),
  port: port(22),
  user: text("write the board's user"),
  secret: text("name the entry of the secrets file that holds the password"),
  hostkey: v.pipe(
    v.string("pin the board's key: ssh-keyscan HOST | ssh-keygen -lf - prints it as SHA256:..."),
    v.regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "write the fingerprint as ssh-keygen -lf prints it: SHA256: and 43 signs"),
  ),
  ssh: v.optional(
    v.picklist(["strict", "legacy"], "write strict, or legacy for a board that knows only the old ciphers of ssh"),
    "strict",
  ),
  ...powerTimes({ answerMs: 15_000, confirmMs: 40_000, pollMs: 1_000, settleMs: 1_000 }),
};

/** `module`: the blade of a CMC, as server-3; undefined: the board's own machine. */
export function racadm(module: string | undefined): ShellDialect {
  const action = (word: string) => `racadm serveraction ${module === undefined ? "" : `-m ${module} `}${word}`;
  return {
    prompt: /(?:\$|admin1->|racadm>>) ?$/,
    off: action("powerdown"),
    on: action("powerup"),
    status: action("powerstatus"),
    accepted: /success|initiated|(?:^|[\r\n])ok\b/i,
    denied: /privilege|permission|not authorized|access denied/i,
    // "Powering OFF" is not off: the machine still runs. A CMC may answer with the bare word on a line of its own.
    power: module === undefined ? /power status:\s*(on|off)\b/i : /(?:power status:\s*|^\s*)(on|off)\s*$/im,
  };
}

export const ILO: ShellDialect = {
  prompt: /hpiLO-> ?$/,
  off: "power off hard",
  on: "start /system1",
  status: "show /system1",
  accepted: /status=0\b/i,
  denied: /privilege|not authorized|access denied/i,
  power: /enabledstate=(enabled|disabled)\b/i,
};

interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly secret: string;
  readonly hostkey: string;
  readonly ssh: "strict" | "legacy";
}

function targetOf({ host, port: tcpPort, user, secret, hostkey, ssh }: Login) {
  return { host, port: tcpPort, user, secret, hostKey: hostkey, isLegacy: ssh === "legacy", logout: "exit" };
}

export const iloSsh = defineDriver("ilo-ssh", v.strictObject(login), (written) => ({
  transport: "ssh",
  target: targetOf(written),
  times: timesOf(written),
  expectedUuid: undefined,
  device: (line) => shellDevice(line, ILO),
}));

const racadmParameters = v.strictObject({
  ...login,
  module: v.optional(v.pipe(v.string(), v.regex(/^server-\d{1,2}[a-d]?$/, "write the blade as server-3"))),
});

export const racadmSsh = defineDriver("racadm-ssh", racadmParameters, (written) => ({
  transport: "ssh",
  target: targetOf(written),
  times: timesOf(written),
  expectedUuid: undefined,
  device: (line) => shellDevice(line, racadm(written.module)),
}));
