/**
 * `stonith_admin`, as operators of Pacemaker type it; what it does is what `gemel fence` does.
 * Facts: stonith_admin(8) of Pacemaker 2.1 and its --help-all; its words and exit codes by stonith-answer.ts.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { entryOf } from "../../base/record.ts";
import { childrenOf, parseXml, printXml } from "../../base/xml.ts";
import { parseArgs } from "../arguments.ts";
import { controlSocketPath, refuseOutput } from "../control-client.ts";
import type { StatusReport } from "../control-protocol.ts";
import { complaintsOf, fencingAgents, fencingMetadata } from "../fencing-agents.ts";
import { withProgress } from "../progress.ts";
import { VERSION } from "../version.ts";
import { askOrTell, EXIT, FIELD_EXIT, wrongCall } from "./ask.ts";
import { runCluster } from "./fence-cluster.ts";
import { type Answer, type Form, installed, registered, targets, tell } from "./stonith-answer.ts";
import { epochOf, historyLines, isRecent, lastDeath, lastFencedLine } from "./stonith-history.ts";

const USAGE = `stonith_admin -F|-U|-B NODE [--tolerance SECONDS] [-y SECONDS|-1] | -C NODE
              -H NODE|"*" [-V | -q] | -h NODE | -h ID -n | -L | -l NODE | -s DEVICE | -Q DEVICE | -I
              -M -a AGENT | -K -a AGENT [-o NAME=VALUE]... [-e NAME]... [-q]
              all with [--run DIR]; -t, -T, -b and -V are taken where they change nothing`;

export const OPTIONS = {
  fence: { type: "string", short: "F" },
  unfence: { type: "string", short: "U" },
  reboot: { type: "string", short: "B" },
  confirm: { type: "string", short: "C" },
  history: { type: "string", short: "H" },
  last: { type: "string", short: "h" },
  "list-registered": { type: "boolean", short: "L" },
  list: { type: "string", short: "l" },
  query: { type: "string", short: "Q" },
  "list-installed": { type: "boolean", short: "I" },
  "list-targets": { type: "string", short: "s" },
  metadata: { type: "boolean", short: "M" },
  validate: { type: "boolean", short: "K" },
  agent: { type: "string", short: "a" },
  option: { type: "string", short: "o", multiple: true },
  "env-option": { type: "string", short: "e", multiple: true },
  register: { type: "string", short: "R" },
  deregister: { type: "string", short: "D" },
  "register-level": { type: "string", short: "r" },
  "deregister-level": { type: "string", short: "d" },
  device: { type: "string", short: "v", multiple: true },
  index: { type: "string", short: "i" },
  cleanup: { type: "boolean", short: "c" },
  broadcast: { type: "boolean", short: "b" },
  tag: { type: "string", short: "T" },
  delay: { type: "string", short: "y" },
  "as-node-id": { type: "boolean", short: "n" },
  "output-as": { type: "string" },
  "output-to": { type: "string" },
  "text-fancy": { type: "boolean" },
  "html-cgi": { type: "boolean" },
  "html-stylesheet": { type: "string" },
  "html-title": { type: "string" },
  tolerance: { type: "string" },
  /** The fencer bounds itself by its devices; taken so that old scripts run. */
  timeout: { type: "string", short: "t" },
  verbose: { type: "boolean", short: "V", multiple: true },
  quiet: { type: "boolean", short: "q" },
  version: { type: "boolean" },
  help: { type: "boolean" },
  run: { type: "string" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** That there is no manager to ask is 102 where stonith_admin says it. */
const fieldCode = (code: number) => (code === EXIT.unreachable ? FIELD_EXIT.disconnected : code);

const refuse = (reason: string) => wrongCall("stonith_admin", reason, USAGE);

/** What Pacemaker keeps in its fencer's memory is configuration here, and outlives a restart. */
const BY_CONFIGURATION = {
  register: "a device is a primitive: crm configure primitive NAME stonith:AGENT params ...",
  deregister: "a device is a primitive: crm configure delete NAME",
  "register-level": "levels are configuration: crm configure fencing_topology NODE: DEVICE DEVICE,DEVICE",
  "deregister-level": "levels are configuration: crm configure edit fencing_topology",
  cleanup: "certificates are evidence and are not thrown away; the newest 200 are kept",
} as const;

function secondsOf(written: string | undefined): number | undefined {
  if (written === undefined) return 0;
  return /^\d{1,6}$/.test(written) ? Number(written) * 1_000 : undefined;
}

async function fence(action: "off" | "on" | "reboot", target: string, values: Values): Promise<number> {
  const isUndelayed = values.delay === "-1";
  const delayMs = isUndelayed ? 0 : secondsOf(values.delay);
  const toleranceMs = secondsOf(values.tolerance);
  if (delayMs === undefined) return refuse(`-y ${values.delay}: write a number of seconds, or -1 for no delay at all`);
  if (secondsOf(values.timeout) === undefined) return refuse(`-t ${values.timeout}: write a number of seconds`);
  if (toleranceMs === undefined) return refuse(`--tolerance ${values.tolerance}: write a number of seconds`);
  const own = values.run === undefined ? [] : ["--run", values.run];
  if (toleranceMs > 0 && action !== "on") {
    const asked = await askOrTell("stonith_admin", controlSocketPath(values.run), { kind: "status" });
    if (asked.kind === "failed") return asked.exitCode;
    const { history } = asked.value.fencing;
    if (isRecent(lastDeath(history, target), toleranceMs, Date.now())) {
      say(`${lastFencedLine(history, target)}; nothing is done`);
      return EXIT.done;
    }
  }
  await withProgress("stonith_admin", `waiting ${delayMs / 1000} s before ${action} of ${target}`, sleep(delayMs));
  return await runCluster([action, target, ...(isUndelayed ? ["--no-delay"] : []), ...own]);
}

/** The node by that number, as the CIB has it. */
async function nameOfNode(id: string, run: string | undefined): Promise<string | undefined> {
  const asked = await askOrTell("stonith_admin", controlSocketPath(run), { kind: "cib-query", section: "nodes" });
  const read = asked.kind === "answer" ? parseXml(asked.value.xml) : undefined;
  if (read?.kind !== "xml") return undefined;
  const found = childrenOf(read.root, "node").find(({ attributes }) => attributes["id"] === id);
  if (found === undefined) process.stderr.write(`stonith_admin: there is no node with the id ${id}\n`);
  return found?.attributes["uname"];
}

function aboutAgent({ agent, metadata, option = [], "env-option": names = [], quiet }: Values, end: End): number {
  if (agent === undefined) return refuse("Please specify an agent to query using -a,--agent [value]");
  const isElse = "stonith_admin -I lists those that there are";
  if (metadata === true) {
    const told = fencingMetadata(agent) ?? `No such device ${agent}; ${isElse}`;
    if (typeof told === "string")
      return end({ code: FIELD_EXIT.notFound, errors: [`Can't get fence agent meta-data: ${told}`] });
    say(printXml(told));
    return EXIT.done;
  }
  const bad = option.find((pair) => !pair.includes("="));
  if (bad !== undefined) return refuse(`-o ${bad}: write NAME=VALUE`);
  const given = option.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)] as const);
  const found = names.map((name) => [name, entryOf(process.env, `OCF_RESKEY_${name}`) ?? ""] as const);
  const complaints = complaintsOf(agent, Object.fromEntries([...given, ...found]));
  if (complaints === undefined) {
    const lines = [`Validation of ${agent} failed`, `Agent ${agent} not found; ${isElse}`];
    return end({ code: FIELD_EXIT.notFound, lines });
  }
  const isValid = complaints.length === 0;
  if (quiet !== true) {
    say(`Validation of ${agent} ${isValid ? "succeeded" : "failed"}`);
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  }
  return isValid ? EXIT.done : EXIT.refused;
}

