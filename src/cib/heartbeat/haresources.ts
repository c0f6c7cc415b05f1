/**
 * Reads haresources and writes the same in crm syntax: each line becomes a group that prefers its owner. Heartbeat
 * monitored nothing; agents whose status can be trusted are monitored here.
 * Scores: an owner is preferred by 10; auto_failback off makes staying worth 50; each ping node that answers is worth
 * 100. So an owner gets its group back with auto_failback on only, and a better connected node gets it in either case.
 * Facts: reference/heartbeat.md, section 11; the agents' parameters of Linux-HA's resource.d.
 */
import type { Problem } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { isAddress } from "../node-directives.ts";
import { deviceLines } from "./old-devices.ts";
import type { Knowledge, Site, Verdict } from "./site.ts";

const OWNER_SCORE = 10;
const STAY_SCORE = 50;
const MONITOR = "op monitor interval=20s timeout=60s";

interface Entry {
  readonly place: string;
  readonly owner: string;
  readonly resources: readonly string[];
}

export interface ReadHaresources {
  readonly crm: string;
  readonly verdicts: readonly Verdict[];
  readonly problems: readonly Problem[];
}

/** Lines that end with a backslash go on in the next one; the place is that of the first. */
function readEntries(text: string, file: string): Entry[] {
  const entries: Entry[] = [];
  let open: { place: string; text: string } | undefined;
  const lines = text.split(/\r?\n/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/#.*$/, "");
    // What stands before the end of the file goes on nowhere, and must not be lost.
    const goesOn = /\\\s*$/.test(line) && index < lines.length - 1;
    const part = line.replace(/\\\s*$/, " ");
    open = { place: open?.place ?? `${file}:${index + 1}`, text: `${open?.text ?? ""}${part}` };
    if (goesOn) continue;
    const [owner, ...resources] = open.text.split(/\s+/).filter((word) => word !== "");
    if (owner !== undefined) entries.push({ place: open.place, owner: owner.toLowerCase(), resources });
    open = undefined;
  }
  return entries;
}

const quote = (value: string) => (/^[\w./:,@%+-]+$/.test(value) ? value : `"${value.replaceAll('"', "&quot;")}"`);

function params(pairs: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(pairs).filter(([, value]) => value !== undefined && value !== "");
  return given.length === 0 ? "" : ` params ${given.map(([name, value]) => `${name}=${quote(value ?? "")}`).join(" ")}`;
}

/** `address[/bits[/interface[/broadcast]]]`; the broadcast address follows from the bits. */
function address(written: string): string {
  const [ip, bits, nic] = written.split("/");
  return `ocf:heartbeat:IPaddr2${params({ ip, cidr_netmask: bits, nic: nic?.split(":")[0] })} ${MONITOR}`;
}

type Agent = (args: readonly string[]) => string;

/** Scripts of resource.d whose successor is an OCF agent with named parameters. */
const AGENTS: Readonly<Record<string, Agent>> = {
  IPaddr: ([written = ""]) => address(written),
  IPaddr2: ([written = ""]) => address(written),
  IPv6addr: ([written = ""]) => address(written),
  Filesystem: ([device, directory, fstype, options]) =>
    `ocf:heartbeat:Filesystem${params({ device, directory, fstype, options })} ${MONITOR}`,
  LVM: ([volgrpname]) => `ocf:heartbeat:LVM${params({ volgrpname })} ${MONITOR}`,
  MailTo: ([email, subject]) => `ocf:heartbeat:MailTo${params({ email, subject })}`,
  IPsrcaddr: ([ipaddress]) => `ocf:heartbeat:IPsrcaddr${params({ ipaddress })} ${MONITOR}`,
};

const ADDRESSES = new Set(["IPaddr", "IPaddr2", "IPv6addr"]);

