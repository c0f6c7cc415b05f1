/** The commands of operators run by somebody who is not root, with a view that is filtered, on a real node. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { askControl, controlSocketPath } from "../../src/app/control-client.ts";
import { skips } from "../support/skip.ts";
import { type NodePair, openNodePair } from "./node-pair.ts";

const NOBODY = "65534";
const isReady = process.getuid?.() === 0 && spawnSync("setpriv", ["--version"]).status === 0;
const COMMANDS = path.resolve(import.meta.dirname, "../../src/app/commands/index.ts");

const CONFIGURATION = `primitive web ocf:gemel:Dummy params fake=s3same \\
  op monitor interval=9s op start timeout=9s op stop timeout=9s
primitive shoot stonith:external/ssh params hostlist="alpha bravo" passwd=hidden-power meta target-role=Stopped
location near web 10: alpha
property no-quorum-policy=ignore stonith-enabled=false enable-acl=true
role most read xpath:/cib deny xpath:"//nvpair[@name='passwd']" deny type:acls write xpath:"//crm_config" \\
  write type:rsc_location write xpath:"//resources//meta_attributes/nvpair[@name='target-role']" \\
  write xpath:"//resources//nvpair[@name='is-managed']" write ref:shoot
acl_target nobody most
`;

interface Played {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let pair: NodePair | undefined;
let home = "";
afterEach(async () => {
  await pair?.close();
  pair = undefined;
  rmSync(home, { recursive: true, force: true });
});

test.skipIf(skips(!isReady, "it needs root and setpriv"))(
  "who sees a part changes what he may, and takes nothing away that he was not shown",
  async () => {
    const node = openNodePair({
      times: ["keepalive 200ms", "deadtime 2s", "initdead 3s"],
      configuration: CONFIGURATION,
    });
    pair = node;
    node.start("alpha");
    await node.until("web runs", async () => {
      const status = await node.status("alpha");
      return status?.dc !== undefined && status.resources.some(({ active }) => active.length > 0);
    });
    // As if the group haclient were his.
    const run = node.runDirectory("alpha");
    for (let at = run; at !== os.tmpdir() && at !== "/"; at = path.dirname(at)) chmodSync(at, 0o755);
    chmodSync(path.join(run, "control.sock"), 0o666);
    home = mkdtempSync(path.join(os.tmpdir(), "gemel-nobody-"));
    chmodSync(home, 0o777);
    // One process plays all of them, as each of its own would.
    const script = `import { runCommand } from ${JSON.stringify(COMMANDS)};
      const results = [];
      for (const words of JSON.parse(process.argv[1])) {
        const [out, err] = [process.stdout.write, process.stderr.write];
        const said = { out: "", err: "" };
        process.stdout.write = (text) => ((said.out += text), true);
        process.stderr.write = (text) => ((said.err += text), true);
        const code = await runCommand("gemel", words);
        Object.assign(process.stdout, { write: out });
        Object.assign(process.stderr, { write: err });
        results.push({ code, ...said });
      }
      process.stdout.write(JSON.stringify(results));`;
    const asNobody = (...calls: readonly (readonly string[])[]): readonly Played[] => {
      const done = spawnSync(
        "setpriv",
        [
          `--reuid=${NOBODY}`,
          `--regid=${NOBODY}`,
          "--clear-groups",
          process.execPath,
          "-e",
          script,
          JSON.stringify(calls),
        ],
        {
          env: {
            PATH: process.env["PATH"],
            GEMEL_RUN: run,
            HOME: home,
            NODE_OPTIONS: "--input-type=module --disable-warning=ExperimentalWarning",
          },
        },
      );
      expect(done.status, done.stderr.toString()).toBe(0);
      return JSON.parse(done.stdout.toString()) as Played[];
    };
    const whole = () => node.gemel("alpha", "cibadmin", "-Q", "-o", "configuration").output;

    // Every door shows him the same part.
    const [show, query, xml, log, parameter, plain] = asNobody(
      ["crm", "configure", "show"],
      ["cibadmin", "-Q"],
      ["crm", "configure", "show", "xml"],
      ["config", "log"],
      ["crm-resource", "-r", "shoot", "-g", "passwd"],
      ["crm-mon", "-1", "-fA"],
    );
    for (const { out } of [show, query, xml].flatMap((one) => one ?? [])) {
      expect(out).toContain("s3same");
      expect(out).not.toMatch(/hidden-power|acl_target|acl_role/);
    }
    expect(log?.err).toContain("may not see all of the configuration");
    expect(parameter?.out).not.toContain("hidden-power");
    expect(plain).toMatchObject({ code: 0 });

    // What he may write he writes by any of them; the rest is as it was.
    const copy = path.join(home, "copy.xml");
    writeFileSync(copy, query?.out.replace('value="ignore"', 'value="freeze"') ?? "");
    const trial = path.join(home, "trial.crm");
    writeFileSync(trial, "property cluster-recheck-interval=77s\n");
    const allowed = [
      ["cibadmin", "-R", "-x", copy],
      ["crm", "configure", "property", "cluster-name=one"],
      ["crm-attribute", "-n", "cluster-name", "-v", "two"],
      ["crm", "configure", "location", "far", "web", "5:", "bravo"],
      ["crm", "resource", "unmanage", "web"],
      ["crm", "resource", "manage", "web"],
      ["config", "try", "600", trial],
      ["config", "confirm"],
      ["crm-shadow", "--create", "mine"],
      ["crm-shadow", "--commit", "mine", "--force"],
    ];
    for (const [index, { code, err }] of asNobody(...allowed).entries())
      expect(code, `${allowed[index]?.join(" ")}: ${err}`).toBe(0);
    expect(readFileSync(path.join(home, ".cib", "shadow.mine"), "utf8")).not.toContain("hidden-power");
    const before = whole();
    for (const word of ["hidden-power", "acl_target", "acl_role", 'value="two"', 'value="freeze"', 'id="far"'])
      expect(before).toContain(word);

    // What he may not is refused by each, and then nothing is done.
    const forbidden = [
      ["crm", "-F", "configure", "delete", "web"],
      ["crm", "configure", "delete", "--force", "shoot"],
      ["crm", "configure", "rename", "shoot", "other"],
      ["crm", "configure", "erase", "--force"],
      ["crm", "node", "standby", "alpha"],
      ["crm", "resource", "param", "web", "set", "fake", "x"],
      ["cibadmin", "-D", "-X", '<primitive id="web"/>'],
      ["cibadmin", "-E", "--force"],
      ["cibadmin", "-B"],
      ["cibadmin", "-C", "-o", "acls", "-X", '<acl_target id="nobody2"/>'],
      ["crm-resource", "-r", "shoot", "-p", "passwd", "-v", "mine"],
      ["crm-resource", "-C", "-r", "web"],
      ["crm-attribute", "-N", "alpha", "-n", "x", "-v", "1", "-l", "reboot"],
      ["config", "rollback"],
      ["fence", "off", "alpha"],
      ["crm-ticket", "-t", "t", "-g", "--force"],
    ];
    for (const [index, { code, out, err }] of asNobody(...forbidden).entries())
      expect(code, `${forbidden[index]?.join(" ")}: ${out}${err}`).not.toBe(0);
    expect(whole()).toBe(before);

    // He sends back what he has read, again and again, without saying which version it was, while others make changes.
    const racing = `const s = require("node:net").createConnection(${JSON.stringify(path.join(run, "control.sock"))});
      let [id, taken, said] = [0, 0, ""];
      const ask = (request) => s.write(JSON.stringify({ v: 1, id: ++id, request }) + "\\n");
      s.on("data", (chunk) => {
        said += chunk;
        for (let at = said.indexOf("\\n"); at >= 0; at = said.indexOf("\\n")) {
          const line = JSON.parse(said.slice(0, at));
          said = said.slice(at + 1);
          if (line.value?.xml === undefined) {
            if (line.kind === "answer") taken += 1;
            if (id >= 80) return s.end(() => process.stdout.write(String(taken)));
            ask({ kind: "cib-query" });
          } else {
            const xml = line.value.xml.replace(/(name="cluster-name" value=")[^"]*/, "$1" + id);
            ask({ kind: "cib-apply", mode: "replace", xml });
          }
        }
      });
      ask({ kind: "cib-query" });`;
    const asUser = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", process.execPath, "-e", racing];
    const other = spawn("setpriv", asUser, { stdio: ["ignore", "pipe", "inherit"] });
    let taken = "";
    other.stdout.on("data", (chunk: Buffer) => {
      taken += chunk.toString();
    });
    const ended = new Promise((resolve) => other.on("exit", resolve));
    const kept: string[] = [];
    let isOver = false;
    const write = async (writer: number) => {
      for (let turn = 1; !isOver; turn += 1) {
        const name = `kept-${writer}-${turn}`;
        const request = { kind: "attribute", node: "alpha", name, value: "1", lifetime: "forever" } as const;
        if ((await askControl(controlSocketPath(run), request)).kind === "answer") kept.push(name);
      }
    };
    const writing = [1, 2, 3].map(write);
    await ended;
    isOver = true;
    await Promise.all(writing);
    const after = whole();
    expect(kept.length).toBeGreaterThan(20);
    expect(Number(taken)).toBeGreaterThan(0);
    expect(kept.filter((name) => !after.includes(`name="${name}"`))).toEqual([]);
  },
  240_000,
);
