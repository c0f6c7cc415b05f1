/** Small CIBs with nodes behind connections: bundles, guests, remote nodes; also as they are a transition later. */
import { parseXml, printXml, type XmlElement } from "../../../src/base/xml.ts";
import type { Decision } from "../../../src/cluster/core/scheduler/decision.ts";
import { decisionOf } from "../../../src/cluster/core/scheduler/decision-of.ts";
import { simulateRun } from "../../../src/cluster/core/scheduler/print/simulated-run.ts";
import { work } from "../../../src/cluster/core/scheduler/schedule.ts";
import type { TransitionAction } from "../../../src/cluster/core/transition/graph.ts";

export const NOW = 1_800_000_000_000;

export function read(text: string): XmlElement {
  const parsed = parseXml(text);
  if (parsed.kind === "not-xml") throw new Error(`line ${parsed.line}: ${parsed.reason}`);
  return parsed.root;
}

export const nvpairs = (id: string, values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
    .join("");

export const meta = (id: string, values: Readonly<Record<string, string>>) =>
  `<meta_attributes id="${id}-meta">${nvpairs(`${id}-meta`, values)}</meta_attributes>`;

export const primitive = (id: string, agent: string, inside = "") => {
  const [standard, provider, type] = agent.split(":");
  return `<primitive id="${id}" class="${standard}" provider="${provider}" type="${type}">
    <operations><op id="${id}-monitor" name="monitor" interval="10s"/></operations>${inside}</primitive>`;
};

export interface Wish {
  readonly resources: string;
  readonly constraints?: string;
  readonly fencing?: boolean;
  /** Attributes that the members bring along, by name of the member. */
  readonly attributes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Alpha and bravo are up and know nothing yet. */
export function cib({ resources, constraints = "", fencing = true, attributes = {} }: Wish): XmlElement {
  const members = ["alpha", "bravo"];
  const states = members.map(
    (name, index) => `<node_state id="${index + 1}" uname="${name}" in_ccm="true" crmd="online" join="member"
      expected="member"><transient_attributes id="${index + 1}"><instance_attributes id="status-${name}">
      ${nvpairs(`status-${name}`, attributes[name] ?? {})}</instance_attributes></transient_attributes>
      <lrm id="${index + 1}"><lrm_resources/></lrm></node_state>`,
  );
  return read(`<cib have-quorum="1" dc-uuid="1" validate-with="pacemaker-3.9"><configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options">
      ${nvpairs("options", { "stonith-enabled": String(fencing) })}</cluster_property_set></crm_config>
    <nodes>${members.map((name, index) => `<node id="${index + 1}" uname="${name}"/>`).join("")}</nodes>
    <resources>${fencing ? '<primitive id="fence" class="stonith" type="ipmi-lan"/>' : ""}${resources}</resources>
    <constraints>${constraints}</constraints></configuration>
    <status>${states.join("")}</status></cib>`);
}

const label = (action: TransitionAction): string => {
  if (action.kind === "fence") return `fence ${action.target}`;
  if (action.kind === "resource")
    return `${action.operation} ${action.resource.longId ?? action.resource.id} ${action.node}`;
  if (action.kind === "cluster") return `${action.operation} ${action.node}`;
  return action.operation === "stonith" ? `(fence ${action.node})` : `(${action.key})`;
};

export class Story {
  readonly decision: Decision;
  readonly after: XmlElement;

  constructor(before: XmlElement) {
    const worked = work(before, NOW);
    this.decision = decisionOf(worked);
    this.after = simulateRun(before, worked).cib;
  }

  /** What is done to whom and where; probes and repeated monitors left out. */
  get done(): string[] {
    return this.decision.transition.actions
      .filter((action) => action.kind !== "pseudo" || action.operation === "stonith")
      .map(label)
      .filter((text) => !text.startsWith("monitor "))
      .sort();
  }

  get monitors(): string[] {
    return this.decision.transition.actions
      .map(label)
      .filter((text) => text.startsWith("monitor "))
      .sort();
  }

  /** Every link of the chain that does not hold. */
  breaks(chain: readonly string[]): string[] {
    return chain.slice(1).flatMap((second, index) => {
      const first = chain[index] ?? "";
      return this.#waits(second, first) ? [] : [`${second} does not wait for ${first}`];
    });
  }

  #waits(second: string, first: string): boolean {
    const { actions } = this.decision.transition;
    const byId = new Map(actions.map((action) => [action.id, action]));
    const queue = actions.filter((action) => label(action) === second).flatMap(({ inputs }) => inputs);
    for (const id of queue) {
      const action = byId.get(id);
      if (action === undefined) continue;
      if (label(action) === first) return true;
      for (const input of action.inputs) if (!queue.includes(input)) queue.push(input);
    }
    return false;
  }
}

/** Plays transitions through until nothing is left to do. */
export function settled(before: XmlElement): XmlElement {
  let current = before;
  for (let turn = 0; turn < 5; turn++) {
    const story = new Story(current);
    if (story.decision.transition.actions.length === 0) return current;
    current = story.after;
  }
  throw new Error("it does not come to rest");
}

export function edit(element: XmlElement, change: (text: string) => string): XmlElement {
  return read(change(printXml(element)));
}

/** The repeated monitor of that resource has failed. */
export function failMonitor(element: XmlElement, resource: string): XmlElement {
  return edit(element, (text) => {
    const pattern = new RegExp(
      `(<lrm_rsc_op id="${resource}_monitor_[1-9]\\d*"[^>]*call-id=")\\d+("[^>]*rc-code=")\\d+`,
    );
    if (!pattern.test(text)) throw new Error(`no monitor of ${resource} is recorded`);
    return text.replace(pattern, "$1900$21");
  });
}

/** The member has vanished without a word. */
export function lose(element: XmlElement, member: string): XmlElement {
  return edit(element, (text) =>
    text.replace(/<node_state [^>]*>/g, (state) =>
      state.includes(`uname="${member}"`)
        ? state.replace('in_ccm="true" crmd="online" join="member"', 'in_ccm="false" crmd="offline" join="down"')
        : state,
    ),
  );
}