function addressProblem(written: string): Pick<Problem, "reason" | "remedy"> | undefined {
  const [ip = "", bits] = written.split("/");
  const remedy = "write ADDRESS/BITS/INTERFACE, as 10.0.0.100/24/eth0";
  if (!isAddress(ip)) return { reason: `${ip === "" ? "nothing" : ip} is no IPv4 or IPv6 address`, remedy };
  const most = ip.includes(":") ? 128 : 32;
  if (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)) return undefined;
  return { reason: `${bits} is no number of bits of a netmask`, remedy };
}

const BARE_ADDRESS = /^(?:\d{1,3}\.){3}\d{1,3}(?:\/.*)?$/;
const DRBD = new Set(["drbddisk", "datadisk"]);

interface Draft {
  readonly lines: string[];
  readonly ids: Set<string>;
  /** The next number to try behind a name: whoever writes one ten thousand times does not wait for it. */
  readonly numbers: Map<string, number>;
  readonly verdicts: Verdict[];
  readonly problems: Problem[];
  readonly knowledge: Knowledge;
}

function freshId(draft: Draft, wanted: string): string {
  const base = wanted.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^[^A-Za-z_]/, "r$&");
  let id = base;
  let number = draft.numbers.get(base) ?? 2;
  for (; draft.ids.has(id); number += 1) id = `${base}_${number}`;
  draft.numbers.set(base, number);
  draft.ids.add(id);
  return id;
}

/** A device and a directory are known by the directory, an address by itself. */
function nameFor([first = "", second]: readonly string[]): string {
  const path = first.startsWith("/") ? (second ?? first) : (first.split("/")[0] ?? "");
  return path.split("/").findLast((part) => part !== "") ?? path;
}

/** The id of the primitive, or undefined when there is none. */
function addResource(draft: Draft, written: string, place: string): string | undefined {
  const [script = "", ...args] = written.split("::");
  const say = (kind: Verdict["kind"], text: string) => draft.verdicts.push({ place, written, kind, text });
  if (script === "OCF") {
    say("refused", "its parameters stand in /etc/ha.d/conf: write a primitive with them");
    return undefined;
  }
  const isBare = BARE_ADDRESS.test(script);
  const problem = isBare || ADDRESSES.has(script) ? addressProblem(isBare ? script : (args[0] ?? "")) : undefined;
  if (problem !== undefined) {
    draft.problems.push({ severity: "error", place, ...problem });
    return undefined;
  }
  const agent = isBare ? () => address(script) : entryOf(AGENTS, script);
  if (agent !== undefined && (isBare || Object.hasOwn(AGENTS, script))) {
    const id = freshId(draft, `${isBare ? "ip" : script}_${nameFor(isBare ? [script] : args)}`);
    const text = agent(args);
    draft.lines.push(`primitive ${id} ${text}`);
    say("mapped", `${id}, ${text.split(" ")[0]}${text.includes(MONITOR) ? ", monitored" : ""}`);
    return id;
  }
  // Scripts with arguments, or that lie in resource.d, are Heartbeat's own kind; others are init scripts.
  const isOwn = args.length > 0 || draft.knowledge.scripts.includes(script);
  const id = freshId(draft, [script, ...args].join("_"));
  const named = Object.fromEntries(args.map((value, index) => [String(index + 1), value]));
  draft.lines.push(`primitive ${id} ${isOwn ? "heartbeat" : "lsb"}:${script}${params(named)}`);
  say(
    "mapped",
    `${id}, ${isOwn ? "heartbeat" : "lsb"}:${script}, not monitored: gemel lsb-check tells whether it can be`,
  );
  return id;
}

/** The promotable clone of a DRBD resource, made once. */
function addDrbd(draft: Draft, written: string, place: string): string {
  const [, resource = "all"] = written.split("::");
  const id = freshId(draft, `drbd_${resource}`);
  draft.lines.push(
    `primitive ${id} ocf:linbit:drbd params drbd_resource=${quote(resource)} ` +
      "op monitor interval=19s role=Master timeout=60s op monitor interval=21s role=Slave timeout=60s",
    `ms ms_${id} ${id} meta master-max=1 master-node-max=1 clone-max=2 clone-node-max=1 notify=true`,
  );
  draft.verdicts.push({ place, written, kind: "mapped", text: `ms_${id}, promoted where the group runs` });
  return `ms_${id}`;
}

