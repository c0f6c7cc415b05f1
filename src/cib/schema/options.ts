/**
 * Every option that a CIB may set: its type, default, allowed words and one line of help. Declared once, as data:
 * checks, completion, help and the reference page derive from it. Both dialects are listed: the name that
 * is used today first, older ones as `aliases`.
 * Facts: Pacemaker Explained (options, meta-attributes, operation properties); pacemaker-schedulerd(7),
 * pacemaker-controld(7), pacemaker-fenced(7) of 2.1.5; defaults of 1.0 where they differ are not used.
 */
export type OptionType = "boolean" | "integer" | "score" | "time" | "percentage" | "words" | "text";

export interface OptionSchema {
  readonly name: string;
  readonly type: OptionType;
  /** As it would be written; undefined: none. */
  readonly default?: string;
  /** For `words`: all that are allowed. For other types: words allowed beside a value of that type. */
  readonly words?: readonly string[];
  readonly aliases?: readonly string[];
  readonly help: string;
  /** What to do instead, for options that do nothing any more. */
  readonly obsolete?: string;
}

type Row = readonly [name: string, type: OptionType, fallback: string | undefined, help: string, more?: More];
interface More {
  readonly words?: readonly string[];
  readonly aliases?: readonly string[];
  readonly obsolete?: string;
}

const table = (rows: readonly Row[]): readonly OptionSchema[] =>
  rows.map(([name, type, fallback, help, more = {}]) => ({
    name,
    type,
    help,
    ...(fallback === undefined ? {} : { default: fallback }),
    ...more,
  }));

const REMOVED = "remove it; it has no effect";

