/** The ra level of the crm shell: which agents there are, and what each says of itself. Facts: crm(8), ra level. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { parseXml, type XmlElement } from "../../base/xml.ts";
import { printAgentMetadata } from "../../cib/agent-metadata.ts";
import { BUILT_IN_AGENTS } from "../../cluster/edge/agents/index.ts";
import { metadataXml } from "../../cluster/edge/agents/metadata.ts";
import { fencingAgents, fencingMetadata } from "../fencing-agents.ts";
import { EXIT, type Session } from "./session.ts";

const OCF_ROOT = "/usr/lib/ocf";
const OCF = `${OCF_ROOT}/resource.d`;
const INIT = "/etc/init.d";
/** An agent that does not even describe itself in this time would not work either. */
const METADATA_WAIT_MS = 20_000;
const STONITH = "stonith:";
/** In whose name an agent is looked for that was named alone, as in the configuration. */
const PROVIDERS = ["heartbeat", "pacemaker", "linbit"];

/** Agents name their document type, which we have no use for; one with declarations of its own stays refused. */
const DOCTYPE = /<!DOCTYPE[^>[]*>/;

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .toSorted();
  } catch {
    return [];
  }
}

/** Ours run in the program itself. */
const BUILT_IN = "gemel";

export const agentProviders = () => [BUILT_IN, ...namesIn(OCF)];

export const agentTypes = (provider: string): readonly string[] =>
  provider === BUILT_IN ? Object.keys(BUILT_IN_AGENTS).toSorted() : namesIn(path.join(OCF, provider));

const providersOf = (type: string) => agentProviders().filter((provider) => agentTypes(provider).includes(type));

interface Agent {
  readonly provider: string;
  readonly type: string;
}

/** `Dummy`, `heartbeat:Dummy`, `ocf:heartbeat:Dummy`; undefined when there is none of that name. */
export function findAgent(name: string): Agent | undefined {
  const parts = name.split(":").filter((part) => part !== "" && part !== "ocf");
  const type = parts.at(-1) ?? "";
  // A name is no path.
  if (parts.some((part) => part.includes("/") || part.startsWith("."))) return undefined;
  const known = providersOf(type);
  const provider = parts.length > 1 ? parts[0] : (PROVIDERS.find((each) => known.includes(each)) ?? known[0]);
  return provider !== undefined && known.includes(provider) ? { provider, type } : undefined;
}

/** What an agent says of itself, or why it does not. */
function readMetadata(provider: string, type: string): XmlElement | string {
  const builtIn = provider === BUILT_IN ? entryOf(BUILT_IN_AGENTS, type) : undefined;
  if (builtIn !== undefined) return metadataXml(builtIn);
  const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C", OCF_ROOT, OCF_RESOURCE_INSTANCE: type };
  const { stdout, error } = spawnSync(path.join(OCF, provider, type), ["meta-data"], {
    env,
    encoding: "utf8",
    timeout: METADATA_WAIT_MS,
  });
  const read = parseXml((stdout ?? "").replace(DOCTYPE, ""));
  return read.kind === "xml" ? read.root : (error?.message ?? read.reason);
}

/** For those who only want to know what is known: undefined for an agent that is not here or says nothing. */
export function agentMetadata(provider: string, type: string): XmlElement | undefined {
  const agent = findAgent(`${provider}:${type}`);
  const metadata = agent === undefined ? "" : readMetadata(agent.provider, agent.type);
  return typeof metadata === "string" ? undefined : metadata;
}

function fencingInfo({ terminal }: Session, agent: string): number {
  const told = fencingMetadata(agent) ?? "there is no such agent; crm ra list stonith names them";
  if (typeof told !== "string") terminal.out(printAgentMetadata(told, `stonith:${agent}`));
  else terminal.err(`crm: stonith:${agent}: ${told}\n`);
  return typeof told === "string" ? EXIT.failed : EXIT.done;
}

function info(session: Session, name: string): number {
  const { terminal } = session;
  if (name.startsWith(STONITH)) return fencingInfo(session, name.slice(STONITH.length));
  const agent = findAgent(name);
  if (agent === undefined) {
    terminal.err(`crm: there is no agent ${name}; crm ra list ocf names them\n`);
    return EXIT.failed;
  }
  const { provider, type } = agent;
  const metadata = readMetadata(provider, type);
  if (typeof metadata === "string") {
    terminal.err(`crm: ocf:${provider}:${type} does not describe itself: ${metadata}\n`);
    return EXIT.failed;
  }
  terminal.out(printAgentMetadata(metadata, `ocf:${provider}:${type}`));
  return EXIT.done;
}

function tell(session: Session, names: readonly string[]): number {
  session.terminal.out(`${names.join("\n")}\n`);
  return names.length > 0 ? EXIT.done : EXIT.failed;
}

function list(session: Session, agentClass: string, provider: string | undefined): number {
  if (agentClass === "lsb" || agentClass === "service") return tell(session, namesIn(INIT));
  if (agentClass === "stonith") return tell(session, fencingAgents());
  if (agentClass !== "ocf") return -1;
  const from = provider === undefined ? agentProviders() : [provider];
  return tell(session, [...new Set(from.flatMap(agentTypes))].toSorted());
}

export const RA_WORDS = ["classes", "list", "providers", "info", "meta"] as const;

/** The exit code; -1 for a wrong call. */
export function runRa(session: Session, words: readonly string[]): number {
  const [verb, first, second] = words;
  if (verb === "classes")
    return tell(session, ["lsb", `ocf / ${agentProviders().join(" ")}`, "service", "stonith", "systemd"]);
  if (first === undefined) return -1;
  if (verb === "list") return list(session, first, second);
  if (verb === "providers") {
    const names = providersOf(first);
    return tell(session, names.length === 0 ? [] : [names.join(" ")]);
  }
  return verb === "info" || verb === "meta" ? info(session, first) : -1;
}
