/**
 * `gemel why RESOURCE [NODE]`: why it is where it is, or is not on NODE: every fact of the CIB that counted, what it
 * was worth, and the smallest change that would move it. Of the running cluster, or of a file.
 */
import process from "node:process";
import type { Language } from "../../base/language.ts";
import { nearestName } from "../../base/nearest.ts";
import type { XmlElement } from "../../base/xml.ts";
import { parseDate } from "../../cluster/core/scheduler/facts/dates.ts";
import { prove } from "../../cluster/core/scheduler/why/prove.ts";
import { proofText } from "../../cluster/core/scheduler/why/why-text.ts";
import { parseArgs } from "../arguments.ts";
import { fitted } from "../live-view.ts";
import { operatorsLanguage } from "../operators-language.ts";
import { localFacts, zoneAt } from "../zone.ts";
import { cibOfFile, EXIT_INPUT, runningCib, tellAndCode } from "./cib-input.ts";
import { clockOf } from "./simulate-batch.ts";

const TOOL = "gemel why";
const HELP = `usage: gemel why RESOURCE [NODE] [-x FILE] [-t TIME] [--lang en|ja] [--json] [--run-dir DIR]

Why RESOURCE is where it is, or with NODE: why it is there or is not. Each fact that counted is shown with what would
differ without it: first those that decide where the resource is (*), then those that only weigh (-). Facts that say the
same stand together. At last, for every node where it is not, the smallest change that would bring it there.
Without -x the running cluster is asked. The language is that of LC_ALL or LANG unless --lang names one.

Examples:
    gemel why http
    gemel why drbd bravo -x cib.xml --lang ja

Exit codes: 0; 64 a wrong call; 66 a file that cannot be read or holds no CIB; 68 no such resource or node; 69 no
manager answers; 78 the CIB is not valid.
`;

function fail(reason: string, exitCode: number): number {
  process.stderr.write(`${TOOL}: ${reason}\n${exitCode === EXIT_INPUT.usage ? `${HELP.split("\n")[0] ?? ""}\n` : ""}`);
  return exitCode;
}

function languageOf(wanted: string | undefined): Language | undefined {
  if (wanted === undefined) return operatorsLanguage();
  if (wanted.startsWith("ja")) return "ja";
  return wanted.startsWith("en") ? "en" : undefined;
}

/** What of the question the CIB does not know. */
function unknownIn(cib: XmlElement, nowWallMs: number, resource: string, node: string | undefined): string | undefined {
  const facts = localFacts(cib, nowWallMs);
  const guess = (name: string, names: Iterable<string>) => {
    const near = nearestName(name, [...names]);
    return near === undefined ? "" : `; did you mean ${near}?`;
  };
  if (!facts.byId.has(resource) && !facts.byId.has(`${resource}:0`))
    return `there is no resource ${resource}${guess(resource, facts.byId.keys())}`;
  if (node === undefined || facts.nodeByName.has(node)) return undefined;
  return `there is no node ${node}${guess(node, facts.nodeByName.keys())}`;
}

function readArguments(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      "xml-file": { type: "string", short: "x" },
      "live-check": { type: "boolean", short: "L" },
      "set-datetime": { type: "string", short: "t" },
      lang: { type: "string" },
      json: { type: "boolean" },
      "run-dir": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
}

export async function run(argv: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof readArguments>;
  try {
    parsed = readArguments(argv);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), EXIT_INPUT.usage);
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const [resource, node, ...rest] = positionals;
  if (resource === undefined || rest.length > 0)
    return fail("name one resource, and one node at most", EXIT_INPUT.usage);
  const language = languageOf(values.lang);
  if (language === undefined) return fail(`--lang is en or ja, not ${values.lang}`, EXIT_INPUT.usage);
  const time = values["set-datetime"];
  if (time !== undefined && parseDate(time) === undefined) return fail(`${time} is no time`, EXIT_INPUT.usage);
  const file = values["xml-file"];
  const input = file === undefined ? await runningCib(values["run-dir"]) : cibOfFile(file);
  if (input.kind === "wrong") return tellAndCode(TOOL, input);
  const nowWallMs = clockOf(input.root, time);
  const unknown = unknownIn(input.root, nowWallMs, resource, node);
  const proof = unknown === undefined ? prove(input.root, nowWallMs, resource, node, zoneAt(nowWallMs)) : undefined;
  if (proof === undefined) return fail(unknown ?? `${resource} has no member that could run`, EXIT_INPUT.unknownName);
  const asJson = () => `${JSON.stringify(proof, undefined, 2)}\n`;
  process.stdout.write(values.json === true ? asJson() : fitted(proofText(proof, language)));
  return 0;
}
