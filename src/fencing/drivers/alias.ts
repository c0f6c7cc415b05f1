/**
 * The names and parameters of the old fencing agents, translated to our drivers, so that a configuration written for
 * cluster-glue's `external/ipmi` or for `fence_ipmilan` keeps its devices.
 * Passwords are not carried over: they stood in the CIB, where every report and every backup shows them.
 * Facts: parameter lists in reference stonith.md, section 2, 3 and 11.
 */
import { entryOf, setEntry } from "../../base/record.ts";
import type { Complaint } from "../core/catalogue.ts";
import { type Alias, IPMI_ALIASES } from "./alias-ipmi.ts";

/** A packaged fence agent or external plugin that no driver of our own replaces. */
export function aliasOfAgent(agent: string): Alias | undefined {
  const plugin = /^external\/([A-Za-z0-9_-]+)$/.exec(agent)?.[1];
  if (plugin !== undefined) {
    return {
      driver: "external-plugin",
      renames: {},
      refusals: [],
      passwords: ["password", "passwd", "pass", "VI_PASSWORD", "ec2_private_key"],
      implied: { plugin },
      plugParameter: "node",
    };
  }
  if (!/^fence_[a-z0-9_]+$/.test(agent)) return undefined;
  return {
    driver: "fence-agent",
    renames: { action: "" },
    refusals: [],
    passwords: ["password", "passwd", "snmp_priv_passwd", "aws_secret_key", "secret_key"],
    implied: { agent },
    plugParameter: "plug",
  };
}

const UNCHECKED_CERTIFICATE = {
  parameter: "ssl_insecure",
  value: /^(1|true|yes|on)$/i,
  reason: "would send the password to whoever answers",
  remedy: "remove it and pin the board's certificate: certificate=SHA256",
} as const;

/** What all of fence-agents' devices call the same thing, in their new and their old spelling. */
const FENCE_AGENT_RENAMES = {
  ip: "host",
  ipaddr: "host",
  ipport: "port",
  username: "user",
  login: "user",
  power_timeout: "confirm_time",
  power_wait: "settle_time",
} as const;

/** An agent's own flag for telnet, which carries the password in clear. */
const ONLY_BY_SSH = {
  reason: "asks for telnet, which carries the password in clear",
  remedy: "enable ssh on the board, set secure=1 and pin its key: hostkey=SHA256:...",
} as const;

const MISSING_AS_OFF = {
  reason: "would take a blade that is not found, or a wrong number, for one that is off",
  remedy: "remove it",
} as const;

/** Where the agents drive a board by ssh, with the flags that they have for it. */
function sshBoard(driver: string): Alias {
  return {
    driver,
    renames: {
      ...FENCE_AGENT_RENAMES,
      secure: "",
      ssh: "",
      ssh_options: "",
      cmd_prompt: "",
      command_prompt: "",
      module_name: "module",
      drac_version: "",
      action: "",
    },
    refusals: ["secure", "ssh"].map((parameter) => ({ parameter, value: /^(0|false|no|off)$/i, ...ONLY_BY_SSH })),
    passwords: ["password", "passwd"],
  };
}

const OWN_SSH: Pick<Alias, "renames" | "refusals" | "passwords"> = {
  renames: {},
  refusals: [],
  passwords: ["password", "passwd"],
};

const ILO_AGENT: Alias = {
  driver: "ilo-ribcl",
  renames: {
    ...FENCE_AGENT_RENAMES,
    ssl: "",
    ssl_secure: "",
    notls: "",
    ribcl: "",
    ribcl_version: "",
    action: "",
  },
  refusals: [UNCHECKED_CERTIFICATE],
  passwords: ["password", "passwd"],
};

