/** The data partition of a node: its configuration files, filled with what this lab chose when it started. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { DataFile } from "../../images/build.ts";
import { addressOf, HOST_SEEN_BY_GUEST, MANAGEMENT_ADDRESS, macOf, VIRTUAL_ADDRESS } from "../addresses.ts";
import { NETWORKS, type NodeName } from "../names.ts";
import type { BmcAddresses } from "../pair.ts";

/** Keys that both nodes share; new for each lab. */
export interface SharedKeys {
  readonly link: string;
  readonly drbd: string;
}

const here = import.meta.dirname;
const text = (file: string) => readFileSync(path.join(here, file), "utf8");
const OWNER_ONLY = 0o600;
const EXECUTABLE = 0o755;

/** Every `@NAME@` of a template replaced; a name without a value is a bug of the lab. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/@([A-Z][A-Z-]*)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the template names @${name}@, which has no value`);
    return value;
  });
}

function networkFile(node: NodeName): string {
  const lines = NETWORKS.map((name) => `${name} ${macOf(node, name)} ${addressOf(node, name)}/24`);
  return `${[...lines, `management ${macOf(node, "management")} ${MANAGEMENT_ADDRESS}/24`].join("\n")}\n`;
}

/** The cluster's configuration for this lab, in crm syntax. */
export function clusterConfiguration(bmcs: BmcAddresses): string {
  const filled = fillTemplate(text("pair.crm"), {
    "BMC-ALPHA-PORT": `${bmcs.alpha.port}`,
    "BMC-BRAVO-PORT": `${bmcs.bravo.port}`,
  });
  for (const needed of [HOST_SEEN_BY_GUEST, VIRTUAL_ADDRESS]) {
    if (!filled.includes(needed)) throw new Error(`pair.crm does not name ${needed}`);
  }
  return filled;
}

export function nodeFiles(node: NodeName, bmcs: BmcAddresses, keys: SharedKeys): Readonly<Record<string, DataFile>> {
  return {
    lab: { content: "" },
    "gemel/node.conf": { content: text("node.conf") },
    "gemel/authkeys": { content: `auth 1\n1 sha256 ${keys.link}\n`, mode: OWNER_ONLY },
    "gemel/secrets": {
      content: `bmc-alpha=${bmcs.alpha.password}\nbmc-bravo=${bmcs.bravo.password}\n`,
      mode: OWNER_ONLY,
    },
    "gemel/cluster.crm": { content: clusterConfiguration(bmcs) },
    "gemel/drbd.d/records.res": {
      content: fillTemplate(text("records.res"), { "DRBD-SECRET": keys.drbd }),
      mode: OWNER_ONLY,
    },
    "gemel/network": { content: networkFile(node) },
    "gemel/ocf/records-server": { content: text("ocf/records-server"), mode: EXECUTABLE },
    "gemel/ocf/resource.d/lab/records": { content: text("ocf/resource.d/lab/records"), mode: EXECUTABLE },
  };
}
