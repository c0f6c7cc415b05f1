/** Programs that a built-in agent needs, each bounded by the operation it serves: a hung one is ended with it. */
import { runProcess } from "../../../hw/edge/child-process.ts";
import { ownerOf } from "../lingering-operations.ts";
import { type AgentCall, noteDirectory } from "./contract.ts";

export interface ToolEnd {
  /** The exit code; undefined when it was ended, killed or could not be started. */
  readonly code: number | undefined;
  readonly output: string;
  /** What it said on standard error, in one line; or why it said nothing. */
  readonly reason: string;
}

const REASON_LENGTH_MAX = 300;
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };

export type ToolCall = Pick<AgentCall, "signal" | "timeoutMs" | "runDirectory" | "operation" | "instance">;

/** Resolves always; at the latest two seconds after the operation's end. */
export async function runTool(
  { signal, timeoutMs, runDirectory, operation, instance }: ToolCall,
  file: string,
  argv: readonly string[],
): Promise<ToolEnd> {
  if (signal.aborted) return { code: undefined, output: "", reason: `no time left for ${file}` };
  const order = { file, argv, environment: ENVIRONMENT, timeoutMs, noteIn: noteDirectory(runDirectory) };
  const child = runProcess({ ...order, ...ownerOf(operation, instance) });
  const kill = () => child.kill();
  signal.addEventListener("abort", kill, { once: true });
  const { end, output, errors, stuck } = await child.done;
  signal.removeEventListener("abort", kill);
  // Tools explain themselves in several lines; mount adds one that helps nobody.
  const lines = errors.split("\n").filter((line) => line.trim() !== "" && !line.includes("dmesg(1)"));
  const words = lines
    .map((line) => line.trim())
    .join("; ")
    .slice(-REASON_LENGTH_MAX);
  switch (end.kind) {
    case "exit":
      return { code: end.code, output, reason: words === "" ? `${file} ended with ${end.code}` : words };
    case "signal":
      return { code: undefined, output, reason: `${file} was ended by ${end.signal}` };
    case "not-started":
      return { code: undefined, output, reason: `${file} cannot be run: ${end.reason}` };
    case "timeout":
    case "killed":
      return { code: undefined, output, reason: stuck === "" ? `${file} did not end in time` : stuck };
  }
}