export const ALIASES: Readonly<Record<string, Alias>> = {
  ...IPMI_ALIASES,
  fence_redfish: {
    driver: "redfish",
    renames: {
      ...FENCE_AGENT_RENAMES,
      systems_uri: "",
      redfish_uri: "",
      ssl: "",
      ssl_secure: "",
      action: "",
    },
    refusals: [UNCHECKED_CERTIFICATE],
    passwords: ["password", "passwd"],
  },
  redfish: { driver: "redfish", renames: {}, refusals: [], passwords: ["password", "passwd"] },
  "external/ibmrsa-telnet": {
    driver: "rsa-telnet",
    renames: { nodename: "", ip_address: "host", username: "user" },
    refusals: [],
    passwords: ["password"],
  },
  fence_rsa: {
    driver: "rsa-telnet",
    renames: {
      ...FENCE_AGENT_RENAMES,
      command_prompt: "",
      cmd_prompt: "",
      action: "",
    },
    refusals: [
      {
        parameter: "ssh",
        value: /^(1|true|yes|on)$/i,
        reason: "asks for ssh, which this driver does not speak",
        remedy: "drive an IMM by ipmi-lan or redfish",
      },
    ],
    passwords: ["password", "passwd"],
  },
  "external/riloe": {
    driver: "ilo-ribcl",
    renames: {
      hostlist: "",
      ilo_hostname: "host",
      ilo_user: "user",
      ilo_protocol: "",
      ilo_can_reset: "",
      ilo_powerdown_method: "",
    },
    refusals: [],
    passwords: ["ilo_password"],
  },
  fence_ilo: ILO_AGENT,
  fence_ilo2: ILO_AGENT,
  "ilo-ribcl": { driver: "ilo-ribcl", renames: {}, refusals: [], passwords: ["password", "passwd"] },
  "rsa-telnet": { driver: "rsa-telnet", renames: {}, refusals: [], passwords: ["password", "passwd"] },
  "drac-mc-telnet": { driver: "drac-mc-telnet", renames: {}, refusals: [], passwords: ["password", "passwd"] },
  "external/dracmc-telnet": {
    driver: "drac-mc-telnet",
    // The plugin reached the chassis through a terminal server, with one port for each chassis.
    renames: { nodename: "", cyclades_ip: "host", cyclades_port: "port", servername: "module", username: "user" },
    refusals: [],
    passwords: ["password"],
  },
  "drac4-telnet": { driver: "drac4-telnet", renames: {}, refusals: [], passwords: ["password", "passwd"] },
  "racadm-telnet": {
    driver: "racadm-telnet",
    renames: {},
    refusals: [],
    passwords: ["password", "passwd"],
  },
  "amm-telnet": {
    driver: "amm-telnet",
    renames: {},
    refusals: [],
    passwords: ["password", "passwd"],
    plugParameter: "module",
  },
  fence_bladecenter: {
    driver: "amm-telnet",
    renames: {
      ...FENCE_AGENT_RENAMES,
      plug: "module",
      cmd_prompt: "",
      command_prompt: "",
      action: "",
      missing_as_off: "",
    },
    refusals: [{ parameter: "missing_as_off", value: /^(1|true|yes|on)$/i, ...MISSING_AS_OFF }],
    passwords: ["password", "passwd"],
    plugParameter: "module",
  },
  "ilo-ssh": { driver: "ilo-ssh", ...OWN_SSH },
  fence_ilo_ssh: sshBoard("ilo-ssh"),
  fence_ilo3_ssh: sshBoard("ilo-ssh"),
  fence_ilo4_ssh: sshBoard("ilo-ssh"),
  fence_ilo5_ssh: sshBoard("ilo-ssh"),
  "racadm-ssh": { driver: "racadm-ssh", ...OWN_SSH },
  fence_drac5: sshBoard("racadm-ssh"),
  "external/drac5": {
    driver: "racadm-ssh",
    renames: { hostname: "", ipaddr: "host", userid: "user" },
    refusals: [],
    passwords: [],
  },
  "snmp-pdu": {
    driver: "snmp-pdu",
    renames: {},
    refusals: [],
    passwords: ["community", "password", "passwd"],
    plugParameter: "outlets",
    hasOutlets: true,
  },
  libvirt: {
    driver: "libvirt",
    renames: {},
    refusals: [],
    passwords: ["password", "passwd"],
    plugParameter: "machine",
  },
  nut: {
    driver: "nut",
    renames: {},
    refusals: [],
    passwords: ["password", "passwd"],
    plugParameter: "outlets",
    hasOutlets: true,
  },
  "external/nut": {
    driver: "nut",
    renames: { hostname: "", username: "user", poweron: "", poweroff: "", reset: "", statusvar: "" },
    refusals: [
      {
        parameter: "ups",
        value: /@/,
        reason: "names the server, too",
        remedy: "write ups=NAME host=SERVER, and outlets=N where only some outlets feed the node",
      },
    ],
    passwords: ["password"],
  },
  "external/rackpdu": {
    driver: "snmp-pdu",
    renames: { hostlist: "", pduip: "host", names_oid: "", oid: "" },
    refusals: [
      {
        parameter: "outlet_config",
        value: /./,
        reason: "names a file of outlets, which is not read here",
        remedy: "write them into the device: pcmk_host_map=NODE:3,7;NODE:4,8",
      },
    ],
    passwords: ["community"],
    implied: { version: "1" },
    plugParameter: "outlets",
    hasOutlets: true,
  },
  apcmastersnmp: {
    driver: "snmp-pdu",
    renames: { ipaddr: "host" },
    refusals: [],
    passwords: ["community"],
    implied: { version: "1" },
    plugParameter: "outlets",
    hasOutlets: true,
  },
  "dead-check": { driver: "dead-check", renames: {}, refusals: [], passwords: [] },
  "external/stonith-helper": {
    driver: "dead-check",
    renames: {
      dead_check_target: "addresses",
      dead_check_trialcount: "trials",
      // Judged by the cluster itself: who holds resources, who is a member, whether there is quorum.
      hostlist: "",
      run_dead_check: "",
      run_standby_wait: "",
      standby_check_command: "",
      standby_wait_time: "",
      run_online_check: "",
      run_quorum_check: "",
      quorum_check_wait_time: "",
    },
    refusals: [
      {
        parameter: "run_dead_check",
        value: /^n/i,
        reason: "switches off the one thing that this device still does here",
        remedy: "remove the device: its waits and its checks of members and quorum are the cluster's own",
      },
    ],
    passwords: [],
  },
  "external/sbd": {
    driver: "sbd",
    renames: { sbd_device: "devices", hostlist: "", timeout_bypass: "" },
    refusals: [],
    passwords: [],
    plugParameter: "node",
  },
  fence_sbd: {
    driver: "sbd",
    renames: { plug: "node", port: "node", power_timeout: "confirm_time", login_timeout: "", method: "", action: "" },
    refusals: [],
    passwords: [],
    plugParameter: "node",
  },
  sfex: { driver: "sfex", renames: {}, refusals: [], passwords: [], plugParameter: "node" },
  sbd: { driver: "sbd", renames: {}, refusals: [], passwords: [], plugParameter: "node" },
  watchdog: { driver: "watchdog", renames: {}, refusals: [], passwords: [], plugParameter: "node" },
  fence_watchdog: { driver: "watchdog", renames: { plug: "node" }, refusals: [], passwords: [], plugParameter: "node" },
  meatware: { driver: "meatware", renames: { hostlist: "" }, refusals: [], passwords: [] },
};

/** Our parameters, and what an administrator must mend by hand. */
export function translate(
  { renames, refusals, passwords, implied = {} }: Alias,
  parameters: Readonly<Record<string, string>>,
): { readonly parameters: Readonly<Record<string, string>>; readonly complaints: readonly Complaint[] } {
  const translated: Record<string, string> = { ...implied };
  const complaints: Complaint[] = [];
  for (const [name, value] of Object.entries(parameters)) {
    const refusal = refusals.find((rule) => rule.parameter === name && rule.value.test(value));
    if (refusal !== undefined) {
      complaints.push({ parameter: name, reason: refusal.reason, remedy: refusal.remedy });
    }
    if (passwords.includes(name)) {
      complaints.push({
        parameter: name,
        reason: "a password stands in the configuration, where every dump shows it",
        remedy: "move it into the secrets file and write secret=NAME instead",
      });
      continue;
    }
    const ours = entryOf(renames, name) ?? name;
    if (ours !== "") setEntry(translated, ours, ours === "privilege" ? value.toLowerCase() : value);
  }
  return { parameters: translated, complaints };
}
