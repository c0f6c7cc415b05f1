/** A command of ours in this process, and the field's as a process, on the same environment: for tests that compare. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { vi } from "vitest";
import { runCommand } from "../../src/app/commands/index.ts";

export interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** `env` holds for this one run. */
export async function runHere(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const said = { output: "", errors: "" };
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said.output += String(text);
    return true;
  });
  const error = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.errors += String(text);
    return true;
  });
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  try {
    const code = await runCommand("gemel", argv);
    return { code, ...said };
  } finally {
    vi.unstubAllEnvs();
    out.mockRestore();
    error.mockRestore();
  }
}

/** Some wait for a cluster for ever. */
const THEIR_WAIT_MS = 60_000;

export function runTheirs(argv: readonly string[], env: Readonly<Record<string, string>> = {}, input = ""): Ran {
  const [file = "", ...rest] = argv;
  const environment = { ...process.env, TZ: "UTC", LC_ALL: "C", ...env };
  const { stdout, stderr, status } = spawnSync(file, rest, {
    env: environment,
    encoding: "utf8",
    input,
    timeout: THEIR_WAIT_MS,
    killSignal: "SIGKILL",
  });
  return { code: status, output: stdout ?? "", errors: stderr ?? "" };
}

/** Whether Debian's tools of the version that the tests compare with are here. */
export function hasFieldTools(): boolean {
  const { stdout } = spawnSync("cibadmin", ["--version"], { encoding: "utf8" });
  const found = stdout?.includes("2.1.5") === true;
  if (!found) process.stderr.write("no comparison with Debian's tools: pacemaker-cli-utils 2.1.5 is not here\n");
  return found;
}
