/**
 * An existing Heartbeat site as it is read from ha.cf, and the words in which each of its lines is answered.
 * Fact: reference/heartbeat.md, sections 1, 2 and 11.
 */
import type { OldDevice } from "./old-devices.ts";

/** What became of one line: taken as it is, turned into something else, not needed here, or not to be had. */
export interface Verdict {
  readonly place: string;
  readonly written: string;
  readonly kind: "taken" | "mapped" | "not-needed" | "refused";
  /** What it became, or why not; of a refusal also what to do instead. */
  readonly text: string;
}

/** What the files do not say, and whoever imports may know. */
export interface Knowledge {
  /** The node on which the import runs; undefined when it runs elsewhere. */
  readonly self: string | undefined;
  /** Of this machine, by interface. */
  readonly interfaces: Readonly<Record<string, readonly string[]>>;
  /** As given: address to node. */
  readonly owners: Readonly<Record<string, string>>;
  /** Names of the programs in resource.d. */
  readonly scripts: readonly string[];
}

/** One medium of ha.cf; the addresses of `ucast` are gathered by interface. */
export type Medium =
  | { readonly kind: "broadcast"; readonly device: string; readonly port: number }
  | {
      readonly kind: "unicast";
      readonly place: string;
      readonly device: string;
      readonly port: number;
      readonly addresses: readonly string[];
    }
  | {
      readonly kind: "multicast";
      readonly device: string;
      readonly group: string;
      readonly port: number;
      readonly hops: number;
    }
  | { readonly kind: "serial"; readonly ports: readonly string[]; readonly baud: string };

export interface Site {
  readonly cluster: string;
  readonly nodes: readonly string[];
  /** By directive; what is not written is Heartbeat's own default. */
  readonly times: { keepalive: number; warntime: number; deadtime: number; initdead: number; deadping: number };
  readonly media: readonly Medium[];
  readonly pings: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly watchdog: string | undefined;
  readonly failback: "on" | "off";
  /** haresources is not read then: the cluster's configuration was a CIB. */
  readonly usesCrm: boolean;
  readonly ipfail: boolean;
  readonly linkAttributes: boolean;
  readonly realtime: boolean;
  /** Of `stonith_host`. */
  readonly devices: readonly OldDevice[];
}
