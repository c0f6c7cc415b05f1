/**
 * What a hardware profile may say: how to know the machine, and which driver, watchdog and serial port it has.
 * Profiles are data, without conditions; a quirk is a value that a driver knows. Each part has a fact: its source, and
 * how far it is to be trusted. A part without a fact is refused, because nobody could ever correct it.
 */
import * as v from "valibot";
import type { Problem } from "../../../base/problem.ts";

/** `observed`: read from a unit; `unverified`: believed, never seen. */
export const STANDINGS = ["observed", "specification", "vendor-manual", "public-code", "unverified"] as const;
export const FENCING_DRIVERS = [
  "ipmi-lan",
  "redfish",
  "ilo-ribcl",
  "ilo-ssh",
  "racadm-ssh",
  "rsa-telnet",
  "drac-mc-telnet",
  "drac4-telnet",
  "racadm-telnet",
  "amm-telnet",
] as const;
export const PARTS = ["match", "fencing", "watchdog", "heartbeat"] as const;

const textOf = (remedy: string, minLength: number, maxLength: number) =>
  v.pipe(v.string(remedy), v.minLength(minLength, remedy), v.maxLength(maxLength, remedy));
const wholeNumber = (remedy: string, min: number, max: number) =>
  v.optional(v.pipe(v.number(remedy), v.integer(remedy), v.minValue(min, remedy), v.maxValue(max, remedy)));
/** A name with `*` for any run of characters, as vendors vary their product names. */
const pattern = textOf("write what the firmware says, with * for what varies, 80 letters at most", 1, 80);
const SOURCE = "write where it comes from, in 10 letters or more";
const fact = v.strictObject({
  standing: v.picklist(STANDINGS, `write one of ${STANDINGS.join(", ")}`),
  source: v.pipe(v.string(SOURCE), v.minLength(10, SOURCE)),
});
const MODULE = "name the kernel module, as hpwdt";
const PORT = "write the port as ttyS1";
/** A day; the kernel's own drivers end at 65535 s. */
const WATCHDOG_MAX_MS = 86_400_000;

export const profileSchema = v.strictObject({
  $schema: v.optional(v.string()),
  /** For people: vendor, board, generation. */
  name: textOf("write vendor, board and generation in 3 to 80 letters", 3, 80),
  match: v.strictObject({
    /** SMBIOS type 1, manufacturer; /sys/class/dmi/id/sys_vendor. */
    dmiVendor: v.optional(pattern),
    /** SMBIOS type 1, product name; /sys/class/dmi/id/product_name. */
    dmiProduct: v.optional(pattern),
    /** IANA enterprise number of Get Device ID. */
    ipmiManufacturerId: wholeNumber("write the number that ipmitool mc info calls Manufacturer ID", 0, 0xfffff),
    /** Never by itself: an operator names the profile, or a probe of the board does. */
    isByNameOnly: v.optional(v.boolean("write true or false")),
  }),
  fencing: v.optional(
    v.strictObject({
      driver: v.picklist(FENCING_DRIVERS, `write one of ${FENCING_DRIVERS.join(", ")}`),
      /** Device parameters that differ from the driver's defaults, as a configuration would write them. */
      parameters: v.optional(v.record(v.string(), v.string("write the value in quotes, as a device has it"))),
    }),
  ),
  watchdog: v.optional(
    v.strictObject({
      module: v.pipe(v.string(MODULE), v.regex(/^[a-z0-9_-]+$/i, MODULE)),
      timeoutMinMs: wholeNumber("write a whole number of milliseconds", 1, WATCHDOG_MAX_MS),
      timeoutMaxMs: wholeNumber("write a whole number of milliseconds", 1, WATCHDOG_MAX_MS),
    }),
  ),
  /** The serial port for the null-modem line, where another one is taken by the board's console. */
  heartbeat: v.optional(v.strictObject({ serialPort: v.pipe(v.string(PORT), v.regex(/^ttyS\d$/, PORT)) })),
  /** One for each part that is there. */
  facts: v.strictObject({
    match: fact,
    fencing: v.optional(fact),
    watchdog: v.optional(fact),
    heartbeat: v.optional(fact),
  }),
});

export type Profile = v.InferOutput<typeof profileSchema>;

export type ProfileRead =
  | { readonly kind: "profile"; readonly profile: Profile }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/** Reason and remedy, in words that need no other document: the machine may have none. */
function inWords({ expected, input, message }: v.BaseIssue<unknown>): readonly [string, string] {
  if (expected === "never") return ["a profile has no such key", "remove it, or correct its spelling"];
  if (input === undefined) return ["it is missing", "add it; gemel hw explain hp/ilo3 --json shows a whole profile"];
  return [`its value is ${JSON.stringify(input)}`, message];
}

/** `place`: the file, for the problems. All problems at once. */
export function readProfile(text: string, place: string): ProfileRead {
  const problems: Problem[] = [];
  const complain = (where: string, reason: string, remedy: string) => {
    problems.push({ severity: "error", place: where === "" ? place : `${place}: ${where}`, reason, remedy });
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    complain(
      "",
      "it is no JSON",
      "correct it with an editor that knows JSON; gemel hw explain hp/ilo3 --json shows a profile",
    );
    return { kind: "invalid", problems };
  }
  const read = v.safeParse(profileSchema, json, { abortPipeEarly: true });
  for (const issue of read.issues ?? []) complain(v.getDotPath(issue) ?? "", ...inWords(issue));
  if (!read.success) return { kind: "invalid", problems };
  const profile = read.output;
  for (const part of PARTS) {
    if (profile[part] !== undefined && profile.facts[part] === undefined) {
      complain(part, "it has no fact", `add facts.${part} with its standing and its source`);
    }
    if (profile[part] === undefined && profile.facts[part] !== undefined) {
      complain(`facts.${part}`, "it speaks of a part that is not there", `add ${part}, or remove the fact`);
    }
  }
  const { dmiVendor, dmiProduct, ipmiManufacturerId, isByNameOnly } = profile.match;
  if (
    isByNameOnly !== true &&
    dmiVendor === undefined &&
    dmiProduct === undefined &&
    ipmiManufacturerId === undefined
  ) {
    complain("match", "it would match every machine", "add dmiVendor and dmiProduct, or isByNameOnly: true");
  }
  const { timeoutMinMs = 0, timeoutMaxMs = Number.MAX_SAFE_INTEGER } = profile.watchdog ?? {};
  if (timeoutMinMs > timeoutMaxMs) complain("watchdog", "the least time is above the greatest", "swap them");
  return problems.length === 0 ? { kind: "profile", profile } : { kind: "invalid", problems };
}