function addEntry(draft: Draft, { place, owner, resources }: Entry, site: Site): void {
  const disks: string[] = [];
  const members: string[] = [];
  for (const written of resources) {
    if (DRBD.has(written.split("::")[0] ?? "")) disks.push(addDrbd(draft, written, place));
    else members.push(...[addResource(draft, written, place)].filter((id) => id !== undefined));
  }
  const [single] = members;
  const group = members.length === 1 && single !== undefined ? single : freshId(draft, `group_${owner}`);
  if (members.length > 1) draft.lines.push(`group ${group} ${members.join(" ")}`);
  // A line of DRBD alone: its promotion is what the owner holds.
  const held = members.length > 0 ? [group] : disks;
  for (const one of held) {
    const role = members.length > 0 ? "" : " rule $role=Master";
    draft.lines.push(
      role === ""
        ? `location ${one}_prefers_${owner} ${one} ${OWNER_SCORE}: ${owner}`
        : `location ${one}_prefers_${owner} ${one}${role} ${OWNER_SCORE}: #uname eq ${owner}`,
    );
    if (site.ipfail) draft.lines.push(`location ${one}_best_connected ${one} rule pingd: defined pingd`);
  }
  if (members.length > 0)
    for (const disk of disks)
      draft.lines.push(
        `colocation ${group}_with_${disk} inf: ${group} ${disk}:Master`,
        `order ${disk}_before_${group} inf: ${disk}:promote ${group}:start`,
      );
}

function checkEntries(entries: readonly Entry[], site: Site, problems: Problem[]): void {
  const report = (place: string, reason: string, remedy: string) =>
    problems.push({ severity: "error", place, reason, remedy });
  for (const [index, { place, owner, resources }] of entries.entries()) {
    const [key] = resources;
    // Where ha.cf names nobody, that is what is told.
    if (site.nodes.length > 0 && !site.nodes.includes(owner))
      report(place, `${owner} is no node of ha.cf`, `write one of ${site.nodes.join(", ")}`);
    if (key === undefined)
      report(place, `${owner} has no resources`, "write them behind the owner, or remove the line");
    else if (entries.slice(0, index).some((entry) => entry.resources[0] === key))
      report(place, `a second line begins with ${key}`, "begin each line with a resource of its own");
  }
}

export function readHaresources(text: string, file: string, site: Site, knowledge: Knowledge): ReadHaresources {
  const entries = readEntries(text, file);
  const draft: Draft = { lines: [], ids: new Set(), numbers: new Map(), verdicts: [], problems: [], knowledge };
  checkEntries(entries, site, draft.problems);
  for (const entry of entries) addEntry(draft, entry, site);
  const stay = site.failback === "off" ? STAY_SCORE : 0;
  const devices = site.devices.flatMap((device) => deviceLines(device, site.nodes));
  const head = [
    `# From ${file} by gemel import ha.d. An owner is preferred by ${OWNER_SCORE}, staying is worth ${stay}.`,
    ...(devices.length > 0
      ? ["# A person fences (gemel fence confirm NODE) where the devices cannot: nothing is taken over without proof."]
      : ["# A person fences (gemel fence confirm NODE) until a device is configured: nothing is taken over without."]),
    "property stonith-enabled=true no-quorum-policy=ignore",
    "op_defaults timeout=60s",
    `primitive fencing_by_hand stonith:meatware params hostlist="${site.nodes.join(" ")}"`,
    ...devices,
    `rsc_defaults resource-stickiness=${stay}`,
  ];
  return { crm: `${[...head, ...draft.lines].join("\n")}\n`, verdicts: draft.verdicts, problems: draft.problems };
}
