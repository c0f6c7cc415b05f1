/**
 * One call of the program in this process, with all that it could do to it taken back: what it says goes nowhere,
 * nobody is at the terminal, the environment is as it was. A fault is an exception, an exit code that is none, an end
 * of the process by its own hand, an answer that does not come, or a CIB file that is none any more.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { runCommand } from "../../src/app/commands/index.ts";
import { parseXml, printXml } from "../../src/base/xml.ts";
import { sourceCib } from "../cluster/monitor/source-cib.ts";

/** None of these calls waits for anybody; a loaded machine is slow. */
const ANSWER_MAX_MS = 60_000;
const STACK_LINES = 4;

export interface LineWorld {
  /** The fault; undefined when all was well. */
  readonly tryLine: (program: string, argv: readonly string[]) => Promise<string | undefined>;
  /** How often each exit code was answered. */
  readonly codes: ReadonlyMap<number, number>;
  readonly folder: string;
  readonly close: () => void;
}

export const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, STACK_LINES).join(" ") : String(error);

class Exited extends Error {}

/** In place: the system reads the process's own environment, not an object put in its stead. */
function setEnvironment(wanted: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(wanted, name)) delete process.env[name];
  for (const [name, value] of Object.entries(wanted)) if (process.env[name] !== value) process.env[name] = value;
}

/** Another value in its stead, until the answer is called. */
function replaced(owner: object, name: string, value: PropertyDescriptor): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { configurable: true, ...value });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, before);
  };
}

const silent = { value: () => true, writable: true };
const exit = {
  value: () => {
    throw new Exited();
  },
  writable: true,
};

/** A folder with a CIB file that stands for the cluster. The process belongs to it until it is closed. */
export function openLineWorld(): LineWorld {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-fuzz-"));
  const file = path.join(folder, "cib.xml");
  const original = printXml(sourceCib({ node01: "failed" }));
  const before = { env: { ...process.env }, cwd: process.cwd() };
  const codes = new Map<number, number>();
  const nobody = path.join(folder, "none");
  // A line may name any file to write to.
  process.chdir(folder);

  async function answer(program: string, argv: readonly string[]): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), ANSWER_MAX_MS);
    });
    try {
      const code = await Promise.race([runCommand(program, argv), late]);
      if (code === "late") return `no answer within ${ANSWER_MAX_MS / 1000} s`;
      if (!Number.isInteger(code)) return `the exit code ${String(code)}`;
      codes.set(code, (codes.get(code) ?? 0) + 1);
      return parseXml(readFileSync(file, "utf8")).kind === "xml" ? undefined : "the CIB file is none any more";
    } catch (error) {
      return error instanceof Exited ? `it ends the process: ${stackOf(error)}` : stackOf(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async function tryLine(program: string, argv: readonly string[]): Promise<string | undefined> {
    writeFileSync(file, original);
    setEnvironment({ ...before.env, HOME: folder, GEMEL_RUN: nobody, CIB_file: file, CIB_shadow_dir: folder });
    const restores = [
      replaced(process.stdout, "write", silent),
      replaced(process.stderr, "write", silent),
      replaced(process, "exit", exit),
      replaced(process, "stdin", { get: () => Readable.from([]) }),
    ];
    try {
      return await answer(program, argv);
    } finally {
      for (const restore of restores) restore();
      setEnvironment(before.env);
    }
  }

  const close = () => {
    process.chdir(before.cwd);
    rmSync(folder, { recursive: true });
  };
  return { tryLine, codes, folder, close };
}
