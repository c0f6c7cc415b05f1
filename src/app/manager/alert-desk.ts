/**
 * Alerts of this node: what its cores have come to is handed to the core of alerts, whose runs are started here. Nobody
 * waits for any of it. See docs/operations/alerts.md.
 */
import type { XmlElement } from "../../base/xml.ts";
import { alertsOf, readAlertTargets, selectsAttributes } from "../../cluster/core/alerts/configuration.ts";
import {
  type AlertRun,
  type AlertsEvent,
  type AlertTrouble,
  createAlerts,
  stepAlerts,
} from "../../cluster/core/alerts/dispatch.ts";
import {
  attributeHappenings,
  fencingHappening,
  type Happening,
  type NodeWords,
  nodeHappenings,
  nodeWords,
  resourceHappening,
} from "../../cluster/core/alerts/happenings.ts";
import { type NodeEvent, type NodeState, nodeCib } from "../../cluster/core/controller/node-core.ts";
import type { MembershipView } from "../../cluster/core/membership/view.ts";
import { openAlertAgents } from "../../cluster/edge/alert-agent.ts";
import type { FencingRecord } from "../../fencing/core/fencer-state.ts";
import { zoneAt } from "../zone.ts";
import type { Log } from "./log.ts";

export interface AlertDesk {
  /** What one event has made of the node. */
  readonly note: (before: NodeState, event: NodeEvent, after: NodeState) => void;
  /** A round of fencing has just ended, here or at a peer. */
  readonly fenced: (record: FencingRecord, cib: XmlElement) => void;
  readonly troubles: () => readonly AlertTrouble[];
}

export interface AlertDeskOptions {
  readonly runDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Another manager has told of the members before; that one is lost may be told twice, but never not at all. */
  readonly hasForerunner: boolean;
  readonly log: Log;
  readonly onChange: () => void;
}

/** 2020-01-01. Counted from here the seconds still fit the 31 bits of whoever hands the number on by SNMP. */
const SEQUENCE_EPOCH_WALL_MS = 1_577_836_800_000;

/** Above every number of an earlier manager, unless they had told of more than one event a second all their lives. */
const firstSequence = () => Math.floor((Date.now() - SEQUENCE_EPOCH_WALL_MS) / 1000);

export function createAlertDesk(options: AlertDeskOptions): AlertDesk {
  const { log } = options;
  const agents = openAlertAgents(options);
  let state = createAlerts(firstSequence());
  let words: NodeWords | undefined = options.hasForerunner ? undefined : {};
  let section: XmlElement | undefined;
  let wantsAttributes = false;

  async function run(one: AlertRun): Promise<void> {
    const failure = await agents.run(one);
    take({ kind: "ended", id: one.id, ...(failure === undefined ? {} : { failure }) });
  }

  function take(event: AlertsEvent): void {
    const stepped = stepAlerts(state, event);
    const hasNews = stepped.state.troubles !== state.troubles;
    state = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "log") log(effect.level, effect.text);
      // Behind what the same event has begun: a fork takes its time.
      else setImmediate(() => void run(effect.run));
    }
    if (hasNews) options.onChange();
  }

  function targetsOf(cib: XmlElement, wallMs: number) {
    return readAlertTargets(cib, { nowSeconds: Math.floor(wallMs / 1000), ...zoneAt(wallMs) });
  }

  /** Looked at before they are needed: a missing agent is a silent one. */
  function configure(cib: XmlElement): void {
    if (alertsOf(cib) === section) return;
    section = alertsOf(cib);
    const targets = targetsOf(cib, Date.now());
    wantsAttributes = selectsAttributes(cib);
    take({ kind: "configured", targets });
    for (const { name, path } of targets)
      void agents
        .look(path)
        .then((objection) => take({ kind: "looked", target: name, ...(objection === undefined ? {} : { objection }) }));
  }

  function tell(happenings: readonly Happening[], cib: XmlElement): void {
    if (happenings.length === 0) return;
    const wallMs = Date.now();
    const targets = targetsOf(cib, wallMs);
    if (targets.length > 0) take({ kind: "happened", happenings, targets, instant: { wallMs, ...zoneAt(wallMs) } });
  }

  function noteMembers(view: MembershipView, node: NodeState): void {
    const cib = nodeCib(node);
    const usual = Object.fromEntries(view.members.map((name) => [name, "member"] as const));
    const before = words ?? usual;
    words = nodeWords(view, before);
    tell(nodeHappenings(before, words, cib, node.controller.nodes), cib);
  }

  function note(before: NodeState, event: NodeEvent, after: NodeState): void {
    const cib = nodeCib(after);
    configure(cib);
    if (event.kind === "view") noteMembers(event.view, after);
    if (section === undefined) return;
    if (event.kind === "finished") {
      const happening = resourceHappening(before.executor, after.executor, event.callId);
      if (happening !== undefined) tell([happening], cib);
    }
    const { self, controller, store } = after;
    if (!wantsAttributes || controller.election.dc !== self || before.store === store) return;
    tell(attributeHappenings(nodeCib(before), cib), cib);
  }

  /** What tells of a takeover must never be what ends it. */
  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      log("error", `an alert was not told: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  return {
    note: (before, event, after) => guarded(() => note(before, event, after)),
    fenced: (record, cib) => guarded(() => tell([fencingHappening(record)], cib)),
    troubles: () => Object.values(state.troubles),
  };
}
