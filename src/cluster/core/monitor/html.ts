/** The same blocks as a page: nested lists, with a class for what is well, warned of, and wrong. */
import { sectionsOf } from "./sections.ts";
import type { MonitorSource, MonitorWishes, Section } from "./wishes.ts";

const STYLE = `body { font-family: sans-serif } .bad { color: #b00020; font-weight: bold } .warn { color: #8a6d00 }
.good { color: #1b5e20 }`;

const escapeText = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const BAD = /\b(?:FAILED|UNCLEAN|OFFLINE|lost|could not be executed|returned '|BLOCKED|blocked)\b/;
const WARN = /\b(?:Stopped|standby|maintenance|unmanaged|disabled|degraded|inactive|fail-count)\b/;
const GOOD = /\b(?:Started|Online|Promoted|Unpromoted)\b/;

/** How a line of a picture stands out, by its words; also for whoever draws it elsewhere. */
export function standingOf(text: string): "bad" | "warn" | undefined {
  if (BAD.test(text)) return "bad";
  return WARN.test(text) ? "warn" : undefined;
}

const classOf = (text: string) => standingOf(text) ?? (GOOD.test(text) ? "good" : "");

/** Lines `  * x` below one another become lists in lists. */
function listOf(lines: readonly string[]): string[] {
  const html: string[] = [];
  let depth = 0;
  for (const line of lines) {
    const [, blanks = "", text = line.trim()] = /^( *)\* (.*)$/.exec(line) ?? [];
    const level = Math.max(1, blanks.length / 2);
    for (; depth < level; depth += 1) html.push("<ul>");
    for (; depth > level; depth -= 1) html.push("</ul>");
    const kind = classOf(text);
    html.push(`<li${kind === "" ? "" : ` class="${kind}"`}>${escapeText(text.replaceAll("\t", " "))}</li>`);
  }
  for (; depth > 0; depth -= 1) html.push("</ul>");
  return html;
}

const block = ({ title, lines }: Section) => [`<h2>${escapeText(title)}</h2>`, ...listOf(lines)];

export interface Page {
  /** Makes a browser ask again; 0 does not. */
  readonly refreshSeconds: number;
  readonly title?: string | undefined;
  /** Where a browser finds another one; it comes behind ours, and prevails. */
  readonly stylesheet?: string | undefined;
}

const escapeValue = (text: string) => escapeText(text).replaceAll('"', "&quot;");

export function monitorHtml(source: MonitorSource, wishes: MonitorWishes, page: Page): string {
  const { refreshSeconds, title = "Cluster Status", stylesheet } = page;
  const link = stylesheet === undefined ? [] : [`<link rel="stylesheet" href="${escapeValue(stylesheet)}">`];
  const refresh = refreshSeconds > 0 ? [`<meta http-equiv="refresh" content="${refreshSeconds}">`] : [];
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head>",
    `<title>${escapeText(title)}</title>`,
    '<meta charset="utf-8">',
    ...refresh,
    `<style>${STYLE}</style>`,
    ...link,
    "</head>",
    "<body>",
    ...sectionsOf(source, wishes).flatMap(block),
    "</body>",
    "</html>",
  ].join("\n");
}
