/**
 * What `gemel doctor` has gathered of a living cluster, as plain data, and what it may find. A finding is something
 * that works today and will hurt on the day of the fault; what hurts already is said by `gemel status`.
 */
import type { XmlElement } from "../../../base/xml.ts";
import type { ClockReading } from "../clock-skew.ts";

export interface DeviceProof {
  readonly node: string;
  readonly device: string;
  readonly state: "new" | "proven" | "failing" | "expired";
  readonly provenWallMs?: number;
  /** When it really switched off, in a drill or in earnest. */
  readonly switchedWallMs?: number;
  readonly reason?: string;
}

export interface KeeperTimes {
  readonly deadtimeMs: number;
  /** The longest silence of a member that lived. */
  readonly worstSilenceMs: number;
  readonly watchdogMs: number | undefined;
  /** On which a message of the managers takes too long beside deadtime (cib/node-serial.ts). */
  readonly slowLines?: readonly { readonly name: string; readonly baud: number; readonly apartMs: number }[];
}

/** What the hardware profile of this machine says of its watchdog, beside what the keeper has armed. */
export interface WatchdogChoice {
  readonly profile: string;
  readonly module: string;
  readonly isLoaded: boolean;
  /** Undefined: none. Its module is not always known. */
  readonly armed: { readonly identity: string; readonly module?: string } | undefined;
}

/** A service whose starts belong to the cluster and not to the system, as this node has it installed. */
export interface Service {
  readonly resource: string;
  readonly kind: "lsb" | "systemd";
  readonly name: string;
  readonly isInstalled: boolean;
  /** Started by the system at boot. */
  readonly isEnabled: boolean;
  /** What `status` answered; undefined when it did not end in time, or was not asked. */
  readonly statusCode: number | undefined;
  /** Whether the cluster runs it on this node; a service that just changes is not asked about. */
  readonly runsHere: boolean;
}

/** What an agent's meta-data advises, beside what is configured. */
export interface AdvisedTimeout {
  readonly resource: string;
  readonly operation: string;
  readonly configuredMs: number;
  readonly advisedMs: number;
}

export interface Examination {
  readonly configuration: XmlElement;
  readonly nowWallMs: number;
  readonly nodes: readonly string[];
  readonly isFencingEnabled: boolean;
  /** Which nodes each configured fencing device can switch. */
  readonly devices: readonly { readonly id: string; readonly targets: readonly string[] }[];
  readonly proofs: readonly DeviceProof[];
  readonly clocks: readonly ClockReading[];
  readonly keeper: KeeperTimes | undefined;
  /** Undefined where no profile fits this machine, or it names no watchdog. */
  readonly watchdog: WatchdogChoice | undefined;
  readonly services: readonly Service[];
  readonly timeouts: readonly AdvisedTimeout[];
}

export const FINDING_CODES = [
  "fencing-disabled",
  "node-without-device",
  "device-untested",
  "device-failing",
  "proof-lapsed",
  "never-switched",
  "constraint-left-over",
  "override-for-ever",
  "clock-skew",
  "clock-unknown",
  "deadtime-short",
  "serial-line-slow",
  "watchdog-late",
  "watchdog-none",
  "watchdog-other",
  "timeout-short",
  "stops-longer-than-shutdown",
  "forgets-between-looks",
  "service-missing",
  "service-enabled-at-boot",
  "status-code-unknown",
  "status-contradicts",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

export interface DoctorFinding {
  readonly severity: "error" | "warning";
  readonly code: FindingCode;
  readonly values: Readonly<Record<string, string>>;
}
