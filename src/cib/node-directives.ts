/**
 * The directives of a node's configuration file, declared once: schema, usage and help of each; types derive from it.
 * A directive's value is the list of words after its name. Words and meanings are ha.cf's wherever it had them.
 * Fact: Linux-HA ha.cf(5); times are seconds unless they carry `us`, `ms`, `s`, `min` or `h`.
 */
import * as v from "valibot";
import { entryOf } from "../base/record.ts";
import { type LinkConfig, readLink } from "./node-links.ts";

const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  "": 1000,
  s: 1000,
  sec: 1000,
  min: 60_000,
  h: 3_600_000,
};

/** Milliseconds, or undefined when it is no time. */
export function parseTimeMs(word: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|sec|min|h|)$/.exec(word);
  const unit = entryOf(UNITS, match?.[2] ?? "none");
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

const nameWord = v.pipe(
  v.string("a name is missing"),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "a name has letters, digits, dots, dashes, underscores; at most 63"),
);
const timeMs = v.pipe(
  v.string("the time is missing"),
  v.check((word) => (parseTimeMs(word) ?? 0) > 0, "a time is a number above 0 with ms, s or min behind it, as 500ms"),
  v.transform((word) => parseTimeMs(word) ?? 0),
);
const absolutePath = v.pipe(v.string("the path is missing"), v.startsWith("/", "the path must be absolute"));
const file = v.string("the file is missing");
const onOff = v.pipe(
  v.string("write on or off"),
  v.regex(/^(?:on|yes|true|y|1|off|no|false|n|0)$/i, "write on or off"),
  v.transform((word) => /^(?:on|yes|true|y|1)$/i.test(word)),
);

export interface Directive<Value> {
  readonly usage: string;
  readonly help: string;
  readonly repeats: boolean;
  readonly required: boolean;
  readonly schema: v.GenericSchema<unknown, Value>;
}

function directive<Value>(
  usage: string,
  help: string,
  schema: v.GenericSchema<unknown, Value>,
  { repeats = false, required = false } = {},
): Directive<Value> {
  return { usage, help, repeats, required, schema };
}

/** A directive of one word. */
function only<Value>(schema: v.GenericSchema<string, Value>) {
  return v.pipe(
    v.strictTuple([schema], "one value is expected"),
    v.transform(([value]): Value => value),
  );
}

const node = v.pipe(
  v.strictTuple(
    [
      nameWord,
      v.literal("id", "write id and a number after the node's name"),
      v.pipe(
        v.string("the number is missing"),
        v.regex(/^\d{1,2}$/, "an id is a number from 1 to 16"),
        v.transform(Number),
        v.minValue(1, "an id is a number from 1 to 16"),
        v.maxValue(16, "an id is a number from 1 to 16"),
      ),
    ],
    "write NAME id NUMBER",
  ),
  v.transform(([name, , id]) => ({ name, id })),
);

const link = v.pipe(
  v.tupleWithRest(
    [
      nameWord,
      v.picklist(
        ["udp", "broadcast", "multicast", "serial"],
        "write udp, broadcast, multicast or serial after the name",
      ),
    ],
    v.string(),
  ),
  v.rawTransform(({ dataset, addIssue }): LinkConfig => {
    const [name, kind, ...words] = dataset.value;
    return readLink(name, kind, words, (message) => addIssue({ message }));
  }),
);

export type WatchdogConfig =
  | { readonly kind: "none" }
  | { readonly kind: "device"; readonly path: string; readonly timeoutMs: number; readonly pretimeoutMs?: number };

