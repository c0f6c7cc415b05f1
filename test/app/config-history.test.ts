/** The history of the configuration on two real nodes: who and what, ways back, changes on trial, shadow copies. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { askControl, controlSocketPath } from "../../src/app/control-client.ts";
import { skips } from "../support/skip.ts";
import { NODES, type NodePair, openNodePair, PATIENT_TIMES } from "./node-pair.ts";

const asRoot = test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces"));
const CONFIGURATION = `primitive a ocf:gemel:Dummy op monitor interval=9s op start timeout=9s op stop timeout=9s
property no-quorum-policy=ignore stonith-enabled=false cluster-name=first
`;

/** Without the number of changes of the status. */
const versionOf = (version: string) => version.split(".").slice(0, 2).join(".");
/** Some forty programs start one after another: a minute on a busy machine, and ten on one at load 50. */
const LIMIT_MS = 900_000;

let open: NodePair | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

asRoot(
  "log, diff, rollback, try and confirm; a shadow copy",
  async () => {
    const pair = openNodePair({ times: PATIENT_TIMES, configuration: CONFIGURATION });
    open = pair;
    for (const node of NODES) pair.start(node);
    for (const node of NODES)
      await pair.until(`both online at ${node}`, async () => {
        const status = await pair.status(node);
        return status?.nodes.filter(({ state }) => state === "online").length === 2 && status.dc !== undefined;
      });
    const at = (node: "alpha" | "bravo", ...argv: string[]) => pair.gemel(node, ...argv);
    const name = () => /cluster-name=(\S+)/.exec(at("bravo", "crm", "configure", "show").output)?.[1];
    /** A node answers with what it has in force itself: who asks the other one waits until it has it, too. */
    const agree = async () =>
      await pair.until("both have the same configuration in force", async () => {
        const sockets = NODES.map((node) => controlSocketPath(pair.runDirectory(node)));
        const replies = await Promise.all(
          sockets.map(async (socket) => await askControl(socket, { kind: "cib-query" })),
        );
        const [one, other] = replies.map((reply) => (reply.kind === "answer" ? versionOf(reply.value.version) : ""));
        return one !== "" && one === other;
      });

    expect(at("alpha", "crm", "configure", "property", "cluster-name=second").code).toBe(0);
    await agree();
    const log = at("bravo", "config", "log", "-n", "1").output;
    expect(log).toMatch(/^0\.\d+ .* \S+ from alpha: crm configure\n.*cluster-name.*first -> second/s);
    expect(at("alpha", "config", "diff").output).toMatch(/first -> second/);

    expect(at("bravo", "config", "rollback")).toMatchObject({ code: 0 });
    expect(name()).toBe("first");
    await agree();
    expect(at("alpha", "config", "log", "-n", "1").output).toMatch(/from bravo: gemel config rollback 0\.\d+/);

    // Changes that were made together share a version: the one before is the one before all of them.
    const together = await Promise.all(
      NODES.flatMap((node) => ["one", "two", "three"].map((value) => [node, `${node}-${value}`] as const)).map(
        ([node, name]) =>
          askControl(controlSocketPath(pair.runDirectory(node)), {
            ...{ kind: "attribute", node, name, value: "1", lifetime: "forever" },
          } as const),
      ),
    );
    expect(together.every(({ kind }) => kind === "answer")).toBe(true);
    await agree();
    expect(at("bravo", "config", "diff").output).toMatch(/nvpair \S+(?:one|two|three)/);

    // On trial it is shown, nothing else may be changed, and confirmed it stays: no end of it is left.
    const file = path.join(pair.folder, "trial.crm");
    writeFileSync(file, "property cluster-name=tried\n");
    expect(at("bravo", "config", "try", "600", file).output).toContain("unless confirmed");
    expect(at("bravo", "crm", "node", "standby", "bravo")).toMatchObject({ code: 1 });
    expect(at("bravo", "status").output).toMatch(/trial 0\.\d+: for another \d+ min/);
    await agree();
    expect(at("alpha", "config", "confirm").output).toContain("stays");
    expect((await pair.status("alpha"))?.leases).toEqual([]);
    expect(name()).toBe("tried");

    // Nobody confirms: it goes back by itself.
    writeFileSync(file, "property cluster-name=forgotten\n");
    expect(at("alpha", "config", "try", "5", file).code).toBe(0);
    await pair.until("it has gone back", () => name() === "tried");
    await agree();
    const undone = at("alpha", "config", "log", "-n", "1").output;
    expect(undone).toMatch(/the trial was not confirmed: back to 0\.\d+\n.*forgotten -> tried/s);

    // What was tried and confirmed can be gone back to, though its version tells of a trial that is over.
    const trial = /^(0\.\d+) .*gemel config try 600/m.exec(at("alpha", "config", "log", "-n", "99").output)?.[1] ?? "";
    expect(at("alpha", "config", "rollback", trial).code).toBe(0);
    expect((await pair.status("alpha"))?.leases).toEqual([]);
    expect(name()).toBe("tried");

    // Bans of one resource end each by itself, also when both are asked for at the same time.
    expect(at("alpha", "crm", "resource", "ban", "a", "alpha", "forever").code).toBe(0);
    await agree();
    expect(at("bravo", "crm", "resource", "ban", "a", "bravo", "2s").code).toBe(0);
    await pair.until("the short one has ended", () => {
      const { code, output } = at("alpha", "cibadmin", "-Q");
      return code === 0 && !output.includes("a-on-bravo");
    });
    await agree();
    expect(at("bravo", "status").output).toMatch(/ban a from alpha: for ever/);
    expect(at("bravo", "cibadmin", "-Q").output).toContain('id="cli-ban-a-on-alpha"');
    expect(at("alpha", "crm", "resource", "unmove", "a").code).toBe(0);
    expect((await pair.status("alpha"))?.leases).toEqual([]);

    // What cannot be: no trial to confirm, no such version, no file.
    expect(at("alpha", "config", "confirm")).toMatchObject({ code: 1 });
    expect(at("alpha", "config", "rollback", "0.999")).toMatchObject({ code: 1 });
    expect(at("alpha", "config", "try", "soon", file)).toMatchObject({ code: 64 });
    expect(at("alpha", "config", "try", "9", "/nowhere")).toMatchObject({ code: 66 });

    // A shadow is changed, compared, and put in force; until then the cluster knows nothing of it.
    process.env.CIB_shadow_dir = path.join(pair.folder, "shadows");
    expect(at("alpha", "crm-shadow", "-c", "plan").code).toBe(0);
    expect(at("alpha", "crm-shadow", "-c", "plan").code).toBe(108);
    process.env.CIB_shadow = "plan";
    try {
      expect(at("alpha", "crm", "configure", "property", "cluster-name=shadow").code).toBe(0);
      expect(at("alpha", "crm-shadow", "-d").output).toMatch(/tried -> shadow/);
      expect(at("alpha", "crm-mon", "-1").output).toContain("1 resource instance configured");
    } finally {
      delete process.env.CIB_shadow;
    }
    expect(name()).toBe("tried");
    expect(at("alpha", "crm-shadow", "-C", "plan").code).toBe(64);
    expect(at("alpha", "crm-shadow", "-C", "plan", "--force").code).toBe(0);
    await agree();
    expect(name()).toBe("shadow");
    delete process.env.CIB_shadow_dir;
  },
  LIMIT_MS,
);
