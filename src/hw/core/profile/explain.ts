/** A profile in words: what it says, how far each part of it is to be trusted, and what to write or run for it. */
import type { NamedProfile } from "./match.ts";
import type { PARTS, Profile, STANDINGS } from "./schema.ts";

type Part = (typeof PARTS)[number];

const STANDING_WORDS: Readonly<Record<(typeof STANDINGS)[number], string>> = {
  observed: "read from a unit",
  specification: "by the specification",
  "vendor-manual": "by the vendor's manual",
  "public-code": "by public code and its documents",
  unverified: "believed, not yet seen on a unit",
};

function matchWords({ match }: Profile): string {
  if (match.isByNameOnly === true) return "nothing that the machine tells of itself: name this profile yourself";
  const words: string[] = [];
  if (match.dmiVendor !== undefined) words.push(`the vendor "${match.dmiVendor}"`);
  if (match.dmiProduct !== undefined) words.push(`the product "${match.dmiProduct}"`);
  if (match.ipmiManufacturerId !== undefined) words.push(`a BMC of manufacturer ${match.ipmiManufacturerId}`);
  return words.join(", ");
}

/** As a configuration would write it: `stonith:ipmi-lan settle_time=4s`. */
function fencingWords({ fencing }: Profile): string | undefined {
  if (fencing === undefined) return undefined;
  const parameters = Object.entries(fencing.parameters ?? {}).map(([name, value]) => ` ${name}=${value}`);
  return `stonith:${fencing.driver}${parameters.join("")}`;
}

function watchdogWords({ watchdog }: Profile): string | undefined {
  if (watchdog === undefined) return undefined;
  const { module, timeoutMinMs, timeoutMaxMs } = watchdog;
  const limits = [
    timeoutMinMs === undefined ? [] : [`at least ${timeoutMinMs / 1_000} s`],
    timeoutMaxMs === undefined ? [] : [`at most ${timeoutMaxMs / 1_000} s`],
  ].flat();
  return [`module ${module}`, ...limits].join(", ");
}

/** The lines for an operator. */
export function explainProfile({ id, profile }: NamedProfile): readonly string[] {
  const said: readonly (readonly [label: string, part: Part, words: string | undefined])[] = [
    ["known by", "match", matchWords(profile)],
    ["fencing", "fencing", fencingWords(profile)],
    ["watchdog", "watchdog", watchdogWords(profile)],
    ["serial", "heartbeat", profile.heartbeat && `/dev/${profile.heartbeat.serialPort} for the null-modem line`],
  ];
  const lines = [`${id}: ${profile.name}`];
  for (const [label, part, words] of said) {
    const fact = profile.facts[part];
    if (words === undefined || fact === undefined) continue;
    lines.push(`  ${label.padEnd(9)}${words}`, `           ${STANDING_WORDS[fact.standing]}: ${fact.source}`);
  }
  return lines;
}