const watchdog = v.pipe(
  v.array(v.string()),
  v.rawTransform(({ dataset, addIssue }): WatchdogConfig => {
    const [path = "", word, time = "", before = "pretimeout", pretime, ...rest] = dataset.value;
    if (path === "none" && word === undefined) return { kind: "none" };
    const timeoutMs = parseTimeMs(time) ?? 0;
    const pretimeoutMs = pretime === undefined ? undefined : (parseTimeMs(pretime) ?? 0);
    const isWhole = path.startsWith("/") && word === "timeout" && before === "pretimeout" && rest.length === 0;
    if (!isWhole || (dataset.value.length === 4 && pretime === undefined))
      addIssue({ message: "write /dev/watchdog timeout TIME, or none" });
    else if (timeoutMs < 1000) addIssue({ message: "the watchdog's timeout is 1s at least, in whole seconds" });
    else if (pretimeoutMs !== undefined && (pretimeoutMs < 1000 || pretimeoutMs >= timeoutMs))
      addIssue({ message: "the pretimeout is 1s at least, and shorter than the timeout" });
    return { kind: "device", path, timeoutMs, ...(pretimeoutMs === undefined ? {} : { pretimeoutMs }) };
  }),
);

export interface StorageCheck {
  readonly path: string;
  readonly timeoutMs: number;
}

const storageCheck = v.pipe(
  v.array(v.string()),
  v.rawTransform(({ dataset, addIssue }): StorageCheck => {
    const [path = "", word = "timeout", time = "30s", ...rest] = dataset.value;
    const timeoutMs = parseTimeMs(time) ?? 0;
    if (!path.startsWith("/") || word !== "timeout" || dataset.value.length === 2 || rest.length > 0)
      addIssue({ message: "write the absolute path of a disk, and timeout TIME if 30s is wrong" });
    else if (timeoutMs < 5000) addIssue({ message: "a healthy disk may take seconds: the timeout is 5s at least" });
    return { path, timeoutMs };
  }),
);

export interface PingConfig {
  readonly name: string;
  /** Reachable when any of them answers. */
  readonly addresses: readonly string[];
}

const ipAddress = v.pipe(v.string(), v.ip());
export const isAddress = (text: string): boolean => v.safeParse(ipAddress, text).success;

const ping = v.pipe(
  v.tupleWithRest([nameWord, v.string("the address is missing")], v.string()),
  v.rawTransform(({ dataset, addIssue }): PingConfig => {
    const [name, ...addresses] = dataset.value;
    for (const address of addresses)
      if (!isAddress(address)) addIssue({ message: `${address} is no IPv4 or IPv6 address` });
    return { name, addresses };
  }),
);

export interface QuorumConfig {
  /** Without it a node that has waited initdead decides alone. */
  readonly waitForAll: boolean;
  readonly tieBreaker:
    | { readonly kind: "none" }
    | { readonly kind: "ping"; readonly name: string }
    | { readonly kind: "disk"; readonly path: string };
}

const tieBreaker = v.pipe(
  v.array(v.string()),
  v.rawTransform(({ dataset, addIssue }): QuorumConfig["tieBreaker"] => {
    const [kind, value = "", ...rest] = dataset.value;
    if (kind === "ping" && value !== "" && rest.length === 0) return { kind, name: value };
    if (kind === "disk" && value.startsWith("/") && rest.length === 0) return { kind, path: value };
    if (kind !== "none" || value !== "") addIssue({ message: "write ping NAME, disk PATH, or none" });
    return { kind: "none" };
  }),
);

/** How a node that must not run on ends. */
const selfFencing = v.picklist(["reboot", "watchdog", "exit"], "write reboot, watchdog or exit");

