/** Profiles from the program itself and from the site's own directory, and the facts of this machine from /sys. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { getAsset, isSea } from "node:sea";
import * as v from "valibot";
import type { Problem } from "../../base/problem.ts";
import type { MachineFacts, NamedProfile } from "../core/profile/match.ts";
import { readProfile } from "../core/profile/schema.ts";

/** More is no directory of profiles. */
const FILES_MAX = 1_000;

function filesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".json") && path.dirname(file) !== ".")
      .toSorted()
      .slice(0, FILES_MAX);
  } catch {
    return []; // A site has its own directory, or not.
  }
}

/** One profile as it was written, and where. */
export interface ProfileText {
  /** Vendor and model: `hp/ilo3`. */
  readonly id: string;
  readonly place: string;
  readonly text: string;
}

/** Every VENDOR/MODEL.json below a directory. */
export function profilesBelow(directory: string): readonly ProfileText[] {
  return filesOf(directory).map((file) => {
    const place = path.join(directory, file);
    return { id: file.replace(/\.json$/, ""), place, text: readFileSync(place, "utf8") };
  });
}

/** The name of the asset in the binary: tools/build.ts. */
const ASSET = "hw-profiles";
const PACKAGED = v.array(v.object({ id: v.string(), place: v.string(), text: v.string() }));

/** The profiles that the program came with: they are part of the binary, which may stand alone on a bare machine. */
export function packagedProfiles(): readonly ProfileText[] {
  if (!isSea()) return profilesBelow(path.resolve(import.meta.dirname, "../../../hw-profiles"));
  return v.parse(PACKAGED, JSON.parse(getAsset(ASSET, "utf8")));
}

/** A later source replaces profiles of an earlier one by their id; a bad file is told, and the rest is used. */
export function readProfiles(texts: readonly ProfileText[]): {
  readonly profiles: readonly NamedProfile[];
  readonly problems: readonly Problem[];
} {
  const profiles = new Map<string, NamedProfile>();
  const problems: Problem[] = [];
  for (const { id, place, text } of texts) {
    const read = readProfile(text, place);
    if (read.kind === "profile") profiles.set(id, { id, profile: read.profile });
    else problems.push(...read.problems);
  }
  return { profiles: [...profiles.values()], problems };
}

function readLine(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

export interface Machine extends MachineFacts {
  readonly uuid: string | undefined;
  readonly watchdogs: readonly string[];
  readonly hasBoard: boolean;
  /** What the kernel's IPMI driver has asked the board itself; undefined without that driver. */
  readonly board: { readonly product: string; readonly firmware: string } | undefined;
  /** `ttyS0 (16550A)`: ports that have a chip behind them. */
  readonly serialPorts: readonly string[];
  /** Chips with temperatures, fans and voltages. */
  readonly sensors: readonly string[];
  /** Supplies that the kernel sees: few servers show theirs but over their board. */
  readonly powerSupplies: readonly string[];
}

/** Also one that is built in, where it has parameters. */
export const isModuleLoaded = (root: string, module: string): boolean =>
  existsSync(path.join(root, "sys/module", module.replaceAll("-", "_")));

/** What the kernel tells of this machine. `root`: "/" but in tests. */
export function readMachine(root: string): Machine {
  const dmi = (name: string) => readLine(path.join(root, "sys/class/dmi/id", name));
  const list = (directory: string) => {
    try {
      return readdirSync(path.join(root, directory));
    } catch {
      return [];
    }
  };
  const bmc = list("sys/devices/platform").find((name) => name.startsWith("ipmi_bmc."));
  const ofBoard = (name: string) =>
    bmc === undefined ? undefined : readLine(path.join(root, "sys/devices/platform", bmc, name));
  const manufacturer = Number(ofBoard("manufacturer_id") ?? Number.NaN);
  const serial = readLine(path.join(root, "proc/tty/driver/serial")) ?? "";
  const withIdentity = (directory: string, file: string) =>
    list(directory).map((name) => {
      const identity = readLine(path.join(root, directory, name, file));
      return identity === undefined ? name : `${name} (${identity})`;
    });
  return {
    dmiVendor: dmi("sys_vendor"),
    dmiProduct: dmi("product_name"),
    ipmiManufacturerId: Number.isInteger(manufacturer) ? manufacturer : undefined,
    board:
      bmc === undefined
        ? undefined
        : { product: ofBoard("product_id") ?? "?", firmware: ofBoard("firmware_revision") ?? "?" },
    serialPorts: [...serial.matchAll(/^(\d+): uart:(?!unknown)(\S+)/gm)].map(
      ([, port, chip]) => `ttyS${port} (${chip})`,
    ),
    sensors: withIdentity("sys/class/hwmon", "name"),
    powerSupplies: withIdentity("sys/class/power_supply", "type"),
    uuid: dmi("product_uuid"),
    watchdogs: withIdentity("sys/class/watchdog", "identity"),
    hasBoard: list("dev").includes("ipmi0"),
  };
}
