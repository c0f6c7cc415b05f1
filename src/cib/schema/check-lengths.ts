/**
 * Parameters that are longer than a program can be given: no operation of the resource could even be begun, and a stop
 * that cannot be begun is a failed one, for which a node is fenced.
 * Fact: execve(2), "Limits on size of arguments and environment": 32 pages for one string, with its zero byte.
 */
import { childOf, type XmlElement } from "../../base/xml.ts";
import { everyElement, type Finding, finding } from "./finding.ts";

const WORD_BYTES_MAX = 131_072;
/** As an OCF agent is given a parameter: the name behind this, a sign of equality, the value, a zero byte. */
const FRAME_BYTES = "OCF_RESKEY_=".length + 1;

function bytesOf({ name = "", value = "" }: XmlElement["attributes"]): number {
  // No sign takes more than three bytes for each of its units.
  if (3 * (name.length + value.length) < WORD_BYTES_MAX - FRAME_BYTES) return 0;
  return new TextEncoder().encode(name + value).length + FRAME_BYTES;
}

export function checkLengths(configuration: XmlElement): Finding[] {
  const resources = childOf(configuration, "resources");
  if (resources === undefined) return [];
  return everyElement(resources, [configuration]).flatMap((seen) => {
    const { name, attributes } = seen.element;
    if (name !== "nvpair" || seen.above.at(-1)?.name !== "instance_attributes") return [];
    if (bytesOf(attributes) <= WORD_BYTES_MAX) return [];
    const reason = `the parameter ${attributes["name"] ?? ""} is longer than a program can be given (128 KiB)`;
    return [finding("error", seen, reason, "put it into a file, and give the file's name")];
  });
}
