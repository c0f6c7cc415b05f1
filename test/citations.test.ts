/** Every section of Pacemaker's books that a header cites is one that the book has. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { skips } from "./support/skip.ts";

/** Of the Debian package pacemaker-doc. */
const BOOKS = "/usr/share/doc/pacemaker";
const root = path.resolve(import.meta.dirname, "..");

const plain = (html: string) =>
  html
    .replaceAll(/<[^>]+>|¶/g, "")
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ")
    .replace(/^[\s\d.]+/, "")
    .trim();

function titlesOf(book: string): Set<string> {
  const file = path.join(BOOKS, book.replaceAll(" ", "_"), "singlehtml/index.html");
  const headings = readFileSync(file, "utf8").matchAll(/<h[1-6][^>]*>(.*?)<\/h[1-6]>/gs);
  return new Set([...headings].map(([, heading = ""]) => plain(heading)));
}

const sources = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);

/** Quoted titles that follow the book's name, up to the end of the sentence or a semicolon. */
function citations(text: string): { readonly book: string; readonly title: string }[] {
  const flat = text.replaceAll(/\n\s*\*\s*/g, " ");
  return [
    ...flat.matchAll(/(Pacemaker (?:Explained|Administration))((?:,? (?:and )?"[^"]+"(?: \([^)]*\))?)+)/g),
  ].flatMap(([, book = "", list = ""]) =>
    [...list.replaceAll(/" \([^)]*\)/g, '"').matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ book, title })),
  );
}

test.skipIf(skips(!existsSync(path.join(BOOKS, "Pacemaker_Explained")), "pacemaker-doc is not installed"))(
  "every cited section exists (skipped when pacemaker-doc is not installed)",
  () => {
    const known = new Map(["Pacemaker Explained", "Pacemaker Administration"].map((book) => [book, titlesOf(book)]));
    const cited = sources.flatMap((file) =>
      citations(readFileSync(path.join(root, "src", file), "utf8")).map((one) => ({ file, ...one })),
    );
    expect(cited.length).toBeGreaterThan(50);
    const missing = cited.filter(({ book, title }) => known.get(book)?.has(title) !== true);
    expect(missing.map(({ file, book, title }) => `${file}: ${book}, "${title}"`)).toEqual([]);
  },
);
