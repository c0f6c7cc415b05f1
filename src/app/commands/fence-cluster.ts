/**
 * The part of `gemel fence` that asks the running cluster: certificates, proofs, drills, and fencing by hand.
 * Exit codes: 0 done, confirmed or proven; 1 refused, not done or not proven; 2 unknown (assume that the node still
 * runs); 69 no manager.
 */
import { readlinkSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import type { Evidence } from "../../fencing/core/driver.ts";
import { readCommandLine } from "../control-client.ts";
import type { DeviceCertificate, FencingRecord, ProofStatus } from "../fencing-report.ts";
import { askAndPrint, askOrTell, EXIT, wrongCall } from "./ask.ts";

export const CLUSTER_USAGE = `gemel fence history [--json] | proofs | prove [DEVICE]   (all with [--run DIR])
       gemel fence confirm NODE [--yes NODE] | off|on|reboot NODE [--no-delay] | drill NODE [--level N] [--yes NODE]`;

/** A topology with retries may take minutes; the fencer bounds itself. */
const FENCE_WAIT_MS = 20 * 60_000;
/** One look at each device, side by side. */
const PROVE_WAIT_MS = 3 * 60_000;
const UNKNOWN = 2;
const WORDS = ["history", "proofs", "prove", "confirm", "off", "on", "reboot", "drill"];

export function isClusterWord(word: string | undefined): boolean {
  return WORDS.includes(word ?? "");
}

const date = (wallMs: number) => new Date(wallMs).toISOString();

/** What was asked and answered; the same answer in a row is one line, with its first and last time. */
export function evidenceLine({ atWallMs, lastWallMs, asked, answered }: Evidence): string {
  const until = lastWallMs === atWallMs ? "" : ` (so until ${date(lastWallMs).slice(11, 23)})`;
  return `${date(atWallMs).slice(11, 23)}  ${asked}: ${answered}${until}`;
}

function deviceLines({ device, driver, action, outcome, reason, evidence }: DeviceCertificate): string[] {
  const lines = evidence.map((each) => `        ${evidenceLine(each)}`);
  return [`    ${device} (${driver}): ${action} ${outcome}: ${reason}`, ...lines];
}

/** The certificate: who asked, which device, what it was asked, what was read back, when. */
function printRecord(record: FencingRecord): string {
  const { target, action, outcome, device, atWallMs, by, evidence, node, endedWallMs, devices } = record;
  const how = device === "" ? "" : ` by ${device}`;
  const where = node === undefined ? "" : ` on ${node}`;
  const took = endedWallMs === undefined ? "" : `; it took ${((endedWallMs - atWallMs) / 1_000).toFixed(1)} s`;
  const lines = devices === undefined || devices.length === 0 ? [`    ${evidence}`] : devices.flatMap(deviceLines);
  const head = `${date(atWallMs)}  ${action} of ${target}: ${outcome}${how}${where}, asked by ${by}${took}`;
  return `${[head, ...lines.filter((line) => line.trim() !== "")].join("\n")}\n`;
}

function printProof({ node, device, state, provenWallMs, expiresWallMs, switchedWallMs, reason }: ProofStatus): string {
  const parts = [
    provenWallMs === undefined ? "never seen well" : `seen well ${date(provenWallMs)}`,
    expiresWallMs === undefined ? "" : `counts until ${date(expiresWallMs)}`,
    switchedWallMs === undefined ? "never switched off by it" : `switched off by it ${date(switchedWallMs)}`,
    reason ?? "",
  ];
  return `${node}  ${device}: ${state}; ${parts.filter((part) => part !== "").join("; ")}\n`;
}

async function typeName(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Where nobody can type (a script, a closed terminal) the question is never answered; that is no success.
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("nothing")));
  const typed = await Promise.race([terminal.question(question), closed]);
  terminal.close();
  return typed;
}

