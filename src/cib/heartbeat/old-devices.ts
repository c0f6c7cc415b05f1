/**
 * The devices of a site without a CIB: `stonith_host FROM TYPE PARAMETERS`, whose parameters stand in the order in
 * which `stonith -t TYPE -n` of cluster-glue names them. A password goes to the secrets file, and is not shown.
 * Facts: ha.cf(5), stonith_host; the order as the packaged cluster-glue 1.0.12 prints it.
 */
import { entryOf } from "../../base/record.ts";

export interface OldDevice {
  readonly id: string;
  readonly type: string;
  /** The node that it is attached to; `*` for all. */
  readonly from: string;
  readonly hosts: readonly string[];
  /** `name=value`, without its password. */
  readonly parameters: readonly string[];
  /** For the secrets file, under the name of the device. */
  readonly password: string | undefined;
}

export type ReadDevice =
  | { readonly kind: "device"; readonly device: OldDevice; readonly text: string; readonly written: string }
  | { readonly kind: "refused"; readonly text: string; readonly written: string };

interface Form {
  /** The first names the nodes that it resets. */
  readonly names: readonly string[];
  readonly password?: string;
  /** Of no use here. */
  readonly dropped?: readonly string[];
  readonly more?: string;
}

const FORMS: Readonly<Record<string, Form>> = {
  meatware: { names: ["hostlist"] },
  "external/ipmi": {
    names: ["hostname", "ipaddr", "userid", "passwd", "interface"],
    password: "passwd",
    dropped: ["interface"],
    more: "it is driven by IPMI 2.0; version=1.5 for a board that has none",
  },
  "external/riloe": {
    names: ["hostlist", "ilo_hostname", "ilo_user", "ilo_password", "ilo_can_reset", "ilo_protocol"],
    password: "ilo_password",
    dropped: ["ilo_can_reset", "ilo_protocol"],
    more: "its certificate has to be pinned: certificate=... as gemel fence probe shows it",
  },
  "external/ibmrsa-telnet": { names: ["nodename", "ip_address", "username", "password"], password: "password" },
};

const NAMED = "write primitive ID stonith:TYPE params ... (gemel stonith -L lists types)";

/** `number`: of the device within the site. Words behind the type may hold a password, so a refusal repeats none. */
export function readOldDevice(words: readonly string[], number: number): ReadDevice {
  const [from = "", type = "", ...values] = words;
  const head = `stonith_host ${from} ${type}`;
  const refuse = (reason: string): ReadDevice => ({
    kind: "refused",
    text: `${reason}: ${NAMED}`,
    written: `${head}${values.length === 0 ? "" : " ..."}`,
  });
  const form = entryOf(FORMS, type);
  if (form === undefined) return refuse("a device of this type needs named parameters");
  const { names, password, dropped = [], more } = form;
  const id = `stonith_${number}`;
  if (type === "meatware") {
    const device = { id, type, from, hosts: values, parameters: [], password: undefined };
    return {
      kind: "device",
      device,
      text: "fencing_by_hand: a person, for every node",
      written: `${head} ${values.join(" ")}`,
    };
  }
  const isRequired = (name: string) => !dropped.includes(name);
  const missing = names.filter((name, index) => isRequired(name) && values[index] === undefined);
  if (missing.length > 0) return refuse(`it has no ${missing.join(", ")}`);
  if (values.length > names.length) return refuse(`it has more than ${names.join(", ")}`);
  const wordOf = (name: string) => values[names.indexOf(name)] ?? "";
  const hosts = wordOf(names[0] ?? "")
    .split(",")
    .filter(Boolean);
  const kept = names.slice(1).filter((name) => name !== password && isRequired(name));
  const parameters = kept.map((name) => `${name}=${wordOf(name)}`);
  const shown = names.slice(0, values.length).map((name) => (name === password ? "..." : wordOf(name)));
  const told = `${id} and, in the secrets file, its password${more === undefined ? "" : `; ${more}`}`;
  const device = { id, type, from, hosts, parameters, password: password && wordOf(password) };
  return { kind: "device", device, text: told, written: `${head} ${shown.join(" ")}` };
}

/** A device as the configuration writes it; a board is used by any node but its own, or by the one it hangs on. */
export function deviceLines({ id, type, from, hosts, parameters }: OldDevice, nodes: readonly string[]): string[] {
  if (type === "meatware") return [];
  const banned = nodes.filter((node) => (from === "*" ? hosts.length === 1 && hosts[0] === node : node !== from));
  return [
    `primitive ${id} stonith:${type} params ${parameters.join(" ")} secret=${id} pcmk_host_list="${hosts.join(" ")}"`,
    ...banned.map((node) => `location ${id}_not_on_${node} ${id} -inf: ${node}`),
  ];
}

/** The lines of the secrets file. */
export const secretLines = (devices: readonly OldDevice[]): string =>
  devices.map(({ id, password }) => (password === undefined ? "" : `${id}=${password}\n`)).join("");
