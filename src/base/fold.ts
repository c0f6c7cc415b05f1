/**
 * Lines folded to the columns of a terminal: what is continued hangs below its beginning, and a line is broken behind a
 * clause (`;`, `:`, a full stop of Japanese) where it can be, so that a command within it stays in one piece: half a
 * command that somebody copies is another command. Wide characters take two columns.
 * Facts: Unicode Standard Annex #11 (East Asian Width), the ranges W and F as far as terminals agree; JIS X 4051
 * for what may begin no line.
 */

const WIDE =
  "\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\u33ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\ua000-\\ua4cf\\uac00-\\ud7a3" +
  "\\uf900-\\ufaff\\ufe30-\\ufe4f\\uff00-\\uff60\\uffe0-\\uffe6\\u{1f300}-\\u{1faff}\\u{20000}-\\u{3fffd}";
const IS_WIDE = new RegExp(`[${WIDE}]`, "u");
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;
const TAB_COLUMNS = 8;

/** How many columns a text without line ends or tabs takes. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += NO_WIDTH.test(character) ? 0 : IS_WIDE.test(character) ? 2 : 1;
  return columns;
}

/** As `padEnd`, by columns. */
export const padColumns = (text: string, columns: number): string =>
  text + " ".repeat(Math.max(0, columns - columnsOf(text)));

function withoutTabs(line: string): string {
  const [first = "", ...rest] = line.split("\t");
  return rest.reduce((text, part) => text + " ".repeat(TAB_COLUMNS - (columnsOf(text) % TAB_COLUMNS)) + part, first);
}

/** What is never broken: a word, or one wide character with the signs that may not begin a line. */
interface Atom {
  readonly text: string;
  /** The blanks before it; gone where the line is broken there. */
  readonly gap: string;
}

const CLOSING = "、。，．）」』】〕：；！？ーゃゅょっァィゥェォャュョッ々)\\],.;:";
const ATOM = new RegExp(`( *)((?:[（「『【〔]*)(?:[${WIDE}]|[^\\s${WIDE}]+)[${CLOSING}]*)`, "gu");
const CLAUSE_END = /[;:。；：]$/;

function atomsOf(text: string): readonly Atom[] {
  return [...text.matchAll(ATOM)].map(([, gap = "", word = ""]) => ({ gap, text: word }));
}

function clausesOf(atoms: readonly Atom[]): readonly (readonly Atom[])[] {
  const clauses: Atom[][] = [[]];
  for (const atom of atoms) {
    clauses.at(-1)?.push(atom);
    if (CLAUSE_END.test(atom.text)) clauses.push([]);
  }
  return clauses.filter((clause) => clause.length > 0);
}

const written = (atoms: readonly Atom[]) =>
  atoms.map(({ gap, text }, index) => (index === 0 ? text : gap + text)).join("");

/** Below this, columns that are aligned with other lines cost more than they tell. */
const ALIGNED_FROM = 60;
/** Narrower than any terminal: nothing is folded to less. */
const COLUMNS_MIN = 20;

/** Where the second line begins: below the text behind the sign that begins the first. */
function hangOf(line: string, columns: number): number {
  const [, blanks = "", sign = ""] = /^( *)(-> |\* |\+ )?/.exec(line) ?? [];
  return Math.min(blanks.length + (sign === "" ? 2 : sign.length), Math.floor(columns / 3));
}

/** Fills lines of so many columns; `hang` begins each but the first. */
class Folder {
  readonly lines: string[] = [];
  readonly #hang: string;
  readonly #columns: number;
  #open: string;
  #isEmpty = true;

  constructor(lead: string, hang: string, columns: number) {
    this.#open = lead;
    this.#hang = hang;
    this.#columns = columns;
  }

  #fits(text: string, gap: string): boolean {
    return columnsOf(this.#open + (this.#isEmpty ? "" : gap) + text) <= this.#columns;
  }

  #put(text: string, gap: string): void {
    this.#open += this.#isEmpty ? text : gap + text;
    this.#isEmpty = false;
  }

  turn(): void {
    if (!this.#isEmpty) this.lines.push(this.#open.trimEnd());
    this.#open = this.#hang;
    this.#isEmpty = true;
  }

  /** Whole, on this line or on the next; else where its words end. */
  putClause(clause: readonly Atom[]): void {
    const [text, gap] = [written(clause), clause[0]?.gap ?? ""];
    if (!this.#fits(text, gap) && columnsOf(this.#hang + text) <= this.#columns) this.turn();
    if (this.#fits(text, gap)) this.#put(text, gap);
    else for (const atom of clause) this.#putAtom(atom);
  }

  /** One that is wider than the terminal is broken anywhere. */
  #putAtom({ text, gap }: Atom): void {
    if (!this.#fits(text, gap)) this.turn();
    let rest = Array.from(text);
    while (!this.#fits(rest.join(""), gap)) {
      let count = 1;
      while (this.#fits(rest.slice(0, count + 1).join(""), "")) count += 1;
      this.#put(rest.slice(0, count).join(""), "");
      rest = rest.slice(count);
      this.turn();
    }
    this.#put(rest.join(""), gap);
  }
}

/** One line, as so many as it takes; at least one. */
export function foldLine(given: string, columnsGiven: number): readonly string[] {
  const columns = Math.max(COLUMNS_MIN, columnsGiven);
  const line = withoutTabs(given).trimEnd();
  if (columnsOf(line) <= columns) return [line];
  const lead = /^ */.exec(line)?.[0] ?? "";
  const body = line.slice(lead.length);
  const folder = new Folder(lead, " ".repeat(hangOf(line, columns)), columns);
  for (const clause of clausesOf(atomsOf(columns < ALIGNED_FROM ? body.replaceAll(/ +/g, " ") : body)))
    folder.putClause(clause);
  folder.turn();
  return folder.lines;
}

/** A whole text, line by line. */
export function foldText(text: string, columns: number): readonly string[] {
  return text.split("\n").flatMap((line) => foldLine(line, columns));
}
