/** `configure show`: objects as they could be loaded again, chosen by id, kind, tag or what they have to do with. */
import { nearestName } from "../../base/nearest.ts";
import { childOf, printXml, type XmlElement } from "../../base/xml.ts";
import { STATEMENT_NAMES } from "../../cib/crm-syntax/parse.ts";
import { listStatements, type Printed } from "../../cib/crm-syntax/print.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { EXIT, type Session } from "./session.ts";

/** `passw*` as a pattern of whole option names. */
const globOf = (glob: string) => glob.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^=\\s]*");

function hide(text: string, globs: readonly string[]): string {
  return globs.reduce(
    (shown, glob) => shown.replaceAll(new RegExp(`(^|\\s)(${globOf(glob)})=("[^"]*"|\\S+)`, "gm"), '$1$2="******"'),
    text,
  );
}

const textOf = (printed: Printed) => printed.lines.join("\n");
const idOf = ({ attributes }: XmlElement) => attributes["id"];

type Chooser = (printed: Printed) => boolean;
/** A word that chooses nothing that there is would pass for an empty answer. */
type Choice = Chooser | { readonly wrong: string };

function ofKind(kind: string): Choice {
  const meant = kind === "master" ? "ms" : kind;
  if (STATEMENT_NAMES.includes(meant)) return ({ lines: [first = ""] }) => first.split(" ", 1)[0] === meant;
  const near = nearestName(kind, STATEMENT_NAMES);
  return { wrong: `there is no statement ${kind}${near === undefined ? "" : `; did you mean ${near}?`}` };
}

function ofTag(working: XmlElement, tag: string): Choice {
  const found = childOf(working, "tags")?.children.find((each) => idOf(each) === tag);
  if (found === undefined) return { wrong: `there is no tag ${tag}` };
  const tagged = found.children.map(idOf);
  return ({ id }) => tagged.includes(id);
}

function chooserOf(word: string, working: XmlElement, running: XmlElement): Choice {
  const [, filter = "", what = ""] = /^(type|tag|related):(.*)$/.exec(word) ?? [];
  if (word === "changed") {
    const before = new Set(listStatements(running).map(textOf));
    return (printed) => !before.has(textOf(printed));
  }
  if (filter === "type") return ofKind(what);
  if (filter === "tag") return ofTag(working, what);
  const all = listStatements(working);
  const isThere = (id: string) => all.some((printed) => printed.id === id);
  if (filter === "related") {
    if (!isThere(what)) return { wrong: `there is no object ${what}` };
    return ({ lines }) =>
      lines
        .join(" ")
        .split(/[\s:]+/)
        .includes(what);
  }
  if (word === "fencing_topology") return ({ section }) => section === "fencing-topology";
  return isThere(word) ? ({ id }) => id === word : { wrong: `there is no object ${word}` };
}

function asXml(working: XmlElement, chosen: readonly Printed[]): string {
  const elements = everyElement(working).map(({ element }) => element);
  return chosen
    .map(({ id, section }) => elements.find((each) => (id === "" ? each.name === section : idOf(each) === id)))
    .map((element) => (element === undefined ? "" : printXml(element)))
    .join("");
}

/** `show [xml] [WORD]...`: what any of the words chooses; exit code 1 when one of them names nothing. */
export function show(session: Session, words: readonly string[], working: XmlElement): number {
  const isXml = words.includes("xml");
  const globs = words.flatMap((word) => (word.startsWith("obscure:") ? [word.slice("obscure:".length)] : []));
  const wanted = words.filter((word) => word !== "xml" && !word.startsWith("obscure:"));
  if (isXml && wanted.length === 0) {
    session.terminal.out(printXml(working));
    return EXIT.done;
  }
  const choices = wanted.map((word) => chooserOf(word, working, session.running?.configuration ?? working));
  const wrong = choices.flatMap((choice) => (typeof choice === "function" ? [] : [choice.wrong]));
  for (const reason of wrong) session.terminal.err(`crm: ${reason}\n`);
  const all = listStatements(working);
  const chosen =
    wanted.length === 0
      ? all
      : all.filter((printed) => choices.some((choice) => typeof choice === "function" && choice(printed)));
  session.terminal.out(
    isXml ? asXml(working, chosen) : hide(chosen.map((each) => `${textOf(each)}\n`).join(""), globs),
  );
  return wrong.length === 0 ? EXIT.done : EXIT.failed;
}
