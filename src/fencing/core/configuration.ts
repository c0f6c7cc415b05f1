/**
 * The fencing configuration as plain data, and what follows from it for one target: which devices, in which order,
 * for how long at most. `read-configuration.ts` reads it out of a CIB.
 * Terms: Pacemaker Explained, "Fencing": topology levels, pcmk_* parameters.
 */
import { entryOf, setEntry } from "../../base/record.ts";
import type { ProofTimes } from "./proofs.ts";

/** What of a device happens under a request: `reboot` is always `off`, confirmed, then `on`. */
export type FencingRequestAction = "off" | "on" | "reboot";

export interface FencingDevice {
  readonly id: string;
  /** As the configuration names it: `ipmi-lan`, `external/ipmi`, ... */
  readonly agent: string;
  readonly driver: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What is added for one target: its outlet. */
  readonly perTarget: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What is added within a `reboot`, for a device that cannot switch on again. */
  readonly rebootParameters: Readonly<Record<string, string>>;
  /** Waits for a person, not for a device. */
  readonly isManual: boolean;
  /** Only looks whether the node lives: asked before a person's word is taken, and in no level. */
  readonly isWitness: boolean;
  /** Nodes that it can fence; undefined: any, which only a person can. */
  readonly targets: readonly string[] | undefined;
  /** Nodes from which it must not be used (location constraints). */
  readonly bannedFrom: readonly string[];
  /** Among devices without a topology the higher comes first. */
  readonly priority: number;
  readonly timeoutMs: { readonly off: number; readonly on: number };
  /** So many actions of it at one time, over all targets: boards have few logins (pcmk_action_limit). */
  readonly actionLimit: number;
  /** Times that an action is tried before the device counts as failed. */
  readonly tries: { readonly off: number; readonly on: number };
  /** Fixed delay before its first `off`, by target; "" for all others. */
  readonly delayBaseMs: Readonly<Record<string, number>>;
  /** Upper end of the random delay on top of it. */
  readonly delayMaxMs: number;
  /**
   * Is never asked to switch on after an off: it cannot, or its `reboot` must leave the machine off
   * (pcmk_reboot_action=off), or its "on" is what lets a node in again, which only a new start may have.
   */
  readonly staysOff: boolean;
  /** Its "on" lets a node in that it had cut off, as a reservation or a switch does (provides=unfencing). */
  readonly unfences: boolean;
}

export interface FencingLevel {
  readonly index: number;
  /** All of them must confirm. */
  readonly devices: readonly string[];
}

export interface FencingConfiguration {
  readonly proofTimes: ProofTimes;
  readonly isEnabled: boolean;
  readonly action: "off" | "reboot";
  /** Default for devices that do not say their own. */
  readonly timeoutMs: number;
  /** Failed rounds for one target after which retries become rare. */
  readonly attemptsMax: number;
  readonly isConcurrent: boolean;
  /** Delay of the fencing that targets the node which wins a race: the one with the more important resources. */
  readonly priorityDelayMs: number;
  readonly devices: readonly FencingDevice[];
  /** By target; ascending index. A target that is not here uses every device that can fence it, one after another. */
  readonly topology: Readonly<Record<string, readonly FencingLevel[]>>;
}

/** Without a configuration nothing can be fenced, and nothing may be taken over that needs it. */
export const NO_FENCING: FencingConfiguration = {
  proofTimes: { intervalMs: 0, expiryMs: 0 },
  isEnabled: true,
  action: "reboot",
  timeoutMs: 60_000,
  attemptsMax: 10,
  isConcurrent: true,
  priorityDelayMs: 0,
  devices: [],
  topology: {},
};

function canUse(device: FencingDevice, target: string, self: string): boolean {
  return (
    !device.isWitness &&
    !device.bannedFrom.includes(self) &&
    (device.targets === undefined || device.targets.includes(target))
  );
}

/**
 * The devices for `target` as `self` would use them, level by level. A level that lacks one of its devices is left
 * out, for it can never be confirmed. Persons come last where no topology says otherwise.
 */
export function levelsFor(
  { devices, topology }: FencingConfiguration,
  target: string,
  self: string,
): readonly (readonly FencingDevice[])[] {
  const usable = devices.filter((device) => canUse(device, target, self));
  const levels = entryOf(topology, target);
  if (levels !== undefined) {
    const witnesses = devices.filter(({ isWitness }) => isWitness).map(({ id }) => id);
    return levels.flatMap((each) => {
      const level = { ...each, devices: each.devices.filter((id) => !witnesses.includes(id)) };
      const found = level.devices.flatMap((id) => usable.filter((device) => device.id === id));
      return found.length === level.devices.length && found.length > 0 ? [found] : [];
    });
  }
  const ranked = usable.toSorted(
    (left, right) => Number(left.isManual) - Number(right.isManual) || right.priority - left.priority,
  );
  return ranked.map((device) => [device]);
}

/** Who lets a node in by which devices. */
export interface UnfencingPlan {
  readonly shares: Readonly<Record<string, readonly string[]>>;
  /** Devices that none of the candidates may use: then the node cannot be let in. */
  readonly nobodys: readonly string[];
}

/**
 * `candidates`: the nodes that are there, in the order in which they are taken. A node uses its own paths and knows its
 * own registrations, so it lets itself in, but for the devices that a location constraint keeps from it.
 */
export function planUnfencing(
  { devices }: FencingConfiguration,
  target: string,
  candidates: readonly string[],
): UnfencingPlan {
  const shares: Record<string, readonly string[]> = {};
  const nobodys: string[] = [];
  for (const { id, unfences, targets, bannedFrom } of devices) {
    if (!unfences || targets?.includes(target) !== true) continue;
    const node = [target, ...candidates].find((candidate) => !bannedFrom.includes(candidate));
    if (node === undefined) nobodys.push(id);
    else setEntry(shares, node, [...(entryOf(shares, node) ?? []), id]);
  }
  return { shares, nobodys };
}

/** Whoever can tell from here whether `target` lives: witnesses, and the devices that read its power. */
export function lookersAt({ devices }: FencingConfiguration, target: string, self: string): readonly FencingDevice[] {
  return devices.filter(
    ({ isManual, bannedFrom, targets }) =>
      !isManual && !bannedFrom.includes(self) && (targets === undefined || targets.includes(target)),
  );
}

/** The devices by which `self` may have to fence a peer: they are looked at while all is well. */
export function provenDevices({ devices, isEnabled }: FencingConfiguration, self: string): readonly FencingDevice[] {
  const isForPeers = ({ targets }: FencingDevice) => targets === undefined || targets.some((target) => target !== self);
  return devices.filter(
    (device) =>
      isEnabled && !device.isManual && !device.isWitness && !device.bannedFrom.includes(self) && isForPeers(device),
  );
}

/** Longest time from a request until a round has been through all levels, without delays: to be shown in advance. */
export function roundBoundMs(levels: readonly (readonly FencingDevice[])[]): number {
  return levels.flat().reduce((sum, { timeoutMs, tries }) => sum + timeoutMs.off * tries.off, 0);
}
