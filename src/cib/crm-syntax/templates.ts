/**
 * Ready configurations for `crm configure template`: statements with places to fill in. Data; a place `%NAME` takes the
 * parameter of that name, `%_` the name of the configuration; a line whose optional parameter is not given is left out.
 * Facts: crm(8), "Configuration templates"; the agents' own parameters and advised times.
 */
import { entryOf } from "../../base/record.ts";
export interface Template {
  readonly help: string;
  /** Parameters by name: what to write; those with `required` must be given. */
  readonly parameters: Readonly<Record<string, { readonly help: string; readonly required?: true }>>;
  /** Another template that belongs to it: its parameters are asked for, too, and it goes before. */
  readonly needs?: string;
  readonly lines: readonly string[];
}

export const TEMPLATES: Readonly<Record<string, Template>> = {
  "virtual-ip": {
    help: "an address that moves with the service",
    parameters: {
      ip: { help: "the address", required: true },
      netmask: { help: "bits of the network, as 24" },
      nic: { help: "interface; by route without it" },
    },
    lines: [
      "primitive %_-ip ocf:heartbeat:IPaddr2 \\",
      "  params ip=%ip \\",
      "  params cidr_netmask=%netmask \\",
      "  params nic=%nic \\",
      "  op start timeout=20s op stop timeout=20s op monitor interval=10s timeout=20s",
    ],
  },
  filesystem: {
    help: "a file system that is mounted where the service runs",
    parameters: {
      device: { help: "block device", required: true },
      directory: { help: "mount point", required: true },
      fstype: { help: "as ext4 or xfs", required: true },
      options: { help: "mount options" },
    },
    lines: [
      "primitive %_-fs ocf:heartbeat:Filesystem \\",
      "  params device=%device directory=%directory fstype=%fstype \\",
      "  params options=%options \\",
      "  op start timeout=60s op stop timeout=60s op monitor interval=20s timeout=40s",
    ],
  },
  apache: {
    help: "a web server with its address",
    needs: "virtual-ip",
    parameters: {
      configfile: { help: "of apache", required: true },
      statusurl: { help: "asked by the monitor" },
    },
    lines: [
      "primitive %_-apache ocf:heartbeat:apache \\",
      "  params configfile=%configfile \\",
      "  params statusurl=%statusurl \\",
      "  op start timeout=60s op stop timeout=60s op monitor interval=10s timeout=20s",
      "group %_ %_-ip %_-apache",
    ],
  },
  pgsql: {
    help: "PostgreSQL on a file system, with its address",
    needs: "virtual-ip",
    parameters: {
      device: { help: "block device of the data", required: true },
      directory: { help: "mount point", required: true },
      fstype: { help: "as ext4 or xfs", required: true },
      pgdata: { help: "directory of the database", required: true },
      pgctl: { help: "where pg_ctl is" },
    },
    lines: [
      "primitive %_-fs ocf:heartbeat:Filesystem params device=%device directory=%directory fstype=%fstype \\",
      "  op start timeout=60s op stop timeout=60s op monitor interval=20s timeout=40s",
      "primitive %_-db ocf:heartbeat:pgsql \\",
      "  params pgdata=%pgdata \\",
      "  params pgctl=%pgctl \\",
      "  op start timeout=120s op stop timeout=120s op monitor interval=30s timeout=30s",
      "group %_ %_-fs %_-ip %_-db",
    ],
  },
  drbd: {
    help: "a DRBD mirror with the file system on it",
    needs: "filesystem",
    parameters: { drbd_resource: { help: "its name in DRBD", required: true } },
    lines: [
      "primitive %_-drbd ocf:linbit:drbd params drbd_resource=%drbd_resource \\",
      "  op start timeout=240s op stop timeout=100s \\",
      "  op monitor interval=19s role=Promoted timeout=30s op monitor interval=21s role=Unpromoted timeout=30s",
      "clone %_-mirror %_-drbd meta promotable=true promoted-max=1 clone-max=2 notify=true",
      "colocation %_-with inf: %_-fs %_-mirror:Promoted",
      "order %_-after Mandatory: %_-mirror:promote %_-fs:start",
    ],
  },
};

/** What of a template has to be, or may be, filled in: its own and what it needs. */
export function parametersOfTemplate(name: string): Template["parameters"] {
  const template = entryOf(TEMPLATES, name);
  if (template === undefined) return {};
  const below = template.needs === undefined ? {} : parametersOfTemplate(template.needs);
  return { ...below, ...template.parameters };
}

const quote = (value: string) => (/^[\w./:,@%+-]+$/.test(value) ? value : `"${value.replaceAll('"', "&quot;")}"`);

/** The statements, or the names of the parameters that are missing. */
export function fillTemplate(
  name: string,
  id: string,
  values: Readonly<Record<string, string>>,
): { readonly text: string } | { readonly missing: readonly string[] } {
  const template = entryOf(TEMPLATES, name);
  if (template === undefined) return { missing: [name] };
  const wanted = Object.entries(parametersOfTemplate(name));
  const missing = wanted.filter(([key, { required }]) => required === true && (entryOf(values, key) ?? "") === "");
  if (missing.length > 0) return { missing: missing.map(([key]) => key) };
  const lines = template.lines.flatMap((line) => {
    const places = [...line.matchAll(/%([a-z_]\w+)/g)].map(([, key = ""]) => key);
    if (places.some((key) => (entryOf(values, key) ?? "") === "")) return [];
    const filled = line.replaceAll(/%([a-z_]\w+)/g, (_, key: string) => quote(entryOf(values, key) ?? ""));
    return [filled.replaceAll("%_", id)];
  });
  const own = `${lines.join("\n")}\n`;
  const below = template.needs === undefined ? { text: "" } : fillTemplate(template.needs, id, values);
  return "text" in below ? { text: below.text + own } : below;
}
