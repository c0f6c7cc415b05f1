/**
 * What every fencing driver keeps, and the three outcomes that are never mixed.
 * A driver translates one dialect: it switches, reads and names a device. It never decides whom to fence, how often to
 * try, nor what counts as a proof: that is `prove-power.ts` and the fencer. It may wait (it talks to a device), so
 * drivers stand outside of `core/`; only their contract stands here.
 */
import type { ExternalPlugin, FenceAgent } from "../../hw/core/agent/answer.ts";
import type { NodeAddresses } from "../../hw/core/alive/addresses.ts";
import type { Bmc } from "../../hw/core/ipmi/bmc.ts";
import type { Hypervisor } from "../../hw/core/libvirt/hypervisor.ts";
import type { UpsServer } from "../../hw/core/nut/ups-server.ts";
import type { PoisonDisks } from "../../hw/core/poison/disks.ts";
import type { SharedLock } from "../../hw/core/sfex/lock.ts";
import type { SnmpAgent } from "../../hw/core/snmp/agent.ts";
import type { TextLine } from "../../hw/core/text/line.ts";
import type { DocumentBoard } from "../../hw/core/tls/document.ts";
import type { WatchdogPromises } from "../../hw/core/watchdog/promise.ts";
import type { WebBoard } from "../../hw/core/web/answer.ts";

/** Only `confirmed` "off" lets the cluster take over; `unknown` means: assume that the node still runs. */
export type FencingOutcome =
  /** `not-told`: the answer to `status` of a device that works, but shows no power. */
  | { readonly kind: "confirmed"; readonly power: "on" | "off" | "not-told" }
  | { readonly kind: "not-done"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

export type FencingAction = "off" | "on" | "status";

/** Time as a driver sees it: virtual in tests and in the simulator. */
export interface Clock {
  /** Monotonic. */
  nowMs(): number;
  sleep(durationMs: number): Promise<void>;
}

/** What a device said to a command; `asked` and `answered` are for the certificate and hold no secrets. */
export type SwitchAnswer =
  /** It took the command. That proves nothing yet. */
  | { readonly kind: "accepted" }
  /** It says that the command does not fit its state: it may be where it should be. Only a reading tells. */
  | { readonly kind: "wrong-state" }
  /** Surely not carried out, but worth asking again. */
  | { readonly kind: "busy"; readonly reason: string }
  /** It may have been carried out: the command was sent, and no clear answer came. */
  | { readonly kind: "maybe"; readonly reason: string }
  /** Surely not carried out, and asking again at once is in vain. */
  | { readonly kind: "refused"; readonly reason: string };

/** What a device says whose dialect has a word for the power. */
export type ToldPower =
  /** `by`: whose word it is, where it was not read from the device itself. */
  | { readonly kind: "power"; readonly power: "on" | "off"; readonly by?: string }
  | { readonly kind: "unreadable"; readonly reason: string };

export type PowerReading =
  | ToldPower
  /** The device works, but has no word for the power: never a proof. */
  | { readonly kind: "not-told"; readonly text: string };

export type IdentityReading =
  /** `uuid`: 32 hex digits, where the device has one. */
  | { readonly kind: "identity"; readonly uuid: string | undefined; readonly text: string }
  | { readonly kind: "unreadable"; readonly reason: string };

/** One machine's power behind one device. Each call resolves however the device behaves; it rejects only for a bug. */
export interface PowerDevice {
  switchPower(wanted: "on" | "off"): Promise<SwitchAnswer>;
  readPower(): Promise<PowerReading>;
  readIdentity(): Promise<IdentityReading>;
}

/** How long the proof may take. */
export interface PowerTimes {
  /** From the command until the power must have been read as wanted. */
  readonly confirmMs: number;
  readonly pollMs: number;
  /** How long "off" must last until it counts. */
  readonly settleMs: number;
  /** Longest wait for one answer of the device, logging in included. */
  readonly answerMs: number;
}

/** What the runner must open for a driver, by transport. Secrets stand here by name only. */
export interface Transports {
  readonly ipmi: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly secret: string;
    readonly kgSecret: string | undefined;
    /** 1.5 encrypts nothing: for boards that have nothing better, and only on demand. */
    readonly version: "2.0" | "1.5";
    readonly cipherSuite: 3 | 17;
    /** OPERATOR is enough to switch power. */
    readonly privilege: "operator" | "administrator";
  };
  readonly https: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly secret: string;
    /** SHA-256 of the board's certificate, 64 hex digits in lower case. */
    readonly certificate: string;
    /** Allows TLS 1.0, for old boards only. */
    readonly isLegacy: boolean;
  };
  readonly tls: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    readonly certificate: string;
    readonly isLegacy: boolean;
  };
  readonly agent: {
    readonly agent: string;
    readonly secret: string | undefined;
    readonly passwordOption: string;
  };
  readonly plugin: {
    readonly plugin: string;
    readonly secret: string | undefined;
    readonly passwordOption: string;
  };
  readonly addresses: { readonly addresses: readonly string[]; readonly trials: number };
  readonly disks: { readonly paths: readonly string[] };
  readonly lock: { readonly path: string; readonly index: number; readonly resource: string };
  readonly promise: { readonly node: string };
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly secret: string;
    /** As OpenSSH prints it: SHA256: and 43 signs. */
    readonly hostKey: string;
    /** Allows the weak algorithms of old boards. */
    readonly isLegacy: boolean;
    readonly logout: string;
  };
  readonly snmp: {
    readonly host: string;
    readonly port: number;
    readonly version: "1" | "2c" | "3";
    readonly user: string | undefined;
    /** The community, or the authentication password of v3. */
    readonly secret: string;
    readonly privacySecret: string | undefined;
    readonly auth: "md5" | "sha" | "sha256" | "sha512";
    readonly privacy: "des" | "aes" | "aes256";
  };
  readonly libvirt: {
    readonly socket: string;
    readonly uri: string;
    readonly machine: string;
    /** The machine's host, where that is another than this one. */
    readonly ssh:
      | {
          readonly host: string;
          readonly port: number;
          readonly user: string;
          readonly secret: string;
          readonly hostKey: string;
        }
      | undefined;
  };
  readonly nut: {
    readonly host: string;
    readonly port: number;
    readonly ups: string;
    readonly user: string;
    readonly secret: string;
  };
  /** Unencrypted: for boards that have nothing else, on a network of their own. */
  readonly telnet: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    /** Said before the line is closed: boards have two logins, and keep forgotten ones for minutes. */
    readonly logout: string;
  };
}

