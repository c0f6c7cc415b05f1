/**
 * Process groups that were killed and are still there: only the kernel holds them (a disk that hangs), and what they
 * had begun may yet be done, whenever it lets them go on. Whoever wants to say that nothing of theirs will come any
 * more has to ask here first.
 */
import { readdirSync } from "node:fs";
import process from "node:process";
import { readProcessStat } from "./process-stat.ts";

export interface LingeringProcess {
  readonly pid: number;
  readonly command: string;
  /** As /proc names it; `D` waits in the kernel. */
  readonly state: string;
}

interface Lingering {
  readonly group: number;
  /** Called once nothing is left of it. */
  readonly onGone: () => void;
}

const byOwner = new Map<string, readonly Lingering[]>();

/** Ended, and only not taken note of yet by its parent: it does nothing any more. */
const ENDED = /^[ZX]$/;

function hasMembers(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

/** What still runs, or hangs, of a process group. */
export function membersOf(group: number): readonly LingeringProcess[] {
  if (!hasMembers(group)) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readProcessStat(Number(name));
      if (stat?.group !== group || ENDED.test(stat.state)) return [];
      return [{ pid: Number(name), command: stat.command, state: stat.state }];
    });
}

/** The group has had its KILL; it may be gone in a moment, or never. */
export function noteLingering(owner: string, group: number, onGone: () => void = () => {}): void {
  const others = (byOwner.get(owner) ?? []).filter((one) => one.group !== group);
  byOwner.set(owner, [...others, { group, onGone }]);
}

/** What is still there of all that was killed for that owner. */
export function lingeringOf(owner: string): readonly LingeringProcess[] {
  const noted = byOwner.get(owner) ?? [];
  const found = noted.map((one) => ({ one, members: membersOf(one.group) }));
  for (const { one, members } of found) if (members.length === 0) one.onGone();
  const left = found.filter(({ members }) => members.length > 0);
  if (left.length > 0) {
    byOwner.set(
      owner,
      left.map(({ one }) => one),
    );
  } else byOwner.delete(owner);
  return left.flatMap(({ members }) => members);
}
