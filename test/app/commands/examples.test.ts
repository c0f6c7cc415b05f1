/**
 * What help and advice tell people to type can be typed: each command is run here, where no cluster is, and must end
 * with that as its only trouble.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMANDS } from "../../../src/app/commands/index.ts";
import { ROW_OF } from "../../../src/cluster/core/advice/codes.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { runHere } from "../../support/run-here.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-examples-"));
const before = process.cwd();
beforeAll(() => {
  // The words of the examples.
  const primitives = ["http", "drbd"].map(
    (id) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy"/>`,
  );
  const off =
    '<cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>';
  writeFileSync(
    path.join(folder, "cib.xml"),
    `<cib validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config>${off}` +
      '</crm_config><nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>' +
      `<resources>${primitives.join("")}</resources><constraints/></configuration><status/></cib>`,
  );
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

/** There is no manager; and of fencing by hand, no secrets. */
const HERE = { GEMEL_RUN: path.join(folder, "run"), HOME: folder, LC_ALL: "C", EDITOR: "true" };
const WRONG_CALL = 64;

/** Whether the words are a call of a command; nothing else can be known where no cluster is. */
async function isCall(words: readonly string[]): Promise<boolean> {
  // It asks a person, who would say yes.
  const answer = words[1] === "fence" && words[2] === "confirm" ? ["--yes", words[3] ?? ""] : [];
  const argv = [...(words[0] === "gemel" ? words.slice(1) : words), ...answer];
  const { code, errors } = await runHere(argv, HERE);
  return code !== WRONG_CALL && !/usage:|is not known|no command|syntax/.test(errors);
}

test("the examples of every help are calls", async () => {
  const examples: string[] = [];
  for (const name of Object.keys(COMMANDS)) {
    const { output } = await runHere([name, "--help"]);
    const lines = output.match(/^ {2,}gemel .*$/gm) ?? [];
    // Capitals stand for what the reader has to put there: a pattern of a call, no example.
    examples.push(...lines.map((line) => line.trim()).filter((line) => !/(?<![-\w])[A-Z]{2,}|[[|]|\.\.\./.test(line)));
  }
  expect(examples).toContain("gemel why drbd bravo -x cib.xml --lang ja");
  expect(examples).toContain("gemel simulate -LS --node-fail alpha");
  // A probe would look for a board on the network for seconds.
  const quick = examples.filter((example) => !example.startsWith("gemel fence probe "));
  expect(examples.length - quick.length).toBe(1);
  for (const example of quick) expect(await isCall(example.split(" ")), example).toBe(true);
});

/** As a shell takes it apart: quotes, and what follows behind two blanks or a hash is a word about it. */
function wordsOf(line: string): readonly string[] {
  const [call = ""] = line.split(/ {2,}| #|;/);
  return (call.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) => word.replaceAll(/["']/g, ""));
}

const TOOLS = "gemel|crm|crm_\\w+|cibadmin|stonith_admin|stonith";
/** What cannot be tried where it would do something, or ask somebody. */
const LEFT_OUT =
  /^(?:gemel (?:node|lsb-check|fence (?:probe|confirm|drill)|sim|inventory|import)|stonith -p|crm (?:-f|cib)\b)/;

test("what the documents tell people to type is a call", async () => {
  const root = path.resolve(import.meta.dirname, "../../..");
  const folderOf = path.join(root, "docs/operations");
  const files = [path.join(root, "README.md"), ...readdirSync(folderOf).map((name) => path.join(folderOf, name))];
  const tried = new Set<string>();
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    const blocks = [...text.matchAll(new RegExp(`^ {4,}((?:${TOOLS}) .*)$`, "gm"))];
    const inline = [...text.matchAll(new RegExp(`\`((?:${TOOLS}) [^\`]+)\``, "g"))];
    for (const [, line = ""] of [...blocks, ...inline]) {
      const words = wordsOf(line.replaceAll("\n", " "));
      const call = words.join(" ");
      // Capitals and brackets stand for what the reader has to put there; two words of `crm` may be a level.
      if (/(?<![-\w])[A-Z]{2,}|[[\]|<>]|\.\.\.|\u2026/.test(call) || LEFT_OUT.test(call)) continue;
      // Two words may only name a command or a level.
      if (words.length < 3 || tried.has(call)) continue;
      tried.add(call);
      expect(await isCall(words), `${path.basename(file)}: ${call}`).toBe(true);
    }
  }
  expect(tried.size).toBeGreaterThan(25);
});

const NODES = ["node", "first", "second", "last", "one", "two", "before", "holder", "peer"];
/** What stands in the place of every value of an advice. */
const VALUES = new Proxy<Record<string, string>>(
  {
    cleanup: "crm resource cleanup prmDB srv01",
    online: "crm node online srv01",
    hint: "",
    running: "",
    kind: "device",
  },
  { get: (known, name) => known[String(name)] ?? (NODES.includes(String(name)) ? "srv01" : "prmDB") },
);

/** The longest call that the words begin with: a sentence goes on behind a command. */
async function callIn(words: readonly string[]): Promise<string> {
  // Two words of `crm` may be a level, which would read what is typed.
  for (let count = words.length; count > (words[0] === "crm" ? 2 : 1); count -= 1)
    if (await isCall(words.slice(0, count))) return words.slice(0, count).join(" ");
  return "";
}

test.each(["en", "ja"] as const)(
  "what advice tells people to type is a call, with all its names (%s)",
  async (language) => {
    let count = 0;
    for (const code of Object.keys(ROW_OF) as (keyof typeof ROW_OF)[]) {
      const { doNow } = textOf(language, code, VALUES);
      for (const [said] of doNow.matchAll(/\b(?:gemel (?!before|on )|crm )[a-z][\w =-]*/g)) {
        const words = said.trim().split(" ");
        // The shell itself, at that level.
        if (words.join(" ") === "crm configure") continue;
        const call = await callIn(words);
        expect(call, `${code}: ${said}`).not.toBe("");
        const names = words.filter((word) => ["srv01", "prmDB"].includes(word));
        for (const name of names.slice(0, 2)) expect(call.split(" "), `${code}: ${said}`).toContain(name);
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(25);
  },
);
