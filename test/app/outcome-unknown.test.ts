/** A change that nobody has answered may have been made: "not known" is told, and never as "no". */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { askControl, type ControlReply } from "../../src/app/control-client.ts";
import type { ControlRequest } from "../../src/app/control-protocol.ts";
import { asCib, openSession, type Terminal } from "../../src/app/crm/session.ts";
import { runLine } from "../../src/app/crm/shell.ts";
import type { Transport } from "../../src/app/settle.ts";
import { printXml } from "../../src/base/xml.ts";
import { emptyConfiguration } from "../../src/cib/crm-syntax/apply.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-unknown-"));
afterAll(() => rmSync(folder, { recursive: true }));
const OPEN = `{"v":1,"id":1,"kind":"refused","problems":[],"isOutcomeUnknown":true}\n`;

/** What is said of a change that the manager, or its absence, leaves without an answer. */
function ask(socketPath: string): Promise<ControlReply<unknown>> {
  return askControl(socketPath, { kind: "cib-apply", mode: "replace", xml: "<configuration/>" }, 300);
}

test.each([
  ["says nothing", () => {}, { kind: "unreachable", isOutcomeUnknown: true }],
  ["hangs up", (socket: { destroy: () => void }) => socket.destroy(), { kind: "unreachable", isOutcomeUnknown: true }],
  [
    "says that it is open",
    (socket: { write: (text: string) => void }) => socket.write(OPEN),
    { kind: "refused", isOutcomeUnknown: true },
  ],
])("a manager that was asked and %s", async (name, treat, expected) => {
  const socketPath = path.join(folder, name.replaceAll(" ", "-"));
  const server = createServer((socket) => treat(socket));
  await new Promise<void>((resolve) => void server.listen(socketPath, resolve));
  const reply = await ask(socketPath);
  server.close();
  expect(reply).toMatchObject(expected);
});

test("a manager that is not there has done nothing", async () => {
  expect(await ask(path.join(folder, "nobody"))).not.toHaveProperty("isOutcomeUnknown");
});

test.each([
  [true, "it is not known whether the change is in force"],
  [undefined, "the change is not in force"],
] as const)("a commit whose outcome is unknown: %s", async (isOutcomeUnknown, said) => {
  const err: string[] = [];
  const terminal: Terminal = {
    out: () => {},
    err: (text) => err.push(text),
    readText: () => undefined,
    writeText: () => true,
    edit: () => undefined,
  };
  const value = { version: "0.1.7", xml: printXml(asCib(emptyConfiguration())), warnings: [] };
  const transport = ((_: string, { kind }: ControlRequest) =>
    Promise.resolve(
      kind === "cib-apply" ? { kind: "unreachable", reason: "no answer", isOutcomeUnknown } : { kind: "answer", value },
    )) as Transport;
  const session = openSession("/nowhere", terminal, {}, transport);
  await runLine({ session, level: "", begun: "" }, "configure property stonith-enabled=false");
  expect(err.join("")).toContain(`crm: ${said}`);
});