/** What the runner hands to a driver, by transport. */
export interface Connections {
  readonly ipmi: Bmc;
  readonly https: WebBoard;
  readonly tls: DocumentBoard;
  readonly agent: FenceAgent;
  readonly plugin: ExternalPlugin;
  readonly addresses: NodeAddresses;
  readonly disks: PoisonDisks;
  readonly lock: SharedLock;
  readonly promise: WatchdogPromises;
  readonly ssh: TextLine;
  readonly snmp: SnmpAgent;
  readonly libvirt: Hypervisor;
  readonly nut: UpsServer;
  readonly telnet: TextLine;
}

/** A configured device whose parameters were read: what to open, and what to do with it. */
export type BoundDriver = {
  readonly [Transport in keyof Transports]: {
    readonly transport: Transport;
    readonly target: Transports[Transport];
    readonly times: PowerTimes;
    /** The board's GUID or the machine's UUID: a device that shows another one is never switched. */
    readonly expectedUuid: string | undefined;
    readonly device: (connection: Connections[Transport]) => PowerDevice;
  };
}[keyof Transports];

/** What was asked of a device and what it answered, for the death certificate. Holds no secrets. */
export interface Evidence {
  /** Wall clock, for people: first and last time of the same question with the same answer in a row. */
  readonly atWallMs: number;
  readonly lastWallMs: number;
  readonly asked: string;
  readonly answered: string;
}

export interface DeviceReport {
  readonly outcome: FencingOutcome;
  readonly evidence: readonly Evidence[];
}