/** Answers in the form that was asked for, and gives the exit code. */
type End = (answer: Answer) => number;

/** The last known look at it, by whichever node has to use it. */
function standingOf({ fencing }: StatusReport, id: string): Answer {
  if (!fencing.devices.some((device) => device.id === id)) return { code: FIELD_EXIT.notFound };
  const failing = fencing.proofs.filter(({ device, state }) => device === id && state !== "proven" && state !== "new");
  const errors = failing.map(({ node, state, reason }) => `${id} is ${state} for ${node}: ${reason ?? ""}`);
  return { code: errors.length === 0 ? EXIT.done : EXIT.refused, errors };
}

function query(values: Values, status: StatusReport): Answer | undefined {
  const { devices, history } = status.fencing;
  const { history: node, last, list, query: device, "list-targets": targetsOf } = values;
  const found = (those: typeof devices): Answer => ({ code: EXIT.done, list: registered(those.map(({ id }) => id)) });
  if (node !== undefined && values.quiet === true) return { code: EXIT.done, lines: [epochOf(history, node)] };
  if (node !== undefined) return { code: EXIT.done, lines: historyLines(history, node, values.verbose !== undefined) };
  if (last !== undefined) return { code: EXIT.done, lines: [lastFencedLine(history, last)] };
  if (values["list-registered"] === true) return found(devices);
  // A device without targets is a person, who can see to any node.
  if (list !== undefined)
    return found(devices.filter((each) => each.targets.length === 0 || each.targets.includes(list)));
  if (device !== undefined) return standingOf(status, device);
  if (targetsOf === undefined) return undefined;
  const known = devices.find(({ id }) => id === targetsOf);
  if (known !== undefined) return { code: EXIT.done, list: targets(known.targets) };
  return { code: FIELD_EXIT.notFound, errors: [`Couldn't list targets: No such device ${targetsOf}`] };
}