export const CLUSTER_OPTIONS = table([
  [
    "no-quorum-policy",
    "words",
    "stop",
    "what a partition without quorum does with its resources",
    {
      words: ["stop", "freeze", "ignore", "demote", "fence", "suicide"],
    },
  ],
  ["symmetric-cluster", "boolean", "true", "whether resources may run on any node unless a constraint forbids it"],
  ["maintenance-mode", "boolean", "false", "no monitoring, starting or stopping of any resource"],
  ["start-failure-is-fatal", "boolean", "true", "a failed start bans the resource from that node at once"],
  ["enable-startup-probes", "boolean", "true", "look for active resources when a node joins"],
  ["shutdown-lock", "boolean", "false", "resources wait for a node that was shut down in order"],
  [
    "manual-override-lifetime",
    "time",
    "24h",
    "how long a move, ban, standby, maintenance or unmanage holds when nobody says",
    { words: ["forever"] },
  ],
  ["shutdown-lock-limit", "time", "0", "how long a shutdown lock holds; 0: until the node is back"],
  [
    "fencing-enabled",
    "boolean",
    "true",
    "whether lost nodes are fenced before their resources are taken over",
    {
      aliases: ["stonith-enabled"],
    },
  ],
  [
    "fencing-action",
    "words",
    "reboot",
    "what fencing does to a node",
    {
      words: ["reboot", "off", "poweroff"],
      aliases: ["stonith-action"],
    },
  ],
  ["fencing-timeout", "time", "60s", "how long one fencing action may take", { aliases: ["stonith-timeout"] }],
  [
    "fencing-max-attempts",
    "integer",
    "10",
    "failed fencings of a node before it is no longer retried at once",
    {
      aliases: ["stonith-max-attempts"],
    },
  ],
  [
    "fencing-watchdog-timeout",
    "time",
    "0",
    "lost nodes are taken for dead after this; 0: never",
    {
      aliases: ["stonith-watchdog-timeout"],
    },
  ],
  [
    "fencing-reaction",
    "words",
    "stop",
    "what a node does that hears of its own fencing",
    {
      words: ["stop", "panic"],
      aliases: ["fence-reaction"],
    },
  ],
  ["have-watchdog", "boolean", "false", "set by the cluster: whether a watchdog is armed"],
  ["concurrent-fencing", "boolean", "true", "several nodes may be fenced at the same time"],
  ["startup-fencing", "boolean", "true", "nodes never seen since the start are fenced"],
  ["priority-fencing-delay", "time", "5s", "the node that carries less waits so long before it fences the other"],
  ["fencing-proof-interval", "time", "10min", "how often each fencing device is looked at; 0: by its monitor only"],
  ["fencing-proof-expiry", "time", "1h", "how long a device counts as proven after it was seen well; 0: for ever"],
  ["node-pending-timeout", "time", "0", "how long a joining node may take before it is fenced; 0: for ever"],
  ["cluster-delay", "time", "60s", "longest round trip of a message between nodes"],
  ["batch-limit", "integer", "0", "most actions in flight in the whole cluster; 0: by load"],
  [
    "migration-limit",
    "integer",
    "-1",
    "most live migrations in flight on one node; -1: no limit",
    {
      words: ["INFINITY"],
    },
  ],
  ["node-action-limit", "integer", "0", "most actions in flight on one node; 0: twice the cores"],
  ["load-threshold", "percentage", "80%", "load of a node above which recovery slows down"],
  ["stop-all-resources", "boolean", "false", "stop everything"],
  [
    "stop-removed-resources",
    "boolean",
    "true",
    "stop resources that are no longer configured",
    {
      aliases: ["stop-orphan-resources"],
    },
  ],
  [
    "cancel-removed-actions",
    "boolean",
    "true",
    "cancel recurring operations that are no longer configured",
    {
      aliases: ["stop-orphan-actions"],
    },
  ],
  ["remove-after-stop", "boolean", "false", "forget stopped resources"],
  ["pe-error-series-max", "integer", "-1", "decisions with errors to keep; -1: all"],
  ["pe-warn-series-max", "integer", "5000", "decisions with warnings to keep; -1: all"],
  ["pe-input-series-max", "integer", "4000", "other decisions to keep; -1: all"],
  [
    "node-health-strategy",
    "words",
    "none",
    "how health attributes move resources",
    {
      words: ["none", "migrate-on-red", "only-green", "progressive", "custom"],
    },
  ],
  ["node-health-base", "score", "0", "health score of a node to begin with"],
  ["node-health-green", "score", "0", "score of a green health attribute"],
  ["node-health-yellow", "score", "0", "score of a yellow health attribute"],
  ["node-health-red", "score", "-INFINITY", "score of a red health attribute"],
  [
    "placement-strategy",
    "words",
    "default",
    "whether capacity decides where resources go",
    {
      words: ["default", "utilization", "minimal", "balanced"],
    },
  ],
  ["dc-version", "text", undefined, "set by the cluster: version of the DC"],
  ["cluster-infrastructure", "text", undefined, "set by the cluster: what carries its messages"],
  ["cluster-name", "text", undefined, "a name for the cluster, for people and rules"],
  ["cluster-recheck-interval", "time", "15min", "how often time-based rules are looked at anew"],
  ["dc-deadtime", "time", "20s", "how long to wait for other nodes at start-up"],
  ["election-timeout", "time", "2min", "how long an election may take"],
  ["shutdown-escalation", "time", "20min", "how long a shutdown may take"],
  [
    "join-integration-timeout",
    "time",
    "3min",
    "how long a node may take to join",
    {
      aliases: ["crmd-integration-timeout"],
    },
  ],
  [
    "join-finalization-timeout",
    "time",
    "30min",
    "how long a join may take to end",
    {
      aliases: ["crmd-finalization-timeout"],
    },
  ],
  ["transition-delay", "time", "0s", "wait for further events before deciding", { aliases: ["crmd-transition-delay"] }],
  ["last-lrm-refresh", "integer", undefined, "set by tools: when histories were last refreshed"],
  ["enable-acl", "boolean", "false", "whether roles and users are enforced"],
  [
    "default-resource-stickiness",
    "score",
    "0",
    "stickiness of resources that set none",
    {
      obsolete: "write rsc_defaults resource-stickiness=",
    },
  ],
  [
    "default-action-timeout",
    "time",
    "20s",
    "timeout of operations that set none",
    {
      obsolete: "write op_defaults timeout=",
    },
  ],
  [
    "default-migration-threshold",
    "score",
    "INFINITY",
    "migration threshold of resources that set none",
    {
      obsolete: "write rsc_defaults migration-threshold=",
    },
  ],
  [
    "is-managed-default",
    "boolean",
    "true",
    "whether resources are managed that do not say",
    {
      obsolete: "write rsc_defaults is-managed=",
    },
  ],
  ["expected-quorum-votes", "integer", "2", "votes of the whole cluster", { obsolete: REMOVED }],
]);

const ROLES = ["Stopped", "Started", "Slave", "Master", "Unpromoted", "Promoted"];

