/** dist/gemel as a bare machine sees it: no Node, no environment, called by its name or by a link. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMANDS } from "../../src/app/commands/index.ts";
import { VERSION } from "../../src/app/version.ts";
import { printXml } from "../../src/base/xml.ts";
import { buildProgram } from "../../tools/build.ts";
import { largePair } from "../support/large-pair.ts";

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-binary-"));
let binary = "";

beforeAll(async () => {
  binary = await buildProgram();
});

afterAll(() => rmSync(directory, { recursive: true }));

function call(name: string, ...argv: string[]): { readonly status: number | null; readonly text: string } {
  const link = path.join(directory, name);
  symlinkSync(binary, link);
  const { status, stdout, stderr } = spawnSync(link, argv, {
    encoding: "utf8",
    cwd: directory,
    env: { NODE_OPTIONS: "--no-such-option" },
  });
  return { status, text: `${stdout}${stderr}` };
}

test("prints its version, whatever NODE_OPTIONS says", () => {
  expect(call("gemel", "--version")).toEqual({ status: 0, text: `gemel ${VERSION} (Node ${process.versions.node})\n` });
});

test("refuses a command that it does not have, and its help has all others", () => {
  const { status, text } = call("any-name", "no-such-command");
  expect([status, text]).toEqual([64, expect.stringContaining("no-such-command")]);
  const help = call("another-name", "help").text;
  for (const name of Object.keys(COMMANDS)) expect(help).toMatch(new RegExp(`^ +${name} `, "m"));
});

test("called by an operators' name, it is that command and not the table of commands", () => {
  const names = Object.values(COMMANDS).flatMap((command) => command.names ?? []);
  for (const name of names) expect(call(name, "--no-such-option").text).not.toContain("usage: gemel COMMAND");
});

test("holds the libraries that only some fencing devices need", () => {
  const secrets = path.join(directory, "secrets");
  writeFileSync(secrets, "board=x\n", { mode: 0o600 });
  const login = ["host=127.0.0.1", "port=1", "user=u", "secret=board", "--secrets", secrets, "-S"];
  const ssh = call("one-more-name", "stonith", "-t", "racadm-ssh", `hostkey=SHA256:${"A".repeat(43)}`, ...login);
  expect(ssh.text).toContain("nothing listens on TCP port 1");
  const pdu = ["outlets=3", "version=1", "answer_time=500ms"];
  const snmp = call(
    "yet-another-name",
    "stonith",
    "-t",
    "snmp-pdu",
    ...pdu,
    ...login.filter((word) => word !== "user=u"),
  );
  expect(snmp.text).toMatch(/gave no answer within 500 ms|nothing listens on UDP port 1/);
});

test("the hardware profiles are in it: there is no directory of them on a bare machine", () => {
  const { status, text } = call("profiles", "hw", "explain", "hp/ilo3");
  expect([status, text]).toEqual([0, expect.stringMatching(/^hp\/ilo3: /)]);
});

test("the scheduler's thread is in it", () => {
  writeFileSync(path.join(directory, "pair.xml"), printXml(largePair(10)));
  const { status, text } = call("threaded", "simulate", "--profile", directory, "--worker");
  expect({ status, text }).toEqual({
    status: 0,
    text: expect.stringMatching(/^\* Testing pair\.xml \.\.\. [\d.]+ secs\n$/),
  });
});

test("is not built again when nothing has changed", async () => {
  const before = statSync(binary).mtimeMs;
  expect(statSync(await buildProgram()).mtimeMs).toBe(before);
});
