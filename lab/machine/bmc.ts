/**
 * The BMC of one machine: a real `ipmi_sim` on the loopback, which switches the power of that machine (power.ts). It is
 * supervised: when it ends unasked, the event is told and it is started again; its machine runs on.
 * The lab itself drives it with `ipmitool`, a client that we did not write.
 */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type NodeName, numberOf } from "../names.ts";
import { command, killProcess, launch } from "../processes.ts";

const RESTART_DELAY_MS = 500;

export interface BmcAccount {
  readonly user: string;
  /** At most 19 characters: ipmi_sim cuts there. */
  readonly password: string;
}

export interface Bmc {
  readonly lanPort: number;
  readonly account: BmcAccount;
  /** `ipmitool chassis power WORDS`; answers with its output. Rejects when the BMC does not obey. */
  power(word: "on" | "off" | "status" | "reset"): Promise<string>;
  /** The board hangs: it answers nobody, its machine runs on. */
  freeze(): void;
  thaw(): void;
  isFrozen(): boolean;
  stop(): void;
}

export interface BmcOptions {
  readonly node: NodeName;
  readonly labDirectory: string;
  readonly directory: string;
  readonly account: BmcAccount;
  readonly lanPort: number;
  /** Where QEMU finds it. */
  readonly machinePort: number;
  /** The text of the program that it runs for each request for power. */
  readonly chassisProgram: string;
  readonly onUnexpectedEnd: (reason: string) => void;
}

function lanConfiguration({ node, directory, account, lanPort, machinePort }: BmcOptions): string {
  return `name "${node}"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 ${lanPort}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user md2 md5 straight
    allowed_auths_operator md2 md5 straight
    allowed_auths_admin md2 md5 straight
    guid a123456789abcdefa12345678900000${numberOf(node)}
  endlan
  serial 15 127.0.0.1 ${machinePort} codec VM
  chassis_control "${path.join(directory, "chassis")}"
  user 1 false "" "" user 10 none md2 md5 straight
  user 2 true "${account.user}" "${account.password}" admin 10 md5
`;
}

const EMULATION = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0x0f02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`;

export function startBmc(options: BmcOptions): Bmc {
  const { node, labDirectory, directory, account, lanPort, chassisProgram, onUnexpectedEnd } = options;
  const at = (file: string) => path.join(directory, file);
  mkdirSync(at("bmc-state"), { recursive: true });
  writeFileSync(at("lan.conf"), lanConfiguration(options), { mode: 0o600 });
  writeFileSync(at("bmc.emu"), EMULATION);
  writeFileSync(at("chassis"), chassisProgram, { mode: 0o755 });

  let stopped = false;
  let frozen = false;
  let child: ChildProcess;
  function start(): void {
    child = launch(labDirectory, {
      command: "ipmi_sim",
      argv: ["-c", at("lan.conf"), "-f", at("bmc.emu"), "-s", at("bmc-state"), "-n"],
      logFile: at("bmc.log"),
    });
    child.on("exit", (code, signal) => {
      if (stopped) return;
      onUnexpectedEnd(`the BMC of ${node} ended (${signal ?? `exit code ${code}`}) and is started again`);
      setTimeout(() => {
        if (!stopped) start();
      }, RESTART_DELAY_MS);
    });
  }
  start();
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined) killProcess(child.pid, name);
  };
  return {
    lanPort,
    account,
    async power(word) {
      const { user, password } = account;
      const login = ["-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", `${lanPort}`, "-U", user, "-P", password];
      return (await command("ipmitool", ...login, "-N", "2", "-R", "3", "chassis", "power", word)).trim();
    },
    freeze() {
      frozen = true;
      signal("SIGSTOP");
    },
    thaw() {
      frozen = false;
      signal("SIGCONT");
    },
    isFrozen: () => frozen,
    stop() {
      stopped = true;
      signal("SIGKILL");
    },
  };
}
