/** `gemel timeline`: the story of an incident, from what all nodes wrote down, with where the time went. */
import process from "node:process";
import { type Language, languageOf } from "../../base/language.ts";
import { maskText, secretsOf } from "../../cluster/core/report/mask.ts";
import { longestGaps, type Told, tellTimeline } from "../../cluster/core/report/timeline.ts";
import { readCommandLine } from "../control-client.ts";
import { inLanguage } from "../japanese/translate.ts";
import { fitted } from "../live-view.ts";
import { readMoment } from "../moment.ts";
import { operatorsLanguage } from "../operators-language.ts";
import { EXIT, wrongCall } from "./ask.ts";
import { readWritten } from "./happenings.ts";

const USAGE =
  "gemel timeline [-f TIME] [-t TIME] [-w] [--about WORD] [--json] [--lang en|ja]\n" +
  "       TIME: 10min (ago), 13:05 or 2026-11-21 08:00:00; -w: no news";
const FROM_MS = 3_600_000;
const GAPS = 3;

export function storyLines(story: readonly Told[], language: Language = "en"): string[] {
  const marks = { info: " ", warning: "!", error: "X" } as const;
  const lines = story.map(({ atWallMs, sinceStartMs, nodes, severity, text }) => {
    const time = new Date(atWallMs).toISOString().slice(11, 23);
    const since = `+${(sinceStartMs / 1000).toFixed(3)}`.padStart(11);
    return `${time} ${since} s ${marks[severity]} ${nodes.join("+").padEnd(14)} ${inLanguage(text, language)}`;
  });
  const [before, head] = language === "ja" ? ["秒かけて", "時間がかかった箇所:"] : ["s before", "Where the time went:"];
  const gaps = longestGaps(story, GAPS).map(
    ({ sinceLastMs, text }) =>
      `  ${(sinceLastMs / 1000).toFixed(3).padStart(9)} ${before}: ${inLanguage(text, language)}`,
  );
  return gaps.length === 0 ? lines : [...lines, head, ...gaps];
}

/** Exit codes: 0; 64 wrong call; 69 no manager. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(
    argv,
    {
      from: { type: "string", short: "f" },
      to: { type: "string", short: "t" },
      warnings: { type: "boolean", short: "w" },
      about: { type: "string" },
      json: { type: "boolean" },
      lang: { type: "string" },
    },
    0,
  );
  if (called.kind === "wrong") return wrongCall("gemel timeline", called.reason, USAGE);
  const { socketPath, flags } = called;
  const nowWallMs = Date.now();
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const from = flags["from"] === undefined ? nowWallMs - FROM_MS : readMoment(text(flags["from"]), nowWallMs);
  const to = flags["to"] === undefined ? nowWallMs : readMoment(text(flags["to"]), nowWallMs);
  if (from === undefined || to === undefined) return wrongCall("gemel timeline", "-f and -t want a time", USAGE);
  const language = typeof flags["lang"] === "string" ? languageOf(flags["lang"]) : operatorsLanguage();
  const written = await readWritten("gemel timeline", socketPath);
  if (typeof written === "number") return written;
  const secrets = secretsOf(written.cib);
  const wanted = written.happenings.filter(({ severity }) => flags["warnings"] !== true || severity !== "info");
  const about = text(flags["about"]);
  const isAbout = ({ text: said, nodes }: Told) => about === undefined || said.includes(about) || nodes.includes(about);
  const whole = tellTimeline(wanted, { fromWallMs: from, toWallMs: to });
  const story = whole.filter(isAbout).map((one) => ({
    ...one,
    text: maskText(one.text, secrets),
  }));
  if (flags["json"] === true) process.stdout.write(`${JSON.stringify(story, null, 2)}\n`);
  else process.stdout.write(fitted(`${storyLines(story, language).join("\n")}\n`));
  for (const reason of written.missing) process.stderr.write(`gemel timeline: without ${reason}\n`);
  return EXIT.done;
}
