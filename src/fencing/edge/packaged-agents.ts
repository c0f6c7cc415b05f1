/**
 * The packaged fence agents and plugins of this machine, and what each says of itself. For commands only: an agent
 * that does not answer holds up whoever asks.
 * Facts: FenceAgentAPI, `-o metadata`; external plugins of cluster-glue, `getinfo-xml`: its `<parameters>` alone.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { parseXml, type XmlElement, xml } from "../../base/xml.ts";

interface Family {
  /** What its names begin with in a configuration. */
  readonly prefix: string;
  readonly directory: string;
  /** Of a file in the directory; some that stand there are programs of another kind. */
  readonly isAgent: (file: string) => boolean;
  readonly question: readonly string[];
}

const FAMILIES: readonly Family[] = [
  {
    prefix: "",
    directory: "/usr/sbin",
    isAgent: (file) => /^fence_[a-z0-9_]+$/.test(file) && !["fence_ack_manual", "fence_kdump_send"].includes(file),
    question: ["-o", "metadata"],
  },
  {
    prefix: "external/",
    directory: "/usr/lib/stonith/plugins/external",
    isAgent: (file) => /^[A-Za-z0-9_-]+$/.test(file),
    question: ["getinfo-xml"],
  },
];

/** An agent that does not even describe itself in this time would not work either. */
const ANSWER_MAX_MS = 20_000;
/** Agents name their document type, which we have no use for; one with declarations of its own stays refused. */
const DOCTYPE = /<!DOCTYPE[^>[]*>/;

/** As a configuration names them. */
export function packagedAgents(): readonly string[] {
  return FAMILIES.flatMap(({ prefix, directory, isAgent }) => {
    try {
      return readdirSync(directory)
        .filter(isAgent)
        .map((file) => `${prefix}${file}`);
    } catch {
      return [];
    }
  });
}

/** The agent's own metadata, or why there is none. Takes `ANSWER_MAX_MS` at most. */
export function packagedMetadata(agent: string): XmlElement | string {
  const family = FAMILIES.find(
    ({ prefix, isAgent }) => agent.startsWith(prefix) && isAgent(agent.slice(prefix.length)),
  );
  if (family === undefined || !packagedAgents().includes(agent)) return "it is not installed";
  const { stdout, error } = spawnSync(path.join(family.directory, path.basename(agent)), family.question, {
    env: { PATH: "/usr/share/cluster-glue:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: ANSWER_MAX_MS,
  });
  const read = parseXml((stdout ?? "").replace(DOCTYPE, "").trim());
  if (read.kind !== "xml") return error?.message ?? read.reason;
  return read.root.name === "parameters" ? xml("resource-agent", { name: agent }, [read.root]) : read.root;
}
