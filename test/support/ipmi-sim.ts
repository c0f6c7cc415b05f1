/**
 * A real BMC for tests: Debian's `ipmi_sim` on a free port of 127.0.0.1, with accounts for every refusal.
 * It switches a real process (`machine: "process"`), or a file behind a chassis program that has the vices of real
 * boards (`machine: "file"`). Its exit while a test still needs it fails the test loudly.
 * Facts: ipmi_lan(5), ipmi_sim_cmd(5).
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/**
 * `dullMs`: each answer takes so long, and other requests wait meanwhile. `offAfterReads`: says done, and the
 * power goes only when it has been read as on so many times. `stuckOff`: says done and does nothing. `refuse`: 0xff.
 */
export interface ChassisFaults {
  readonly dullMs?: number;
  readonly offAfterReads?: number;
  readonly stuckOff?: boolean;
  readonly stuckOn?: boolean;
  readonly refuse?: boolean;
}

export interface IpmiSim {
  readonly port: number;
  /** What the machine really does, read beside the board. */
  power(): "on" | "off";
  /** Replaces the faults of the chassis program. Only with `machine: "file"`. */
  setFaults(faults: ChassisFaults): void;
  setPower(power: "on" | "off"): void;
  /** Freezes and continues the board (no answers, as a hung BMC). */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
  /** A new board on the same port: it has forgotten all sessions. */
  restart(): Promise<void>;
}

export interface IpmiSimOptions {
  readonly machine: "process" | "file";
  /** IANA enterprise number and product id; default a simulated board. */
  readonly manufacturerId?: number;
  readonly productId?: number;
  /** A program that takes the machine's power away; the board reads "off" when it has ended. With `machine: "file"`. */
  readonly cutsPower?: string;
  /** The line of lan.conf that names another chassis program. With `machine: "file"`. */
  readonly control?: string;
  /** Where the board listens, when it does not run in the test's own network namespace. */
  readonly address?: string;
  /** Starts `ipmi_sim` in another network namespace. */
  readonly launch?: (file: string, argv: readonly string[]) => ChildProcess;
}

export const ACCOUNTS = {
  admin: { user: "admin", password: "adminpw" },
  operator: { user: "oper", password: "operpw" },
  monitor: { user: "mon", password: "monpw" },
  disabled: { user: "off", password: "offpw" },
} as const;

const READY_WITHIN_MS = 60_000;

/** A UDP port of 127.0.0.1 that nobody had a moment ago. */
export function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** Whether the process's network namespace has somebody on that UDP port. */
function listens(pid: number, port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  try {
    return readFileSync(`/proc/${pid}/net/udp`, "utf8").includes(wanted);
  } catch {
    return false;
  }
}

function lanConfiguration(directory: string, port: number, options: IpmiSimOptions): string {
  const { machine, address = "127.0.0.1" } = options;
  const control =
    machine === "file"
      ? (options.control ?? `chassis_control "${directory}/chassis"`)
      : [
          `startcmd "${directory}/machine"`,
          "  startnow true",
          "  poweroff_wait 1",
          "  kill_wait 1",
          // Without a line to the machine, ipmi_sim refuses Chassis Control.
          `  serial 15 127.0.0.1 ${port} codec VM`,
        ].join("\n");
  return `name "node"
set_working_mc 0x20
  startlan 1
    addr ${address} ${port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user md2 md5 straight
    allowed_auths_operator md2 md5 straight
    allowed_auths_admin md2 md5 straight
    guid a123456789abcdefa123456789000001
  endlan
  ${control}
  user 1 true "" "" user 10 none md2 md5 straight
  user 2 true "admin" "adminpw" admin 10 none md2 md5 straight
  user 3 true "oper" "operpw" operator 10 md5
  user 4 true "mon" "monpw" user 10 md5
  user 5 false "off" "offpw" admin 10 md5
`;
}

/** The chassis program: power is the file `power`, faults are files beside it. */
function chassisProgram(directory: string, cutsPower = "true"): string {
  return `#!/bin/sh
cd ${directory}/state-of-machine || exit 1
[ -e dullMs ] && sleep "$(cat dullMs)"
case "$1 $2 $3" in
  "get power "*)
    if [ -e read-as-on ]; then
      reads=$(cat read-as-on)
      if [ "$reads" -lt "$(cat offAfterReads)" ]; then
        echo $((reads + 1)) > read-as-on
      else
        rm read-as-on; echo 0 > power
      fi
    fi
    echo "power:$(cat power)";;
  "set power 0") [ -e refuse ] && { echo refused; exit 1; }
    [ -e stuckOff ] && exit 0
    [ -e offAfterReads ] && { echo 0 > read-as-on; exit 0; }
    ${cutsPower} > /dev/null 2>&1; echo 0 > power;;
  "set power 1") [ -e refuse ] && { echo refused; exit 1; }; [ -e stuckOn ] || echo 1 > power;;
esac
exit 0
`;
}