/** Meta-attributes of every resource. */
export const RESOURCE_META = table([
  ["priority", "score", "0", "when not all can run, the higher ones stay"],
  ["critical", "boolean", "true", "a resource that must move takes those colocated with it along"],
  ["target-role", "words", "Started", "what the cluster should bring it to", { words: [...ROLES, "#default"] }],
  ["is-managed", "boolean", "true", "whether the cluster may start and stop it"],
  ["maintenance", "boolean", "false", "neither monitored nor touched"],
  ["resource-stickiness", "score", undefined, "how much it wants to stay where it is"],
  [
    "requires",
    "words",
    undefined,
    "what must be true before it may start",
    {
      words: ["nothing", "quorum", "fencing", "unfencing"],
    },
  ],
  ["migration-threshold", "score", "INFINITY", "failures on a node before it must leave it"],
  ["failure-timeout", "time", "0", "when failures are forgotten; 0: never"],
  [
    "multiple-active",
    "words",
    "stop_start",
    "what to do when it runs more than once",
    {
      words: ["block", "stop_only", "stop_start", "stop_unexpected"],
    },
  ],
  ["allow-migrate", "boolean", undefined, "whether it can move while it runs"],
  ["allow-unhealthy-nodes", "boolean", "false", "whether it may run on nodes of bad health"],
  ["container-attribute-target", "words", undefined, "where attributes of a container are kept", { words: ["host"] }],
  ["remote-node", "text", undefined, "name of the guest node that it is"],
  ["remote-port", "integer", "3121", "port of the guest node's executor"],
  ["remote-addr", "text", undefined, "address of the guest node"],
  ["remote-connect-timeout", "time", "60s", "how long a connection to the guest may take"],
  ["remote-allow-migrate", "boolean", "true", "whether the guest node's connection may move"],
  ["resource-id", "text", undefined, "set by tools", { obsolete: REMOVED }],
  [
    "restart-type",
    "words",
    "ignore",
    "whether those ordered after it restart with it",
    { words: ["ignore", "restart"] },
  ],
  ["provides", "words", undefined, "what a fencing device gives", { words: ["unfencing"] }],
  ["container", "text", undefined, "the resource that it runs in"],
  ["is_managed", "boolean", undefined, "old spelling", { obsolete: "write is-managed" }],
]);

/** Meta-attributes that clones and promotable clones have beside those of every resource. */
export const CLONE_META = table([
  ["clone-max", "integer", undefined, "instances in the whole cluster; by itself one a node"],
  ["clone-node-max", "integer", "1", "instances on one node"],
  ["clone-min", "integer", "0", "instances that must run before others may start after the clone"],
  ["notify", "boolean", "false", "tell every instance before and after another is started or stopped"],
  ["globally-unique", "boolean", undefined, "whether instances differ from each other"],
  ["ordered", "boolean", "false", "instances start one after the other"],
  ["interleave", "boolean", "false", "orderings with another clone hold for each node apart"],
  ["promotable", "boolean", "false", "whether instances can be promoted"],
  ["promoted-max", "integer", "1", "promoted instances in the whole cluster", { aliases: ["master-max"] }],
  ["promoted-node-max", "integer", "1", "promoted instances on one node", { aliases: ["master-node-max"] }],
]);

/** Old spellings of group options, and what groups set for all their members. */
export const GROUP_META = table([
  ["ordered", "boolean", "true", "members start in their order"],
  ["collocated", "boolean", "true", "members run on one node"],
]);

export const OPERATION_OPTIONS = table([
  ["interval", "time", "0", "how often it runs; 0: only when it is needed"],
  ["timeout", "time", "20s", "how long it may take"],
  [
    "on-fail",
    "words",
    undefined,
    "what follows its failure",
    {
      words: ["ignore", "block", "demote", "stop", "restart", "fence", "standby", "restart-container", "nothing"],
    },
  ],
  ["enabled", "boolean", "true", "false: as if it were not there"],
  ["record-pending", "boolean", "true", "whether it is shown while it runs"],
  ["role", "words", undefined, "run only on instances of this role", { words: ROLES }],
  ["start-delay", "time", "0", "wait before the first run"],
  ["interval-origin", "text", undefined, "a date from which the intervals count"],
  [
    "requires",
    "words",
    undefined,
    "older place of the resource's own option",
    {
      words: ["nothing", "quorum", "fencing", "unfencing"],
    },
  ],
  ["name", "text", undefined, "which action of the agent it runs"],
  ["description", "text", undefined, "a remark"],
  ["id", "text", undefined, "its name in the CIB"],
  ["id-ref", "text", undefined, "another operation that it is the same as"],
  ["trace_ra", "text", undefined, "makes the agent write a trace"],
]);

/** Parameters that the cluster itself takes from any fencing device. */
export const FENCING_PARAMETERS = table([
  ["pcmk_host_map", "text", undefined, "pairs of a node and its port, NODE:PORT"],
  ["pcmk_host_list", "text", undefined, "nodes that the device can fence"],
  [
    "pcmk_host_check",
    "words",
    "dynamic-list",
    "how to find out whom it can fence",
    {
      words: ["dynamic-list", "static-list", "status", "none"],
    },
  ],
  ["pcmk_delay_max", "time", "0s", "random delay, at most this"],
  ["pcmk_delay_base", "text", "0s", "delay for one side, against both shooting each other"],
  ["pcmk_action_limit", "integer", "1", "actions at the same time; -1: no limit"],
  ["pcmk_off_timeout", "time", "60s", "timeout of off"],
  ["pcmk_reboot_timeout", "time", "60s", "timeout of reboot"],
]);

/** The schema of an option by its name or an older one. */
export function findOption(options: readonly OptionSchema[], name: string): OptionSchema | undefined {
  return options.find((option) => option.name === name || option.aliases?.includes(name) === true);
}

/** All names, older ones too, for completion and for what a mistyped one was meant to be. */
export function optionNames(options: readonly OptionSchema[]): string[] {
  return options.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
}
