/**
 * A resource that is nothing but its monitor (ping, VIPcheck) is "running" when it was started: noted in a file of the
 * run directory, which outlives a crash of the manager, so that its dependents are not restarted, and no boot.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { AgentCall } from "./contract.ts";

type Place = Pick<AgentCall, "instance" | "runDirectory">;

function fileOf({ instance, runDirectory }: Place): string {
  return path.join(runDirectory, "resource-agents", `${instance}.started`);
}

export function mark(call: Place): void {
  const file = fileOf(call);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "");
}

export function unmark(call: Place): void {
  rmSync(fileOf(call), { force: true });
}

export function isMarked(call: Place): boolean {
  return existsSync(fileOf(call));
}