export const DIRECTIVES = {
  cluster: directive("NAME", "name of the cluster; packets of another cluster are not heard", only(nameWord), {
    required: true,
  }),
  node: directive("NAME id NUMBER", "a member of the cluster; its id is 1 to 16 and never changes", node, {
    repeats: true,
    required: true,
  }),
  "takeover-goal": directive(
    "TIME",
    "within what time a dead node's services shall run again: derives keepalive, warntime and deadtime",
    only(timeMs),
  ),
  keepalive: directive("TIME", "how often a heartbeat goes out on every link; 1s if not given", only(timeMs)),
  warntime: directive("TIME", "silence after which a link is called late; half of deadtime if not given", only(timeMs)),
  deadtime: directive("TIME", "silence on all links after which a node is lost; 3s if not given", only(timeMs)),
  initdead: directive(
    "TIME",
    "how long to wait for the other nodes after our start; the larger of 10s and twice deadtime if not given",
    only(timeMs),
  ),
  deadping: directive("TIME", "silence after which a ping node is dead; deadtime if not given", only(timeMs)),
  ping: directive(
    "NAME ADDRESS [ADDRESS...]",
    "a host beyond the cluster, or a group of which any may answer; each that answers adds 100 to the attribute pingd",
    ping,
    { repeats: true },
  ),
  "wait-for-all": directive(
    "on | off",
    "on: after a start nobody decides until every node was there once; off if not given",
    only(onOff),
  ),
  "tie-breaker": directive(
    "ping NAME | disk PATH | none",
    "what has quorum of two halves: the one that reaches a ping node, or that holds the sfex lock on a shared disk",
    tieBreaker,
  ),
  link: directive(
    "NAME udp NODE=ADDRESS:PORT NODE=ADDRESS:PORT [device=INTERFACE] | " +
      "NAME broadcast device=INTERFACE [port=PORT] [address=ADDRESS] | " +
      "NAME multicast group=ADDRESS device=INTERFACE [port=PORT] [hops=NUMBER] | " +
      "NAME serial device=PATH[,PATH] [baud=RATE]",
    "a heartbeat path, up to 8 in any mix; better two that share no cable, switch or card",
    link,
    { repeats: true, required: true },
  ),
  authkeys: directive("FILE", "the keys that sign every packet; a file that only root can read", only(file), {
    required: true,
  }),
  watchdog: directive(
    "PATH timeout TIME [pretimeout TIME] | none",
    "the device that resets this machine when it hangs",
    watchdog,
    {
      required: true,
    },
  ),
  "storage-check": directive(
    "PATH [timeout TIME]",
    "a disk that this node must be able to read, or its watchdog is not fed; 30s if no time is given",
    storageCheck,
    { repeats: true },
  ),
  "self-fencing": directive(
    "reboot | watchdog | exit",
    "how a node that must not run on ends: at once, by the unfed watchdog, or by ending its processes only",
    only(selfFencing),
  ),
  "quorum-lease": directive(
    "TIME",
    "without quorum for so long this node is ended by its watchdog, and the others may count on it: watchdog fencing",
    only(timeMs),
  ),
  "fencing-disk": directive(
    "PATH",
    "a shared disk in sbd's format on which this node is told to end; one, or three of which two must be readable",
    only(absolutePath),
    { repeats: true },
  ),
  configuration: directive(
    "FILE",
    "the cluster configuration in crm syntax, read while this node has none yet",
    only(file),
  ),
  agents: directive("PATH", "root of the OCF resource agents; /usr/lib/ocf if not given", only(absolutePath)),
  "link-attributes": directive(
    "on | off",
    "each link is an attribute PEER-LINK of the node, up or down, for crm_mon -A and for rules; off if not given",
    only(onOff),
  ),
  realtime: directive("on | off", "real-time priority and locked memory for the keeper; on if not given", only(onOff)),
} as const;

export type DirectiveName = keyof typeof DIRECTIVES;
export type DirectiveValue<Name extends DirectiveName> = v.InferOutput<(typeof DIRECTIVES)[Name]["schema"]>;

export const DIRECTIVE_NAMES = Object.keys(DIRECTIVES).filter((name): name is DirectiveName =>
  Object.hasOwn(DIRECTIVES, name),
);

/** The value of a directive, or what is wrong with its words, one message each. */
export function readDirective<Name extends DirectiveName>(
  name: Name,
  words: readonly string[],
): { readonly value: DirectiveValue<Name> } | { readonly messages: readonly string[] } {
  const schema: v.GenericSchema<unknown, unknown> = DIRECTIVES[name].schema;
  const result = v.safeParse(schema, words);
  if (!result.success) return { messages: [...new Set(result.issues.map(({ message }) => message))] };
  // Parser boundary: the schema was taken by this name, which the compiler cannot follow through the table.
  return { value: result.output as DirectiveValue<Name> };
}
