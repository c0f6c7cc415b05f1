/**
 * `gemel crm-rule`, also `crm_rule`: whether a dated rule of the configuration is in effect, now or at a given time.
 * Facts: crm_rule(8); outputs and exit codes of crm_rule 2.1.5: only rules with a single date expression can be told
 * to be expired or not begun; 110 expired, 111 not yet, 3 not to be told.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { childrenOf, parseXml, type XmlElement, xml } from "../../base/xml.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { addDuration, parseDate } from "../../cluster/core/scheduler/facts/dates.ts";
import { parseArgs } from "../arguments.ts";
import { controlSocketPath, refuseOutput } from "../control-client.ts";
import { localSeconds } from "../zone.ts";
import { EXIT, fetchCib, wrongCall } from "./ask.ts";
import { tellXml } from "./xml-answer.ts";

const USAGE = "crm_rule -c -r RULE [-r RULE]... [-d DATE] [-X XML|-] [--output-as xml]";
const EXIT_RULE = { unimplemented: 3, badDate: 65, notFound: 105, expired: 110, notYet: 111 } as const;

interface Verdict {
  readonly code: number;
  readonly text: string;
}

function undetermined(id: string, reason: string, code: number = EXIT_RULE.unimplemented): Verdict {
  return { code, text: `Could not determine whether rule ${id} is in effect: ${reason}` };
}

/** The span of a date expression, in seconds since the epoch; undefined for one that has no single span. */
function spanOf(expression: XmlElement): { readonly from: number; readonly to: number } | undefined {
  const { operation = "in_range", start, end } = expression.attributes;
  const [from, to] = [start, end].map((date) => localSeconds((zone) => parseDate(date, zone)));
  if (operation === "gt") return { from: (from ?? Number.POSITIVE_INFINITY) + 1, to: Number.POSITIVE_INFINITY };
  if (operation === "lt") return { from: Number.NEGATIVE_INFINITY, to: (to ?? Number.NEGATIVE_INFINITY) - 1 };
  if (operation === "date_spec") {
    const [spec] = childrenOf(expression, "date_spec");
    const [, first, last] = /^(\d{4})(?:-(\d{4})?)?$/.exec(spec?.attributes["years"] ?? "") ?? [];
    if (first === undefined || spec?.attributes["moon"] !== undefined) return undefined;
    const isOpen = /-$/.test(spec?.attributes["years"] ?? "");
    const until = isOpen ? Number.POSITIVE_INFINITY : (parseDate(`${Number(last ?? first) + 1}-01-01`) ?? 0) - 1;
    return { from: parseDate(`${first}-01-01`) ?? 0, to: until };
  }
  const [duration] = childrenOf(expression, "duration");
  const ends =
    to ?? (duration === undefined || from === undefined ? undefined : addDuration(from, duration.attributes));
  return { from: from ?? Number.NEGATIVE_INFINITY, to: ends ?? Number.POSITIVE_INFINITY };
}

function judge(cib: XmlElement, id: string, seconds: number): Verdict {
  const rules = everyElement(cib).flatMap(({ element }) =>
    element.name === "rule" && element.attributes["id"] === id ? [element] : [],
  );
  const [rule, second] = rules;
  if (rule === undefined) return undetermined(id, "Rule not found", EXIT_RULE.notFound);
  if (second !== undefined) return undetermined(id, "More than one rule has that id", 109);
  const [expression, more] = everyElement(rule).flatMap(({ element }) =>
    element.name === "date_expression" ? [element] : [],
  );
  if (expression === undefined) return undetermined(id, "Rule does not have a date expression");
  if (more !== undefined) return undetermined(id, "Rule has more than one date expression");
  const span = spanOf(expression);
  if (span === undefined)
    return undetermined(id, "Rule must either not use date_spec, or use date_spec with years= but not moon=");
  if (seconds < span.from) return { code: EXIT_RULE.notYet, text: `Rule ${id} has not yet taken effect` };
  if (seconds > span.to) return { code: EXIT_RULE.expired, text: `Rule ${id} is expired` };
  return { code: EXIT.done, text: `Rule ${id} is still in effect` };
}

async function cibOf(text: string | undefined, socketPath: string): Promise<XmlElement | number> {
  if (text === undefined) return await fetchCib("crm_rule", socketPath);
  const read = parseXml(text === "-" ? readFileSync(0, "utf8") : text);
  if (read.kind === "xml") return read.root;
  process.stderr.write(`crm_rule: line ${read.line}: not XML: ${read.reason}\n`);
  return EXIT_RULE.badDate;
}

/** Exit codes: 0 in effect; 3, 105, 110, 111 as above (the last that is not 0); 64 wrong call; 65 bad date or XML. */
export async function run(argv: readonly string[]): Promise<number> {
  let values: {
    "output-as"?: string;
    "output-to"?: string;
    "text-fancy"?: boolean;
    check?: boolean;
    rule?: string[];
    date?: string;
    "xml-text"?: string;
    run?: string;
  };
  try {
    values = parseArgs({
      args: [...argv],
      options: {
        check: { type: "boolean", short: "c" },
        rule: { type: "string", short: "r", multiple: true },
        date: { type: "string", short: "d" },
        "xml-text": { type: "string", short: "X" },
        verbose: { type: "boolean", short: "V", multiple: true },
        "output-as": { type: "string" },
        "output-to": { type: "string" },
        "text-fancy": { type: "boolean" },
        run: { type: "string" },
      },
    }).values;
  } catch (error) {
    return wrongCall("crm_rule", error instanceof Error ? error.message : String(error), USAGE);
  }
  const isXml = values["output-as"] === "xml";
  const refusal = isXml ? undefined : refuseOutput(values);
  if (refusal !== undefined) return wrongCall("crm_rule", refusal, USAGE);
  if (values.check !== true) return wrongCall("crm_rule", "No mode operation given", USAGE);
  const { rule: ids = [], date } = values;
  if (ids.length === 0) return wrongCall("crm_rule", "--check requires use of --rule=", USAGE);
  const seconds = date === undefined ? Math.floor(Date.now() / 1000) : localSeconds((zone) => parseDate(date, zone));
  if (seconds === undefined) {
    process.stderr.write(`crm_rule: Invalid date specified: '${date ?? ""}'\n`);
    return EXIT_RULE.badDate;
  }
  const cib = await cibOf(values["xml-text"], controlSocketPath(values.run));
  if (typeof cib === "number") return cib;
  const verdicts = ids.map((id) => ({ id, ...judge(cib, id, seconds) }));
  const code = verdicts.findLast((verdict) => verdict.code !== EXIT.done)?.code ?? EXIT.done;
  const isFault = (verdict: Verdict) => verdict.code === EXIT_RULE.unimplemented || verdict.code === EXIT_RULE.notFound;
  if (isXml) {
    const checks = verdicts.map((verdict) => xml("rule-check", { "rule-id": verdict.id, rc: String(verdict.code) }));
    const faults = verdicts.filter(isFault).map(({ text }) => text);
    tellXml("crm_rule", argv, checks, code, faults);
    return code;
  }
  for (const verdict of verdicts) (isFault(verdict) ? process.stderr : process.stdout).write(`${verdict.text}\n`);
  return code;
}
