/**
 * `gemel crm-master`, also `crm_master`: the promotion score of an agent's own instance; agents call it.
 * Facts: crm_master(8): crm_attribute with --promotion, until the node leaves.
 */
import { run as attribute } from "./crm-attribute.ts";

/** `-r` names the resource here; the rest is crm_attribute's. */
export async function run(argv: readonly string[]): Promise<number> {
  const words: string[] = ["-p"];
  const rest: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const [, joined] = /^--resource=(.*)$/.exec(word) ?? [];
    const short = /^-r(.+)$/.exec(word)?.[1];
    if (joined !== undefined || short !== undefined) words.push(joined ?? short ?? "");
    else if (word === "-r" || word === "--resource") {
      words.push(argv[at + 1] ?? "");
      at += 1;
    } else rest.push(word);
  }
  return await attribute([...words, ...rest]);
}
