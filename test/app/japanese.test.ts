/** Errors in the operator's language: no text of the covered rooms lacks its Japanese, and names come through. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseAst } from "vite";
import { afterEach, describe, expect, test, vi } from "vitest";
import { problemLines } from "../../src/app/commands/status.ts";
import { storyLines } from "../../src/app/commands/timeline.ts";
import { CONFIGURATION_JA } from "../../src/app/japanese/configuration.ts";
import { REQUESTS_JA } from "../../src/app/japanese/requests.ts";
import { SHELL_JA } from "../../src/app/japanese/shell.ts";
import { STORY_JA } from "../../src/app/japanese/story.ts";
import { inOperatorsLines, tellProblem, toJapanese } from "../../src/app/japanese/translate.ts";
import { runHere } from "../support/run-here.ts";

const SOURCE = path.resolve(import.meta.dirname, "../../src");
const MANAGER = [
  "configuration-requests",
  "requests",
  "fence-requests",
  "history-desk",
  "access-desk",
  "control-server",
];
/** Whoever adds an error to one of these adds its Japanese. */
const ROOMS = [
  ...MANAGER.map((name) => `app/manager/${name}.ts`),
  ...["cib-door", "control-client", "request-line", "settle"].map((name) => `app/${name}.ts`),
  ...["crm", "../cluster/core/access", "../cluster/core/overrides", "../cib/schema", "../cib/crm-syntax"].map((name) =>
    path.join("app", name),
  ),
  "app/commands/verify-status.ts",
  ...["decide", "outcome", "controller", "leaving", "strange-words", "held-up", "reign"].map(
    (name) => `cluster/core/controller/${name}.ts`,
  ),
  ...["fencer", "fencing-round"].map((name) => `fencing/core/${name}.ts`),
  ...["operations", "patch-set", "primary", "store", "batch"].map((name) => `cluster/core/cib-store/${name}.ts`),
];

type Node = Readonly<Record<string, unknown>>;
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;

/** The texts in a piece of code, each with `X` for what is filled in; and those within what is filled in. */
function textsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isNode(value)) return [];
  if (value["type"] === "Literal") return typeof value["value"] === "string" ? [value["value"]] : [];
  if (value["type"] === "TemplateLiteral") {
    const quasis = value["quasis"] as readonly { readonly value: { readonly cooked: string } }[];
    return [quasis.map(({ value: { cooked } }) => cooked).join("X"), ...textsIn(value["expressions"])];
  }
  // Both halves of a text that is too long for a line are one.
  if (value["type"] === "BinaryExpression" && value["operator"] === "+") {
    const [left, ...more] = textsIn(value["left"]);
    const [right, ...others] = textsIn(value["right"]);
    return [`${left ?? "X"}${right ?? "X"}`, ...more, ...others];
  }
  // What is called with words of its own is told elsewhere, or is no text.
  if (value["type"] === "CallExpression") return textsIn(value["callee"]);
  if (value["type"] === "ConditionalExpression")
    return [...textsIn(value["consequent"]), ...textsIn(value["alternate"])];
  return value["type"] === "ParenthesizedExpression" ? textsIn(value["expression"]) : [];
}

const TELLING = ["refuse", "refusal", "refused", "problem", "err", "tell", "finding", "fault", "log", "complain"];
const SAID = ["reason", "remedy"];

/** Every text that becomes the reason or the remedy of a problem, or is told on standard error. */
function toldIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(toldIn);
  if (!isNode(value)) return [];
  const below = Object.entries(value).flatMap(([name, child]) => (name === "type" ? [] : toldIn(child)));
  if (value["type"] === "CallExpression" && isNode(value["callee"])) {
    const { callee } = value;
    const named = callee["type"] === "MemberExpression" ? callee["property"] : callee;
    const isTelling = isNode(named) && TELLING.includes(String(named["name"]));
    return isTelling ? [...textsIn(value["arguments"]), ...below] : below;
  }
  if (value["type"] === "Property" && isNode(value["key"])) {
    return SAID.includes(String(value["key"]["name"])) ? [...textsIn(value["value"]), ...below] : below;
  }
  if (value["type"] === "VariableDeclarator" && isNode(value["id"]))
    return SAID.includes(String(value["id"]["name"])) ? [...textsIn(value["init"]), ...below] : below;
  return below;
}

/** Every text in a piece of code. */
function textsBelow(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsBelow);
  if (!isNode(value)) return [];
  return [...textsIn(value), ...Object.values(value).flatMap(textsBelow)];
}

function filesOf(room: string): readonly string[] {
  const at = path.join(SOURCE, room);
  return statSync(at).isDirectory() ? readdirSync(at).map((name) => path.join(at, name)) : [at];
}

