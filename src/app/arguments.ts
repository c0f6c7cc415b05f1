/** What a command is called with: Node's own reader, whose reasons are said in the words of an operator. */
import { type ParseArgsConfig, parseArgs as read } from "node:util";
import { nearestName } from "../base/nearest.ts";

const isCoded = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && "code" in error && typeof error.code === "string";

/** Node tells a person with a mistyped option how to hand it on as a word. */
function plainReason(error: Error & { readonly code: string }, known: readonly string[]): string {
  const [, named = ""] = /'([^']*)'/.exec(error.message) ?? [];
  if (error.code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL")
    return `"${named}" is not expected here: it takes no words`;
  if (error.code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") return error.message.replaceAll("\n", " ");
  const near = named.startsWith("--") ? nearestName(named.slice(2), known) : undefined;
  return `there is no option ${named}${near === undefined ? "" : `; did you mean --${near}?`}`;
}

/** As `parseArgs` of Node. Throws an Error with the reason. */
export function parseArgs<const Config extends ParseArgsConfig>(config: Config): ReturnType<typeof read<Config>> {
  try {
    return read(config);
  } catch (error) {
    throw isCoded(error) ? new Error(plainReason(error, Object.keys(config.options ?? {}))) : error;
  }
}
