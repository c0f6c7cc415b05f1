/** Elements of a page and how they are laid out: as libxml2 writes HTML, so that readers line by line find theirs. */

interface Element {
  readonly tag: "h2" | "h3" | "ul" | "li" | "span";
  readonly class?: string | undefined;
  readonly content: string | readonly Element[];
}

export type { Element as PageElement };

export const escapeText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export const span = (content: string, className?: string): Element => ({ tag: "span", class: className, content });
export const item = (...content: readonly Element[]): Element => ({ tag: "li", content });
export const textItem = (content: string): Element => ({ tag: "li", content });
export const list = (content: readonly Element[]): Element => ({ tag: "ul", content });
export const titled = (title: string, items: readonly Element[]): readonly Element[] => [
  { tag: "h3", content: title },
  list(items),
];

const isInline = (element: Element | undefined) => element?.tag === "span";

/** Blocks stand on lines of their own, but for one that is alone in its element. */
export function printElements(elements: readonly Element[]): string {
  return elements
    .map((element, at) => {
      const glue = at === 0 || (isInline(element) && isInline(elements[at - 1])) ? "" : "\n";
      return glue + printElement(element);
    })
    .join("");
}

function printElement({ tag, class: className, content }: Element): string {
  const start = className === undefined ? `<${tag}>` : `<${tag} class="${className}">`;
  if (typeof content === "string") return `${start}${escapeText(content)}</${tag}>`;
  const inner = printElements(content);
  return content.length > 1 ? `${start}\n${inner}\n</${tag}>` : `${start}${inner}</${tag}>`;
}