/** A word or a name needs no translation; a sentence does. */
const isSentence = (text: string) => /[a-z]{2,} [a-zX]|X [a-z]{2}/.test(text);

test.each(ROOMS)("everything that %s says of errors has its Japanese", (room) => {
  const missing = filesOf(room).flatMap((file) => {
    const told = toldIn(parseAst(readFileSync(file, "utf8"), { lang: "ts" }));
    const lines = told.flatMap((text) => text.split("\n")).filter(isSentence);
    return lines.filter((line) => toJapanese(line) === undefined).map((line) => `${path.basename(file)}: ${line}`);
  });
  expect(missing).toEqual([]);
});

/** A status that is half English is no status in Japanese; these texts are values of an advice. */
test.each(["controller/held-up", "membership/self"])("everything that %s says has its Japanese", (file) => {
  const source = readFileSync(path.join(SOURCE, `cluster/core/${file}.ts`), "utf8");
  const texts = textsBelow(parseAst(source, { lang: "ts" })).filter(isSentence);
  expect(texts.length).toBeGreaterThan(3);
  expect(texts.filter((text) => toJapanese(text) === undefined)).toEqual([]);
});

test("status in Japanese tells in Japanese what holds a DC up", () => {
  const why = "the configuration is not known to every member yet";
  const held = { severity: "error", row: 0, code: "decisions-held-up", values: { why }, what: why, doNow: "" } as const;
  expect(problemLines([held], "ja").join("\n")).toContain(": 設定がまだ全メンバーに行き渡っていません");
  expect(problemLines([held], "en").join("\n")).toContain(`: ${why}`);
});

test("--lang holds for errors, too, and for one command", async () => {
  const nowhere = path.join(os.tmpdir(), "gemel-nowhere");
  const said = async (...more: readonly string[]) => (await runHere(["status", "--run", nowhere, ...more])).errors;
  expect(await said("--lang", "ja")).toContain("このノードで gemel は動いていません");
  expect(await said()).toContain("gemel does not run on this node; keep the evidence (gemel report)");
});

describe("the table", () => {
  const phrases = [...REQUESTS_JA, ...SHELL_JA, ...CONFIGURATION_JA, ...STORY_JA];

  test("fills in on both sides what the other has, and says nothing twice", () => {
    const places = (text: string) => [...new Set(text.match(/\{\d\}/g) ?? [])].toSorted().join();
    expect(phrases.filter(([english, japanese]) => places(english) !== places(japanese))).toEqual([]);
    const english = phrases.map(([text]) => text);
    expect(english.filter((text, index) => english.indexOf(text) !== index)).toEqual([]);
  });

  test("each text is found by itself, not by a more general one", () => {
    for (const [english, japanese] of phrases) {
      const filled = (text: string) => text.replaceAll(/\{(\d)\}/g, "N$1");
      expect(toJapanese(filled(english))).toBe(filled(japanese));
    }
  });
});

test("the story of an incident is told in Japanese, with names, numbers and reasons", () => {
  const told = (text: string, sinceLastMs: number) => ({
    atWallMs: Date.UTC(2026, 10, 21),
    nodes: ["alpha"],
    severity: "warning" as const,
    text,
    sinceStartMs: 0,
    sinceLastMs,
  });
  const lines = storyLines(
    [
      told("fencing of bravo (off): it has gone from the cluster", 0),
      told("web: start on alpha is done after 250 ms", 1_500),
    ],
    "ja",
  );
  expect(lines[0]).toContain("bravo のフェンシング（off）: ");
  expect(lines[1]).toContain("web: alpha で start が 250 ms で完了");
  expect(lines.slice(2)).toEqual(["時間がかかった箇所:", "      1.500 秒かけて: web: alpha で start が 250 ms で完了"]);
});

describe("a problem", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  const problem = {
    severity: "error",
    place: "node",
    reason: "there is no node brav",
    remedy: "give one of alpha, bravo",
  } as const;

  test("is told as LANG says, names and all", () => {
    vi.stubEnv("LC_ALL", "");
    vi.stubEnv("LC_MESSAGES", "");
    vi.stubEnv("LANG", "ja_JP.UTF-8");
    expect(tellProblem(problem)).toBe(
      "node: エラー: ノード brav はありません。対処: alpha, bravo のいずれかを指定してください",
    );
    expect(inOperatorsLines("crm: there is no object x\nsomething else\n")).toBe(
      "crm: オブジェクト x はありません\nsomething else\n",
    );
    vi.stubEnv("LC_ALL", "C");
    expect(tellProblem(problem)).toBe("node: error: there is no node brav; give one of alpha, bravo");
  });

  test("holds another one within it", () => {
    expect(toJapanese("not known whether it will hold: there is no DC")).toBe(
      "変更が有効になるか分かりません: DC がありません",
    );
  });
});
