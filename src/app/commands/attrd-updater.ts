/**
 * `gemel attrd-updater`, also `attrd_updater`: transient attributes with dampening; agents like ping call it.
 * Facts: attrd_updater(8); output of attrd_updater 2.1.5.
 */
import process from "node:process";
import { type XmlElement, xml } from "../../base/xml.ts";
import { parseDurationMs } from "../../cluster/core/scheduler/facts/values.ts";
import { readCommandLine, refuseOutput } from "../control-client.ts";
import { askOrTell, EXIT, FIELD_EXIT, wrongCall } from "./ask.ts";
import { nodeName } from "./crm-attribute.ts";
import { answeredInXml } from "./xml-answer.ts";

const USAGE = "attrd_updater -n NAME -U VALUE | -B VALUE -d DELAY | -Y -d DELAY | -Q [-A] | -D | -R  [-N NODE] [-p]";
const FLAGS = {
  name: { type: "string", short: "n" },
  update: { type: "string", short: "U" },
  "update-old": { type: "string", short: "v" },
  "update-both": { type: "string", short: "B" },
  "update-delay": { type: "boolean", short: "Y" },
  query: { type: "boolean", short: "Q" },
  delete: { type: "boolean", short: "D" },
  refresh: { type: "boolean", short: "R" },
  all: { type: "boolean", short: "A" },
  delay: { type: "string", short: "d" },
  set: { type: "string", short: "s" },
  section: { type: "string", short: "S" },
  node: { type: "string", short: "N" },
  lifetime: { type: "string", short: "l" },
  private: { type: "boolean", short: "p" },
  quiet: { type: "boolean", short: "q" },
  verbose: { type: "boolean", short: "V" },
  "output-as": { type: "string" },
  "output-to": { type: "string" },
} as const;

type Add = (element: XmlElement) => void;

async function query(socketPath: string, name: string, node: string | undefined, add?: Add): Promise<number> {
  const where = node === undefined ? {} : { node };
  const asked = await askOrTell("attrd_updater", socketPath, { kind: "attribute-query", name, ...where });
  if (asked.kind === "failed") return asked.exitCode;
  const { values } = asked.value;
  for (const { node: host, value } of values) {
    process.stdout.write(`name="${name}" host="${host}" value="${value}"\n`);
    add?.(xml("attribute", { name, value, host }));
  }
  if (values.length > 0) return EXIT.done;
  process.stderr.write("attrd_updater: Could not query value of the attribute: attribute does not exist\n");
  return FIELD_EXIT.notFound;
}

/** Exit codes: 0; 1 refused; 64 wrong call; 69 no manager; 105 there is none. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("attrd_updater", called.reason, USAGE);
  const isXml = called.flags["output-as"] === "xml";
  const refusal = refuseOutput(isXml ? { ...called.flags, "output-as": "text" } : called.flags);
  if (refusal !== undefined) return wrongCall("attrd_updater", refusal, USAGE);
  if (!isXml) return await answer(called);
  return await answeredInXml("attrd_updater", argv, (add) => answer(called, add));
}

async function answer(
  { socketPath, flags }: Extract<ReturnType<typeof readCommandLine>, { kind: "called" }>,
  add?: Add,
): Promise<number> {
  const { name, delay } = flags;
  // Everything is in the CIB already, or on its way.
  if (flags.refresh === true) return EXIT.done;
  if (typeof name !== "string") return wrongCall("attrd_updater", "which attribute? -n NAME", USAGE);
  const given = typeof flags.node === "string" ? flags.node : undefined;
  const values = [flags.update, flags["update-old"], flags["update-both"]].filter((value) => value !== undefined);
  const keeps = flags["update-delay"] === true;
  const isChange = values.length > 0 || flags.delete === true || keeps;
  if (!isChange && flags.all === true) return await query(socketPath, name, undefined, add);
  const node = await nodeName("attrd_updater", socketPath, given);
  if (typeof node === "number") return node;
  if (!isChange) return await query(socketPath, name, node, add);
  const dampenMs = typeof delay === "string" ? parseDurationMs(delay) : undefined;
  if (delay !== undefined && dampenMs === undefined)
    return wrongCall("attrd_updater", `-d ${String(delay)} is no time`, USAGE);
  if ((keeps || flags["update-both"] !== undefined) && dampenMs === undefined)
    return wrongCall("attrd_updater", "-B and -Y need a delay: -d SECONDS", USAGE);
  const [value] = values;
  const asked = await askOrTell("attrd_updater", socketPath, {
    kind: "attribute",
    node,
    name,
    lifetime: "reboot",
    keeps,
    ...(typeof value === "string" ? { value } : {}),
    ...(dampenMs === undefined ? {} : { dampenMs }),
    ...(flags.private === true ? { isPrivate: true } : {}),
  });
  return asked.kind === "failed" ? asked.exitCode : EXIT.done;
}
