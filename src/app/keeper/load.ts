/** Reads everything that a keeper is started with, and tells all that is wrong with it at once. */
import { readFileSync, type Stats, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { nearestName } from "../../base/nearest.ts";
import type { Problem, Read } from "../../base/problem.ts";
import { type AuthKeys, readAuthKeys } from "../../cib/authkeys.ts";
import { type NodeConfig, type NodeEntry, readNodeConfig } from "../../cib/node-config.ts";

export interface LoadedNode {
  readonly config: NodeConfig;
  readonly self: NodeEntry;
  readonly keys: AuthKeys;
}

function readText(file: string, problems: Problem[], remedy: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const reason = code === "ENOENT" ? "there is no such file" : `it cannot be read (${code})`;
    problems.push({ severity: "error", place: file, reason, remedy });
    return undefined;
  }
}

/** The keys sign everything: whoever reads them is a node. */
function checkKeyFile(file: string, { mode, uid }: Stats, problems: Problem[]): void {
  const bits = mode & 0o777;
  if ((bits & 0o077) !== 0)
    problems.push({
      severity: "error",
      place: file,
      reason: `others than its owner may read or write it (mode ${bits.toString(8).padStart(4, "0")})`,
      remedy: `run chmod 600 ${file}`,
    });
  const self = process.getuid?.();
  if (uid !== 0 && uid !== self)
    problems.push({
      severity: "error",
      place: file,
      reason: "it does not belong to root",
      remedy: `run chown root ${file}`,
    });
}

/** Where the key file of this configuration lies. */
export const keyFileOf = (configFile: string, { authkeys }: NodeConfig): string =>
  path.resolve(path.dirname(configFile), authkeys);

/** Every problem of the key file goes to `problems`; undefined when there is one. */
export function readKeys(file: string, problems: Problem[]): AuthKeys | undefined {
  const text = readText(file, problems, "write `auth 1` and `1 sha256 SECRET` into it, mode 600");
  if (text === undefined) return undefined;
  const before = problems.length;
  checkKeyFile(file, statSync(file), problems);
  const read = readAuthKeys(text, file);
  if (read.kind === "valid") return problems.length === before ? read.value : undefined;
  problems.push(...read.problems);
  return undefined;
}

/** `name`: as given by --name; otherwise the host's. */
export function loadNode(configFile: string, name: string | undefined): Read<LoadedNode> {
  const problems: Problem[] = [];
  const text = readText(configFile, problems, "give the node's configuration with --config");
  if (text === undefined) return { kind: "invalid", problems };
  const read = readNodeConfig(text, configFile);
  if (read.kind === "invalid") return read;
  const config = read.value;
  const warnings = read.warnings;
  const wanted = name ?? os.hostname().split(".")[0] ?? "";
  const self = config.nodes.find((node) => node.name === wanted);
  if (self === undefined) {
    const names = config.nodes.map((node) => node.name);
    const source = name === undefined ? "this host's name" : "--name";
    problems.push({
      severity: "error",
      place: configFile,
      reason: `${source} ${wanted} is none of its nodes`,
      remedy: `give --name ${nearestName(wanted, names) ?? names.join(" or ")}`,
    });
  }
  const keys = readKeys(keyFileOf(configFile, config), problems);
  if (self === undefined || keys === undefined || problems.length > 0)
    return { kind: "invalid", problems: [...problems, ...warnings] };
  return { kind: "valid", value: { config, self, keys }, warnings };
}
