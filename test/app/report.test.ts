/** The report of a real node: whole with its peer dead, and of a dead node from its disk; no secret is in either. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { skips } from "../support/skip.ts";
import { LOSING_TIMES, NODES, type NodePair, openNodePair } from "./node-pair.ts";

const asRoot = test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces"));
const SECRET = "Tr0ub4dor-and-3";
const CONFIGURATION = `primitive a ocf:gemel:Dummy params password="${SECRET}" \\
  op monitor interval=9s op start timeout=9s op stop timeout=9s
property no-quorum-policy=ignore stonith-enabled=false
`;

let open: NodePair | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

asRoot("log of the peer, timeline, report; then the peer is dead, and all but its log is there", async () => {
  const pair = openNodePair({ times: LOSING_TIMES, configuration: CONFIGURATION });
  open = pair;
  for (const node of NODES) pair.start(node);
  await pair.until("both online", async () => {
    const status = await pair.status("alpha");
    return status?.nodes.every(({ state }) => state === "online") === true && status.nodes.length === 2;
  });
  expect(pair.gemel("alpha", "crm", "configure", "property", `cluster-name=${SECRET}`).code).toBe(0);
  expect(pair.gemel("alpha", "log", "--node", "bravo").output).toContain("manager of bravo is up");
  const story = pair.gemel("alpha", "timeline").output;
  expect(story).toMatch(/alpha\+bravo|bravo\+alpha/);
  expect(story).toContain("configuration 0.");
  expect(story).not.toContain(SECRET);

  pair.cut("bravo");
  await pair.until("bravo is gone", async () => {
    const status = await pair.status("alpha");
    return status?.nodes.some(({ name, state }) => name === "bravo" && state !== "online") === true;
  });
  const archive = path.join(pair.folder, "evidence.tar.gz");
  const made = pair.gemel("alpha", "report", "-f", "1h", archive);
  expect(made).toMatchObject({ code: 0 });
  execFileSync("tar", ["-C", pair.folder, "-xzf", archive]);
  const root = path.join(pair.folder, "evidence");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" });
  for (const name of ["analysis.txt", "description.txt", "events.txt"]) expect(files).toContain(name);
  expect(readFileSync(path.join(root, "alpha/node.conf"), "utf8")).toContain("link heart udp");
  expect(readFileSync(path.join(root, "alpha/permissions.txt"), "utf8")).toMatch(/^06[06]0 .*control\.sock$/m);
  const own = "cib.xml cib.txt crm_mon.txt crm_verify.txt status.json members.txt log.txt sysinfo.txt RUNNING";
  for (const name of own.split(" ")) expect(files).toContain(`alpha/${name}`);
  for (const name of files.filter((each) => /\.(?:txt|xml|json)$/.test(each)))
    expect(readFileSync(path.join(root, name), "utf8"), name).not.toContain(SECRET);
  expect(readFileSync(path.join(root, "analysis.txt"), "utf8")).toContain("missing: bravo");

  // Of the dead node itself, with nothing of ours running there: what lies on its disk.
  // As crm_report is called: a directory, with another log, and what is to be masked besides.
  const rest = path.join(pair.folder, "at-rest");
  const state = path.join(pair.folder, "bravo/state");
  const extra = path.join(pair.folder, "extra.log");
  writeFileSync(extra, `shoe_size=47 hat=58 ${SECRET}\n`);
  const chosen = ["-S", "-d", "-l", extra, "-p", "shoe_.*?", "-L", "members: alpha"];
  expect(pair.gemel("bravo", "report", "--state", state, ...chosen, rest)).toMatchObject({ code: 0 });
  expect(readFileSync(path.join(rest, "files", extra), "utf8")).toBe("shoe_size=****** hat=58 ******\n");
  expect(readFileSync(path.join(rest, "analysis.txt"), "utf8")).toContain("members: alpha, bravo");
  const found = readdirSync(rest, { recursive: true, encoding: "utf8" });
  for (const name of ["STOPPED", "cib.xml", "cib.txt", "crm_verify.txt", "log.txt", "sysinfo.txt"])
    expect(found).toContain(`${os.hostname()}/${name}`);
  expect(readFileSync(path.join(rest, os.hostname(), "log.txt"), "utf8")).toContain("members: alpha, bravo");
  for (const name of found.filter((each) => /\.(?:txt|xml)$/.test(each)))
    expect(readFileSync(path.join(rest, name), "utf8"), name).not.toContain(SECRET);
});
