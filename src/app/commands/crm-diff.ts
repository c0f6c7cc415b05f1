/**
 * `gemel crm-diff`, also `crm_diff`: the difference of two XML documents as a patch, and its application.
 * Facts: crm_diff(8); output and exit codes of crm_diff 2.1.5. Its old format 1, for what is no CIB, is not written.
 */
import process from "node:process";
import { parseXml, printXml, type XmlElement } from "../../base/xml.ts";
import { versionedDigest } from "../../cluster/core/cib-store/cib-digest.ts";
import { applyPatch, makePatch } from "../../cluster/core/cib-store/patch-set.ts";
import { readCommandLine } from "../control-client.ts";
import { terminal } from "../crm/terminal.ts";
import { EXIT, wrongCall } from "./ask.ts";

const USAGE = "crm_diff (-o FILE | -O XML) (-n FILE | -N XML | -p PATCH) [-c] [-u] [-s]";
const FLAGS = {
  original: { type: "string", short: "o" },
  "original-string": { type: "string", short: "O" },
  new: { type: "string", short: "n" },
  "new-string": { type: "string", short: "N" },
  patch: { type: "string", short: "p" },
  cib: { type: "boolean", short: "c" },
  stdin: { type: "boolean", short: "s" },
  "no-version": { type: "boolean", short: "u" },
  verbose: { type: "boolean", short: "V" },
} as const;
const UNREADABLE = 65;

/** The document of a file or of the call itself; undefined when it is none (told already). */
function read(file: unknown, text: unknown, which: string): XmlElement | undefined {
  const source = typeof text === "string" ? text : terminal.readText(typeof file === "string" ? file : "");
  const found = source === undefined ? undefined : parseXml(source);
  if (found?.kind === "xml") return found.root;
  if (found !== undefined)
    process.stderr.write(`crm_diff: the ${which} is not XML: line ${found.line}: ${found.reason}\n`);
  return undefined;
}

/** Exit codes: 0 equal, or patched; 1 they differ; 64 wrong call; 65 not readable, or the patch does not fit. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_diff", called.reason, USAGE);
  const { flags } = called;
  const isFromInput = flags.stdin === true;
  const original = flags.original ?? (isFromInput ? "-" : undefined);
  if (original === undefined && flags["original-string"] === undefined)
    return wrongCall("crm_diff", "which original? -o FILE or -O XML", USAGE);
  if (flags.new === undefined && flags["new-string"] === undefined && flags.patch === undefined)
    return wrongCall("crm_diff", "compare with what? -n FILE, -N XML, or -p PATCH", USAGE);
  const before = read(original, flags["original-string"], "original");
  if (before === undefined) return UNREADABLE;
  const other =
    flags.patch === undefined
      ? read(flags.new, flags["new-string"], "new document")
      : read(flags.patch, undefined, "patch");
  if (other === undefined) return UNREADABLE;
  if (flags.patch !== undefined) {
    const patched = applyPatch(before, other);
    if (patched.kind === "patched") {
      terminal.out(printXml(patched.root));
      return EXIT.done;
    }
    process.stderr.write(`crm_diff: ${patched.problem.place}: ${patched.problem.reason}; ${patched.problem.remedy}\n`);
    return UNREADABLE;
  }
  if (before.name !== other.name) {
    process.stderr.write(`crm_diff: <${before.name}> and <${other.name}> cannot be compared\n`);
    return UNREADABLE;
  }
  const digest = flags.cib === true ? { digest: versionedDigest(other) } : {};
  const patch = makePatch(before, other, { isVersionless: flags["no-version"] === true, ...digest });
  if (patch === undefined) return EXIT.done;
  terminal.out(printXml(patch));
  return EXIT.refused;
}