function emulation({ manufacturerId = 0x1291, productId = 0x0f02 }: IpmiSimOptions): string {
  return `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f ${manufacturerId} ${productId} persist_sdr
sel_enable 0x20 100 0x0a
mc_enable 0x20
`;
}

function pidsBelow(parent: number): number[] {
  const result = execFileSync("ps", ["-o", "pid=,stat=", "--ppid", String(parent)], { encoding: "utf8" });
  return result
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([pid, stat]) => pid !== "" && stat !== undefined && !stat.startsWith("Z"))
    .map(([pid]) => Number(pid));
}

function hasMachine(parent: number): boolean {
  try {
    return pidsBelow(parent).length > 0;
  } catch {
    return false; // ps exits with 1 when there is no such process
  }
}

async function waitFor(condition: () => boolean, what: string): Promise<void> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  while (!condition()) {
    if (performance.now() > untilMs) throw new Error(`${what} within ${READY_WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Starts a board whose machine is on. */
export async function startIpmiSim(options: IpmiSimOptions): Promise<IpmiSim> {
  const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-ipmi-sim-"));
  const machineDirectory = path.join(directory, "state-of-machine");
  mkdirSync(path.join(directory, "state"));
  mkdirSync(machineDirectory);
  const port = await freeUdpPort();
  writeFileSync(path.join(directory, "lan.conf"), lanConfiguration(directory, port, options));
  writeFileSync(path.join(directory, "board.emu"), emulation(options));
  writeFileSync(path.join(directory, "chassis"), chassisProgram(directory, options.cutsPower), { mode: 0o755 });
  writeFileSync(path.join(directory, "machine"), "#!/bin/sh\nexec sleep 3600\n", { mode: 0o755 });
  writeFileSync(path.join(machineDirectory, "power"), "1\n");

  const here = (file: string, argv: readonly string[]) => spawn(file, argv, { stdio: ["ignore", "pipe", "pipe"] });
  const launch = options.launch ?? here;
  let child: ChildProcess;
  let wanted = true;
  let output = "";
  const start = async () => {
    const argv = ["-c", `${directory}/lan.conf`, "-f", `${directory}/board.emu`, "-s", `${directory}/state`, "-n"];
    wanted = true;
    const started = launch("ipmi_sim", argv);
    child = started;
    started.stdout?.on("data", (text: Buffer) => (output += text.toString()));
    started.stderr?.on("data", (text: Buffer) => (output += text.toString()));
    started.on("exit", (code, signal) => {
      if (wanted && child === started) throw new Error(`ipmi_sim ended by itself (${code ?? signal}): ${output}`);
    });
    await waitFor(() => listens(started.pid ?? 0, port), "ipmi_sim listens");
    if (options.machine === "process") await waitFor(() => hasMachine(started.pid ?? 0), "the machine runs");
  };
  const end = async () => {
    wanted = false;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const machines = hasMachine(child.pid ?? 0) ? pidsBelow(child.pid ?? 0) : [];
    child.kill("SIGKILL");
    for (const pid of machines) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    }
    await ended;
  };
  await start();
  const powerFile = path.join(machineDirectory, "power");
  return {
    port,
    power() {
      if (options.machine === "process") return hasMachine(child.pid ?? 0) ? "on" : "off";
      return readFileSync(powerFile, "utf8").trim() === "1" ? "on" : "off";
    },
    setPower: (power) => writeFileSync(powerFile, power === "on" ? "1\n" : "0\n"),
    setFaults(faults) {
      for (const name of ["dullMs", "offAfterReads", "stuckOff", "stuckOn", "refuse"] as const) {
        const file = path.join(machineDirectory, name);
        const value = faults[name];
        if (value === undefined || value === false) {
          rmSync(file, { force: true });
          continue;
        }
        const text = name === "dullMs" ? Number(value) / 1000 : Number(value);
        // The chassis program may read at any time: never half a number.
        writeFileSync(`${file}.new`, String(text));
        renameSync(`${file}.new`, file);
      }
      if (faults.offAfterReads === undefined) rmSync(path.join(machineDirectory, "read-as-on"), { force: true });
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async stop() {
      await end();
      if (existsSync(directory)) rmSync(directory, { recursive: true, force: true });
    },
    async restart() {
      await end();
      await start();
    },
  };
}
