/** What the commands that talk to the manager have in common: ask, and say what went wrong in one way. */
import process from "node:process";
import type { Problem } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { childOf, parseXml, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { applyOperations } from "../../cluster/core/cib-store/operations.ts";
import type { ConfigurationOperation } from "../../cluster/core/cib-store/types.ts";
import { configurationVersion } from "../../cluster/core/controller/cib-read.ts";
import { askCib, CIB_FILE, NO_CIB_FILE } from "../cib-door.ts";
import { answerWaitMs, type ControlReply } from "../control-client.ts";
import type { ControlAnswers, ControlRequest, RequestKind } from "../control-protocol.ts";
import { inOperatorsWords, tellProblem } from "../japanese/translate.ts";
import { waitText, withProgress } from "../progress.ts";

/** As the field's own tools end (sysexits.h and Pacemaker's), beside EXIT, for the commands that have their names. */
export const FIELD_EXIT = {
  wrongValue: 70,
  invalid: 78,
  disconnected: 102,
  stale: 103,
  notFound: 105,
  unsafe: 107,
  exists: 108,
} as const;
export const EXIT = { done: 0, refused: 1, unreachable: 69, wrongCall: 64 } as const;

export type Asked<Value> =
  | { readonly kind: "answer"; readonly value: Value }
  | { readonly kind: "failed"; readonly exitCode: number };

/** The answer; or the reason on standard error, and the exit code that says so. */
export async function askOrTell<Kind extends RequestKind>(
  tool: string,
  socketPath: string,
  request: ControlRequest & { readonly kind: Kind },
  waitMs: number = answerWaitMs(request),
): Promise<Asked<ControlAnswers[Kind]>> {
  const reply = await withProgress(tool, waitText(request), askCib<Kind>(socketPath, request, waitMs));
  if (reply.kind !== "answer") return { kind: "failed", exitCode: tellReply(tool, reply) };
  tellCautions(tool, reply);
  return reply;
}

/** Why there was no answer, on standard error; the exit code that says so. */
export function tellReply(tool: string, reply: Exclude<ControlReply<never>, { kind: "answer" }>): number {
  const reasons = reply.kind === "refused" ? reply.problems.map(tellProblem) : [inOperatorsWords(reply.reason)];
  for (const reason of reasons) process.stderr.write(`${tool}: ${reason}\n`);
  if (FIELD_TOOL.test(tool)) return fieldCode(reply);
  return reply.kind === "refused" ? EXIT.refused : EXIT.unreachable;
}

/** Scripts tell by the code of these what has happened, as they did before. */
const FIELD_TOOL = /^(?:crm_|crmadmin$|cibadmin$|attrd_updater$)/;

/** What a refusal complains of, and how the field's tools end then: 105 not there, 108 so already, 64 wrong call. */
const CODE_OF_PLACE: Readonly<Record<string, number>> = {
  node: FIELD_EXIT.notFound,
  resource: FIELD_EXIT.notFound,
  [NO_CIB_FILE]: FIELD_EXIT.notFound,
  "resource move": FIELD_EXIT.exists,
  "which node": EXIT.wrongCall,
  lifetime: EXIT.wrongCall,
};

function fieldCode(reply: Exclude<ControlReply<never>, { kind: "answer" }>): number {
  if (reply.kind === "unreachable") return FIELD_EXIT.disconnected;
  const [place = ""] = reply.problems.map((each) => each.place);
  if (place.startsWith(CIB_FILE) || place.startsWith("/")) return FIELD_EXIT.invalid;
  return entryOf(CODE_OF_PLACE, place) ?? EXIT.refused;
}

function tellCautions(tool: string, { cautions = [] }: { readonly cautions?: readonly Problem[] }): void {
  for (const caution of cautions) process.stderr.write(`${tool}: ${tellProblem(caution)}\n`);
}

/** The whole CIB, wherever it is; the exit code when there is none. */
export async function fetchCib(tool: string, socketPath: string): Promise<XmlElement | number> {
  const asked = await askOrTell(tool, socketPath, { kind: "cib-query" });
  if (asked.kind === "failed") return asked.exitCode;
  const read = parseXml(asked.value.xml);
  if (read.kind === "xml") return read.root;
  process.stderr.write(`${tool}: the CIB is not XML: ${read.reason}\n`);
  return EXIT.refused;
}

/** Others may change the configuration between our reading and our writing; then it is read anew. */
const CHANGE_TRIES = 5;

/** A change that is computed on the configuration as it is now; all or nothing. Answers the exit code. */
export async function changeCib(
  tool: string,
  socketPath: string,
  make: (cib: XmlElement) => readonly ConfigurationOperation[],
): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const cib = await fetchCib(tool, socketPath);
    if (typeof cib === "number") return cib;
    const applied = applyOperations(childOf(cib, "configuration") ?? xml("configuration"), make(cib));
    if (applied.kind === "invalid") {
      for (const problem of applied.problems) process.stderr.write(`${tool}: ${tellProblem(problem)}\n`);
      return EXIT.refused;
    }
    const request = {
      kind: "cib-apply",
      mode: "replace",
      xml: printXml(applied.value),
      base: configurationVersion(cib),
      door: tool,
    } as const;
    const reply = await withProgress(tool, waitText(request), askCib(socketPath, request));
    if (reply.kind === "answer") {
      tellCautions(tool, reply);
      return EXIT.done;
    }
    const isStale = reply.kind === "refused" && reply.problems.some(({ place }) => place === "base");
    if (isStale && tries < CHANGE_TRIES) continue;
    return tellReply(tool, reply);
  }
}

/** For requests that are answered with one line of text. */
export async function askAndPrint(
  tool: string,
  socketPath: string,
  request: ControlRequest & {
    readonly kind: "node" | "resource" | "attribute" | "fence-confirm" | "config-confirm";
  },
  waitMs?: number,
): Promise<number> {
  const asked = await askOrTell(tool, socketPath, request, waitMs);
  if (asked.kind === "failed") return asked.exitCode;
  process.stdout.write(`${inOperatorsWords(asked.value.text)}\n`);
  return EXIT.done;
}

/** Options of the field's tools that are not carried out here, each with its reason and what to do instead. */
export function refusedFlag(
  flags: Readonly<Record<string, unknown>>,
  reasons: Readonly<Record<string, string>>,
): string | undefined {
  const name = Object.keys(reasons).find((each) => entryOf(flags, each) !== undefined);
  return name === undefined ? undefined : `--${name}: ${entryOf(reasons, name) ?? ""}`;
}

export function wrongCall(tool: string, reason: string, usage: string): number {
  process.stderr.write(`${tool}: ${reason}\nusage: ${usage}\n`);
  return EXIT.wrongCall;
}