/** Where the person sits: `ttyS0` is the serial console. Undefined for a script. */
function terminalName(): string | undefined {
  if (!process.stdin.isTTY) return undefined;
  try {
    return readlinkSync("/proc/self/fd/0")
      .replace(/^\/dev\//, "")
      .slice(0, 64);
  } catch {
    return undefined;
  }
}

function differs(typed: unknown, target: string): number {
  process.stderr.write(`gemel fence: ${String(typed)} is not ${target}: nothing was done\n`);
  return EXIT.refused;
}

/** Told before anybody is asked to go and look at a machine that there is not. */
async function refuseStranger(socketPath: string, target: string): Promise<number | undefined> {
  const asked = await askOrTell("gemel fence", socketPath, { kind: "status" });
  if (asked.kind === "failed") return asked.exitCode;
  const names = asked.value.nodes.map(({ name }) => name);
  if (names.includes(target)) return undefined;
  process.stderr.write(`gemel fence: there is no node ${target}; give one of ${names.join(", ")}\n`);
  return EXIT.refused;
}

async function confirm(socketPath: string, target: string, yes: unknown): Promise<number> {
  const stranger = yes === undefined ? await refuseStranger(socketPath, target) : undefined;
  if (stranger !== undefined) return stranger;
  if (yes === undefined)
    process.stdout.write(
      `You are about to say that ${target} has no power. Its resources will then be started elsewhere; if it still\n` +
        "runs, two nodes will write to the shared data and destroy it. Go and look at the machine.\n",
    );
  const typed = yes ?? (await typeName("Type the exact name of the node that has no power: "));
  if (typed !== target) return differs(typed, target);
  const terminal = terminalName();
  const where = terminal === undefined ? {} : { terminal };
  return await askAndPrint("gemel fence", socketPath, { kind: "fence-confirm", target, ...where });
}

function endWith(record: FencingRecord): number {
  process.stdout.write(printRecord(record));
  if (record.outcome === "confirmed") return EXIT.done;
  return record.outcome === "unknown" ? UNKNOWN : EXIT.refused;
}

async function drill(socketPath: string, target: string, level: number, yes: unknown): Promise<number> {
  if (yes === undefined)
    process.stdout.write(`${target} will lose its power and start anew, by the devices of level ${level}.\n`);
  const typed = yes ?? (await typeName("Type its exact name: "));
  if (typed !== target) return differs(typed, target);
  const asked = await askOrTell("gemel fence", socketPath, { kind: "fence-drill", target, level }, FENCE_WAIT_MS);
  return asked.kind === "failed" ? asked.exitCode : endWith(asked.value);
}

async function history(socketPath: string, asJson: boolean): Promise<number> {
  const asked = await askOrTell("gemel fence", socketPath, { kind: "fence-history" });
  if (asked.kind === "failed") return asked.exitCode;
  const { history: records } = asked.value;
  process.stdout.write(asJson ? `${JSON.stringify(records, null, 2)}\n` : records.map(printRecord).join(""));
  return EXIT.done;
}

function showProofs(proofs: readonly ProofStatus[]): number {
  process.stdout.write(
    proofs.length === 0 ? "there is no fencing device to be proven\n" : proofs.map(printProof).join(""),
  );
  return proofs.length > 0 && proofs.every(({ state }) => state === "proven" || state === "new")
    ? EXIT.done
    : EXIT.refused;
}

async function proofs(socketPath: string): Promise<number> {
  const asked = await askOrTell("gemel fence", socketPath, { kind: "status" });
  return asked.kind === "failed" ? asked.exitCode : showProofs(asked.value.fencing.proofs);
}

async function prove(socketPath: string, device: string | undefined): Promise<number> {
  const request = { kind: "fence-prove", ...(device === undefined ? {} : { device }) } as const;
  const asked = await askOrTell("gemel fence", socketPath, request, PROVE_WAIT_MS);
  return asked.kind === "failed" ? asked.exitCode : showProofs(asked.value.proofs);
}

export async function runCluster(argv: readonly string[]): Promise<number> {
  const options = {
    json: { type: "boolean" },
    yes: { type: "string" },
    level: { type: "string" },
    "no-delay": { type: "boolean" },
  } as const;
  const called = readCommandLine(argv, options);
  if (called.kind === "wrong") return wrongCall("gemel fence", called.reason, CLUSTER_USAGE);
  const { socketPath, words, flags } = called;
  const [word, target] = words;
  if (words.length === 1 && word === "history") return await history(socketPath, flags.json === true);
  if (words.length === 1 && word === "proofs") return await proofs(socketPath);
  if (words.length <= 2 && word === "prove") return await prove(socketPath, target);
  if (target === undefined || words.length !== 2) return wrongCall("gemel fence", "say which node", CLUSTER_USAGE);
  if (word === "confirm") return await confirm(socketPath, target, flags.yes);
  if (word === "drill") {
    const level = Number(flags.level ?? "1");
    if (Number.isInteger(level) && level >= 1) return await drill(socketPath, target, level, flags.yes);
    return wrongCall("gemel fence", `--level ${String(flags.level)}: write a number from 1`, CLUSTER_USAGE);
  }
  if (word !== "off" && word !== "on" && word !== "reboot")
    return wrongCall("gemel fence", `there is no ${word}`, CLUSTER_USAGE);
  const more = flags["no-delay"] === true ? { withoutDelay: true } : {};
  const request = { kind: "fence", target, action: word, ...more } as const;
  const asked = await askOrTell("gemel fence", socketPath, request, FENCE_WAIT_MS);
  return asked.kind === "failed" ? asked.exitCode : endWith(asked.value);
}
