/**
 * `gemel hw`: what this machine is, and what the hardware profiles know of it.
 * Exit codes: 0; 1 when no profile fits or a profile file is bad; 64 for a wrong call.
 */
import path from "node:path";
import process from "node:process";
import type { Problem } from "../../base/problem.ts";
import { CATALOGUE } from "../../fencing/drivers/index.ts";
import { explainProfile } from "../../hw/core/profile/explain.ts";
import { matchProfiles, type NamedProfile } from "../../hw/core/profile/match.ts";
import {
  isModuleLoaded,
  type Machine,
  packagedProfiles,
  profilesBelow,
  readMachine,
  readProfiles,
} from "../../hw/edge/profile-files.ts";
import { parseArgs } from "../arguments.ts";
import { tellProblem } from "../japanese/translate.ts";

const USAGE = "gemel hw detect [--root DIRECTORY] | explain PROFILE [--json] | list   [--profiles DIRECTORY]\n";
/** What the site has added to the program's own profiles, or replaced. */
const SITE_DIRECTORY = "/etc/gemel/hw-profiles";

/** What the profile's driver would refuse of its parameters; the rest of a device is not the profile's. */
function refusedParameters({ id, profile: { fencing } }: NamedProfile): readonly Problem[] {
  const given = fencing?.parameters ?? {};
  const complaints = CATALOGUE.choose(fencing?.driver ?? "", given)?.complaints ?? [];
  return complaints
    .filter(({ parameter }) => Object.hasOwn(given, parameter))
    .map(({ parameter, reason, remedy }) => {
      return { severity: "error", place: `profile ${id}: fencing.parameters.${parameter}`, reason, remedy };
    });
}

/** `root`: "/" but for what was recorded of another machine. `directory`: in place of the program's own profiles. */
export function knownProfiles(root: string, directory?: string) {
  const own = directory === undefined ? packagedProfiles() : profilesBelow(directory);
  const { profiles, problems } = readProfiles([...own, ...profilesBelow(path.join(root, SITE_DIRECTORY))]);
  return { profiles, problems: [...problems, ...profiles.flatMap(refusedParameters)] };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function explain(profile: NamedProfile): void {
  for (const line of explainProfile(profile)) say(line);
}

/** What the firmware says of the machine; without its tables no profile can be found by them. */
function machineWords({ dmiVendor, dmiProduct, uuid }: Machine): string {
  if (dmiVendor === undefined && dmiProduct === undefined)
    return "its firmware shows the kernel no names (no /sys/class/dmi/id): name the profile yourself";
  return `${dmiVendor ?? "?"} ${dmiProduct ?? "?"}, UUID ${uuid ?? "not readable (only root may)"}`;
}

function detect(profiles: readonly NamedProfile[], root: string): number {
  const machine = readMachine(root);
  if (root !== "/") say(`recorded   what stands below ${root}, not this machine`);
  say(`machine    ${machineWords(machine)}`);
  say(`board      ${machine.hasBoard ? "there is a BMC at /dev/ipmi0" : "no /dev/ipmi0 (module ipmi_si, or no BMC)"}`);
  const { board, ipmiManufacturerId } = machine;
  if (board !== undefined)
    say(`BMC        manufacturer ${ipmiManufacturerId ?? "?"}, product ${board.product}, firmware ${board.firmware}`);
  const listed = (names: readonly string[], none: string) => (names.length === 0 ? none : names.join(", "));
  say(`serial     ${listed(machine.serialPorts, "no port with a chip behind it")}`);
  say(`sensors    ${listed(machine.sensors, "no driver loaded; the board may have them (ipmitool sdr)")}`);
  say(`supplies   ${listed(machine.powerSupplies, "not shown by the kernel; the board may (ipmitool sdr type 8)")}`);
  say(`watchdogs  ${listed(machine.watchdogs, "none loaded; any machine can have softdog (profile generic/softdog)")}`);
  const [best, ...others] = matchProfiles(profiles, machine);
  if (best === undefined) {
    say("profile    none fits; `gemel hw list` shows all, and an operator who knows the board names one");
    say(`           a site adds its own: ${SITE_DIRECTORY}/VENDOR/MODEL.json`);
    return 1;
  }
  explain(best);
  const module = best.profile.watchdog?.module;
  if (module !== undefined && !isModuleLoaded(root, module))
    say(`its watchdog is not to be had: the module ${module} is not loaded (modprobe ${module}, now and at boot)`);
  if (others.length > 0) say(`also fit: ${others.map(({ id }) => id).join(", ")}`);
  return 0;
}

/** Runs `gemel hw ...`. */
export function run(argv: readonly string[]): Promise<number> {
  let directory: string | undefined;
  let root = "/";
  let isJson = false;
  let words: string[] = [];
  try {
    const options = {
      profiles: { type: "string" },
      root: { type: "string", default: "/" },
      json: { type: "boolean", default: false },
    } as const;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    directory = values.profiles;
    root = values.root;
    isJson = values.json;
    words = positionals;
  } catch (error) {
    process.stderr.write(`gemel hw: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  const [what, id] = words;
  const isKnown = words.length === 1 ? what === "detect" || what === "list" : words.length === 2 && what === "explain";
  if (!isKnown) {
    process.stderr.write(`usage: ${USAGE}`);
    return Promise.resolve(64);
  }
  const { profiles, problems } = knownProfiles(root, directory);
  for (const problem of problems) process.stderr.write(`${tellProblem(problem)}\n`);
  const code = problems.length === 0 ? 0 : 1;
  if (what === "detect") return Promise.resolve(Math.max(code, detect(profiles, root)));
  if (what === "list") {
    for (const { id: name, profile } of profiles) say(`${name.padEnd(24)} ${profile.name}`);
    return Promise.resolve(profiles.length > 0 ? code : 1);
  }
  const found = profiles.find((each) => each.id === id);
  if (found === undefined) {
    process.stderr.write(`gemel hw: there is no profile ${id}; \`gemel hw list\` shows all\n`);
    return Promise.resolve(1);
  }
  if (isJson) say(JSON.stringify(found.profile, undefined, 2));
  else explain(found);
  return Promise.resolve(code);
}
