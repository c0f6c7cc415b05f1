/** What /proc/PID/stat says of a process. Fact: proc(5); the name in field 2 may hold blanks and parentheses. */
import { readFileSync } from "node:fs";

export interface ProcessStat {
  readonly command: string;
  /** `D` waits in the kernel, `Z` and `X` have ended. */
  readonly state: string;
  readonly group: number;
  /** In clock ticks since boot: with the process id it names one process for good. */
  readonly startTime: string;
}

/** Undefined when there is no such process. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const nameEnd = stat.lastIndexOf(")");
    const command = stat.slice(stat.indexOf("(") + 1, nameEnd);
    const fields = stat.slice(nameEnd + 2).split(" ");
    return { command, state: fields[0] ?? "?", group: Number(fields[2]), startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}
