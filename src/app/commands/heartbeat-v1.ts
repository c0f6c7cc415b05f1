/**
 * The commands of Heartbeat's own manager (haresources), by their names, on a site that was taken over by
 * `gemel import ha.d`: hb_standby, hb_takeover, req_resource. Who owns what stands in the CIB as the import wrote it:
 * a location NAME_prefers_OWNER. What is handed over is a move, with its lease: it is visible, and it ends.
 * Facts: hb_standby(1), hb_takeover(1); reference/heartbeat.md, sections 10 and 11 (refused while in flux).
 */
import process from "node:process";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { type Facts, primitivesOf } from "../../cluster/core/scheduler/facts/model.ts";
import { readCommandLine } from "../control-client.ts";
import { localFacts } from "../zone.ts";
import { askOrTell, EXIT, fetchCib, wrongCall } from "./ask.ts";

export interface Held {
  readonly resource: string;
  /** Its own name, those of its members, and their addresses: by any of them it may be asked for. */
  readonly names: readonly string[];
  readonly owner: string;
  /** Undefined while it runs nowhere. */
  readonly on: string | undefined;
}

function ownerOf(constraint: XmlElement): { readonly resource: string; readonly owner: string } | undefined {
  const { id = "", rsc = "", node } = constraint.attributes;
  if (!id.includes("_prefers_")) return undefined;
  const owner = node ?? id.slice(id.indexOf("_prefers_") + "_prefers_".length);
  return rsc === "" ? undefined : { resource: rsc, owner };
}

function placeOf(facts: Facts, id: string): string | undefined {
  const resource = facts.byId.get(id);
  if (resource === undefined) return undefined;
  const running = primitivesOf(resource).flatMap(({ runningOn }) => runningOn.map(({ name }) => name));
  return running[0];
}

/** The key of a line was its first resource, often a bare address. */
function namesOf(facts: Facts, id: string): readonly string[] {
  const resource = facts.byId.get(id);
  const members = resource === undefined ? [] : primitivesOf(resource);
  const addresses = members.flatMap(({ element }) =>
    childrenOf(element, "instance_attributes")
      .flatMap((set) => childrenOf(set, "nvpair"))
      .flatMap(({ attributes: { name, value } }) => (name === "ip" && value !== undefined ? [value] : [])),
  );
  return [id, ...members.map((member) => member.id), ...addresses];
}

/** `10.0.0.1/24/eth0`, `IPaddr::10.0.0.1/24` or a name: what of it the group is known by. */
const keyOf = (wanted: string) =>
  wanted.replace(/^IPaddr2?::/, "").replace(/^([\d.]+|[\da-f:]+:[\da-f:]*)\/.*$/i, "$1");

/** Every line of the old haresources, by what it has become. */
export function heldBy(cib: XmlElement, nowWallMs: number): readonly Held[] {
  const facts = localFacts(cib, nowWallMs);
  const constraints = childOf(childOf(cib, "configuration"), "constraints");
  return childrenOf(constraints, "rsc_location").flatMap((constraint) => {
    const owned = ownerOf(constraint);
    if (owned === undefined) return [];
    return [{ ...owned, names: namesOf(facts, owned.resource), on: placeOf(facts, owned.resource) }];
  });
}

const WORDS = ["all", "foreign", "local", "failback"];

/** What a word means to a node: `foreign` and `failback` are the other's resources, `local` its own. */
function isMeant(word: string, { owner }: Held, self: string): boolean {
  if (word === "all") return true;
  return (owner === self) === (word === "local");
}

interface Site {
  /** A transition runs: what holds what is about to change. */
  readonly isInFlux: boolean;
  readonly self: string;
  readonly peer: string;
  readonly held: readonly Held[];
}

async function siteOf(tool: string, socketPath: string): Promise<Site | number> {
  const status = await askOrTell(tool, socketPath, { kind: "status" });
  if (status.kind === "failed") return status.exitCode;
  const cib = await fetchCib(tool, socketPath);
  if (typeof cib === "number") return cib;
  const { self, nodes, transition } = status.value;
  const others = nodes.filter(({ name }) => name !== self);
  const [peer] = others;
  const held = heldBy(cib, Date.now());
  if (peer === undefined || others.length > 1) {
    process.stderr.write(`${tool}: this is for pairs; with more nodes: crm resource move RESOURCE NODE\n`);
    return EXIT.refused;
  }
  if (held.length > 0) return { isInFlux: transition.isRunning, self, peer: peer.name, held };
  process.stderr.write(`${tool}: nothing here comes from haresources (gemel import); use crm resource move\n`);
  return EXIT.refused;
}

async function hand(tool: string, socketPath: string, list: readonly Held[], node: string): Promise<number> {
  if (list.length === 0) process.stdout.write("there is nothing to hand over\n");
  for (const { resource } of list) {
    const asked = await askOrTell(tool, socketPath, { kind: "resource", resource, action: "move", node, reason: tool });
    if (asked.kind === "failed") return asked.exitCode;
    process.stdout.write(`${asked.value.text}\n`);
  }
  return EXIT.done;
}

async function change(tool: "hb_standby" | "hb_takeover", argv: readonly string[]): Promise<number> {
  const usage = `${tool} [${WORDS.join("|")}]`;
  const called = readCommandLine(argv);
  if (called.kind === "wrong") return wrongCall(tool, called.reason, usage);
  const [word = "all", ...more] = called.words;
  if (!WORDS.includes(word) || more.length > 0) return wrongCall(tool, `${called.words.join(" ")} is not known`, usage);
  const site = await siteOf(tool, called.socketPath);
  if (typeof site === "number") return site;
  const { isInFlux, self, peer, held } = site;
  // As Heartbeat did: two of them at once would each move what the other one is about to.
  if (isInFlux) {
    process.stderr.write(`${tool}: refused: resources are in flux (gemel status); ask again when they are not\n`);
    return EXIT.refused;
  }
  const [from, to] = tool === "hb_standby" ? [self, peer] : [peer, self];
  const list = held.filter((one) => one.on === from && isMeant(word, one, self));
  return await hand(tool, called.socketPath, list, to);
}

/** Gives up what it holds. Exit codes: 0; 1 refused; 64 wrong call; 69 no manager. */
export const standby = { run: (argv: readonly string[]) => change("hb_standby", argv) };
/** Takes from the other. Exit codes as above. */
export const takeover = { run: (argv: readonly string[]) => change("hb_takeover", argv) };

/** Asks for one group, by its name, that of a member, or an address in it. */
export const request = {
  async run(argv: readonly string[]): Promise<number> {
    const usage = "req_resource RESOURCE";
    const called = readCommandLine(argv);
    if (called.kind === "wrong") return wrongCall("req_resource", called.reason, usage);
    const [wanted, ...more] = called.words;
    if (wanted === undefined || more.length > 0) return wrongCall("req_resource", "which resource?", usage);
    const site = await siteOf("req_resource", called.socketPath);
    if (typeof site === "number") return site;
    const found = site.held.filter(({ names }) => names.includes(wanted) || names.includes(keyOf(wanted)));
    if (found.length === 0) {
      const known = site.held.map(({ resource }) => resource).join(", ");
      process.stderr.write(`req_resource: there is no ${wanted}; there are ${known}\n`);
      return EXIT.refused;
    }
    return await hand(
      "req_resource",
      called.socketPath,
      found.filter(({ on }) => on !== site.self),
      site.self,
    );
  },
};
