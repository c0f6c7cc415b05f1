/**
 * `stonith_admin` beside Debian's, call by call: exit code, and what it prints. Debian's asks its own fencer, started
 * alone in a network namespace with two devices; ours asks a manager that has the same two.
 * Not compared: what changes the fencer's memory (-R, -D, -r, -d, -c), which is configuration here; the words of wrong
 * calls and of agents that are missing, which say more here; and -H, -h beyond "never".
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StatusReport } from "../../../src/app/control-protocol.ts";
import { type ControlServer, openControlServer } from "../../../src/app/manager/control-server.ts";
import { hasFieldTools, type Ran, runHere } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const hasFencer = existsSync("/usr/lib/pacemaker/pacemaker-fenced") && hasFieldTools();
const isSkipped = skips(process.getuid?.() !== 0 || !hasFencer, "it needs root and Debian's pacemaker 2.1.5");

/** `words`: what is printed must be the same, too. */
const CALLS: readonly (readonly [call: string, how: "words" | "code"])[] = [
  ["-L", "words"],
  ["-L -V", "words"],
  ["-L --output-as=xml", "words"],
  ["--list-registered --output-as=text", "words"],
  ["-l n2", "words"],
  ["-l n9", "words"],
  ["--list=n1 --output-as=xml", "words"],
  ["-l n9 --output-as=xml", "words"],
  ["-s d9", "code"],
  ["-s d9 --output-as=xml", "code"],
  ["-Q d1", "words"],
  ["-Q d1 --output-as=xml", "words"],
  ["-Q d9", "words"],
  ["-Q d9 --output-as=xml", "words"],
  ["-H n1", "words"],
  ["-H *", "words"],
  ["--history n9 -V", "words"],
  ["-h n9", "words"],
  ["-I", "code"],
  ["-I --output-as=xml", "code"],
  ["-M", "code"],
  ["-M -a fence_nosuch", "code"],
  ["-M -a fence_ipmilan", "code"],
  ["-K", "code"],
  ["-K -a fence_nosuch", "code"],
  ["-K -a fence_ipmilan", "code"],
  ["-F", "code"],
  ["-s", "code"],
  ["--bogus", "code"],
  ["-y abc -F n1", "code"],
  ["-t abc -F n1", "code"],
  ["-o a -K", "code"],
  ["-i 3", "code"],
  ["-v d", "code"],
  ["-T x", "code"],
  ["-q", "code"],
  ["-b", "code"],
  ["-c", "code"],
  ["-n", "code"],
  ["-a x", "code"],
  ["-R d", "code"],
  ["stray", "code"],
  ["--version", "code"],
  ["-$", "code"],
  ["-?", "code"],
  ["--help-all", "code"],
  ["--help-queries", "code"],
  ["-L --output-as=nosuch", "code"],
];

/** Where Debian's has the standing of a defect: it takes words that it knows nothing of, or says 1 for a wrong call. */
const BETTER: readonly string[] = ["-L --output-as=nosuch"];

const FENCER = `ip link set lo up && mount -t tmpfs none /run && mkdir -p /run/crm && chmod 777 /run /run/crm
/usr/lib/pacemaker/pacemaker-fenced -s -l /dev/null >/dev/null 2>&1 & fencer=$!
tries=0
until stonith_admin -L >/dev/null 2>&1 || [ $tries -gt 200 ]; do sleep 0.1; tries=$((tries+1)); done
stonith_admin -R d1 -a fence_dummy -o pcmk_host_list=n1 && stonith_admin -R d2 -a fence_dummy -o 'pcmk_host_list=n2 n3'
mark='====='; set -f
while IFS= read -r call; do
  printf '%s\\n' "$mark"; timeout 60 stonith_admin $call </dev/null 2>/dev/null; echo "$mark $?"
done
kill $fencer`;

function askTheirs(): ReadonlyMap<string, Ran> {
  const input = `${CALLS.map(([call]) => call).join("\n")}\n`;
  const argv = ["-n", "-m", "--propagation", "private", "sh", "-c", FENCER];
  const env = { ...process.env, TZ: "UTC", LC_ALL: "C" };
  const { stdout } = spawnSync("unshare", argv, { input, env, encoding: "utf8", timeout: 240_000 });
  const parts = [...stdout.matchAll(/=====\n([\s\S]*?)===== (\d+)\n/g)];
  return new Map(
    CALLS.map(([call], at) => [call, { output: parts[at]?.[1] ?? "", code: Number(parts[at]?.[2]), errors: "" }]),
  );
}

const device = (id: string, targets: readonly string[]) => ({ id, driver: "fence-agent", targets, boundMs: 1_000 });
const STATUS = {
  nodes: [],
  fencing: {
    devices: [device("d2", ["n2", "n3"]), device("d1", ["n1"])],
    history: [],
    proofs: [],
  },
} as unknown as StatusReport;

let folder = "";
let server: ControlServer | undefined;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "stonith-bulk-"));
  const status = () => Promise.resolve(() => STATUS);
  server = await openControlServer(folder, () => Promise.resolve({ kind: "answer", value: STATUS }), status);
});
afterAll(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** In which order Debian's has its devices nobody can know from outside. */
const sorted = (text: string) =>
  text
    .replace(/ request="[^"]*"/, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .toSorted();

test.skipIf(isSkipped)("ends and speaks as Debian's does, call by call", { timeout: 300_000 }, async () => {
  const theirs = askTheirs();
  const differing: string[] = [];
  for (const [call, how] of CALLS) {
    const [other, mine] = [theirs.get(call), await runHere(["stonith-admin", ...call.split(" "), "--run", folder])];
    if (mine.code !== other?.code && !BETTER.includes(call))
      differing.push(`${call}: ${mine.code}, not ${other?.code}`);
    if (how === "words" && other !== undefined && sorted(mine.output).join("\n") !== sorted(other.output).join("\n"))
      differing.push(`${call}: ${mine.output}, not ${other.output}`);
  }
  expect(differing).toEqual([]);
});
