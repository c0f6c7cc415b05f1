/**
 * One emulated machine of the pair with its BMC: power, faults and the lab's line into it, as verbs.
 * The lab finds the machine's process by the pid that its start script wrote down.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import type net from "node:net";
import path from "node:path";
import type { NodeName } from "../names.ts";
import { killProcess } from "../processes.ts";
import type { Bmc } from "./bmc.ts";
import { type Answer, openChannel } from "./channel.ts";
import type { Power } from "./power.ts";
import { SHARED_DEVICE } from "./qemu-arguments.ts";
import { askQemu, followQemu } from "./qmp.ts";
import { qemuPidOf } from "./start-script.ts";

const POWER_WAIT_MAX_MS = 30_000;
/** Longer than the patience of the operators' commands in a guest, which say themselves what did not happen in time. */
const RUN_MAX_MS = 90_000;
const POWER_POLL_MS = 20;
const UNPLUG_POLL_MS = 200;
const EVENT_RETRY_MS = 250;
/** What QEMU tells of a machine's life; its other events are about its parts. */
const LIFE_EVENTS = ["RESET", "WATCHDOG", "STOP", "RESUME", "SHUTDOWN", "POWERDOWN", "GUEST_PANICKED"];

export interface Machine {
  readonly node: NodeName;
  readonly directory: string;
  readonly bmc: Bmc;
  /** What its board makes of a request for power. */
  readonly power: Power;
  isOn(): boolean;
  /** Presses the power button (by the BMC) and waits until the machine's process runs. */
  powerOn(): Promise<void>;
  /** The power goes at once, and with it all that was not on the disk. Resolves when the process is gone. */
  powerCut(): Promise<void>;
  /** Stops the processor as a hung machine; its clock stops too. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  isFrozen(): boolean;
  reset(): Promise<void>;
  /** Runs a shell script in the guest; undefined when it gave no answer in time. */
  run(script: string, timeoutMs?: number): Promise<Answer | undefined>;
  /** As `run`, but rejects on no answer or another exit code than 0; answers with the output. */
  must(script: string, timeoutMs?: number): Promise<string>;
  panic(): Promise<void>;
  /** Every access to the mirrored disk fails from now on. */
  breakDisk(): void;
  mendDisk(): void;
  isDiskBroken(): boolean;
  /** Takes the shared disk out of the running machine; resolves when the guest has let it go. */
  unplugShared(): Promise<void>;
  plugShared(): Promise<void>;
  close(): void;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface MachineOptions {
  readonly node: NodeName;
  readonly directory: string;
  readonly bmc: Bmc;
  readonly power: Power;
  /** Names of QEMU's events: RESET, WATCHDOG, STOP, RESUME, SHUTDOWN, ...; `POWER-LOST` when the process ended. */
  readonly onEvent: (name: string) => void;
}

export function openMachine({ node, directory, bmc, power, onEvent }: MachineOptions): Machine {
  const channel = openChannel(path.join(directory, "lab.sock"));
  const qmpSocket = path.join(directory, "qmp.sock");
  const brokenFile = path.join(directory, "mirror.broken");
  let frozen = false;
  let closed = false;
  let follower: net.Socket | undefined;
  let wasOn = false;

  const pid = () => qemuPidOf(directory);

  function tell(event: string): void {
    if (LIFE_EVENTS.includes(event)) onEvent(event);
  }

  function follow(): void {
    if (closed) return;
    const on = pid() !== undefined;
    if (wasOn && !on) onEvent("POWER-LOST");
    wasOn = on;
    if (on && follower === undefined) {
      const end = () => {
        follower = undefined;
      };
      follower = followQemu(path.join(directory, "events.sock"), tell, end);
    }
  }
  const following = setInterval(follow, EVENT_RETRY_MS);

  async function until(condition: () => boolean, what: string): Promise<void> {
    for (let waitedMs = 0; !condition(); waitedMs += POWER_POLL_MS) {
      if (waitedMs > POWER_WAIT_MAX_MS) throw new Error(`${node}: ${what} took longer than ${POWER_WAIT_MAX_MS} ms`);
      await sleep(POWER_POLL_MS);
    }
  }

  async function run(script: string, timeoutMs = RUN_MAX_MS): Promise<Answer | undefined> {
    return pid() === undefined ? undefined : channel.run(script, timeoutMs);
  }

  return {
    node,
    directory,
    bmc,
    power,
    isOn: () => pid() !== undefined,
    async powerOn() {
      await bmc.power("on");
      await until(() => pid() !== undefined, "starting QEMU");
      frozen = false;
    },
    async powerCut() {
      const running = pid();
      if (running === undefined) return;
      killProcess(running);
      await until(() => pid() === undefined, "ending QEMU");
      frozen = false;
    },
    async freeze() {
      await askQemu(qmpSocket, "stop");
      frozen = true;
    },
    async thaw() {
      await askQemu(qmpSocket, "cont");
      frozen = false;
    },
    isFrozen: () => frozen && pid() !== undefined,
    async reset() {
      await askQemu(qmpSocket, "system_reset");
    },
    run,
    async must(script, timeoutMs) {
      const answer = await run(script, timeoutMs);
      if (answer === undefined) throw new Error(`${node} gave no answer to: ${script}`);
      if (answer.exitCode !== 0)
        throw new Error(`${node}: exit code ${answer.exitCode} of: ${script}\n${answer.output}`);
      return answer.output;
    },
    async panic() {
      await run("echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger", 2_000);
    },
    breakDisk: () => writeFileSync(brokenFile, ""),
    mendDisk: () => rmSync(brokenFile, { force: true }),
    isDiskBroken: () => existsSync(brokenFile),
    async unplugShared() {
      await askQemu(qmpSocket, "device_del", { id: SHARED_DEVICE.id });
      const isPlugged = async () =>
        JSON.stringify(await askQemu(qmpSocket, "qom-list", { path: "/machine/peripheral" })).includes(
          SHARED_DEVICE.id,
        );
      for (let waitedMs = 0; await isPlugged(); waitedMs += UNPLUG_POLL_MS) {
        if (waitedMs > POWER_WAIT_MAX_MS) throw new Error(`${node} does not let its shared disk go`);
        await sleep(UNPLUG_POLL_MS);
      }
    },
    async plugShared() {
      await askQemu(qmpSocket, "device_add", SHARED_DEVICE);
    },
    close() {
      closed = true;
      power.close();
      clearInterval(following);
      follower?.destroy();
      channel.close();
    },
  };
}