/** Runs `stonith_admin ...`. */
export async function run(argv: readonly string[]): Promise<number> {
  let values: Values;
  try {
    // The two short options of its help that are no letters.
    const known: Readonly<Record<string, string>> = { "-$": "--version", "-?": "--help" };
    const words = argv.map((word) => (/^--help-[a-z]+$/.test(word) ? "--help" : (entryOf(known, word) ?? word)));
    // A value that begins with a dash has to stand with its option.
    const args = words
      .join("\0")
      .replace(/(^|\0)(?:-y|--delay)\0-1(?=\0|$)/, "$1--delay=-1")
      .split("\0");
    ({ values } = parseArgs({ args: words.length === 0 ? [] : args, options: OPTIONS }));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  if (values.version === true || values.help === true) {
    say(values.help === true ? `usage: ${USAGE}` : `stonith_admin of gemel ${VERSION}`);
    return EXIT.done;
  }
  const form: Form = values["output-as"] === "xml" ? "xml" : "text";
  const badOutput = refuseOutput(form === "xml" ? { ...values, "output-as": "text" } : values);
  if (badOutput !== undefined) return refuse(badOutput);
  const end: End = (answer) => tell(form, ["stonith_admin", ...argv].join(" "), answer);
  if (Object.keys(values).some((name) => name.startsWith("html-")))
    return refuse("only text is written here: the web page of the cluster is crm_mon --output-as=html");
  const [elsewhere] = Object.entries(BY_CONFIGURATION).filter(([name]) => Object.hasOwn(values, name));
  if (elsewhere !== undefined) return refuse(elsewhere[1]);
  if (values.metadata === true || values.validate === true) return aboutAgent(values, end);
  if (values["list-installed"] === true) return end({ code: EXIT.done, list: installed(fencingAgents()) });
  if (values.fence !== undefined) return fieldCode(await fence("off", values.fence, values));
  if (values.unfence !== undefined) return fieldCode(await fence("on", values.unfence, values));
  if (values.reboot !== undefined) return fieldCode(await fence("reboot", values.reboot, values));
  const { confirm } = values;
  const own = values.run === undefined ? [] : ["--run", values.run];
  // The exact name was typed as the option's value; the fencer refuses while the node still answers.
  if (confirm !== undefined) return fieldCode(await runCluster(["confirm", confirm, "--yes", confirm, ...own]));
  let { last } = values;
  if (values["as-node-id"] === true) {
    if (last === undefined) return refuse("-n says that the node of -h is a number");
    last = await nameOfNode(last, values.run);
    if (last === undefined) return FIELD_EXIT.notFound;
  }
  const asksStatus = ["history", "last", "list-registered", "list", "query", "list-targets"];
  if (!asksStatus.some((name) => Object.hasOwn(values, name))) return refuse("say what to do");
  if (form === "xml" && (values.history !== undefined || last !== undefined))
    return refuse("the history is written as text here; for programs: gemel fence history --json");
  const asked = await askOrTell("stonith_admin", controlSocketPath(values.run), { kind: "status" });
  if (asked.kind === "failed") return fieldCode(asked.exitCode);
  const answer = query(last === undefined ? values : { ...values, last }, asked.value);
  return answer === undefined ? refuse("say what to do") : end(answer);
}
