/**
 * What an alias is, and those of IPMI: of all old agents of IPMI not one is run. cluster-glue's plugin and
 * fence-agents' `fence_ipmilan` with its links (iLO 3 and later, iDRAC, IMM) hand the password to ipmitool as an
 * argument, which every user of the machine can read while it runs; ipmi-lan speaks to the same boards.
 * Facts: seen in /proc of running agents (fence-agents 4.12.1); their defaults by `-o metadata`.
 */
import type { Complaint } from "../core/catalogue.ts";

export interface Alias {
  /** A name of the drivers' table, or `meatware`. */
  readonly driver: string;
  /** Old name to ours; an empty string drops a parameter that has no meaning here. */
  readonly renames: Readonly<Record<string, string>>;
  /** Old values that would change what the device does. */
  readonly refusals: readonly (Complaint & { readonly value: RegExp })[];
  /** Names whose value is a password. */
  readonly passwords: readonly string[];
  /** Parameters that the name itself stands for. */
  readonly implied?: Readonly<Record<string, string>>;
  /** Takes the outlet that pcmk_host_map gives to a node. */
  readonly plugParameter?: string;
  /** Its plugs are numbered outlets: it switches all of a list, and reads all of them back. */
  readonly hasOutlets?: boolean;
}

const VERSION_15 = {
  reason: "asks for IPMI 1.5, which sends passwords or weak digests",
  remedy: "use lanplus: enable IPMI 2.0 over LAN on the board; where it has none, remove this and write version=1.5",
} as const;

const IPMI_AGENT: Alias = {
  driver: "ipmi-lan",
  renames: {
    ip: "host",
    ipaddr: "host",
    ipport: "port",
    username: "user",
    login: "user",
    cipher: "cipher_suite",
    privlvl: "privilege",
    power_timeout: "confirm_time",
    power_wait: "settle_time",
    lanplus: "",
    auth: "",
    method: "",
    timeout: "",
    action: "",
    verbose: "",
  },
  refusals: [{ parameter: "lanplus", value: /^(0|false|no|off)$/i, ...VERSION_15 }],
  passwords: ["password", "passwd"],
};

export const IPMI_ALIASES: Readonly<Record<string, Alias>> = {
  "external/ipmi": {
    driver: "ipmi-lan",
    renames: {
      hostname: "",
      ipaddr: "host",
      ipport: "port",
      userid: "user",
      priv: "privilege",
      interface: "",
      passwd_method: "",
      ipmitool: "",
    },
    refusals: [{ parameter: "interface", value: /^(lan|open|lanplus15)$/, ...VERSION_15 }],
    passwords: ["passwd"],
  },
  fence_ipmilan: IPMI_AGENT,
  "ipmi-lan": { driver: "ipmi-lan", renames: {}, refusals: [], passwords: ["password", "passwd"] },
  fence_ipmilanplus: IPMI_AGENT,
  // It waits 4 s by itself before it believes a reading.
  fence_ilo3: { ...IPMI_AGENT, implied: { settle_time: "4s" } },
  fence_ilo4: IPMI_AGENT,
  fence_ilo5: IPMI_AGENT,
  fence_idrac: IPMI_AGENT,
  fence_imm: IPMI_AGENT,
};
