/** Which profile fits a machine: the one whose match says most and is wholly true. */
import type { Profile } from "./schema.ts";

/** What is known of a machine; undefined where it could not be read. */
export interface MachineFacts {
  readonly dmiVendor: string | undefined;
  readonly dmiProduct: string | undefined;
  readonly ipmiManufacturerId: number | undefined;
}

/** `*` stands for any run of characters; upper and lower case are one, as boards of one model vary. */
export function fitsPattern(pattern: string, value: string): boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const text = value.toLowerCase();
  if (rest.length === 0) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest.slice(0, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  const last = rest.at(-1) ?? "";
  return text.length - last.length >= at && text.endsWith(last);
}

/** How many characteristics fit; 0 when one of them does not, or is not known. */
export function scoreOf({ match }: Profile, machine: MachineFacts): number {
  if (match.isByNameOnly === true) return 0;
  const verdicts: boolean[] = [];
  for (const name of ["dmiVendor", "dmiProduct"] as const) {
    const wanted = match[name];
    if (wanted !== undefined) verdicts.push(fitsPattern(wanted, machine[name]?.trim() ?? ""));
  }
  if (match.ipmiManufacturerId !== undefined) verdicts.push(match.ipmiManufacturerId === machine.ipmiManufacturerId);
  return verdicts.every(Boolean) ? verdicts.length : 0;
}

export interface NamedProfile {
  /** `hp/ilo3`. */
  readonly id: string;
  readonly profile: Profile;
}

/** Best first; of equal ones the more special pattern, then the name. Those that do not fit are left out. */
export function matchProfiles(profiles: readonly NamedProfile[], machine: MachineFacts): readonly NamedProfile[] {
  const length = ({ profile: { match } }: NamedProfile) => (match.dmiProduct ?? "").length;
  return profiles
    .filter(({ profile }) => scoreOf(profile, machine) > 0)
    .toSorted(
      (left, right) =>
        scoreOf(right.profile, machine) - scoreOf(left.profile, machine) ||
        length(right) - length(left) ||
        (left.id < right.id ? -1 : 1),
    );
}
