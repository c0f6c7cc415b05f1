/** Who is at the other end of the control socket, by the kernel's word: root, and somebody who is not. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import type { ControlRequest, StatusReport } from "../../src/app/control-protocol.ts";
import { refuseOperations, refuseRequest } from "../../src/app/manager/access-desk.ts";
import { openControlServer } from "../../src/app/manager/control-server.ts";
import { parseXml, printXml } from "../../src/base/xml.ts";
import type { Person } from "../../src/cluster/core/access/acl.ts";
import { skips } from "../support/skip.ts";

const NOBODY = 65_534;
const isReady = process.getuid?.() === 0 && spawnSync("setpriv", ["--version"]).status === 0;

/** Asks as that user, and answers the manager's line. */
function askAs(uid: number, socket: string, request: ControlRequest): Promise<string> {
  const script = `const s = require("node:net").createConnection(${JSON.stringify(socket)});
    s.on("data", (d) => { process.stdout.write(d); s.end(); });
    s.write(${JSON.stringify(`${JSON.stringify({ v: 1, id: 1, request })}\n`)});`;
  return new Promise((resolve) => {
    const child = spawn("setpriv", [
      `--reuid=${uid}`,
      `--regid=${uid}`,
      "--clear-groups",
      process.execPath,
      "-e",
      script,
    ]);
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on("close", () => resolve(text));
  });
}

const cibWith = (acls: string) => {
  const read = parseXml(`<cib><configuration><crm_config><cluster_property_set id="o">
    <nvpair id="o-a" name="enable-acl" value="${acls === "" ? "false" : "true"}"/></cluster_property_set></crm_config>
    <nodes/><resources/><constraints/><acls>${acls}</acls></configuration><status/></cib>`);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
};
const LOOK = `<acl_role id="look"><acl_permission id="p" kind="read" xpath="/cib"/></acl_role>
  <acl_target id="nobody"><role id="look"/></acl_target>`;

test.skipIf(skips(!isReady, "it needs root and setpriv"))(
  "the kernel's word counts, whoever the client says that it is",
  async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), "ops-access-"));
    chmodSync(directory, 0o755);
    const asked: { readonly person: Person; readonly by: string | undefined }[] = [];
    let cib = cibWith("");
    const server = await openControlServer(
      directory,
      (request, person) => {
        asked.push({ person, by: request.by });
        return Promise.resolve({ kind: "answer", value: { text: "done" } });
      },
      () => Promise.resolve(() => ({}) as StatusReport),
      (request, person) => refuseRequest(cib, person, request),
    );
    const socket = path.join(directory, "control.sock");
    try {
      expect(await askAs(NOBODY, socket, { kind: "ping" })).toBe("");
      // As if the group haclient were his.
      chmodSync(socket, 0o666);
      expect(await askAs(NOBODY, socket, { kind: "status", by: "root" })).toContain("there are no rules of access");
      cib = cibWith(LOOK);
      expect(await askAs(NOBODY, socket, { kind: "status", by: "root" })).toContain('"kind":"answer"');
      expect(asked.at(-1)).toMatchObject({ person: { uid: NOBODY, user: "nobody" }, by: "nobody" });
      const fence = { kind: "fence", target: "srv01", action: "off" } as const;
      expect(await askAs(NOBODY, socket, fence)).toContain("nobody may not do this");
      const attribute = { kind: "attribute", name: "x", value: "1", lifetime: "reboot" } as const;
      expect(await askAs(NOBODY, socket, attribute)).toContain("nobody may not do this");
      expect(await askAs(0, socket, { kind: "status", by: "alice" })).toContain('"kind":"answer"');
      expect(asked.at(-1)).toMatchObject({ person: { uid: 0, user: "root" }, by: "alice" });
    } finally {
      server.close();
      rmSync(directory, { recursive: true });
    }
  },
);

test("only who may write all may raise the version: no comparison shows what that does", () => {
  const write = (
    xpath: string,
  ) => `<acl_role id="work"><acl_permission id="p" kind="write" xpath="${xpath}"/></acl_role>
    <acl_target id="nobody"><role id="work"/></acl_target>`;
  const raise = [{ kind: "raise", part: "admin-epoch" }] as const;
  const person: Person = { uid: NOBODY, user: "nobody", groups: [] };
  expect(refuseOperations(cibWith(write("/cib")), person, raise)).toEqual([]);
  const [refused] = refuseOperations(cibWith(write("//constraints")), person, raise);
  expect(refused?.reason).toBe("nobody may not raise the version");
});

test("from whom a password is kept, from him its history is kept too", () => {
  const person: Person = { uid: NOBODY, user: "nobody", groups: [] };
  const kept = LOOK.replace(
    "</acl_role>",
    '<acl_permission id="d" kind="deny" xpath="//nvpair[@name=\'passwd\']"/></acl_role>',
  );
  for (const request of [{ kind: "config-log" }, { kind: "config-version", version: "0.1" }] as const) {
    expect(refuseRequest(cibWith(LOOK), person, request)).toEqual([]);
    // Today nothing bears that name: an earlier version may have had it.
    expect(refuseRequest(cibWith(kept), person, request)[0]?.reason).toContain("and so not its history");
  }
  expect(refuseRequest(cibWith(kept), person, { kind: "status" })).toEqual([]);
});

test("a lease makes the cluster undo something: who writes one must have the right to do that", () => {
  const options = `<acl_role id="options"><acl_permission id="p" kind="read" xpath="/cib"/>
    <acl_permission id="w" kind="write" xpath="//crm_config"/></acl_role>
    <acl_target id="nobody"><role id="options"/></acl_target>`;
  const person: Person = { uid: NOBODY, user: "nobody", groups: [] };
  const standby = `<node id="1" uname="alpha"><instance_attributes id="n"><nvpair id="n-s" name="standby" value="on"/>
    </instance_attributes></node>`;
  const found = parseXml(printXml(cibWith(options)).replace("<nodes/>", `<nodes>${standby}</nodes>`));
  if (found.kind === "not-xml") throw new Error(found.reason);
  const set = (name: string, value: string) =>
    [{ kind: "set-option", target: "crm_config", setName: "cluster_property_set", name, value }] as const;
  expect(refuseOperations(found.root, person, set("cluster-name", "x"))).toEqual([]);
  const forged = refuseOperations(found.root, person, set("lease.standby.alpha", "2020-01-01 00:00:00Z|root|"));
  expect(forged.map(({ reason }) => reason)).toEqual(["you may not delete nvpair n-s"]);
});
