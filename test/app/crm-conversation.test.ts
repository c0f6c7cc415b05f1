/** The crm shell as a person meets it: keys on a terminal, an editor that is a real program, help for every word. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ControlRequest } from "../../src/app/control-protocol.ts";
import { CONFIGURE_COMMANDS } from "../../src/app/crm/configure-level.ts";
import { converse } from "../../src/app/crm/conversation.ts";
import { helpText, usageOf } from "../../src/app/crm/help.ts";
import { whatItDoes } from "../../src/app/crm/help-words.ts";
import { LEVELS, type LevelName } from "../../src/app/crm/levels.ts";
import { asCib, openSession } from "../../src/app/crm/session.ts";
import { terminal } from "../../src/app/crm/terminal.ts";
import { HELP_WORDS_JA } from "../../src/app/japanese/help-words.ts";
import type { Transport } from "../../src/app/settle.ts";
import { columnsOf } from "../../src/base/fold.ts";
import { printXml } from "../../src/base/xml.ts";
import { applyCrm, emptyConfiguration } from "../../src/cib/crm-syntax/apply.ts";
import { parseCrm } from "../../src/cib/crm-syntax/parse.ts";

const home = mkdtempSync(path.join(os.tmpdir(), "crm-conversation-"));
beforeAll(() => vi.stubEnv("HOME", home));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const START = "node alpha\nproperty stonith-enabled=false\nprimitive web Dummy op monitor interval=9 timeout=9\n";

/** A person at a terminal; `sees` waits until it shows that, after what was seen last. */
function sitDown(hang: (request: ControlRequest) => boolean = () => false) {
  const running = applyCrm(emptyConfiguration(), parseCrm(START, "start")).configuration;
  const [said, requests]: [string[], ControlRequest[]] = [[], []];
  const transport = ((_: string, request: ControlRequest) => {
    requests.push(request);
    if (hang(request)) return new Promise(() => {});
    const value = { resources: [], version: "0.1.7", xml: printXml(asCib(running)), warnings: [] };
    return Promise.resolve({ kind: "answer", value });
  }) as Transport;
  const [input, output] = [new PassThrough(), new PassThrough()];
  let screen = "";
  output.on("data", (bytes) => {
    screen += String(bytes);
  });
  const tell = (text: string) => {
    screen += text;
    said.push(text);
  };
  const screenTerminal = { ...terminal, out: tell, err: tell };
  const session = openSession("/nowhere", screenTerminal, {}, transport);
  const ended = converse((confirm) => ({ session, level: "", begun: "", confirm }), { input, output });
  return {
    ended,
    requests,
    said,
    type: (keys: string) => input.write(keys),
    async sees(text: string) {
      await expect.poll(() => screen, { interval: 5 }).toContain(text);
      screen = screen.slice(screen.indexOf(text) + text.length);
    },
  };
}
const applied = (requests: readonly ControlRequest[]) =>
  requests.flatMap((request) => (request.kind === "cib-apply" ? [request.xml] : []));

test("a pasted configuration is taken line by line; Ctrl-C drops one line; Ctrl-D asks what quit asks", async () => {
  const person = sitDown();
  await person.sees("crm(live)# ");
  person.type("configure\rprimitive one Dummy\rprimitive two Dummy \\\r op monitor interval=9 timeout=9\rshow two\r");
  await person.sees("primitive two");
  await person.sees("crm(live)configure*# ");
  person.type(`primitive three Dummy${CTRL_C}`);
  await person.sees("^C\n");
  await person.sees("crm(live)configure*# ");
  person.type(CTRL_D);
  await person.sees("Commit them (y/n)? ");
  person.type("y\r");
  expect(await person.ended).toBe(0);
  const [xml = "", ...more] = applied(person.requests);
  expect(more).toEqual([]);
  expect(["one", "two", "three"].map((id) => xml.includes(`<primitive id="${id}"`))).toEqual([true, true, false]);
  expect(readFileSync(path.join(home, ".gemel_crm_history"), "utf8").split("\n").slice(0, 2)).toEqual([
    "configure",
    "primitive one Dummy",
  ]);
});

test("a line is begun with, continued by the tabulator, and what is not wanted is dropped on leaving", async () => {
  const person = sitDown();
  await person.sees("crm(live)# ");
  for (const key of ["conf", "\t", "del", "\t", "w", "\t", "\r"]) {
    person.type(key);
    // One key at a time: several at once are a paste, where a tabulator is a sign like any other.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await person.sees("crm(live)# ");
  expect(applied(person.requests)).toHaveLength(1);
  person.type("configure\rprimitive one Dummy\rquit\r");
  await person.sees("Commit them (y/n)? ");
  person.type("n\r");
  await person.ended;
  expect(applied(person.requests)).toHaveLength(1);
});

test("Ctrl-C ends the waiting for a command, not the shell", async () => {
  const person = sitDown(({ kind }) => kind === "resource");
  await person.sees("crm(live)# ");
  person.type("resource start web\r");
  await expect.poll(() => person.requests.some(({ kind }) => kind === "resource")).toBe(true);
  person.type(CTRL_C);
  await person.sees("not waited for any longer");
  await person.sees("crm(live)# ");
  person.type("quit\r");
  expect(await person.ended).toBe(130);
});

test.each([
  ["sed -i s/9/11/", "11\n"],
  ["false", undefined],
])("the editor %j may have arguments of its own", (editor, left) => {
  vi.stubEnv("EDITOR", editor);
  const errors = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  expect(terminal.edit("9\n")).toBe(left);
  expect(errors).toHaveBeenCalledTimes(left === undefined ? 1 : 0);
  errors.mockRestore();
});

test("every word of every level tells how it is typed", () => {
  const silent = (Object.keys(LEVELS) as LevelName[]).flatMap((level) =>
    LEVELS[level].filter((word) => usageOf(level, word) === undefined).map((word) => `${level} ${word}`),
  );
  expect(silent).toEqual([]);
  expect(helpText("", ["resource", "move"])).toMatch(/^move RESOURCE \[NODE\] .*\n {4}has it run on NODE/);
  for (const [level, words] of Object.entries(LEVELS))
    for (const word of words) {
      const text = helpText(level as LevelName, [word]) ?? "";
      expect(
        text.split("\n").filter((line) => line.length > 80),
        word,
      ).toEqual([]);
    }
  expect(helpText("resource", ["primitive"])).toContain("configure: primitive ID");
  expect(helpText("configure", ["node"])).toContain("node NAME[:member|ping]");
  expect(helpText("", ["nonsense"])).toBeUndefined();
});

test("every word of every level tells in Japanese what it does, in 80 columns", () => {
  vi.stubEnv("LC_ALL", "ja_JP.UTF-8");
  const wrong = (Object.keys(LEVELS) as LevelName[]).flatMap((level) =>
    LEVELS[level].filter((word) => {
      const what = whatItDoes(level, word);
      const text = helpText(level, [word]) ?? "";
      const isTold = what === undefined || HELP_WORDS_JA[what] !== undefined;
      return !isTold || text.split("\n").some((line) => columnsOf(line) > 80);
    }),
  );
  const shown = helpText("", ["resource", "move"]);
  const commands = Object.values(CONFIGURE_COMMANDS).filter(({ help }) => HELP_WORDS_JA[help] === undefined);
  vi.unstubAllEnvs();
  expect([wrong, commands]).toEqual([[], []]);
  expect(shown).toMatch(/^move RESOURCE .*\n {4}NODE で動かす/);
});
