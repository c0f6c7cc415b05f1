/**
 * Tab completion in bash, for `gemel` and for every name that the field knows: `source <(gemel completion)`. What may
 * come next is asked of the program itself: the crm shell's own completion with the ids of the cluster, and the flags
 * and words of each command's usage.
 */
import path from "node:path";
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { childOf, parseXml } from "../../base/xml.ts";
import { askCib } from "../cib-door.ts";
import { controlSocketPath } from "../control-client.ts";
import { completions } from "../crm/completions.ts";
import { type Names, namesOf } from "../crm/names.ts";
import { flagsOf } from "./help-options.ts";
import type { Command } from "./index.ts";

type FlagTable = Readonly<Record<string, { readonly type: string; readonly short?: string }>>;

/** What crm_mon reads by itself, for it counts in which order these stand, or whether something stands behind them. */
const IN_ORDER: FlagTable = Object.fromEntries(
  ["include", "exclude", "neg-locations", "fence-history"].map((name) => [name, { type: "string" }]),
);

/** Commands that take more flags than their help has lines for. */
const FLAG_TABLES: Readonly<Record<string, () => Promise<FlagTable>>> = {
  "crm-mon": async () => ({ ...(await import("./crm-mon-options.ts")).FLAGS, ...IN_ORDER }),
  "crm-resource": async () => (await import("./crm-resource.ts")).FLAGS,
  "crm-shadow": async () => (await import("./crm-shadow.ts")).FLAGS,
  "crm-ticket": async () => (await import("./crm-ticket.ts")).FLAGS,
  iso8601: async () => (await import("./iso8601.ts")).FLAGS,
  simulate: async () => (await import("./simulate-options.ts")).OPTIONS,
  "stonith-admin": async () => (await import("./stonith-admin.ts")).OPTIONS,
};

async function tabledFlags(command: string): Promise<readonly string[]> {
  const table = (await entryOf(FLAG_TABLES, command)?.()) ?? {};
  return Object.entries(table).flatMap(([name, { short }]) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
}

type Table = Readonly<Record<string, Command>>;

/** Whoever has pressed the key does not wait longer for the ids. */
const IDS_WAIT_MS = 500;

export function completionScript(commands: Table): string {
  const names = ["gemel", ...Object.values(commands).flatMap((command) => command.names ?? [])];
  return `_gemel() {
  local IFS=$'\\n'
  COMPREPLY=($(gemel completion -- "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null))
  if [ "\${#COMPREPLY[@]}" -eq 0 ]; then COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); fi
}
complete -F _gemel ${[...new Set(names)].toSorted().join(" ")}
`;
}

/** Flags and lower-case words of a usage line: what is in capitals is to be filled in. */
export function usageWords(usage: string): readonly string[] {
  const words = usage.match(/(?<![\w-])(?:--?[A-Za-z0-9][\w-]*|[a-z][a-z0-9_-]+)(?![\w-])/g) ?? [];
  return [...new Set(words)];
}

async function namesOfCluster(): Promise<Names> {
  const reply = await askCib(controlSocketPath(), { kind: "cib-query" }, IDS_WAIT_MS);
  const read = reply.kind === "answer" ? parseXml(reply.value.xml) : undefined;
  return namesOf(read?.kind === "xml" ? childOf(read.root, "configuration") : undefined);
}

/** What the last word may become; `words` begins with the program. */
export async function candidates(commands: Table, words: readonly string[]): Promise<readonly string[]> {
  const [program = "", ...rest] = words;
  const called = path.basename(program);
  const last = rest.at(-1) ?? "";
  const fitting = (list: readonly string[]) => list.filter((word) => word.startsWith(last)).toSorted();
  const isOurs = called === "gemel";
  if (isOurs && (rest.length <= 1 || (rest[0] === "help" && rest.length === 2)))
    return fitting([...Object.keys(commands), "completion", "help"]);
  const [name = "", ...behind] = isOurs ? rest : [called, ...rest];
  const found = Object.entries(commands).find(([key, { names }]) => key === name || names?.includes(name) === true);
  if (found === undefined) return [];
  const [key, { usage }] = found;
  if (key !== "crm" && key !== "configure")
    return fitting([...new Set([...usageWords(usage), ...flagsOf(key), ...(await tabledFlags(key))])]);
  const line = [...(key === "configure" ? ["configure"] : []), ...behind].join(" ");
  return completions("", line, await namesOfCluster());
}

export async function runCompletion(commands: Table, argv: readonly string[]): Promise<number> {
  if (argv[0] !== "--") process.stdout.write(completionScript(commands));
  else for (const word of await candidates(commands, argv.slice(1))) process.stdout.write(`${word}\n`);
  return 0;
}
