/**
 * The hardware watchdog: once opened it resets the machine unless it is fed in time.
 * `disarm` writes the magic letter first; a driver with nowayout ignores that and resets the machine all the same.
 * `abandon` stops feeding and leaves it armed. Plain misc devices (ipmi_watchdog) have no sysfs and may lack ioctls.
 * Facts: Linux Documentation/watchdog/watchdog-api.rst; numbers of include/uapi/linux/watchdog.h.
 */
import { closeSync, constants, openSync, readFileSync, realpathSync, writeSync } from "node:fs";
import path from "node:path";
import { ioctl, SystemCallError } from "./native.ts";

const WDIOC_GETSUPPORT = 0x8028_5700;
const WDIOC_GETBOOTSTATUS = 0x8004_5702;
const WDIOC_SETTIMEOUT = 0xc004_5706;
const WDIOC_GETTIMEOUT = 0x8004_5707;
const WDIOC_SETPRETIMEOUT = 0xc004_5708;
const WDIOC_GETPRETIMEOUT = 0x8004_5709;
const WDIOF_CARDRESET = 0x0020;
const WDIOF_MAGICCLOSE = 0x0100;
const IDENTITY_AT = 8;

export interface Watchdog {
  /** As the driver names itself. */
  readonly identity: string;
  /** The kernel module of the driver; undefined where neither sysfs nor its name tells. */
  readonly module: string | undefined;
  /** What the driver really set, which may be rounded. */
  readonly timeoutMs: number;
  /** So long before the reset the driver raises its alarm (an NMI, a panic); undefined where it has none. */
  readonly pretimeoutMs: number | undefined;
  /** Once armed it cannot be disarmed (nowayout, or a driver without magic close): an orderly stop resets, too. */
  readonly nowayout: boolean;
  /** Whether the last boot was this watchdog's doing; undefined when the driver cannot tell. */
  readonly causedBoot: boolean | undefined;
  /** Throws when the device refuses. */
  feed(): void;
  disarm(): void;
}

/** The integer that the driver answers, or undefined where it does not know the request. */
function ask(fd: number, request: number, value = 0): number | undefined {
  const argument = Buffer.alloc(4);
  argument.writeInt32LE(value);
  try {
    ioctl(fd, request, argument);
    return argument.readInt32LE();
  } catch (error) {
    if (error instanceof SystemCallError && ["ENOTTY", "EOPNOTSUPP", "ENOIOCTLCMD"].includes(error.code))
      return undefined;
    throw error;
  }
}

/** struct watchdog_info: options, firmware version, identity. */
function readSupport(fd: number): { readonly identity: string; readonly options: number | undefined } {
  const info = Buffer.alloc(40);
  try {
    ioctl(fd, WDIOC_GETSUPPORT, info);
  } catch (error) {
    if (error instanceof SystemCallError) return { identity: "unknown", options: undefined };
    throw error;
  }
  return { identity: info.toString("latin1", IDENTITY_AT).replace(/\0.*$/s, ""), options: info.readUInt32LE(0) };
}

/** Where sysfs speaks of the device; /dev/watchdog is the first one's old name. */
const sysfsOf = (device: string): string => {
  const name = path.basename(device);
  return `/sys/class/watchdog/${name === "watchdog" ? "watchdog0" : name}`;
};

/** What sysfs says of the module's parameter; plain misc devices have no such file. */
function readNowayout(device: string): boolean {
  try {
    return readFileSync(`${sysfsOf(device)}/nowayout`, "utf8").trim() === "1";
  } catch {
    return false;
  }
}

/** Watchdogs without a device of a bus behind them. Facts: Linux drivers/watchdog/softdog.c, ipmi_watchdog.c. */
const MODULES_BY_IDENTITY: ReadonlyMap<string, string> = new Map([
  ["Software Watchdog", "softdog"],
  ["IPMI", "ipmi_watchdog"],
]);

function readModule(device: string, identity: string): string | undefined {
  try {
    return path.basename(realpathSync(`${sysfsOf(device)}/device/driver/module`));
  } catch {
    return MODULES_BY_IDENTITY.get(identity);
  }
}

/** What keeps a node from having its watchdog, and what to do about it. `code`: the name of the system's error. */
export function watchdogTrouble(device: string, code: string): string {
  switch (code) {
    case "ENOENT":
    case "ENODEV":
    case "ENXIO":
      return `there is no watchdog at ${device}: load its module, which gemel hw detect names (modprobe NAME)`;
    case "EBUSY":
      return (
        `${device} is held by another program (fuser ${device} names it): ` +
        "systemd's RuntimeWatchdogSec, watchdogd and sbd have to leave it to gemel"
      );
    case "EINVAL":
      return `${device} does not take this timeout or pretimeout: gemel hw explain PROFILE tells what it can`;
    default:
      return `${device} cannot be used as a watchdog (${code})`;
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** The same error in words that name the device, where it is one of the system. */
function inWords(device: string, error: unknown): unknown {
  const code = codeOf(error);
  return code === undefined ? error : new Error(watchdogTrouble(device, code), { cause: error });
}

function openDevice(device: string): number {
  try {
    return openSync(device, constants.O_WRONLY);
  } catch (error) {
    throw inWords(device, error);
  }
}

function setPretimeout(fd: number, pretimeoutMs: number | undefined): number | undefined {
  if (pretimeoutMs !== undefined) ask(fd, WDIOC_SETPRETIMEOUT, Math.ceil(pretimeoutMs / 1000));
  const seconds = ask(fd, WDIOC_GETPRETIMEOUT);
  return seconds === undefined || seconds === 0 ? undefined : seconds * 1000;
}

/** Opens and thereby arms it. Throws when there is no such device, it is in use, or it cannot do the timeout. */
export function openWatchdog(device: string, timeoutMs: number, pretimeoutMs?: number): Watchdog {
  const fixed = readNowayout(device);
  const fd = openDevice(device);
  // From here on the machine is reset unless we feed; every failure below has to disarm what was armed.
  const disarm = () => {
    writeSync(fd, "V");
    closeSync(fd);
  };
  try {
    const bootStatus = ask(fd, WDIOC_GETBOOTSTATUS);
    ask(fd, WDIOC_SETTIMEOUT, Math.ceil(timeoutMs / 1000));
    const seconds = ask(fd, WDIOC_GETTIMEOUT);
    if (seconds === undefined) throw new Error(`${device} cannot tell its timeout`);
    if (seconds * 1000 > 2 * timeoutMs) throw new Error(`${device} takes no timeout below ${seconds} s`);
    const { identity, options } = readSupport(fd);
    return {
      identity,
      module: readModule(device, identity),
      timeoutMs: seconds * 1000,
      pretimeoutMs: setPretimeout(fd, pretimeoutMs),
      nowayout: fixed || (options !== undefined && (options & WDIOF_MAGICCLOSE) === 0),
      causedBoot: bootStatus === undefined ? undefined : (bootStatus & WDIOF_CARDRESET) !== 0,
      feed() {
        writeSync(fd, "\0");
      },
      disarm,
    };
  } catch (error) {
    disarm();
    throw inWords(device, error);
  }
}
